"""The summary of a load run: counts, rates and distributions of its columns; pure."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Sequence

from holdfast.engine.columns import Columns
from holdfast.engine.reports import RunFacts
from holdfast.engine.totals import Totals, totals_of
from holdfast.model.frozen import frozen
from holdfast.model.load import LagUs, LatencyMs, LoadSummary
from holdfast.model.places import REPLIED, Outcome
from holdfast.model.ranks import nearest_rank
from holdfast.model.units import MS, NS_PER_S, US

# Beyond this the generator, and not the server, made the pace (p99 of pacing lag).
LATE_NS = 10_000_000
FEW_LATE = 10
MANY = 20_000
SAMPLE = 2_000

_NEVER_ENDS = (1 << 63) - 1


@frozen
class Distribution:
    """Nearest-rank percentiles in ns; None if there was nothing to measure."""

    p50: int | None
    p90: int | None
    p95: int | None
    p99: int | None
    p999: int | None
    max: int | None


def distribution(values: Iterable[int], zeros: int = 0) -> Distribution:
    """Percentiles by nearest rank: the smallest value that at least this share of all values does not exceed.

    Args:
        zeros: so many more values are 0, and none is less.
    """
    known = values if isinstance(values, array) else list(values)
    many = len(known) + zeros
    if not many:
        return Distribution(None, None, None, None, None, None)
    ranks = [nearest_rank(many, per_mille) - zeros for per_mille in (500, 900, 950, 990, 999, 1000)]
    if len(known) > MANY and ranks[0] >= 0:
        return Distribution(*_at_ranks(known, ranks))
    return Distribution(*_sorted_at(known, ranks))


def _sorted_at(values: Sequence[int], ranks: Sequence[int]) -> list[int]:
    """The values at these ranks; 0 at those below the first one."""
    ordered = sorted(values) if ranks[-1] >= 0 else []
    return [ordered[rank] if rank >= 0 else 0 for rank in ranks]


def _at_ranks(values: Sequence[int], ranks: Sequence[int]) -> list[int]:
    """The values at the median's rank and at those of the tail, without sorting what lies between.

    A sample says roughly where they lie, and only the values there are sorted: 0.09 us a value instead of 0.19
    (measured). If the sample misled, all values are sorted.
    """
    sample = sorted(values[:: len(values) // SAMPLE])
    low, high, tail = (sample[int(share * len(sample))] for share in (0.46, 0.54, 0.86))
    below = sum(map(low.__gt__, values))
    middle = sorted([value for value in values if low <= value <= high])
    top = sorted([value for value in values if value >= tail])
    under = len(values) - len(top)
    median, *others = ranks
    if not below <= median < below + len(middle) or others[0] < under:
        return _sorted_at(values, ranks)
    return [middle[median - below], *(top[rank - under] for rank in others)]


def peak_in_flight(began_ns: Iterable[int], ended_ns: Iterable[int]) -> int:
    """Most requests at once, each in flight over [began, ended)."""
    ends = array("q", sorted(ended_ns))
    ends.append(_NEVER_ENDS)
    peak = ended = 0
    for begun, at in enumerate(sorted(began_ns), 1):
        while ends[ended] <= at:
            ended += 1
        peak = max(peak, begun - ended)
    return peak


def summarise(columns: Columns, rows: Sequence[int], facts: RunFacts) -> LoadSummary:
    """The summary of these rows, ascending, none of which may be PENDING."""
    totals = totals_of(columns, rows, flights=facts.peak is None)
    counts = {Outcome(value): count for value, count in sorted(totals.outcomes.items())}
    lag = distribution(totals.lags, totals.on_time)
    late = facts.asked_per_s is not None and _late(totals)
    failed = counts.get(Outcome.FAILED, 0)
    from_due = latency_ms(distribution(totals.from_due))
    same = totals.from_sent is totals.from_due
    return LoadSummary(
        offered=len(rows),
        outcomes={outcome.label: count for outcome, count in counts.items()},
        rate_asked_per_s=_rounded(facts.asked_per_s),
        rate_reached_per_s=_rate(totals.begun - 1, totals.first_begun_ns, totals.last_begun_ns),
        throughput_per_s=_rate(totals.replied, totals.first_begun_ns, totals.last_reply_ns),
        peak_in_flight=peak_in_flight(totals.began_ns, totals.ended_ns) if facts.peak is None else facts.peak,
        latency_from_due_ms=from_due,
        latency_from_sent_ms=from_due if same else latency_ms(distribution(totals.from_sent)),
        pacing_lag_us=LagUs(*(None if each is None else each // US for each in (lag.p50, lag.p99, lag.max))),
        generator_limited=late or bool(facts.limits) or failed > 0,
        duration_s=round(max(0, totals.last_done_ns - totals.first_due_ns) / NS_PER_S, 3),
        resent=totals.resent,
        warnings=(
            *facts.limits,
            *facts.notes,
            *_doubts_of_outcomes(0 if facts.limits else failed, totals.unheard, facts),
            *_doubts_of_resent(totals.resent, facts),
            *_doubts_of_lag(lag, facts, late=late),
        ),
    )


def failed_in_words(failed: int) -> str:
    """That requests were not the server's to answer."""
    return f"{failed} requests failed on the load's own side or on the way: the server had no part in it."


