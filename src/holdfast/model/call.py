"""The run of one view's body: a part of the raw record."""

from __future__ import annotations

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
