"""Where in the application requests wait, and which limits of libraries are in force there."""

from __future__ import annotations

from typing import Literal

from holdfast.model.frozen import frozen
from holdfast.model.phase import Phase

VARIED = ("AnyIO tokens", "default executor")
"""Limits of libraries that can be set inside a server's processes, which `Experiment.library_limits` does."""


@frozen
class WaitingPoint:
    """Requests of one process that are at one line: a part of the raw record.

    Attributes:
        phase: RAMP: handed to the application, view not entered. CALLED_TOGETHER: bodies that run.
        pid: the process.
        requests: how many.
        file, line, function: of the innermost frame in the person's own code; "", 0 and "" where there is none.
        library: the function behind that, or the kind of a lock, by module and name; "" where it has no frame.
        waits: for its turn: for a lock, a semaphore, a place in a pool, a free thread. What only takes time does not.
    """

    phase: Phase
    pid: int
    requests: int
    file: str
    line: int
    function: str
    library: str
    waits: bool


@frozen
class BodiesAtRest:
    """What one look at bodies told while none of them moved: a part of the raw record.

    Attributes:
        running: how many did not wait for their turn.
        waiting: how many did.
    """

    running: int
    waiting: int


@frozen
class LibraryLimit:
    """A limit that a library sets in one process: a part of the raw record.

    Attributes:
        phase: RAMP: when the places were counted. CALLED_TOGETHER: while bodies ran.
        name: "AnyIO tokens", "default executor", "asgiref thread".
        limit: None is without one.
        in_use: how much of it was taken.
    """

    phase: Phase
    pid: int
    name: str
    limit: int | None
    in_use: int


@frozen
class Background:
    """What wakes up by itself in one process, and could add a place while requests wait for one.

    Attributes:
        file: of the person's own code; of an installed package its name.
        function: that runs, or that a timer will call.
        wakes_s: after how long, s; 0 where that is not known.
    """

    pid: int
    file: str
    line: int
    function: str
    wakes_s: float


@frozen
class Waiting:
    """Requests that wait at one line, in a verdict.

    Attributes:
        phase: "ramp": before their view, when the places were counted; "call": in their view, while bodies ran.
        requests, processes: how many wait there, in how many processes.
        file, line, function: of the innermost frame in the person's own code; None where there is none.
        waits_in: the function of a library that waits, or the kind of a lock, by module and name; None where it has no
            frame.
    """

    phase: Literal["ramp", "call"]
    requests: int
    processes: int
    file: str | None
    line: int | None
    function: str | None
    waits_in: str | None


@frozen
class Library:
    """A limit that a library sets in each of some processes, in a verdict.

    Attributes:
        name: "AnyIO tokens", "default executor" or "asgiref thread".
        limit: of one process; None is without one.
        in_use: how much of it was taken when the places were counted, of all these processes together; where more was
            while bodies ran, that.
        processes: how many have this limit.
    """

    name: str
    limit: int | None
    in_use: int
    processes: int
