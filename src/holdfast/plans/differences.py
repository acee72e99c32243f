"""What holdfast leaves out of a user's plan, or does differently: listed before the load begins; pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from holdfast.model.frozen import frozen


@frozen
class Note:
    """One difference between the plan and the load.

    Attributes:
        what: "left out": holdfast does not do it; "differs": holdfast does it differently; "note": holdfast does what
            JMeter does, which may not be what is meant.
        kind: the element's type, as the plan spells it.
        name: the element's own name; "" if it has none.
        meaning: the consequence for the run, a clause without a full stop.
    """

    what: Literal["left out", "differs", "note"]
    kind: str
    name: str
    meaning: str


def in_words(notes: Iterable[Note]) -> list[str]:
    """One line for each kind of element and meaning, with the names of all elements that share them."""
    names: dict[tuple[str, str, str], list[str]] = {}
    for note in notes:
        known = names.setdefault((note.what, note.kind, note.meaning), [])
        if note.name and note.name not in known:
            known.append(note.name)
    return [
        f"{what}: {' '.join([kind, _listed(known)]).strip()}: {meaning}"
        for (what, kind, meaning), known in sorted(names.items(), key=lambda each: each[0][0] != "left out")
    ]


_MOST_NAMED = 5


def _listed(names: list[str]) -> str:
    shown = ", ".join(f'"{name}"' for name in names[:_MOST_NAMED])
    more = len(names) - _MOST_NAMED
    return f"{shown} and {more} more" if more > 0 else shown
