"""Instants of wall time as a person writes them: a date, a date with a time, or how long ago; in UTC."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

_AGO = re.compile(r"(\d{1,6}(?:\.\d{1,3})?)\s*([smhdw])")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 7 * 86_400}
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_HOW = "write 2026-11-30, 2026-11-30T12:00, or how long ago: 12h, 30d, 2w"


def instant_of(text: str, now: float, *, last: bool = False) -> float:
    """Seconds since the epoch.

    Args:
        now: in seconds since the epoch, from which `30d` counts back.
        last: a date is the end of its day, and not its beginning.

    Raises:
        ValueError: it is not written like that.
    """
    text = text.strip()
    if ago := _AGO.fullmatch(text):
        return now - float(ago[1]) * _SECONDS[ago[2]]
    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        raise ValueError(f"{text!r} is not a date: {_HOW}.") from error
    if found.tzinfo is None:
        found = found.replace(tzinfo=UTC)
    if last and _DAY.fullmatch(text):
        found += timedelta(days=1, microseconds=-1)
    return found.timestamp()


def age_of(text: str) -> float:
    """A number of seconds, of how long ago something was.

    Raises:
        ValueError: it is not written as 30d is.
    """
    ago = _AGO.fullmatch(text.strip())
    if ago is None:
        raise ValueError(f"{text!r} is not an age: write it as 12h, 30d or 2w.")
    return float(ago[1]) * _SECONDS[ago[2]]


def shown_instant(seconds: float) -> str:
    """A date and a time in UTC, to the second."""
    return datetime.fromtimestamp(seconds, tz=UTC).strftime("%Y-%m-%d %H:%M:%S")
