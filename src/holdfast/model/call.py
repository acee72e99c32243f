"""The run of one view's body, a part of the raw record; and what a verdict says of all that were run."""

from __future__ import annotations

from typing import Literal

from holdfast.model.frozen import frozen
from holdfast.model.phase import Phase


@frozen
class Call:
    """The run of one view's body, as the recorder inside the server wrote it.

    Attributes:
        phase: CALLED_ALONE or CALLED_TOGETHER.
        pid, tid: process and native thread that ran it.
        own_loop: it ran on an event loop that had been made for this request alone.
        begun_ns, ended_ns: of the body itself; its first beginning and its last end where it was run again.
        longest_stop_ns: the longest time for which the loop of its thread could do nothing else.
        stopped_ns: all such times together.
        stopping_since_ns: when the time began that had not ended yet; NEVER where the loop was free.
        timing: how these were seen: "steps" (each step of its coroutine), "whole" (a function that ran on the loop's
            thread), "switches" (each turn of its greenlet); or why they were not: "no loop" (none ran on its thread),
            "unseen" (it runs in pieces that nothing shows).
        runs: how often the body was run for this request (1, unless a decorator or the server repeats it).
        raised: it ended by an exception, once at least.
        goes_on: what it returned is asked for more while it is sent.
    """

    id: int
    phase: Phase
    pid: int
    tid: int
    own_loop: bool
    begun_ns: int
    ended_ns: int
    longest_stop_ns: int
    stopped_ns: int
    stopping_since_ns: int
    timing: str
    runs: int
    raised: bool
    goes_on: bool


@frozen
class Spread:
    """Median (the lower one of two) and maximum over bodies, ms.

    Attributes:
        median: the lower one of two in the middle.
        max: the longest.
    """

    median: float
    max: float


@frozen
class Body:
    """One body that ran alone; times in ms, None where they were not seen.

    Attributes:
        status: of its reply; None where none came.
        raised: it ended by an exception.
        duration_ms: from its beginning to its end.
        longest_stop_ms: the longest time for which its event loop could do nothing else.
        stopped_ms: all such times together.
    """

    status: int | None
    raised: bool
    duration_ms: float | None
    longest_stop_ms: float | None
    stopped_ms: float | None


@frozen
class Calls:
    """What bodies of views did when many were run together; None where it was not seen.

    Attributes:
        offered: requests that were offered for it.
        bodies: how many of their bodies began.
        finished: how many of these came to their end, by an exception or not.
        raised: how many of those by an exception.
        replies: HTTP status -> how many requests got it; "none" -> how many got no reply.
        at_once: most bodies that had begun and not ended at one instant; one that awaits is among them.
        running: of the bodies that had begun, how many ran while others waited in their view for their turn (a lock, a
            semaphore, a pool, a thread): what the application itself lets run. None where none waited so, and where it
            was not seen.
        processes: how many processes ran them.
        longest_stop_ms: the longest time for which one of them kept its event loop from everything else.
        stop_ms: the longest stop of each body.
        stopped_ms: all stops of each body together.
        duration_ms: from the beginning of each body to its end.
        loop: whose the loops are: "shared" by requests, or one that was made for each request ("own"); None where none
            ran, or where it was not seen.
        alone: the body that ran before, alone.
    """

    offered: int
    bodies: int
    finished: int
    raised: int
    replies: dict[str, int]
    at_once: int | None
    processes: int | None
    longest_stop_ms: float | None
    stop_ms: Spread | None
    stopped_ms: Spread | None
    duration_ms: Spread | None
    loop: Literal["shared", "own"] | None
    alone: Body
    running: int | None = None
