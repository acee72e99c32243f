"""Whether all of a server sleeps: then nothing in it moves until something from outside, or a clock, wakes it. Pure.

Facts
-----
* A thread that could run and gets no core is runnable, not asleep; so a server that is kept from running does not
  look as if it had nothing to do, however busy the machine is.
* `schedstat` counts a thread's time on a core in ns: a thread that ran for an instant between two looks has more of it.
* Every system call that waits for something returns at once if it is there already. A loop that sleeps in epoll_wait
  has taken up everything that had arrived; a thread that waits for a lock has found nothing to take.
* A thread that holds requests wakes up now and then to look whether they may go. On a loop that is the same thread
  that takes up new requests: it may have run, if it is asleep again.

Decisions
---------
* Asleep is: the same threads at each of LOOKS looks, none of which is runnable, or waits for a disk, at any of them;
  and none of which has run since the first, except those that hold requests.
* It does not count where a thread will be woken by a clock before long: it may look after requests then.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import NamedTuple

from holdfast.observe.starvation import CoreUse

ASLEEP_NS = 12_000_000
"""A server that has been asleep for this long does nothing more with what it has been sent."""

LOOKS = 3
GAP_NS = 3_000_000
# Looks take a part of a core that the server may need: many of them only where they may soon show something.
_OFTEN = 12
_GAP_FOR_COST = 2
_GAP_FOR_COST_LATER = 10


class Holding(NamedTuple):
    """Threads that hold requests, by their native ids.

    Attributes:
        nothing_else: those that do nothing but hold one request.
        some: those that hold any, these included.
    """

    nothing_else: Collection[int]
    some: Collection[int]


class Asleep:
    """Since when a server has been seen asleep.

    Invariant: at each look since `_first`, the same threads slept, and those that hold no request had not run.
    """

    def __init__(
        self,
        read: Callable[[Holding], Mapping[int, CoreUse] | None],
        dozes: Callable[[Holding], bool],
        now: Callable[[], int],
    ) -> None:
        """Prepares.

        Args:
            read: the server's threads, by tid; without those that need not be looked at because all that they do is
                hold a request. None where they may not be read.
            dozes: whether a thread will be woken by a clock before long.
            now: CLOCK_MONOTONIC ns.
        """
        self._read = read
        self._dozes = dozes
        self._now = now
        self.forget()

    def forget(self) -> None:
        """Begins anew; the next look is the first."""
        self._first: Mapping[int, CoreUse] | None = None
        self._since_ns = self._until_ns = self._next_ns = 0
        self._looks = self._sequence = 0
        self._doubtful: bool | None = None

    def look(self, holding: Callable[[], Holding]) -> None:
        """Looks, if it is time for it."""
        began = self._now()
        if began < self._next_ns:
            return
        holds = holding()
        seen = self._read(holds)
        if not seen or not all(use.asleep for use in seen.values()):
            self._first = None
        elif self._first is None or not _undisturbed(self._first, seen, holds.some):
            self._first, self._since_ns, self._sequence, self._doubtful = seen, self._now(), 1, None
        else:
            self._sequence += 1
            self._until_ns = began
            if self._doubtful is None and self._sequence >= LOOKS:
                self._doubtful = self._dozes(holds)
        self._looks += 1
        cost = _GAP_FOR_COST if self._looks < _OFTEN else _GAP_FOR_COST_LATER
        self._next_ns = began + max(GAP_NS, cost * (self._now() - began))

    def asleep_ns(self, since_ns: int = 0) -> int:
        """For how long it has been seen asleep, up to the last look; 0 if it has not been.

        Args:
            since_ns: what was before this instant does not count, CLOCK_MONOTONIC ns.
        """
        if self._first is None or self._sequence < LOOKS or self._doubtful is not False:
            return 0
        return max(0, self._until_ns - max(self._since_ns, since_ns))


def _undisturbed(first: Mapping[int, CoreUse], now: Mapping[int, CoreUse], may_run: Collection[int]) -> bool:
    return first.keys() == now.keys() and all(
        use.ran_ns == first[tid].ran_ns for tid, use in now.items() if tid not in may_run
    )
