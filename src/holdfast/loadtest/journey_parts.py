"""Rows of journeys <-> bytes for a file of saved runs; pure.

A part of a load that was fixed beforehand is packed columns alone. One of journeys has in front of them, and compressed
as well: their particulars, the texts that no part before has had, and results of several requests together that ended
meanwhile. Each is preceded by its length.
"""

from __future__ import annotations

import json
import zlib
from array import array
from collections.abc import Iterable, Iterator, Sequence

from holdfast.engine.columns import Columns
from holdfast.engine.packing import ROWS_OF_A_PART, pack, taken, unpack
from holdfast.engine.particulars import OF_GROUPED, OF_TEXTS, PLAIN, Particulars

_LENGTH_BYTES = 8


class Packing:
    """Packs rows part by part, each text once."""

    __slots__ = ("_columns", "_grouped", "_known", "_texts")

    def __init__(self, columns: Columns, known: Particulars) -> None:
        """Has packed nothing."""
        self._columns, self._known = columns, known
        self._texts = self._grouped = 0

    def parts(self, rows: Sequence[int]) -> Iterator[bytes]:
        """These rows, ascending, part by part."""
        for first in range(0, len(rows), ROWS_OF_A_PART):
            yield self._part(rows[first : first + ROWS_OF_A_PART])

    def _part(self, rows: Sequence[int]) -> bytes:
        known, grouped = self._known, self._known.grouped
        texts = [known.texts[number] for number in range(self._texts, len(known.texts))]
        self._texts += len(texts)
        many, first = len(grouped), self._grouped
        self._grouped = many
        together = {name: getattr(grouped, name)[first:many].tolist() for name in OF_GROUPED}
        columns = [array(column.format, taken(column, rows)) for column in (getattr(known, name) for name in PLAIN)]
        (packed,) = pack(self._columns, rows)
        return b"".join(
            len(each).to_bytes(_LENGTH_BYTES, "little") + each
            for each in (
                zlib.compress(json.dumps({"last": rows[-1], "texts": texts, "together": together}).encode(), 1),
                zlib.compress(b"".join(each.tobytes() for each in columns), 1),
                packed,
            )
        )


def last_row_of(parts: Iterable[bytes]) -> int:
    """The highest row of all parts; -1 without any."""
    # The rows of a load that was cut short are fewer than those that it had room for.
    return max((json.loads(zlib.decompress(_pieces(part)[0]))["last"] for part in parts), default=-1)


class Unpacking:
    """Writes parts into their places, in the order in which they were packed."""

    __slots__ = ("_columns", "_known", "_moved", "_numbers")

    def __init__(self, columns: Columns, known: Particulars) -> None:
        """Has unpacked nothing; what is there already stays, and its texts keep their numbers."""
        self._columns, self._known = columns, known
        # The numbers of the parts' texts here, and whether some differ.
        self._numbers: list[int] = []
        self._moved = False

    def rows(self, part: bytes, ahead_ns: int = 0, sources: Sequence[int] | None = None) -> list[int]:
        """Writes the rows of a part, and what else is known of them; returns their numbers.

        Args:
            ahead_ns, sources: as of `packing.unpack`.

        Raises:
            ValueError: the bytes are not a part, or one before it was left out.
        """
        known = self._known
        said, beside, packed = _pieces(part)
        head = json.loads(zlib.decompress(said))
        for text in head["texts"]:
            number = known.texts.number_of(text)
            self._moved = self._moved or number != len(self._numbers)
            self._numbers.append(number)
        together = head["together"]
        # Earlier versions had fewer columns.
        nothing = [0] * len(together["label"])
        for values in zip(*(together.get(name, nothing) for name in OF_GROUPED), strict=True):
            label, client, crew, answered, ended_ns, *others = values
            known.grouped.add((self._here(label), client, crew, answered, ended_ns - ahead_ns, *others))
        rows = [*unpack(packed, self._columns, ahead_ns, sources)]
        whole = zlib.decompress(beside)
        at = 0
        for name in PLAIN:
            column = getattr(known, name)
            numbers = array(column.format)
            size = numbers.itemsize * len(rows)
            numbers.frombytes(whole[at : at + size])
            at += size
            if self._moved and name in OF_TEXTS:
                numbers = array(column.format, map(self._here, numbers))
            if rows[-1] - rows[0] == len(rows) - 1:
                column[rows[0] : rows[-1] + 1] = memoryview(numbers)
            else:
                for row, value in zip(rows, numbers, strict=True):
                    column[row] = value
        return rows

    def _here(self, number: int) -> int:
        if number >= len(self._numbers):
            raise ValueError("The rows cannot be read: a part before them is missing.")
        return self._numbers[number]


def _pieces(part: bytes) -> list[bytes]:
    pieces = []
    while part:
        size = int.from_bytes(part[:_LENGTH_BYTES], "little")
        pieces.append(part[_LENGTH_BYTES : _LENGTH_BYTES + size])
        part = part[_LENGTH_BYTES + size :]
    if len(pieces) != 3:
        raise ValueError("The rows cannot be read: a part of them is cut off.")
    return pieces
