"""Reads dates that are written in a pattern of Java's `DateTimeFormatter`; pure.

Source: as `java_dates`. Numbers next to each other take as many digits as leave enough for those behind them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta, timezone
from functools import cache

from holdfast.journeys.java_dates import DAYS, MONTHS, Field, pattern_of

_OFFSET = r"Z|[+-]\d\d(?::?\d\d(?::?\d\d)?)?"
_FIXED = {"a": "AM|PM", "G": "AD|Anno Domini|A", "X": _OFFSET, "x": _OFFSET, "Z": _OFFSET}


def parsed(pattern: str, text: str, otherwise: datetime) -> datetime:
    """The moment that a text means.

    Args:
        otherwise: has the year and the offset that count where the pattern has none. A month or day that is missing is
            the first, an hour, minute or second zero.

    Raises:
        ValueError: the pattern is none, or the text is not written in it.
    """
    expression, names = _expression(pattern)
    found = expression.fullmatch(text)
    if found is None:
        raise ValueError(f"{text!r} is not a date in the pattern {pattern!r}")
    values: dict[str, int] = {"year": otherwise.year, "month": 1, "day": 1, "hour": 0, "minute": 0, "second": 0}
    zone: timezone | None = None
    for index, letter in enumerate(names, 1):
        written = found[index]
        if written is None:
            continue
        if letter in "XxZ":
            zone = _zone(written)
        elif letter in _READERS:
            values.update(_READERS[letter](written))
    return _moment(values, zone, otherwise)


def _moment(values: dict[str, int], zone: timezone | None, otherwise: datetime) -> datetime:
    if "half hour" in values:
        values["hour"] = values["half hour"] % 12 + 12 * values.get("half", 0)
    moment = datetime(
        values["year"],
        values["month"],
        values["day"],
        values["hour"] % 24,
        values["minute"],
        values["second"],
        values.get("nanosecond", 0) // 1000,
        tzinfo=zone or otherwise.tzinfo,
    )
    if "day of year" in values:
        moment = moment.replace(month=1, day=1) + timedelta(days=values["day of year"] - 1)
    if "epoch day weekday" in values and moment.weekday() != values["epoch day weekday"]:
        raise ValueError(f"{moment:%Y-%m-%d} is not a {DAYS[values['epoch day weekday']]}")
    return moment


@cache
def _expression(pattern: str) -> tuple[re.Pattern[str], tuple[str, ...]]:
    out, names = [], []
    for part in pattern_of(pattern):
        if isinstance(part, str):
            out.append(re.escape(part))
        elif part.letter in "[]":
            out.append("(?:" if part.letter == "[" else ")?")
        else:
            out.append(f"({_digits(part)})")
            names.append(part.letter)
    return re.compile("".join(out)), tuple(names)


def _digits(part: Field) -> str:
    letter, count = part
    if letter in _FIXED:
        return _FIXED[letter]
    if letter in "uy":
        found = r"\d\d" if count == 2 else rf"[+-]?\d{{{count},19}}"
    elif letter in "ML" and count > 2:
        found = _any_of(MONTHS, count)
    elif letter == "E":
        found = _any_of(DAYS, max(3, count))
    elif letter in "SdDhHkKmsML":
        most = 3 if letter == "D" else 2
        found = rf"\d{{1,{most}}}" if count == 1 and letter != "S" else rf"\d{{{count}}}"
    else:
        raise ValueError(f"a date with the letter {letter} in its pattern cannot be read")
    return found


def _any_of(names: tuple[str, ...], count: int) -> str:
    return "|".join(each if count == 4 else each[: 1 if count == 5 else 3] for each in names)


def _zone(text: str) -> timezone:
    if text == "Z":
        return UTC
    digits = text[1:].replace(":", "").ljust(6, "0")
    size = timedelta(hours=int(digits[:2]), minutes=int(digits[2:4]), seconds=int(digits[4:]))
    return timezone(-size if text[0] == "-" else size)


def _year(text: str) -> dict[str, int]:
    return {"year": 2000 + int(text) if len(text) == 2 else int(text)}


def _month(text: str) -> dict[str, int]:
    if text.isdigit():
        return {"month": int(text)}
    return {"month": next(number for number, each in enumerate(MONTHS, 1) if each.startswith(text))}


def _weekday(text: str) -> dict[str, int]:
    return {"epoch day weekday": next(number for number, each in enumerate(DAYS) if each.startswith(text))}


def _as(name: str) -> Callable[[str], dict[str, int]]:
    return lambda text: {name: int(text)}


_READERS: Mapping[str, Callable[[str], dict[str, int]]] = {
    "u": _year,
    "y": _year,
    "M": _month,
    "L": _month,
    "d": _as("day"),
    "D": _as("day of year"),
    "E": _weekday,
    "H": _as("hour"),
    "k": _as("hour"),
    "h": _as("half hour"),
    "K": _as("half hour"),
    "a": lambda text: {"half": int(text == "PM")},
    "m": _as("minute"),
    "s": _as("second"),
    "S": lambda text: {"nanosecond": int(text.ljust(9, "0"))},
}
