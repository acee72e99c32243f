"""Dates in patterns of Java's `DateTimeFormatter`, with English names; pure.

Source: java.time.format.DateTimeFormatter, "Patterns for Formatting and Parsing" (Java 17), and
DateTimeFormatterBuilder.appendPattern. Weeks of `Y`, `w` and `W` begin on Sunday, and the first may have one day, as in
en_US; in Java they follow the machine's locale.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from functools import cache
from typing import NamedTuple

MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
)  # fmt: skip
DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_QUARTERS = ("1st quarter", "2nd quarter", "3rd quarter", "4th quarter")
_MOST = {"a": 1, "d": 2, "h": 2, "H": 2, "k": 2, "K": 2, "m": 2, "s": 2, "D": 3, "S": 9, "w": 2, "W": 1, "X": 5, "x": 5,
         "Z": 5, "M": 5, "L": 5, "E": 5, "G": 5, "Q": 5, "q": 5, "u": 19, "y": 19, "Y": 19, "A": 19, "n": 19, "N": 19,
         "e": 5, "c": 5, "O": 4, "z": 4}  # fmt: skip


class Field(NamedTuple):
    """A letter of a pattern, so many times."""

    letter: str
    times: int


@cache
def pattern_of(text: str) -> tuple[str | Field, ...]:
    """Splits a pattern into texts, fields, and `[` and `]` as fields.

    Raises:
        ValueError: it is not a pattern, or has a letter that is not supported.
    """
    parts: list[str | Field] = []
    depth = 0
    for found in re.finditer(r"'((?:[^']|'')*)'|'|([A-Za-z])\2*|(.)", text, re.DOTALL):
        whole, quoted, letter, other = found[0], found[1], found[2], found[3]
        if letter:
            parts.append(_field(letter, len(whole), text))
        elif quoted is not None:
            parts.append(quoted.replace("''", "'") or "'")
        elif whole == "'":
            raise ValueError(f"the date pattern {text!r} has a ' without its end")
        elif other in "{}#":
            raise ValueError(f"the date pattern {text!r} has the reserved character {other!r}")
        elif other in "[]":
            depth += 1 if other == "[" else -1
            if depth < 0:
                raise ValueError(f"the date pattern {text!r} has a ] without its [")
            parts.append(Field(other, 1))
        else:
            parts.append(other)
    return (*parts, *(Field("]", 1) for _ in range(depth)))


def _field(letter: str, count: int, text: str) -> Field:
    most = _MOST.get(letter)
    if most is None:
        raise ValueError(f"the date pattern {text!r} has the letter {letter}, which is not supported")
    if count > most:
        raise ValueError(f"the date pattern {text!r} has too many letters {letter}")
    return Field(letter, count)


def formatted(pattern: str, moment: datetime) -> str:
    """A moment in a pattern.

    Args:
        moment: with its offset from UTC.

    Raises:
        ValueError: the pattern is none.
    """
    out = []
    for part in pattern_of(pattern):
        if isinstance(part, str):
            out.append(part)
        elif part.letter not in "[]":
            out.append(_WRITERS[part.letter](moment, part.times))
    return "".join(out)


def _named(names: tuple[str, ...], index: int, count: int) -> str:
    return names[index] if count == 4 else names[index][: 1 if count == 5 else 3]


def _month(moment: datetime, count: int) -> str:
    return str(moment.month).zfill(count) if count < 3 else _named(MONTHS, moment.month - 1, count)


def _quarter(moment: datetime, count: int) -> str:
    index = (moment.month - 1) // 3
    if count < 3 or count == 5:
        return str(index + 1).zfill(count if count < 3 else 1)
    return f"Q{index + 1}" if count == 3 else _QUARTERS[index]


def _year(year: int, count: int) -> str:
    if count == 2:
        return f"{year % 100:02}"
    return str(year).zfill(count)


def _week(moment: datetime) -> tuple[int, int]:
    """The week-based year and week in it: weeks begin on Sunday, the first one has January 1."""
    begin = moment - timedelta(days=(moment.weekday() + 1) % 7)
    year = (begin + timedelta(days=6)).year
    first = moment.replace(year=year, month=1, day=1)
    first -= timedelta(days=(first.weekday() + 1) % 7)
    return year, (begin.date() - first.date()).days // 7 + 1


def _week_of_month(moment: datetime) -> int:
    first = moment.replace(day=1)
    return (moment.day + (first.weekday() + 1) % 7 - 1) // 7 + 1


def _day_of_week(moment: datetime, count: int) -> str:
    if count < 3:
        return str((moment.weekday() + 1) % 7 + 1).zfill(count)
    return _named(DAYS, moment.weekday(), count)


def _offset(moment: datetime, hours: str, separator: str, none: str, *, seconds: bool, minutes: bool) -> str:
    total = int((moment.utcoffset() or timedelta()).total_seconds())
    if not total:
        return none
    sign, size = ("-" if total < 0 else "+"), abs(total)
    text = f"{sign}{size // 3600:{hours}}"
    if minutes or size % 3600:
        text += f"{separator}{size // 60 % 60:02}"
    return f"{text}{separator}{size % 60:02}" if seconds and size % 60 else text


def _iso_offset(zero: Callable[[int], str]) -> Callable[[datetime, int], str]:
    def write(moment: datetime, count: int) -> str:
        separator = ":" if count in (3, 5) else ""
        return _offset(moment, "02", separator, zero(count), seconds=count > 3, minutes=count > 1)

    return write


def _rfc_offset(moment: datetime, count: int) -> str:
    if count == 4:
        return _gmt_offset(moment, 4)
    if count == 5:
        return _offset(moment, "02", ":", "Z", seconds=True, minutes=True)
    return _offset(moment, "02", "", "+0000", seconds=False, minutes=True)


def _gmt_offset(moment: datetime, count: int) -> str:
    full = count == 4
    return "GMT" + _offset(moment, "02" if full else "d", ":", "", seconds=True, minutes=full)


def _number(value: Callable[[datetime], int]) -> Callable[[datetime, int], str]:
    return lambda moment, count: str(value(moment)).zfill(count)


def _seconds_of_day(moment: datetime) -> int:
    return moment.hour * 3600 + moment.minute * 60 + moment.second


def _nanosecond(moment: datetime) -> int:
    return moment.microsecond * 1000


_WRITERS: Mapping[str, Callable[[datetime, int], str]] = {
    "G": lambda _moment, count: {4: "Anno Domini", 5: "A"}.get(count, "AD"),
    "u": lambda moment, count: _year(moment.year, count),
    "y": lambda moment, count: _year(moment.year, count),
    "Y": lambda moment, count: _year(_week(moment)[0], count),
    "w": _number(lambda moment: _week(moment)[1]),
    "W": _number(_week_of_month),
    "D": _number(lambda moment: moment.timetuple().tm_yday),
    "M": _month,
    "L": _month,
    "Q": _quarter,
    "q": _quarter,
    "d": _number(lambda moment: moment.day),
    "E": lambda moment, count: _named(DAYS, moment.weekday(), max(3, count)),
    "e": _day_of_week,
    "c": _day_of_week,
    "a": lambda moment, _count: "AM" if moment.hour < 12 else "PM",
    "h": _number(lambda moment: (moment.hour - 1) % 12 + 1),
    "K": _number(lambda moment: moment.hour % 12),
    "k": _number(lambda moment: (moment.hour - 1) % 24 + 1),
    "H": _number(lambda moment: moment.hour),
    "m": _number(lambda moment: moment.minute),
    "s": _number(lambda moment: moment.second),
    "S": lambda moment, count: f"{_nanosecond(moment):09}"[:count],
    "A": _number(lambda moment: _seconds_of_day(moment) * 1000 + moment.microsecond // 1000),
    "n": _number(_nanosecond),
    "N": _number(lambda moment: _seconds_of_day(moment) * 1_000_000_000 + _nanosecond(moment)),
    "X": _iso_offset(lambda _count: "Z"),
    "x": _iso_offset(lambda count: {1: "+00", 2: "+0000", 4: "+0000"}.get(count, "+00:00")),
    "Z": _rfc_offset,
    "O": _gmt_offset,
    "z": lambda moment, _count: moment.tzname() or "",
}
