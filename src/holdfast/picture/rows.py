"""Spans of time that overlap -> rows in which none does; pure."""

from __future__ import annotations

from collections.abc import Iterable
from heapq import heappop, heappush


class FreeRows:
    """Rows to which spans are given in the order in which they begin; each gets the lowest row that is free.

    With the lowest row, work that piles up is a staircase, and rows that empty are filled again from the top.
    """

    __slots__ = ("_free", "_taken", "many")

    def __init__(self) -> None:
        self.many = 0
        self._taken: list[tuple[int, int]] = []
        self._free: list[int] = []

    def take(self, begin_ns: int, end_ns: int) -> int:
        """The row of the span [begin, end), which begins no earlier than the last one did."""
        while self._taken and self._taken[0][0] <= begin_ns:
            heappush(self._free, heappop(self._taken)[1])
        if self._free:
            row = heappop(self._free)
        else:
            row = self.many
            self.many += 1
        heappush(self._taken, (end_ns, row))
        return row


def rows_of(spans: Iterable[tuple[int, int]]) -> tuple[int, ...]:
    """The row of each of these spans, which are in the order in which they begin."""
    rows = FreeRows()
    return tuple(rows.take(begin, end) for begin, end in spans)
