"""Waiting for the reports of forked load processes, and for their end.

A process that is asked to end at once does so within a turn of its loop. One that is in the middle of something that
does not end (a stopped process, a pattern that backtracks) is killed after GRACE_S; what it wrote stays.
"""

from __future__ import annotations

import os
import select
import signal
import time
from collections.abc import Callable, Mapping, Sequence

from holdfast.engine.plan import Stop
from holdfast.engine.stuck import Stuck

LOOK_MS = 100
GRACE_S = 2.0
HUNG = f"it did not end within {GRACE_S:.0f} s when it was asked to, and was killed"


def listen(
    children: Mapping[int, int], stopped: Callable[[], Stop], own_since: Sequence[int] = ()
) -> tuple[dict[int, bytes], set[int]]:
    """Reads each process's report until its pipe ends, or the process has ended and there is nothing more in it.

    Args:
        children: descriptor of the pipe -> process.
        stopped: asked at least ten times a second.
        own_since: as of `Tally`, for each process.

    Returns:
        Reports by descriptor, empty where there is none; the descriptors of those that were killed.
    """
    reports = dict.fromkeys(children, b"")
    poll = select.poll()
    for reading in children:
        poll.register(reading, select.POLLIN)
    open_pipes = set(children)
    hung: set[int] = set()
    stuck, pids = Stuck(own_since), [*children.values()]
    passed_on = Stop.NOT
    deadline_s = float("inf")
    while open_pipes:
        if stopped() > passed_on:
            # One signal asks for the drain, a second one for the end.
            passed_on = Stop(passed_on + 1)
            _signal(children, open_pipes, signal.SIGTERM)
            if passed_on is Stop.AT_ONCE:
                deadline_s = time.monotonic() + GRACE_S
        elif time.monotonic() >= deadline_s:
            deadline_s = float("inf")
            hung |= open_pipes
            _signal(children, open_pipes, signal.SIGKILL)
        for number in stuck.found():
            os.kill(pids[number], signal.SIGPROF)
        # What a process of a person's own has started may have the pipe too, and keep it open for ever.
        over = {reading for reading in open_pipes if _has_ended(children[reading])}
        ready = [reading for reading, _ in poll.poll(0 if over else LOOK_MS)]
        for reading in over.difference(ready):
            poll.unregister(reading)
            open_pipes.discard(reading)
        for reading in ready:
            data = os.read(reading, 65536)
            reports[reading] += data
            if not data:
                poll.unregister(reading)
                open_pipes.discard(reading)
    return reports, {each for each in hung if not reports[each]}


def _has_ended(pid: int) -> bool:
    """Whether a process of ours has ended; its end can still be waited for."""
    return os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None


def end_of(pid: int, *, at_once: bool) -> str:
    """Waits for a process, after killing it if it is to end at once; returns how it ended, in words."""
    if at_once:
        os.kill(pid, signal.SIGKILL)
    _, status = os.waitpid(pid, 0)
    if os.WIFSIGNALED(status):
        return f"killed by {signal.Signals(os.WTERMSIG(status)).name}"
    return f"exit code {os.WEXITSTATUS(status)}"


def _signal(children: Mapping[int, int], open_pipes: set[int], number: int) -> None:
    for reading in open_pipes:
        os.kill(children[reading], number)
