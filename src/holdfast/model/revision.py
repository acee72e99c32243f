"""The git revision of a person's project."""

from __future__ import annotations

from holdfast.model.frozen import frozen


@frozen
class Revision:
    """What was checked out when a run was saved.

    Attributes:
        commit: its full name; None where there is none.
        changed: whether tracked files differed from it; None where that could not be found out.
        why: why `commit`, or else `changed`, is None; "" where both are known.
    """

    commit: str | None
    changed: bool | None = None
    why: str = ""
