"""The knee of a server: each load as a point, its rate against its latencies and errors."""

from __future__ import annotations

from holdfast.model.capacity import AtRate, Capacity
from holdfast.model.frozen import frozen


@frozen
class KneePoint:
    """One load.

    Attributes:
        state: "holds", "does not hold" or "says nothing".
        p50, p99: of its latencies from due, ms; None where nothing was replied to.
        errors: share of its requests that were not answered, in percent.
        answered: per second; None where it is not known.
        why: what did not hold, or why it says nothing; "" where it holds.
    """

    rate: float
    state: str
    p50: float | None
    p99: float | None
    errors: float
    answered: float | None
    why: str


@frozen
class Knee:
    """All loads, by rate, and where the edge lies.

    Attributes:
        low, high: the ends of its interval; None where they are not known.
    """

    points: tuple[KneePoint, ...]
    low: float | None
    high: float | None


def knee_of(found: Capacity) -> Knee:
    """The picture of a search."""
    points = sorted(map(_point, found.loads), key=lambda each: each.rate)
    return Knee(tuple(points), found.interval.low, found.interval.high)


def _point(each: AtRate) -> KneePoint:
    times, failed = each.latency_from_due_ms, each.offered - each.outcomes.get("answered", 0)
    return KneePoint(
        rate=each.rate_per_s,
        state=state_of(each),
        p50=times.p50,
        p99=times.p99,
        errors=round(100 * failed / each.offered, 3) if each.offered else 0.0,
        answered=None if each.answered_per_s is None else round(each.answered_per_s, 2),
        why=each.limited or each.why,
    )


def state_of(each: AtRate) -> str:
    """What a load says of its rate."""
    if each.limited:
        return "says nothing"
    return "holds" if each.held else "does not hold"
