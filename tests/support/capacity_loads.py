"""Loads of a search for a rate, as they are written down."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from holdfast.model.capacity import AtRate
from holdfast.model.load import LatencyMs


def at_rate(rate_per_s: float, seconds: float = 5.0, **others: Any) -> AtRate:
    """A load that held, with whatever else is said of it; what is not said is that of a quick server."""
    many = round(rate_per_s * seconds)
    held = AtRate(
        rate_per_s=rate_per_s,
        seconds=seconds,
        began_s=0.0,
        offered=many,
        outcomes={"answered": many},
        latency_from_due_ms=LatencyMs(51.0, 52.0, 53.0, 55.0, 56.0, 56.0),
        answered_per_s=rate_per_s,
        growth=0.0,
        pacing_lag_p99_us=90,
        thresholds=(),
        held=True,
    )
    return replace(held, **others)
