"""What `holdfast explain` ran, and what it proved: trials, the settings that could decide, and those that do."""

from __future__ import annotations

from holdfast.model.advice import Advice, AdviceRecord
from holdfast.model.binding import Binding, RuledOut
from holdfast.model.frozen import frozen
from holdfast.model.overload import Overload, OverloadRecord
from holdfast.model.silent import Silent, SilentRecord
from holdfast.model.trial import Rival, Trial
from holdfast.model.verdict import Verdict


@frozen
class Slope:
    """What one more request in service takes, over several trials: the middle one, and the least and the most seen.

    Attributes:
        value: the middle one.
        least: the least seen.
        most: the most seen.
    """

    value: float
    least: float
    most: float


@frozen
class RequestCost:
    """What one more held request costs the server; None where no trial measured it.

    Attributes:
        descriptors: open files and sockets.
        threads: threads.
        processes: processes.
        memory_bytes: anonymous resident memory.
    """

    descriptors: Slope | None
    threads: Slope | None
    processes: Slope | None
    memory_bytes: Slope | None


@frozen
class Undecided:
    """A place for which the trials do not show what decides its size, and why they do not.

    Attributes:
        place: its name.
        why: in a sentence.
    """

    place: str
    why: str


@frozen
class ExplanationRecord:
    """An explanation as it is saved: what its trials saw, from which everything else is inferred again.

    Attributes:
        first_run: number of the saved run of the first trial, which has the verdict.
        seconds: of all trials together.
        out_of_time: further trials would have decided more, but would not have been over in time.
    """

    first_run: int
    rivals: tuple[Rival, ...]
    trials: tuple[Trial, ...]
    seconds: float
    interrupted: bool = False
    advice: AdviceRecord | None = None
    overload: OverloadRecord | None = None
    silent: SilentRecord | None = None
    out_of_time: bool = False


@frozen
class Explanation:
    """What decides the size of each place of one server, with the trials that show it.

    Attributes:
        verdict: of the first trial, with its `binding`.
        trials: every probe that was made, the first one as the person asked for it.
        rivals: settings and limits that could decide.
        bindings: of each place for which there is one, that of the requests in service first.
        ruled_out: of the requests in service.
        undecided: places without one.
        reached: the most requests in service that any trial reached; None where none had a verdict.
        cost: over all trials.
        seconds: of all trials together.
        interrupted: a person ended it early.
        advice: proposed settings; None where none were asked for, or the end was asked for before.
        overload: what clients see of more load than can be served; None likewise.
        silent: what silent clients do; None likewise.
        run: number under which the explanation was saved; None where it could not be.
        out_of_time: further trials would have decided more, but would not have been over in time.
        schema: version of this form of the object.
        kind: tells it from other objects.
    """

    verdict: Verdict
    trials: tuple[Trial, ...]
    rivals: tuple[Rival, ...]
    bindings: tuple[Binding, ...]
    ruled_out: tuple[RuledOut, ...]
    undecided: tuple[Undecided, ...]
    reached: int | None
    cost: RequestCost
    seconds: float
    interrupted: bool = False
    advice: Advice | None = None
    overload: Overload | None = None
    silent: Silent | None = None
    run: int | None = None
    out_of_time: bool = False
    schema: int = 1
    kind: str = "explanation"
