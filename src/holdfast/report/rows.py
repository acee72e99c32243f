"""The raw rows of a load run for other programs: CSV and JSON lines."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterable, Iterator, Sequence

from holdfast.model.printable import hidden_as_json
from holdfast.model.rows import COLUMNS, NONE_AT_ZERO, WORDS, Rows

_BEGINS_FORMULA = frozenset("=+-@\t\r")


def rows_csv(chunks: Iterable[Rows]) -> Iterator[bytes]:
    """CSV (RFC 4180) with a head; instants are CLOCK_MONOTONIC ns, 0 where one did not come."""
    yield ",".join(COLUMNS).encode() + b"\r\n"
    line = (",".join("%s" for _ in COLUMNS) + "\r\n").__mod__
    fields = Remembered(csv_field)
    for rows in chunks:
        columns = [
            map(fields, getattr(rows, name)) if name in ("label", "group") else getattr(rows, name) for name in COLUMNS
        ]
        yield "".join(map(line, zip(*columns, strict=True))).encode()


def rows_jsonl(chunks: Iterable[Rows]) -> Iterator[bytes]:
    """One JSON object in each line; null where there was none."""
    line = ("{" + ",".join(f'"{name}":%s' for name in COLUMNS) + "}\n").__mod__
    words = Remembered(lambda text: hidden_as_json(json.dumps(text, ensure_ascii=False)) if text else "null")
    for rows in chunks:
        columns: list[Iterable[object]] = []
        for name in COLUMNS:
            column = getattr(rows, name)
            if name in WORDS:
                columns.append(map(words, column))
            elif name in NONE_AT_ZERO and not all(column):
                columns.append([value or "null" for value in column])
            else:
                columns.append(column)
        yield "".join(map(line, zip(*columns, strict=True))).encode()


def events_csv(rows: Iterable[Sequence[int]]) -> Iterator[bytes]:
    """CSV of events: id of the request, number in its reply, end in CLOCK_MONOTONIC ns, and ns since the one before."""
    yield b"id,number,at_ns,gap_ns\r\n"
    for row in rows:
        yield b"%d,%d,%d,%d\r\n" % tuple(row)


def csv_field(text: str) -> str:
    """A text as a field of CSV (RFC 4180, 2.5 to 2.7): in quotes where it needs them.

    Labels come from plans and recordings, and CSV is opened in spreadsheets, which run what begins as a formula does
    (OWASP, "CSV Injection"). Such a text gets an apostrophe in front, which spreadsheets take for "this is text". A
    program that needs each label to the letter finds it in JSON lines, SQLite and Parquet.
    """
    if not text:
        return ""
    if text[0] in _BEGINS_FORMULA:
        text = f"'{text}"
    field = io.StringIO()
    # It puts a line end into quotes only if that is one of its own.
    csv.writer(field, lineterminator="\r\n").writerow((text,))
    return field.getvalue().removesuffix("\r\n")


class Remembered:
    """A function of few texts, each worked out once.

    The words of rows are a few that come again and again: 0.05 us instead of 1 us for each.
    """

    __slots__ = ("_known", "_make")

    def __init__(self, make: Callable[[str], str]) -> None:
        self._make = make
        self._known: dict[str, str] = {}

    def __call__(self, text: str) -> str:
        """What the function makes of it."""
        found = self._known.get(text)
        if found is None:
            found = self._make(text)
            if len(self._known) < 10_000:
                self._known[text] = found
        return found
