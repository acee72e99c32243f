"""Rows of a load's columns <-> bytes, for a file of saved runs or another host; pure.

Rows are packed a part at a time. Each column is kept as differences from one that is close (an instant from the one
before it in the same request), the lowest bytes of all numbers first, then the next ones, and compressed: 3 to 20
bytes a row instead of 61, in 0.6 to 1.5 us (measured). Compressing each column as it is takes 0.5 us and
makes 22 bytes, but a load's rows are fetched once, and saved again after that.

Rows without gaps that were answered in one piece take 0.09 us on kept connections, and 0.15 us on connections of their
own (`squeezing`, `_usual`).
"""

from __future__ import annotations

import sys
import zlib
from array import array
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate, chain
from operator import sub

from holdfast.engine import wide
from holdfast.engine.columns import Columns
from holdfast.engine.squeezing import squeezed
from holdfast.engine.wide import WIDTH, is_zero, minus

ROWS_OF_A_PART = 1 << 14
LONG_RUN = 1 << 10
_MISSING = -(1 << 62)  # in place of the difference to an instant that did not happen, since a difference can be 0
_PLAIN = ("status", "outcome", "source", "local_port", "received")
_COLUMNS = 7 + len(_PLAIN)
# A row that was sent again says so in its outcome: so runs that were saved before have the same form.
_OUTCOME, _RESENT = 7 + _PLAIN.index("outcome"), 1 << 8


def pack(columns: Columns, rows: Sequence[int]) -> Iterator[bytes]:
    """Packs these rows, ascending, part by part."""
    for first in range(0, len(rows), ROWS_OF_A_PART):
        yield _packed(columns, rows[first : first + ROWS_OF_A_PART])


def pack_runs(columns: Columns, runs: Iterable[range]) -> Iterator[bytes]:
    """As `pack`, of rows that are runs of neighbours: long ones have parts of their own, packed several times as fast.

    Of a closed load that still runs, all rows have ended but for some of the last ones.

    Args:
        runs: ascending, none of which touches the next one.
    """
    scattered = array("q")
    for run in runs:
        if len(run) >= LONG_RUN:
            yield from pack(columns, run)
        else:
            scattered.extend(run)
    yield from pack(columns, scattered)


def joined(runs: Iterable[range]) -> list[range]:
    """These runs, of which no two have a row in common, ascending, and as one where they touch."""
    found: list[range] = []
    for run in sorted(runs, key=lambda each: each.start):
        if found and found[-1].stop == run.start:
            found[-1] = range(found[-1].start, run.stop)
        else:
            found.append(run)
    return found


def unpack(part: bytes, into: Columns, ahead_ns: int = 0, sources: Sequence[int] | None = None) -> Sequence[int]:
    """Writes the rows of a part into their places; returns their numbers.

    Args:
        ahead_ns: how far the clock that the rows were recorded with is ahead of the reader's.
        sources: the reader's index of each of the rows' source addresses; None leaves them as they are.

    Raises:
        ValueError: the bytes are not a part, or rows of another load.
    """
    try:
        whole = memoryview(zlib.decompress(part))
    except zlib.error as error:
        raise ValueError(f"The rows cannot be read: {error}.") from error
    many, rest = divmod(len(whole), 8 * _COLUMNS)
    if rest or not many:
        raise ValueError("The rows cannot be read: a part of them is cut off.")
    read = [numbers_of(whole[8 * many * at : 8 * many * (at + 1)], many) for at in range(_COLUMNS)]
    rows = [*accumulate(read[0])]
    if rows[0] < 0 or rows[-1] >= into.capacity:
        raise ValueError(f"The rows cannot be read: row {rows[-1]:,} of {into.capacity:,}.")
    values = _columns(read)
    if ahead_ns:
        for name in ("due", "opened", "connected", "sent", "first", "done"):
            values[name] = [at and at - ahead_ns for at in values[name]]
    if sources is not None:
        values["source"] = [sources[index] for index in values["source"]]
    together = rows[-1] - rows[0] == len(rows) - 1
    for name, column in values.items():
        place = getattr(into, name)
        if together:
            place[rows[0] : rows[-1] + 1] = memoryview(array(place.format, column))
        else:
            for row, value in zip(rows, column, strict=True):
                place[row] = value
    return range(rows[0], rows[-1] + 1) if together else array("q", rows)


def taken(column: memoryview, rows: Sequence[int]) -> list[int]:
    """The values of these rows, ascending; as one slice if they have no gaps (6 times as fast)."""
    if rows[-1] - rows[0] == len(rows) - 1:
        return column[rows[0] : rows[-1] + 1].tolist()
    return [column[row] for row in rows]


def _packed(columns: Columns, rows: Sequence[int]) -> bytes:
    planes = _usual(columns, rows) or _any(columns, rows)
    return squeezed(planes, len(rows))


