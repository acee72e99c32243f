"""The record of events: one row for each, in memory that a load process shares with the one that has started it.

This file does not know what a connection is.
"""

from __future__ import annotations

import mmap
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from holdfast.engine.columns import Columns
from holdfast.engine.events import EventReader

MOST_EVENTS = 4_000_000
"""Rows that one process keeps; further events are counted. Each takes 32 bytes, once it is written."""
_COLUMNS = 4
_KEPT, _ALL, _STREAMS, _BY_US = range(4)


class EventRow(NamedTuple):
    """One event.

    Attributes:
        id: of the request whose reply it is a part of.
        number: in that reply, counted from 0.
        at_ns: CLOCK_MONOTONIC ns of its end.
        gap_ns: since the end of the one before it; of the first, since the request was sent.
    """

    id: int
    number: int
    at_ns: int
    gap_ns: int


class EventCounts(NamedTuple):
    """What one load process has counted.

    Attributes:
        kept: rows.
        events: how many came.
        streams: in how many replies.
        ended_by_us: of these, those that were ended because their time was over.
    """

    kept: int
    events: int
    streams: int
    ended_by_us: int


class EventRows:
    """Preallocated rows of one load process, which alone writes them.

    Attributes:
        first_id: of the plan's rows in the run.
    """

    def __init__(self, first_id: int, capacity: int = MOST_EVENTS) -> None:
        self.first_id = first_id
        memory = memoryview(mmap.mmap(-1, 8 * (4 + _COLUMNS * capacity), mmap.MAP_SHARED | mmap.MAP_ANONYMOUS))
        numbers = memory.cast("q")
        self._counts, rows = numbers[:4], numbers[4:]
        self._capacity = capacity
        self._columns = [rows[at * capacity : (at + 1) * capacity] for at in range(_COLUMNS)]

    @property
    def counts(self) -> EventCounts:
        """What has been counted so far."""
        return EventCounts(*self._counts)

    def numbers(self, first: int, last: int) -> tuple[list[int], ...]:
        """Rows from the first to before the last, as the columns of `EventRow`."""
        rows, numbers, at, gaps = (column[first:last].tolist() for column in self._columns)
        return [self.first_id + row for row in rows], numbers, at, gaps

    def add(self, row: int, number: int, at_ns: int, gap_ns: int) -> None:
        """Writes one down."""
        counts = self._counts
        counts[_ALL] += 1
        counts[_STREAMS] += not number
        at = counts[_KEPT]
        if at < self._capacity:
            ids, numbers, ends, gaps = self._columns
            ids[at], numbers[at], ends[at], gaps[at] = row, number, at_ns, gap_ns
            counts[_KEPT] = at + 1

    def add_ended_by_us(self) -> None:
        """A reply with events was ended because its time was over."""
        self._counts[_BY_US] += 1

    def rows(self) -> Iterator[EventRow]:
        """Those that are kept, in the order in which they came."""
        yield from map(EventRow, *self.numbers(0, self.counts.kept))

    def gaps_ns(self) -> tuple[list[int], list[int]]:
        """Of first events since the request was sent, and of all others since the one before."""
        _, numbers, _, gaps = self.numbers(0, self.counts.kept)
        pairs = [*zip(numbers, gaps, strict=True)]
        return [gap for number, gap in pairs if not number], [gap for number, gap in pairs if number]


class _Stream:
    __slots__ = ("last_ns", "number", "reader")

    def __init__(self, kind: str, sent_ns: int) -> None:
        self.reader = EventReader(kind)
        self.last_ns = sent_ns
        self.number = 0


class EventStreams:
    """The replies of one load process whose events are coming."""

    def __init__(self, rows: EventRows, columns: Columns) -> None:
        self._rows = rows
        self._sent = columns.sent
        self._open: dict[int, _Stream] = {}

    def take(self, row: int, kind: str, pieces: Sequence[bytes], now_ns: int) -> None:
        """Pieces of the body of a row's reply.

        Args:
            kind: as of `EventReader`.
        """
        stream = self._open.get(row)
        if stream is None:
            stream = self._open[row] = _Stream(kind, self._sent[row])
        for piece in pieces:
            self._add(row, stream, stream.reader.feed(piece), now_ns)

    def has_events(self, row: int) -> bool:
        """Whether an event of the row's reply has come, and the reply has not ended."""
        stream = self._open.get(row)
        return stream is not None and stream.number > 0

    def end(self, row: int, now_ns: int, *, by_us: bool = False) -> None:
        """The row has ended; `by_us` because its time was over."""
        if (stream := self._open.pop(row, None)) is None:
            return
        self._add(row, stream, stream.reader.end(), now_ns)
        if by_us:
            self._rows.add_ended_by_us()

    def _add(self, row: int, stream: _Stream, many: int, now_ns: int) -> None:
        for _ in range(many):
            self._rows.add(row, stream.number, now_ns, now_ns - stream.last_ns)
            stream.number += 1
            stream.last_ns = now_ns
