"""One probe of an explanation, and the settings and limits that could decide what it saw."""

from __future__ import annotations

from typing import Literal

from holdfast.model.frozen import frozen
from holdfast.model.places import Place
from holdfast.model.verdict import Cost

RivalKind = Literal["processes", "places", "share", "bytes", "streams", "switch"]
"""What a rival counts.

"processes": of the server, each of which has places of its own. "places": places themselves, of the whole server or of
each process. "share": a resource of which each request takes a whole number, as descriptors. "bytes": memory.
"streams": of one HTTP/2 connection. "switch": 0 is off, and then there is one place.
"""

SET_AT_START = "what starts the server, or the application, sets it itself"
"""Why a rival cannot be changed that was in force as before in each trial that was to change it."""


@frozen
class Rival:
    """A setting or a limit that could decide how many requests a place takes.

    Attributes:
        name: the server's own word for it, or nofile, nproc, "address space", "AnyIO tokens", "default executor".
        place: the one whose size it is said to bound.
        kind: what it counts: "processes" of the server, each of which has places of its own; "places" of the whole
            server or of each process; a "share", a resource of which each request takes a whole number; "bytes" of
            memory; "streams" of one HTTP/2 connection.
        value: in the first trial; None where it is unlimited or not known.
        share: how much of it each request takes; 1 for places, 0 where that is not known.
        most: the highest value that can be tried here; None without a bound.
        fixed: why it cannot be changed; "" where it can.
        near: its use was seen at the limit, or next to it.
        least: the lowest value that the server takes.
        counts: False where the server is said to take no notice of it as it is started.
        inside: requests wait for it inside the application, as for a library's threads.
    """

    name: str
    place: Place
    kind: RivalKind
    value: int | None
    share: int = 1
    most: int | None = None
    fixed: str = ""
    near: bool = False
    least: int = 1
    counts: bool = True
    inside: bool = False


@frozen
class Change:
    """A rival, and the value that it was given.

    Attributes:
        name: of the rival.
        value: that it had.
    """

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
        before_view: of the accepted ones, those that had been handed to the application and had not reached the view.
        streams: of one HTTP/2 connection, in service at once, where that was bounded; None also without HTTP/2.
        backlog: in force in the kernel.
        somaxconn: the cap on it.
        processes: of the server.
        cost: what each request in service took; None where it was not measured.
        rest_bytes, full_bytes: memory of the server's processes at rest, and with every place full, as
            `model.samples.Usage` counts it; None where it could not be read.
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
    before_view: int | None = None
    streams: int | None = None
    backlog: int | None = None
    somaxconn: int | None = None
    processes: int | None = None
    cost: Cost | None = None
    rest_bytes: int | None = None
    full_bytes: int | None = None
    failure: str = ""
    remedy: str = ""
    seconds: float = 0.0


def named(trial: Trial) -> str:
    """How a text refers to a trial: "run 41", which `holdfast show 41` shows; unsaved, by what it was for."""
    return f"run {trial.run}" if trial.run is not None else f'the unsaved run "{trial.purpose or "as asked"}"'
