"""How fields of two loads' results are judged; pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from holdfast.infer.difference_pair import Both, Judged, Rule, Rules, asked, by_chance, compared, named, unknown, words
from holdfast.infer.spread import is_decided_by_few, latency_interval, rate_interval, share_interval

_PERCENT = {"p50": 50.0, "p90": 90.0, "p95": 95.0, "p99": 99.0, "p999": 99.9, "max": 100.0}


def _unusable(both: Both) -> Judged | None:
    """That this says nothing of the server; None where it does."""
    if missing := unknown(both):
        return missing
    if any(side.get("generator_limited") for side in both.sides):
        return Judged("unknown", "the load itself was the limit on one side, so this says nothing of the server")
    if any(side.get("interrupted") for side in both.sides):
        return Judged("unknown", "one side was interrupted")
    return None


def _offered(both: Both) -> Judged:
    """Requests of a load: asked for in an open one, as many as the server let through in a closed one."""
    if missing := unknown(both):
        return missing
    if all(side.get("rate_asked_per_s") is None for side in both.sides):
        return compared(
            rate_interval(both.before), rate_interval(both.after), "the spread of how many clients send in a time"
        )
    return Judged("change", "it is what was asked for", part="settings")


def share(field: str) -> Rule:
    """A count out of all that were offered, compared as a share.

    Args:
        field: that has the number offered, in the same object.
    """

    def judge(both: Both) -> Judged:
        if unusable := _unusable(both):
            return unusable
        one, other = (
            share_interval(count, side.get(field) or 0) for count, side in zip(both.values, both.sides, strict=True)
        )
        return compared(one, other, "the intervals of 99 % of their shares")

    return judge


def _latency(both: Both) -> Judged:
    if unusable := _unusable(both):
        return unusable
    percentile = both.name.rpartition(".")[2]
    fewest = min(_replied(side) for side in both.sides)
    if percentile == "max":
        return Judged("noise", "a single request decides it")
    if is_decided_by_few(_PERCENT[percentile], fewest):
        return Judged("noise", f"of {fewest} requests, fewer than ten lie beyond it, so single ones decide it")
    one, other = (latency_interval(each, percentile) for each in both.values)
    return compared(one, other, "the spreads of times")


def _replied(result: Mapping[str, Any]) -> int:
    outcomes = result.get("outcomes") or {}
    return sum(outcomes.get(each, 0) for each in ("answered", "rejected", "wrong-body"))


def _rate(both: Both) -> Judged:
    if unusable := _unusable(both):
        return unusable
    return compared(rate_interval(both.before), rate_interval(both.after), "the spreads of rates")


OF_LOAD: Rules = {
    "target.url": ("settings", asked),
    "rate_asked_per_s": ("settings", asked),
    "offered": ("verdict", _offered),
    "outcomes.*": ("verdict", share("offered")),
    "statuses.*": ("verdict", share("offered")),
    "rate_reached_per_s": ("verdict", _rate),
    "throughput_per_s": ("verdict", _rate),
    "peak_in_flight": ("verdict", by_chance),
    "latency_from_due_ms.*": ("verdict", _latency),
    "latency_from_sent_ms.*": ("verdict", _latency),
    "pacing_lag_us.*": ("verdict", by_chance),
    "duration_s": ("verdict", by_chance),
    "thresholds[].value": ("verdict", by_chance),
    "thresholds[]": ("settings", named),
    "hosts[].address": ("settings", by_chance),
    "hosts[].begun": ("verdict", by_chance),
    "hosts[].pacing_lag_p99_us": ("verdict", by_chance),
    "hosts[].clock_offset_ms": ("verdict", by_chance),
    "hosts[].clock_uncertainty_ms": ("verdict", by_chance),
    "hosts[].clock_drift_us": ("verdict", by_chance),
    "steps[]": ("settings", named),
    "warnings": ("verdict", words),
}
