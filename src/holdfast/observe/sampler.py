"""Samples the server at random instants during a run, and records how late each sample was.

Not a thread: the run's loop asks `due` and calls `look`. The gaps between looks are exponential, because a regular
interval could stay in phase with a timer of the server's and show that phase as the whole (aliasing). A missed look
is not repeated: its lateness is recorded, and a burst of looks afterwards would say nothing about the time between.
"""

from __future__ import annotations

import random

from holdfast.model.samples import Sample
from holdfast.observe.kernel import KernelView
from holdfast.observe.routes import ListenAddress

MOST_ROWS = 4000
# One gap in e^4 = 55 would be longer; capping them avoids long spells without a look.
_LONGEST_GAP = 4.0


class Instants:
    """Intended instants with exponential gaps.

    Attributes:
        interval_ns: mean gap.
        next_ns: the next intended instant.
    """

    def __init__(self, interval_ns: int, first_ns: int, seed: int) -> None:
        self.interval_ns = interval_ns
        self.next_ns = first_ns
        self._gaps = random.Random(seed)  # noqa: S311 - repeatable, not secret

    def due(self, now_ns: int) -> bool:
        """Whether the next instant has come."""
        return now_ns >= self.next_ns

    def take(self, now_ns: int) -> int:
        """Consumes the next instant; returns how late `now_ns` is, at least 0."""
        late_ns = max(0, now_ns - self.next_ns)
        gap = min(_LONGEST_GAP, self._gaps.expovariate(1.0))
        self.next_ns = now_ns + max(1, round(gap * self.interval_ns))
        return late_ns


def thinned(rows: list[Sample], instants: Instants) -> list[Sample]:
    """The rows; once there are more than MOST_ROWS, every second one, and the interval doubles."""
    if len(rows) <= MOST_ROWS:
        return rows
    instants.interval_ns *= 2
    return rows[::2]


class Sampler:
    """Samples of one port, or of one Unix socket.

    Attributes:
        rows: ascending in time, at most MOST_ROWS + 1.
    """

    def __init__(self, kernel: KernelView, address: ListenAddress, interval_ns: int, *, seed: int = 0) -> None:
        """Prepares. The first look is due when that is first asked.

        Args:
            interval_ns: mean gap between looks; doubled each time that the rows become too many.
            seed: of the gaps.
        """
        self.rows: list[Sample] = []
        self._kernel = kernel
        self._address = address
        self._instants = Instants(interval_ns, 0, seed)

    def due(self, now_ns: int) -> bool:
        """Whether it is time for `look`."""
        if self._instants.next_ns == 0:
            self._instants.next_ns = now_ns
        return self._instants.due(now_ns)

    def resume(self, now_ns: int) -> None:
        """Takes up again after a time in which no look was intended."""
        self._instants.next_ns = now_ns

    def look(self, now_ns: int, offered: int, established: int, entered: int) -> Sample:
        """Reads the accept queues and keeps a row.

        Args:
            now_ns: CLOCK_MONOTONIC, the instant of the counts.
            offered, established, entered: the run's own counts at that instant.
        """
        depth = self._kernel.accept_queue(self._address).depth
        late_ns = self._instants.take(now_ns) if self._instants.next_ns else 0
        sample = Sample(now_ns, late_ns, depth, offered, established, entered)
        self.rows.append(sample)
        self.rows = thinned(self.rows, self._instants)
        return sample
