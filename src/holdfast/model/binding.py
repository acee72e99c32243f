"""The setting that decides how much a place takes."""

from __future__ import annotations

from holdfast.model.frozen import frozen

INSIDE = "inside the application"
"""What decides where the application itself lets no more run: a semaphore, a lock, a pool of its own."""


@frozen
class RuledOut:
    """A setting that does not decide it, and the run that shows so.

    Attributes:
        setting: its name.
        by: the run, in words.
    """

    setting: str
    by: str


@frozen
class NextBound:
    """The setting that would decide it next, and the number in its place at which it would.

    Attributes:
        setting: its name.
        at: the number.
    """

    setting: str
    at: int


@frozen
class Binding:
    """The setting that decides how much a place takes. One probe cannot show it; `holdfast explain` can.

    Attributes:
        setting: the server's own name for it, or nofile, nproc, somaxconn, memory, "AnyIO tokens", "default
            executor", "inside the application".
        place: which it bounds.
        configured, effective: its value as given, and as it came into force.
        formula: how the place's size follows from it: "workers x threads".
        evidence: the runs that show it, in words.
        ruled_out: settings that were tried and do not decide it.
        next: None where no further bound is known.
    """

    setting: str
    place: str
    configured: int | None
    effective: int | None
    formula: str
    evidence: tuple[str, ...]
    ruled_out: tuple[RuledOut, ...] = ()
    next: NextBound | None = None
