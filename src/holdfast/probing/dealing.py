"""Deals requests to processes that accept and have run nothing, by stopping the others for a moment.

Facts
-----
* Processes that wait for one listening socket are all woken by each connection, in the order of its wait queue
  (`__wake_up_common()`), which stays the same: the first that has a core takes it. One that is full takes it too if it
  accepts without limit, as gunicorn's gthread does up to `worker_connections`, so another one may come too late for
  each of hundreds of connections.
* A stopped process (SIGSTOP) accepts nothing. A held handler only sleeps, so a stop of some milliseconds changes
  nothing of what it holds. It does not report to its master either, which may end it for that: after a second or more
  (the least that gunicorn's `--timeout` can be).

Decisions
---------
* After a plateau at which one of them runs fewer than another, those that run as many as any are stopped, and one
  request is offered to the rest; again, until all run as many, or one was not taken. Those that took none have shown
  it. What waits in the application before its view has been taken too.
* Nothing is offered before each has come to its stop (HOLDS_NS), for which it needs a core. One that is offered has
  TAKES_NS to start, so where the way to a view takes longer nothing is dealt. After MOST_NS all are let run for
  RUNS_NS, in which they report. At the end all are let run again, whatever happens.
* Where holdfast itself is stopped by Ctrl-Z meanwhile, they run until it runs on. Where it cannot see to that (SIGSTOP,
  or a thread that may set no handler), its guardian lets them run. Which process took a request by then shows nothing,
  so it is offered anew.
"""

from __future__ import annotations

import os
import signal
import threading
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType

from holdfast.engine.prober import Prober
from holdfast.model.units import MS, NS_PER_S
from holdfast.observe.processes import read_activity
from holdfast.probing.guards import STOPPED
from holdfast.probing.session import Session
from holdfast.probing.waits import TURN_NS, turn_until, with_the_way_ns
from holdfast.procfs.read import read_stat

HOLDS_NS = 100 * MS
TAKES_NS = 200 * MS
MOST_NS = 200 * MS
RUNS_NS = 50 * MS


def deal(session: Session, prober: Prober, accepting: Collection[int], most: int) -> None:
    """Offers requests one by one to the processes that run fewer than another does, until none takes one.

    Args:
        accepting: processes that accept.
        most: requests at most.
    """
    if with_the_way_ns(session, TAKES_NS) > TAKES_NS:
        return
    ends_ns = session.now_ns() + MOST_NS
    with stopped(session.server.stops) as stop:
        for _ in range(most):
            running = Counter(each.pid for each in session.recording.entries(0, prober.offered))
            fullest, begun = max((running[each] for each in accepting), default=0), Counter(_begun(session, prober))
            behind = [each for each in accepting if begun[each] < fullest]
            if not behind or session.interrupts.asked:
                return
            pauses = stop.pauses
            stop.only(each for each in accepting if each not in behind)
            held = turn_until(session, prober, stop.holds, HOLDS_NS / NS_PER_S)
            taken = held and _is_taken(session, prober)
            if not (taken or (held and stop.were_let_run()) or stop.pauses != pauses):
                return
            if session.now_ns() > ends_ns:
                stop.only(())
                ends_ns = session.now_ns() + RUNS_NS
                while session.now_ns() < ends_ns:
                    prober.turn(TURN_NS)
                ends_ns += MOST_NS


def _begun(session: Session, prober: Prober) -> list[int]:
    """The process of each request that runs, or that the application was called with and that waits before its view."""
    handed = {each.id: each.pid for each in session.recording.handed(0, prober.offered)}
    return [*{**handed, **{each.id: each.pid for each in session.recording.entries(0, prober.offered)}}.values()]


def _is_taken(session: Session, prober: Prober) -> bool:
    before, began_ns = len(_begun(session, prober)), session.now_ns()
    prober.open(1)
    while len(_begun(session, prober)) == before:
        if session.now_ns() - began_ns > TAKES_NS:
            return False
        prober.turn(min(TURN_NS, MS))
    return True


class Stopped:
    """The processes that are stopped. Invariant: whatever was sent SIGSTOP, and no SIGCONT since, is among them.

    Attributes:
        pauses: how often holdfast itself was stopped meanwhile.
    """

    def __init__(self, tell: Callable[[frozenset[int]], None]) -> None:
        """Stops nothing yet.

        Args:
            tell: is given what is stopped, before it is.
        """
        self._tell = tell
        self._pids: frozenset[int] = frozenset()
        self._wanted: frozenset[int] = frozenset()
        self.pauses = 0

    def only(self, pids: Iterable[int]) -> None:
        """Stops these, and lets all others run again."""
        stop = frozenset(pids)
        before, self._pids = self._pids, self._pids | stop
        self._wanted = stop
        self._tell(self._pids)
        # Those of before too: the guardian may have let them run.
        for pid in stop:
            _send(pid, signal.SIGSTOP)
        for pid in before - stop:
            _send(pid, signal.SIGCONT)
        self._pids = stop
        if before - stop:
            self._tell(stop)

    def holds(self) -> bool:
        """Whether all their threads have come to their stop, for which each needs a core once."""
        threads = (each for process in read_activity(self._pids).processes for each in process.threads)
        return all(each.state in STOPPED for each in threads)

    def were_let_run(self) -> bool:
        """Whether one of them runs again although it should not; then all are let run, and that was a pause."""
        found = any(stat is not None and stat.state not in STOPPED for stat in map(read_stat, self._pids))
        if found:
            self.pauses += 1
            self.only(())
        return found

    def pause(self, number: int, _frame: FrameType | None) -> None:
        """Lets all run while the signal stops this process as it would without a handler, and stops them again then."""
        for pid in self._pids:
            _send(pid, signal.SIGCONT)
        handler = signal.signal(number, signal.SIG_DFL)
        signal.raise_signal(number)
        signal.signal(number, handler)
        self.pauses += 1
        self._tell(self._wanted)
        for pid in self._wanted:
            _send(pid, signal.SIGSTOP)


@contextmanager
def stopped(tell: Callable[[frozenset[int]], None]) -> Iterator[Stopped]:
    """Nothing is stopped before the block, nor after it, however it ends; nor while Ctrl-Z stops this process.

    Args:
        tell: as of `Stopped`.
    """
    stop = Stopped(tell)
    # Only the main thread may set handlers, and where another one is set Ctrl-Z need not stop this process.
    ours = threading.current_thread() is threading.main_thread() and signal.getsignal(signal.SIGTSTP) == signal.SIG_DFL
    try:
        if ours:
            signal.signal(signal.SIGTSTP, stop.pause)
        yield stop
    finally:
        stop.only(())
        if ours:
            signal.signal(signal.SIGTSTP, signal.SIG_DFL)


def _send(pid: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.kill(pid, number)
