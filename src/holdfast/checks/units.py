"""Units of the fields of a result, and of the numbers that they are compared with."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

TIME = "time"
MEMORY = "memory"
RATE = "rate"
SHARE = "share"

# Dimension, and how much of its smallest unit it is. Sizes are powers of 1024, as for every option (model/sizes.py).
UNITS: Mapping[str, tuple[str, Fraction]] = {
    "ns": (TIME, Fraction(1)),
    "us": (TIME, Fraction(10**3)),
    "ms": (TIME, Fraction(10**6)),
    "s": (TIME, Fraction(10**9)),
    "m": (TIME, Fraction(60 * 10**9)),
    "h": (TIME, Fraction(3600 * 10**9)),
    "/s": (RATE, Fraction(1)),
    "/m": (RATE, Fraction(1, 60)),
    "/h": (RATE, Fraction(1, 3600)),
    "%": (SHARE, Fraction(1, 100)),
    "B": (MEMORY, Fraction(1)),
    **{
        f"{letter}{ending}": (MEMORY, Fraction(1 << power))
        for letter, power in (("K", 10), ("M", 20), ("G", 30), ("T", 40))
        for ending in ("", "B", "iB")
    },
}
"""What may follow a number."""

_SUFFIXES = (("_per_s", "/s"), ("_bytes", "B"), ("_ns", "ns"), ("_us", "us"), ("_ms", "ms"), ("_s", "s"))
_WHOLE_NAMES = {"seconds": "s", "address_space": "B", "memory_max": "B"}


def unit_of(name: str) -> str:
    """The unit in which a number of a result is, by its dotted name; "" where it has none."""
    for part in reversed(name.split(".")):
        if part in _WHOLE_NAMES:
            return _WHOLE_NAMES[part]
        for suffix, unit in _SUFFIXES:
            if part.endswith(suffix):
                return unit
    return ""


def dimension(unit: str) -> str:
    """What it measures; "" of a plain number."""
    return UNITS[unit][0] if unit else ""


def units_of(name: str) -> str:
    """The units that one dimension has, in words."""
    return ", ".join(unit for unit, (dimension_, _) in UNITS.items() if dimension_ == name)


def in_smallest(number: Fraction, unit: str) -> Fraction:
    """The same in the smallest unit of its dimension."""
    return number * UNITS[unit][1] if unit else number
