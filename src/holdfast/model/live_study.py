"""What is seen of an explanation or a study while it runs; nothing of it is kept."""

from __future__ import annotations

from holdfast.model.frozen import frozen
from holdfast.model.live import LiveProbe
from holdfast.model.trial import Change, Trial


@frozen
class LiveExplanation:
    """An explanation as it is now.

    Attributes:
        number: of the trial that runs, from 1; at most `most` are run, None where that does not bound them.
        purpose: what the trial is to tell apart, as "threads raised"; "" is the first, of what the person asked for.
        changes: what differs in it from the first.
        trials: those that are over.
        left: settings that may decide, as far as the trials have not ruled them out; None before the first is over.
        decides: those of them that the trials have proved.
        within_s: after so long, counted from now, the explanation ends with what is known; None without such a limit.
        probe: of the trial that runs.
    """

    elapsed_s: float
    probe: LiveProbe
    number: int
    most: int | None = None
    purpose: str = ""
    changes: tuple[Change, ...] = ()
    trials: tuple[Trial, ...] = ()
    left: tuple[str, ...] | None = None
    decides: tuple[str, ...] = ()
    within_s: float | None = None


@frozen
class LiveRow:
    """A row of a study that is over.

    Attributes:
        title: its server and arguments, or what the study calls it.
        at_once: requests in service at the ceiling; None where that was not measured.
        bounded: whether that is the ceiling; False is "at least".
        why_not: what became of a row without a verdict, in a word or two; "" where there is one.
    """

    title: str
    at_once: int | None
    bounded: bool | None
    why_not: str = ""


@frozen
class LiveStudy:
    """A study as it is now.

    Attributes:
        title: of the row that runs.
        rows: those that are over, in their order.
        total: how many rows there are.
        left_s: how long the rest will take if its rows take as long as those so far; None where too few have been run.
        now: what the row does that runs.
    """

    elapsed_s: float
    now: LiveProbe | LiveExplanation
    title: str
    rows: tuple[LiveRow, ...]
    total: int
    left_s: float | None = None
