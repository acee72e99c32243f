"""Times counted in buckets of at most 1 %, for looks at a run in progress; pure.

A result takes its percentiles from the raw rows. During the load there are too many rows to sort at each look: a
million take 0.4 s, while counting those since the last look takes 0.2 us each (measured).
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import deque
from collections.abc import Iterable, Sequence
from itertools import accumulate

from holdfast.model.load import LagUs, LatencyMs
from holdfast.model.progress import Times
from holdfast.model.ranks import nearest_rank
from holdfast.model.units import NS_PER_S

_DECADES = range(3, 12)
_FIGURES = (*range(100, 200), *range(200, 500, 2), *range(500, 1000, 5))
# 1 us to 1000 s, all of them round numbers, so that each bound of a bucket of others (5 ms) is one of ours.
EDGES_NS = (*(figures * 10**decade // 100 for decade in _DECADES for figures in _FIGURES), 10**_DECADES.stop)

Counted = list[tuple[int, int]]
"""(bucket, count) of each bucket that is not empty."""


def counted(ordered: Sequence[int]) -> Counted:
    """Times in ns, ascending, by bucket: those above the edge before it and up to its own; the last has no edge."""
    found = []
    at, many = 0, len(ordered)
    while at < many:
        bucket = bisect_left(EDGES_NS, ordered[at])
        end = bisect_right(ordered, EDGES_NS[bucket], at) if bucket < len(EDGES_NS) else many
        found.append((bucket, end - at))
        at = end
    return found


class Buckets:
    """Times by bucket. Invariant: `count` is the sum of them all.

    Attributes:
        most_ns: the longest that was ever added; 0 before.
    """

    __slots__ = ("_counts", "_sum_ns", "count", "most_ns")

    def __init__(self) -> None:
        self._counts = [0] * (len(EDGES_NS) + 1)
        self._sum_ns = 0
        self.count = 0
        self.most_ns = 0

    def add(self, times: Counted, sum_ns: int = 0, most_ns: int = 0) -> None:
        """Adds counted times; `sum_ns` and `most_ns` are their sum and maximum."""
        for bucket, many in times:
            self._counts[bucket] += many
            self.count += many
        self._sum_ns += sum_ns
        self.most_ns = max(self.most_ns, most_ns)

    def take_back(self, times: Counted) -> None:
        """Removes times that were added."""
        for bucket, many in times:
            self._counts[bucket] -= many
            self.count -= many

    def percentiles(self, per_mille: Iterable[int], most_ns: int | None = None) -> list[int]:
        """By nearest rank, the upper edges of their buckets; there must be times.

        Args:
            most_ns: the longest of them; None is the longest that was ever added.
        """
        most_ns = self.most_ns if most_ns is None else most_ns
        up_to = list(accumulate(self._counts))
        found = []
        for each in per_mille:
            bucket = bisect_left(up_to, nearest_rank(self.count, each) + 1)
            found.append(min(EDGES_NS[bucket], most_ns) if bucket < len(EDGES_NS) else most_ns)
        return found

    def times(self, bounds_s: Sequence[float]) -> Times:
        """How many times did not exceed each bound, which must be an edge of a bucket."""
        up_to = list(accumulate(self._counts))
        at = [up_to[bisect_left(EDGES_NS, round(bound * NS_PER_S))] for bound in bounds_s]
        return Times(tuple(zip(bounds_s, at, strict=True)), self._sum_ns / NS_PER_S, self.count)


class Recent:
    """The times of the last seconds."""

    __slots__ = ("_buckets", "_looks", "_window_ns")

    def __init__(self, window_ns: int) -> None:
        self._window_ns = window_ns
        self._buckets = Buckets()
        self._looks: deque[tuple[int, Counted, int]] = deque()

    def add(self, now_ns: int, times: Counted, most_ns: int) -> None:
        """Adds the times since the last look, and removes those older than the window."""
        while self._looks and self._looks[0][0] <= now_ns - self._window_ns:
            self._buckets.take_back(self._looks.popleft()[1])
        if times:
            self._looks.append((now_ns, times, most_ns))
            self._buckets.add(times)

    def latency_ms(self) -> LatencyMs:
        """See `latency_ms`."""
        return latency_ms(self._buckets, max((most_ns for _, _, most_ns in self._looks), default=0))


def latency_ms(buckets: Buckets, most_ns: int | None = None) -> LatencyMs:
    """Percentiles in ms; None if there are no times."""
    if not buckets.count:
        return LatencyMs(None, None, None, None, None, None)
    most_ns = buckets.most_ns if most_ns is None else most_ns
    found = (*buckets.percentiles((500, 900, 950, 990, 999), most_ns), most_ns)
    return LatencyMs(*(round(each / 1e6, 3) for each in found))


def lag_us(buckets: Buckets) -> LagUs | None:
    """Percentiles in us; None if there are no times."""
    if not buckets.count:
        return None
    return LagUs(*(each // 1000 for each in (*buckets.percentiles((500, 990)), buckets.most_ns)))
