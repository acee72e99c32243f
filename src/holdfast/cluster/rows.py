"""Rows of a load's columns <-> bytes that another host can read; pure.

Each column is compressed for itself: instants lie close together, and most of the others say the same in every row.
Level 1 makes 22 bytes of a row's 64 (its number included) in 0.5 us; level 6 takes five times as long for a fiftieth
less. Reading takes 0.6 us.
"""

from __future__ import annotations

import zlib
from array import array
from collections.abc import Sequence
from itertools import pairwise

from holdfast.load.columns import Columns

INSTANTS = ("due", "opened", "connected", "sent", "first", "done")
REST = ("local_port", "received", "status", "outcome", "source")
_LEVEL = 1


def packed(columns: Columns, rows: Sequence[int]) -> list[bytes]:
    """The numbers of these rows, and each of their columns, in the order of `INSTANTS` and `REST`."""
    parts = [zlib.compress(array("I", rows), _LEVEL)]
    step = evenly(rows)
    for name in (*INSTANTS, *REST):
        column: memoryview = getattr(columns, name)
        if step is None:
            values = array(column.format, [column[row] for row in rows]).tobytes()
        else:
            values = column[rows[0] : rows[-1] + 1 : step].tobytes()
        parts.append(zlib.compress(values, _LEVEL))
    return parts


def unpacked(parts: Sequence[bytes], into: Columns, ahead_ns: int, sources: Sequence[int]) -> array[int]:
    """Writes packed rows where they belong, in the clock of whoever calls; gives their numbers.

    Args:
        ahead_ns: by so much the clock that they were recorded with is ahead.
        sources: the index of each of their source addresses among the reader's.

    Raises:
        ValueError: the bytes are not what `packed` made.
    """
    try:
        told = [zlib.decompress(part) for part in parts]
    except zlib.error as error:
        raise ValueError(f"The rows cannot be read: {error}.") from error
    rows = _values("I", told[0])
    step = evenly(rows)
    for name, content in zip((*INSTANTS, *REST), told[1:], strict=True):
        column: memoryview = getattr(into, name)
        values = _values(column.format, content)
        if len(values) != len(rows):
            raise ValueError(f"The rows cannot be read: {len(values)} values of {name} for {len(rows)} rows.")
        if name in INSTANTS:
            # An instant that did not come stays so.
            values = array("q", [at and at - ahead_ns for at in values])
        elif name == "source":
            values = array("B", [sources[index] for index in values])
        if step is None:
            for row, value in zip(rows, values, strict=True):
                column[row] = value
        elif rows:
            column[rows[0] : rows[-1] + 1 : step] = memoryview(values)
    return rows


def evenly(rows: Sequence[int]) -> int | None:
    """The distance between rows that all have the same one; None where they differ. 1 where there is no other."""
    if isinstance(rows, range):
        return rows.step if rows else None
    if not rows:
        return None
    if len(rows) == 1:
        return 1
    step = rows[1] - rows[0]
    return step if all(later - earlier == step for earlier, later in pairwise(rows)) else None


def _values(format_: str, content: bytes) -> array[int]:
    values = array(format_)
    values.frombytes(content)
    return values
