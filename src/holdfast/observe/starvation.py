"""How long a server was free to run: a server that gets no core is not at its limit.

Facts
-----
* A thread that could run and has no core waits on a run queue; `/proc/PID/task/TID/schedstat` counts that
  time and the time on a core in nanoseconds (Documentation/scheduler/sched-stats.rst). A wait is
  counted when it ends.
* A thread that waits for a lock (the GIL among them) sleeps; the thread that holds the lock runs or waits for a core.

Decisions
---------
* Between two looks, what all threads waited for a core, one after another, is the most by which the
  server's progress can have been delayed; the rest of the time it was free. A thread that could
  run at the second look counts as waiting for all the time that it was not on a core.
* Threads that could run at both looks did not wait for each other, so of them the one that waited longest
  counts. Without this, two full workers that keep asking for a place, on two cores shared with other programs,
  would never be free: of one second each waits half (seen: no plateau in ten seconds).
* Threads that do nothing but hold one request are left out: they wake up to look whether they may go,
  and on a busy machine their waits would add up to more than the time itself.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping

from holdfast.model.frozen import frozen

GAP_NS = 20_000_000
# At most a tenth of the time goes into looking.
GAP_FOR_COST = 10
# Where thirty threads want two cores, each waits 40 ms for a slice of 3 ms. Between looks 20 ms apart, one of two full
# workers has not run at all; in each second both have.
GAP_OF_STARVED = 40


@frozen
class CoreUse:
    """One thread at one look.

    Attributes:
        runnable: on a core, or would be if there were one.
        ran_ns: time on a core since its start.
        waited_ns: time on run queues since its start, the present wait not included.
        asleep: waits for something else than a core or a disk, or has ended.
    """

    runnable: bool
    ran_ns: int
    waited_ns: int
    asleep: bool = False


NOT_SEEN = CoreUse(runnable=False, ran_ns=0, waited_ns=0)
"""Of a thread that was not there at the last look."""


def starved_ns(before: Mapping[int, CoreUse], after: Mapping[int, CoreUse], wall_ns: int) -> int:
    """The most by which a server's progress can have been delayed for want of a core, between two looks.

    Args:
        before, after: its threads by tid; one that is new was started in between.
        wall_ns: time between the looks.
    """
    in_turn = side_by_side = 0
    for tid, now in after.items():
        then = before.get(tid, NOT_SEEN)
        not_on_a_core_ns = wall_ns - (now.ran_ns - then.ran_ns)
        # A wait that began before the first look is counted when it ends, with all of its time.
        waited = not_on_a_core_ns if now.runnable else min(now.waited_ns - then.waited_ns, not_on_a_core_ns)
        if now.runnable and then.runnable:
            side_by_side = max(side_by_side, waited)
        else:
            in_turn += max(0, waited)
    return max(0, min(in_turn + side_by_side, wall_ns))


def busiest(before: Mapping[int, CoreUse], after: Mapping[int, CoreUse], wall_ns: int) -> float:
    """The largest share of the time between two looks that one thread spent on a core or waiting for one.

    A loop that works off two thousand connections accepted at once shows nothing of it for half a second: neither
    the accept queue nor the handlers move. Still, it is not at rest.

    Args:
        before, after: a server's threads by tid; one that is new was started in between.
        wall_ns: time between the looks; a share above 1 only means that the looks take time themselves.
    """
    shares = [0.0]
    for tid, now in after.items():
        then = before.get(tid, NOT_SEEN)
        ran = now.ran_ns - then.ran_ns
        waited = max(now.waited_ns - then.waited_ns, wall_ns - ran if now.runnable else 0)
        shares.append((ran + waited) / wall_ns)
    return max(shares)


def share_with_a_core(uses: Mapping[int, CoreUse] | None) -> float:
    """Of the time in which these threads could have run, the share in which they did.

    Args:
        uses: threads by tid; None where they may not be read, and they count as if they always had a core.
    """
    ran = sum(use.ran_ns for use in (uses or {}).values())
    waited = sum(use.waited_ns for use in (uses or {}).values())
    return ran / (ran + waited) if ran else 1.0


class FreeTime:
    """Adds up the time in which a server was free to run, as far as it was observed.

    Invariant: `total_ns` never falls; it may become None.

    Attributes:
        total_ns: None where it cannot be read.
        starved_ns: observed time since the last pause that does not count.
    """

    def __init__(self, read: Callable[[Collection[int]], Mapping[int, CoreUse] | None], now: Callable[[], int]) -> None:
        """Prepares.

        Args:
            read: tids to leave out -> the server's other threads; None where they may not be read.
            now: CLOCK_MONOTONIC ns.
        """
        self.total_ns: int | None = None
        self.starved_ns = 0
        self._read = read
        self._now = now
        self._before: Mapping[int, CoreUse] | None = None
        self._at_ns = 0
        self._next_ns = 0

    def pause(self) -> None:
        """Leaves out the time until the next look."""
        self._before, self.starved_ns = None, 0

    def look(self, holding: Callable[[], Collection[int]]) -> None:
        """Adds the time since the last look, if it is time for one.

        Args:
            holding: gives the tids of threads that do nothing but hold one request.
        """
        began = self._now()
        if began < self._next_ns:
            return
        seen = self._read(holding())
        if seen is None:
            self.total_ns = self._before = None
        else:
            self._add(seen, began)
        gap_ns = max(GAP_NS, GAP_FOR_COST * (self._now() - began), self.starved_ns // GAP_OF_STARVED)
        self._next_ns = began + gap_ns

    def _add(self, seen: Mapping[int, CoreUse], at_ns: int) -> None:
        total = self.total_ns or 0
        if self._before is not None:
            wall = at_ns - self._at_ns
            starved = starved_ns(self._before, seen, wall)
            self.starved_ns += starved
            total += wall - starved
        self.total_ns, self._before, self._at_ns = total, seen, at_ns
