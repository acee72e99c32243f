"""What the scripts of a page draw from: pictures as JSON can hold them.

Columns of numbers are written as differences, which take a third of the room: most of them are 0.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

import msgspec

from holdfast.model.units import US
from holdfast.page.places import looks
from holdfast.picture.areas import Areas
from holdfast.picture.capacity import Knee
from holdfast.picture.percentiles import Curve
from holdfast.picture.settings import SettingChart
from holdfast.picture.usage import UsageLook

_SIZES = {"in_service": "requests at once", "userspace_queue": "accepted requests", "accept_queue": "accept queue"}
_MIB = 1 << 20


def areas_data(
    areas: Areas,
    labels: Mapping[str, str] | None = None,
    *,
    marks: Sequence[tuple[int, str]] = (),
    in_flight: bool = False,
) -> dict[str, object] | None:
    """Stacked areas; None where no request was offered.

    Args:
        labels: of places that are called otherwise here.
        marks: instants with what happened then, ascending.
        in_flight: at first, only those are drawn that have not ended.
    """
    if not areas.at_ns:
        return None
    known, own = looks(), labels or {}
    begun = areas.at_ns[0]
    return {
        "at_us": differences([(at - begun) // US for at in areas.at_ns]),
        "marks": [[(at - begun) // US, text] for at, text in marks if at >= begun],
        "in_flight": in_flight,
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


def settings_data(charts: Sequence[SettingChart]) -> list[dict[str, object]] | None:
    """Sizes of places against settings; None where no setting was varied."""
    return [{**msgspec.to_builtins(each), "size": _SIZES[each.place]} for each in charts] or None


def knee_data(knee: Knee) -> dict[str, object] | None:
    """Rates against latencies and errors; None where no load was run."""
    found: dict[str, object] = msgspec.to_builtins(knee)
    return found if knee.points else None


def usage_data(looks_at: Sequence[UsageLook]) -> dict[str, object] | None:
    """What the server used; None with fewer than two looks, which show nothing of time."""
    if len(looks_at) < 2:
        return None
    columns: list[tuple[str, str, list[float | None]]] = [
        ("Threads", "threads", [each.threads for each in looks_at]),
        ("Processes", "processes", [each.processes for each in looks_at]),
        ("Descriptors", "descriptors", [each.descriptors for each in looks_at]),
        ("Memory", "MiB", [None if each.memory_bytes is None else each.memory_bytes / _MIB for each in looks_at]),
        ("CPU time", "s", [each.cpu_s for each in looks_at]),
    ]
    return {
        "at_us": [each.at_ns // US for each in looks_at],
        "in_service": [each.in_service for each in looks_at],
        "columns": [
            {"name": name, "unit": unit, "values": [None if each is None else round(each, 3) for each in values]}
            for name, unit, values in columns
        ],
    }


def differences(numbers: Sequence[int]) -> list[int]:
    """The first number, and how much each further one is more than the one before it."""
    return [*numbers[:1], *(after - before for before, after in pairwise(numbers))]
