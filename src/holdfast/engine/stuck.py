"""Load processes in which a function of a person's own neither returns nor can be interrupted.

The load process itself ends a function that takes too long (`loadtest.returning`). Where that does not help, it gets
SIGPROF here: `faulthandler`, which answers it in C, writes where the function is into the pipe of the report, and the
process ends.
"""

from __future__ import annotations

import faulthandler
import signal
import time
from collections.abc import Callable, Sequence
from typing import Protocol

from holdfast.model.units import NS_PER_S

MOST_S = 5.0
"""How long a function of a person's own may take."""
_GRACE_S = 3.0
_LONGEST_LOOK_NS = 200_000_000


class Own(Protocol):
    """Functions of a person's own that journeys call, as the load process that calls them sees them.

    Attributes:
        is_over: one did not return, so that the load is to end.
        spent_ns: what they took so far.
    """

    is_over: bool
    spent_ns: int

    def note_in(self, since: memoryview) -> None:
        """Says where each call notes when it began, in CLOCK_MONOTONIC ns, and 0 when it is over."""

    def falls_short(self, _lasted_ns: int) -> str | None:
        """What they could not do, or how long they held the load up, in words; None if there is nothing of it."""

    def doubts(self, _lasted_ns: int) -> list[str]:
        """What they cost the load, in words."""

    def stuck_at(self, dump: str) -> str:
        """Where the process was that wrote this, in words."""


class NoneOfOwn:
    """An `Own` where walks call no functions."""

    is_over = False
    spent_ns = 0

    def note_in(self, since: memoryview) -> None:
        """See `Own`."""

    def falls_short(self, _lasted_ns: int) -> str | None:
        """See `Own`."""
        return None

    def doubts(self, _lasted_ns: int) -> list[str]:
        """See `Own`."""
        return []

    def stuck_at(self, dump: str) -> str:
        """See `Own`."""
        return dump


class Stuck:
    """Looks for processes that are stuck: it counts the time between its looks only as far as it did look."""

    def __init__(self, since: Sequence[int], now_ns: Callable[[], int] = time.monotonic_ns) -> None:
        """Args: since: of each process, when a function began that runs (CLOCK_MONOTONIC ns), or 0."""
        self._since, self._now_ns = since, now_ns
        self._known = [0] * len(since)
        self._for_ns = [0] * len(since)
        self._looked_ns = now_ns()

    def found(self) -> list[int]:
        """The numbers of processes that have just turned out to be stuck, each once."""
        now_ns = self._now_ns()
        passed_ns = min(now_ns - self._looked_ns, _LONGEST_LOOK_NS)
        self._looked_ns = now_ns
        found = []
        for number, since in enumerate(self._since):
            if since != self._known[number]:
                self._known[number], self._for_ns[number] = since, 0
            elif since and self._for_ns[number] >= 0:
                self._for_ns[number] += passed_ns
                if self._for_ns[number] >= (MOST_S + _GRACE_S) * NS_PER_S:
                    self._for_ns[number] = -1
                    found.append(number)
        return found


def answer_stuck(writing: int) -> None:
    """Makes this process write where it is to a descriptor, and end, when it gets SIGPROF."""
    faulthandler.register(signal.SIGPROF, file=writing, all_threads=False, chain=True)