def _doubts_of_outcomes(failed: int, unheard: int, facts: RunFacts) -> Iterator[str]:
    if failed:
        yield failed_in_words(failed)
    if unheard and facts.http2 is not None:
        yield (
            f"{unheard} requests were on connections that ended before any byte of their replies, and no GOAWAY had "
            "left them out: whether the server has processed them is not known (RFC 9113, 8.7), so they were not sent "
            "again."
        )
    elif unheard:
        yield (
            f"{unheard} requests on kept connections were reset or closed before any byte of a reply: a server that "
            "closes connections between requests may not have read them. They were not sent again, because their "
            "method is not idempotent."
        )


def _doubts_of_resent(resent: int, facts: RunFacts) -> Iterator[str]:
    if resent and facts.http2 is not None:
        yield (
            f"{resent:,} requests were sent again on another connection: GOAWAY had left them out, which says that the "
            "server has not processed them."
        )
    elif resent:
        yield (
            f"{resent} requests were sent again: the server had ended their kept connections before any byte of a "
            "reply. It may have read some of them twice."
        )


def _doubts_of_lag(lag: Distribution, facts: RunFacts, *, late: bool) -> Iterator[str]:
    if lag.p99 is None or lag.max is None:
        return
    if late:
        yield (
            f"The load was late: at least one request in a hundred began {lag.p99 / MS:.0f} ms or more after it was "
            "due. Ask for less, use connections again (--keep-alive), or share it out: --processes N, --cluster."
        )
    if facts.asked_per_s is not None or lag.p99 <= LATE_NS:
        return
    if facts.together:
        yield (
            f"They were to begin together, and it took the load {lag.max / MS:,.0f} ms to begin them all: so much "
            "of the latency from due may be its own."
        )
    else:
        yield (
            f"At least one request in a hundred began {lag.p99 / MS:,.0f} ms or more after it was due: so much of the "
            "latency from due may be the load's own."
        )


def _late(totals: Totals) -> bool:
    """Whether the generator set the pace: more than one request in a hundred was begun too late.

    Among few requests, one short stall of the machine makes that many late, so more than FEW_LATE, or half of all,
    must be.
    """
    late, many = sum(map(LATE_NS.__lt__, totals.lags)), len(totals.lags) + totals.on_time
    return late * 100 > many and (late > FEW_LATE or late * 2 > many)


def latency_ms(times: Distribution) -> LatencyMs:
    """The same percentiles in ms."""
    in_order = (times.p50, times.p90, times.p95, times.p99, times.p999, times.max)
    return LatencyMs(*(None if each is None else round(each / MS, 3) for each in in_order))


def latency_from_due(columns: Columns, rows: Sequence[int]) -> Distribution:
    """Of the requests among these rows that were replied to."""
    times = (columns.done[row] - columns.due[row] for row in rows if columns.outcome[row] in REPLIED)
    return distribution(array("q", times))


def _rate(count: int, from_ns: int, to_ns: int) -> float | None:
    return _rounded(count * NS_PER_S / (to_ns - from_ns)) if count > 0 and to_ns > from_ns else None


def _rounded(rate: float | None) -> float | None:
    return None if rate is None else round(rate, 1)
