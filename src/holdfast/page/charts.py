"""What the scripts of a page draw from: pictures as JSON can hold them.

Columns of numbers are written as differences, which take a third of the room: most of them are 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from holdfast.model.units import US
from holdfast.page.places import looks
from holdfast.picture.areas import Areas
from holdfast.picture.percentiles import Curve


def areas_data(areas: Areas, labels: dict[str, str] | None = None) -> dict[str, object] | None:
    """Stacked areas; None where no request was offered.

    Args:
        labels: of places that are called otherwise here.
    """
    if not areas.at_ns:
        return None
    known, own = looks(), labels or {}
    return {
        "at_us": differences([(at - areas.at_ns[0]) // US for at in areas.at_ns]),
        "thinned": areas.thinned,
        "areas": [
            {
                "place": each.place,
                "label": own.get(each.place) or known[each.place].label,
                "colour": known[each.place].colour,
                "pattern": known[each.place].pattern,
                "ended": known[each.place].ended,
                "counts": differences(each.counts),
            }
            for each in areas.areas
        ],
    }


def curves_data(curves: Sequence[Curve]) -> list[dict[str, object]] | None:
    """Curves of percentiles; None where there is nothing to draw."""
    drawn = [
        {"name": each.name, "number": each.number, "share": each.share, "at_us": [at // US for at in each.at_ns]}
        for each in curves
        if each.number
    ]
    return drawn or None


def differences(numbers: Sequence[int]) -> list[int]:
    """The first number, and how much each further one is more than the one before it."""
    return [*numbers[:1], *(after - before for before, after in pairwise(numbers))]
