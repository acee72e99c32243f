"""Rows of events <-> bytes, for a file of saved runs; pure.

A part has rows of one load process, in the order in which it wrote them, and behind them nothing of another part's:
so those of a load that still runs are packed as they come, each once.
"""

from __future__ import annotations

import json
import zlib
from array import array
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate, chain
from operator import sub
from typing import Any

from holdfast.engine.event_rows import EventCounts, EventRow, EventRows
from holdfast.engine.packing import ROWS_OF_A_PART, numbers_of, planes_of
from holdfast.engine.squeezing import squeezed
from holdfast.model.frozen import frozen

_LENGTH_BYTES = 8
_COLUMNS = 4


@frozen
class EventPart:
    """Some rows of one load process.

    Attributes:
        process: its number in the load.
        counts: what it had counted when they were packed.
    """

    process: int
    counts: EventCounts
    rows: tuple[EventRow, ...]


class EventPacking:
    """Packs the rows of all load processes, each once."""

    __slots__ = ("_events", "_packed")

    def __init__(self, events: Iterable[EventRows]) -> None:
        """Has packed nothing."""
        self._events = tuple(events)
        self._packed = [0] * len(self._events)

    def parts(self) -> Iterator[bytes]:
        """The rows that have come since the last call, part by part."""
        for process, rows in enumerate(self._events):
            counts = rows.counts
            for first in range(self._packed[process], counts.kept, ROWS_OF_A_PART):
                last = min(first + ROWS_OF_A_PART, counts.kept)
                self._packed[process] = last
                yield _packed(process, counts, rows.numbers(first, last))


def _packed(process: int, counts: EventCounts, columns: tuple[list[int], ...]) -> bytes:
    ids, numbers, at, gaps = columns
    since = [at[0], *map(sub, at[1:], at)]
    planes = chain.from_iterable(planes_of(each) for each in (ids, numbers, since, gaps))
    head = zlib.compress(json.dumps({"process": process, "counts": counts}).encode(), 1)
    return len(head).to_bytes(_LENGTH_BYTES, "little") + head + squeezed(planes, len(ids))


def unpack_events(part: bytes) -> EventPart:
    """The rows of a part.

    Raises:
        ValueError: the bytes are not a part.
    """
    head = _head_of(part)
    try:
        whole = memoryview(zlib.decompress(part[_begin_of(part) :]))
    except zlib.error as error:
        raise ValueError(f"The events cannot be read: {error}.") from error
    many, rest = divmod(len(whole), 8 * _COLUMNS)
    if rest or not many:
        raise ValueError("The events cannot be read: a part of them is cut off.")
    ids, numbers, since, gaps = (numbers_of(whole[8 * many * at : 8 * many * (at + 1)], many) for at in range(_COLUMNS))
    rows = map(EventRow, ids, numbers, accumulate(since), gaps)
    return EventPart(head["process"], EventCounts(*head["counts"]), tuple(rows))


def _head_of(part: bytes) -> dict[str, Any]:
    try:
        head: dict[str, Any] = json.loads(zlib.decompress(part[_LENGTH_BYTES : _begin_of(part)]))
    except zlib.error as error:
        raise ValueError(f"The events cannot be read: {error}.") from error
    return head


def _begin_of(part: bytes) -> int:
    """Where its rows begin."""
    return _LENGTH_BYTES + int.from_bytes(part[:_LENGTH_BYTES], "little")


class PackedEvents:
    """The rows of a load that was saved, which are read when they are asked for."""

    __slots__ = ("_parts",)

    def __init__(self, parts: Iterable[bytes]) -> None:
        """Has read nothing.

        Args:
            parts: can be gone through more than once.
        """
        self._parts = parts

    @property
    def is_empty(self) -> bool:
        """Whether there are none."""
        return next(iter(self._parts), None) is None

    def rows(self) -> Iterator[EventRow]:
        """All of them, in the order in which each load process wrote them.

        Raises:
            ValueError: as of `unpack_events`.
        """
        for part in sorted(self._parts, key=lambda each: int(_head_of(each)["process"])):
            yield from unpack_events(part).rows


def counted(parts: Iterable[bytes]) -> tuple[Sequence[EventCounts], array[int], array[int]]:
    """What the parts of a load come to, in the order in which they were packed.

    Returns:
        What each load process had counted; ns to first events since their requests were sent, and of all others since
        the one before.

    Raises:
        ValueError: as of `unpack_events`.
    """
    of_processes: dict[int, EventCounts] = {}
    first_ns, gap_ns = array("q"), array("q")
    for part in map(unpack_events, parts):
        of_processes[part.process] = part.counts
        for row in part.rows:
            (gap_ns if row.number else first_ns).append(row.gap_ns)
    return [*of_processes.values()], first_ns, gap_ns
