"""Amounts of memory as a person writes them: 512M, 1.5G. Units are powers of 1024, as in ulimit and Docker."""

from __future__ import annotations

import re

_UNITS = {"K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}
_SIZE = re.compile(r"(\d+(?:\.\d+)?|\.\d+)\s*(?:([KMGT])(?:i?B)?|B)?", re.IGNORECASE | re.ASCII)
_LEAST = 1 << 20
_MOST = 1 << 62


def size_of(text: str) -> int:
    """Bytes.

    Raises:
        ValueError: it is not written like that, or no server could have as little or as much.
    """
    found = _SIZE.fullmatch(text.strip())
    if found is None:
        raise ValueError(f"{text!r} is not a size: write it as 512M or 1.5G.")
    number, letter = found.groups()
    unit = _UNITS[letter.upper()] if letter else 1
    if len(number) > 30 or not (bytes_ := _times(number, unit)) <= _MOST:
        raise ValueError(f"{text!r} is more than any machine has: write it as 512M or 1.5G.")
    if bytes_ < _LEAST:
        mean = f" If you mean megabytes, write {number}M." if unit == 1 and float(number) >= 1 else ""
        raise ValueError(f"{text!r} is {bytes_} bytes, with which no program starts.{mean}")
    return bytes_


def _times(number: str, unit: int) -> int:
    whole, _, part = number.partition(".")
    return int(whole or 0) * unit + int(part or 0) * unit // int(f"1{'0' * len(part)}")


def shown_size(size: int) -> str:
    """The same of a number of bytes, with at most two decimals, rounded down."""
    for letter, unit in reversed(_UNITS.items()):
        if size >= unit:
            return f"{size * 100 // unit / 100:g}{letter}"
    return f"{size} bytes"
