"""What `holdfast explain` ran, and what it proved: trials, the settings that could decide, and those that do."""

from __future__ import annotations

from typing import Literal

from holdfast.model.binding import Binding, RuledOut
from holdfast.model.frozen import frozen
from holdfast.model.places import Place
from holdfast.model.verdict import Cost, Verdict

RivalKind = Literal["processes", "places", "share", "bytes"]
"""What a rival counts.

"processes": of the server, each of which has places of its own. "places": places themselves, of the whole server or of
each process. "share": a resource of which each request takes a whole number, as descriptors. "bytes": memory.
"""


@frozen
class Rival:
    """A setting or a limit that could decide how many requests a place takes.

    Attributes:
        name: the server's own word for it, or nofile, nproc, "address space", "AnyIO tokens", "default executor".
        place: the one whose size it is said to bound.
        value: in the first trial; None where it is unlimited or not known.
        share: how much of it each request takes; 1 for places, 0 where that is not known.
        most: the highest value that can be tried here; None without a bound.
        fixed: why it cannot be changed; "" where it can.
        near: its use was seen at the limit, or next to it.
    """

    name: str
    place: Place
    kind: RivalKind
    value: int | None
    share: int = 1
    most: int | None = None
    fixed: str = ""
    near: bool = False


@frozen
class Change:
    """A rival, and the value that it was given."""

    name: str
    value: int


@frozen
class Trial:
    """One probe of an explanation.

    Attributes:
        run: number under which it was saved; None where it could not be.
        purpose: what it was to tell apart, as "threads raised"; "" is the first, of what the person asked for.
        changes: what differs from the first trial.
        values: of all rivals, whose values are known, in this trial.
        offered: requests that were offered at once, at most.
        in_service, accepted, accept_queue: how many requests were in service, were accepted (in service or in the
            server's own queue), and were in the accept queue, at most; None where that was not measured.
        bounded: whether `in_service` is the ceiling; False is "at least".
        accepted_bounded: the same for `accepted`.
        backlog: in force in the kernel.
        somaxconn: the cap on it.
        failure: why there is no verdict, in a sentence; "" where there is one.
        remedy: what to do about that.
        seconds: that it took, start and end of the server included.
    """

    run: int | None
    purpose: str
    changes: tuple[Change, ...]
    values: tuple[Change, ...]
    offered: int
    in_service: int | None = None
    bounded: bool | None = None
    accepted: int | None = None
    accepted_bounded: bool | None = None
    accept_queue: int | None = None
    backlog: int | None = None
    somaxconn: int | None = None
    processes: int | None = None
    cost: Cost | None = None
    failure: str = ""
    remedy: str = ""
    seconds: float = 0.0


@frozen
class Slope:
    """What one more request in service takes, over several trials: the middle one, and the least and the most seen."""

    value: float
    least: float
    most: float


@frozen
class RequestCost:
    """What one more held request costs the server; None where no trial measured it."""

    descriptors: Slope | None
    threads: Slope | None
    processes: Slope | None
    memory_bytes: Slope | None


@frozen
class Undecided:
    """A place for which the trials do not show what decides its size, and why they do not."""

    place: str
    why: str


@frozen
class ExplanationRecord:
    """An explanation as it is saved: what its trials saw, from which everything else is inferred again.

    Attributes:
        first_run: number of the saved run of the first trial, which has the verdict.
        seconds: of all trials together.
    """

    first_run: int
    rivals: tuple[Rival, ...]
    trials: tuple[Trial, ...]
    seconds: float
    interrupted: bool = False


@frozen
class Explanation:
    """What decides the size of each place of one server, with the trials that show it.

    Attributes:
        verdict: of the first trial, with its `binding`.
        bindings: of each place for which there is one, that of the requests in service first.
        ruled_out: of the requests in service.
        undecided: places without one.
        reached: the most requests in service that any trial reached; None where none had a verdict.
        cost: over all trials.
        seconds: of all trials together.
        run: number under which the explanation was saved; None where it could not be.
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
    run: int | None = None
    schema: int = 1
    kind: str = "explanation"
