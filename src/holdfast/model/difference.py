"""Two results compared: which fields differ, and whether that is more than noise."""

from __future__ import annotations

from typing import Literal

from holdfast.model.frozen import frozen
from holdfast.model.revision import Revision

Kind = Literal["verdict", "load", "explanation", "study", "capacity"]
"""What is compared; only two of one kind can be."""

Part = Literal["settings", "versions", "limits", "verdict"]
"""What a field says: what was asked, of what it was asked, what limited it, and what came out."""

Meaning = Literal["change", "noise", "unknown"]
"""What a difference shows.

"change": two runs of the same server do not differ so. "noise": they do. "unknown": at least one side does not say.
"""

Interval = tuple[float, float | None]
"""The least and the most that a figure may be; the most None without an upper bound."""


@frozen
class FieldDifference:
    """One field that is not the same on both sides.

    Attributes:
        field: its dotted name in the JSON; an element of a list by its name: `libraries[AnyIO tokens].limit`.
        before, after: its values, as JSON has them; None also where a list has no such element.
        why: the reason for the meaning, in words.
        before_interval, after_interval: what the two figures may be; None where no interval is known.
    """

    field: str
    part: Part
    before: object
    after: object
    meaning: Meaning
    why: str
    before_interval: Interval | None = None
    after_interval: Interval | None = None


@frozen
class Side:
    """Where one of the two results comes from.

    Attributes:
        name: "run 17", or the file's name.
        run: number of the saved run; None for a file.
        saved_at: wall time, seconds since the epoch; None where it is not known.
        holdfast: the version that saved the run; None where it is not known.
        asked: what was asked, in one line; "" where it is not known.
        revision: of the person's project when the run was saved; None for a file.
    """

    name: str
    run: int | None = None
    saved_at: float | None = None
    holdfast: str | None = None
    asked: str = ""
    revision: Revision | None = None


@frozen
class Difference:
    """Everything that differs between two results of one kind.

    Attributes:
        of: their kind.
        fields: in the order of the JSON; those that are the same are left out.
        same: how many fields are the same.
    """

    of: Kind
    before: Side
    after: Side
    fields: tuple[FieldDifference, ...]
    same: int
    schema: int = 1
    kind: str = "difference"