def _usual(columns: Columns, rows: Sequence[int]) -> list[bytes] | None:
    """As `_any`, for rows without gaps of which each instant has happened for all or for none; None for others.

    0.08 us a row instead of 0.60, and 124 bytes instead of 598 (measured, without the compression).
    """
    if rows[-1] - rows[0] != len(rows) - 1:
        return None
    own = columns.part(range(rows[0], rows[-1] + 1))
    due, opened, sent = own.due.tobytes(), own.opened.tobytes(), own.sent.tobytes()
    if not own.due[0] or is_zero(sent) or not is_zero(own.resent.tobytes()):
        return None
    near = due if is_zero(opened) else opened
    # As none is less than an earlier one that has happened, none of these is 0: that it has not happened.
    instants = (opened, due), (own.connected, near), (sent, near), (own.first, sent), (own.done, sent)
    apart, further = minus(due[WIDTH:], due[:-WIDTH]), [_further(bytes(each), before) for each, before in instants]
    if apart is None or None in further:
        return None
    one = (1).to_bytes(WIDTH, "little")
    numbered = rows[0].to_bytes(WIDTH, "little") + one * (len(rows) - 1)
    plain = (getattr(own, name) for name in _PLAIN)
    return [
        *(plane for each in (numbered, due[:WIDTH] + apart) for plane in wide.planes(each, WIDTH)),
        *chain.from_iterable(filter(None, further)),
        *(plane for each in plain for plane in wide.planes(each.tobytes(), each.itemsize)),
    ]


def _further(instants: bytes, before: bytes) -> list[bytes] | None:
    """The planes of `_differences`, of instants of which all have happened or none has; None of others."""
    if is_zero(instants):
        return _equal(_MISSING, len(instants) // WIDTH)
    differences = minus(instants, before)
    return None if differences is None else wide.planes(differences, WIDTH)


def _any(columns: Columns, rows: Sequence[int]) -> list[bytes]:
    """Each column as the planes of its numbers."""
    due, opened, connected, sent, first, done = (
        taken(column, rows)
        for column in (columns.due, columns.opened, columns.connected, columns.sent, columns.first, columns.done)
    )
    near = _or(opened, due)
    begun = _or(sent, near)
    numbers = [
        [rows[0], *map(sub, rows[1:], rows)],
        [due[0], *map(sub, due[1:], due)],
        _differences(opened, due),
        _differences(connected, near),
        _differences(sent, near),
        _differences(first, begun),
        _differences(done, begun),
        *(taken(getattr(columns, name), rows) for name in _PLAIN),
    ]
    if any(resent := taken(columns.resent, rows)):
        numbers[_OUTCOME] = [
            outcome + again * _RESENT for outcome, again in zip(numbers[_OUTCOME], resent, strict=True)
        ]
    return [plane for each in numbers for plane in planes_of(each)]


def _columns(read: Sequence[array[int]]) -> dict[str, Sequence[int]]:
    due = [*accumulate(read[1])]
    opened = _instants(read[2], due)
    near = _or(opened, due)
    sent = _instants(read[4], near)
    begun = _or(sent, near)
    return {
        "due": due,
        "opened": opened,
        "connected": _instants(read[3], near),
        "sent": sent,
        "first": _instants(read[5], begun),
        "done": _instants(read[6], begun),
        **dict(zip(_PLAIN, read[7:], strict=True)),
        **_outcomes(read[_OUTCOME]),
    }


def _outcomes(read: array[int]) -> dict[str, Sequence[int]]:
    if max(read) < _RESENT:
        return {"outcome": read}
    return {"outcome": [each % _RESENT for each in read], "resent": [each // _RESENT for each in read]}


# Most columns of a load on kept connections are one number all the way, or another column again: to see that takes a
# tenth of the time that working it out takes.


def _or(instants: list[int], others: list[int]) -> list[int]:
    """These instants, and the others in place of those that did not happen."""
    if not any(instants):
        return others
    return instants if all(instants) else [at or other for at, other in zip(instants, others, strict=True)]


def _differences(instants: list[int], before: list[int]) -> list[int]:
    if not any(instants):
        return [_MISSING] * len(instants)
    if instants == before and all(instants):
        return [0] * len(instants)
    return [at - earlier if at else _MISSING for at, earlier in zip(instants, before, strict=True)]


def _instants(differences: Sequence[int], before: list[int]) -> list[int]:
    many = len(differences)
    if differences.count(_MISSING) == many:
        return [0] * many
    if differences.count(0) == many:
        return before
    return [0 if later == _MISSING else earlier + later for later, earlier in zip(differences, before, strict=True)]


def planes_of(numbers: Sequence[int]) -> list[bytes]:
    """The lowest bytes of all numbers, then the next ones, and so on: similar bytes become neighbours."""
    many = len(numbers)
    if numbers.count(numbers[0]) == many:
        return _equal(numbers[0], many)
    values = array("q", numbers)
    if sys.byteorder == "big":
        values.byteswap()
    return wide.planes(values.tobytes(), WIDTH)


def _equal(number: int, many: int) -> list[bytes]:
    """The planes of so many equal numbers."""
    return [bytes([octet]) * many for octet in number.to_bytes(WIDTH, "little", signed=True)]


def numbers_of(planes: memoryview, many: int) -> array[int]:
    """The reverse of `planes_of`, of so many numbers."""
    raw = bytearray(8 * many)
    for at in range(8):
        raw[at::8] = planes[at * many : (at + 1) * many]
    values = array("q", bytes(raw))
    if sys.byteorder == "big":
        values.byteswap()
    return values
