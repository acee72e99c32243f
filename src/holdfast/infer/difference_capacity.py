"""How fields of two searches for the highest rate are judged; pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from holdfast.infer.difference_pair import (
    Both,
    Judged,
    Rules,
    asked,
    by_chance,
    compared,
    named,
    same_time_ms,
    some_or_none,
    unknown,
    words,
)
from holdfast.model.difference import Interval

_SPREAD = 0.05
"""Of an edge between two searches of the same server, beside its interval: other work on the machine moves it."""


def _edge(both: Both) -> Judged:
    """The highest rate that holds, by where the edge may lie."""
    one, other = (_interval(each) for each in both.sides)
    if one is None or other is None:
        return unknown(both) or Judged("unknown", "no rate is known on one side")
    return compared(one, other, "where the two edges may lie, and 5 %")


def _interval(result: Mapping[str, Any]) -> Interval | None:
    """Where the edge may lie; without an upper end where the rate is "at least"."""
    rate, within = result.get("rate_per_s"), result.get("interval") or {}
    if rate is None:
        return None
    high = within.get("high") if result.get("bounded") else None
    return rate / (1 + _SPREAD), None if high is None else high * (1 + _SPREAD)


OF_CAPACITY: Rules = {
    "target": ("settings", asked),
    "url": ("settings", by_chance),
    "thresholds": ("settings", asked),
    "rate_per_s": ("verdict", _edge),
    "interval.*": ("verdict", _edge),
    "words": ("verdict", words),
    "ended_by": ("verdict", words),
    "place": ("verdict", named),
    "place.pid": ("verdict", by_chance),
    "place.process": ("verdict", named),
    "place.where": ("verdict", named),
    "place.words": ("verdict", words),
    "place.evidence": ("verdict", words),
    "waiting.*": ("verdict", some_or_none),
    "loads": ("verdict", by_chance),
    "watched": ("verdict", by_chance),
    "watched.*": ("verdict", by_chance),
    "warnings": ("verdict", words),
    "explain": ("settings", asked),
    "command": ("settings", asked),
    "alone_ms": ("verdict", same_time_ms),
    "seconds": ("verdict", by_chance),
    "interrupted": ("settings", by_chance),
    "out_of_time": ("settings", by_chance),
}
