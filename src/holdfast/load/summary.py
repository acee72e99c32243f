"""The summary of a load run: counts, rates and distributions of its columns; pure."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import compress
from operator import sub

from holdfast.load.columns import Columns
from holdfast.load.reports import RunFacts
from holdfast.model.frozen import frozen
from holdfast.model.load import LagUs, LatencyMs, LoadSummary
from holdfast.model.places import REPLIED, Outcome
from holdfast.model.ranks import nearest_rank
from holdfast.model.units import MS, NEVER, NS_PER_S, US

# Beyond this the generator, and not the server, made the pace (p99 of pacing lag).
LATE_NS = 10_000_000
FEW_LATE = 10
MANY = 20_000
SAMPLE = 2_000

_BROKEN = frozenset({Outcome.RESET, Outcome.CLOSED})


@frozen
class Distribution:
    """Nearest-rank percentiles in ns; None if there was nothing to measure."""

    p50: int | None
    p90: int | None
    p95: int | None
    p99: int | None
    p999: int | None
    max: int | None


def distribution(values: Iterable[int]) -> Distribution:
    """Percentiles by nearest rank: the smallest value that at least this share of all values does not exceed."""
    known = list(values)
    if not known:
        return Distribution(None, None, None, None, None, None)
    ranks = [nearest_rank(len(known), per_mille) for per_mille in (500, 900, 950, 990, 999, 1000)]
    return Distribution(*(_at_ranks(known, ranks) if len(known) > MANY else _sorted_at(known, ranks)))


def _sorted_at(values: Sequence[int], ranks: Sequence[int]) -> list[int]:
    ordered = sorted(values)
    return [ordered[rank] for rank in ranks]


def _at_ranks(values: Sequence[int], ranks: Sequence[int]) -> list[int]:
    """The values at the median's rank and at those of the tail, without sorting what lies between.

    A sample says roughly where they lie, and only the values there are sorted: 0.09 us a value instead of 0.19
    (measured). If the sample misled, all values are sorted.
    """
    sample = sorted(values[:: len(values) // SAMPLE])
    low, high, tail = (sample[int(share * len(sample))] for share in (0.46, 0.54, 0.86))
    below = sum([value < low for value in values])
    middle = sorted([value for value in values if low <= value <= high])
    top = sorted([value for value in values if value >= tail])
    under = len(values) - len(top)
    median, *others = ranks
    if not below <= median < below + len(middle) or others[0] < under:
        return _sorted_at(values, ranks)
    return [middle[median - below], *(top[rank - under] for rank in others)]


def peak_in_flight(began_ns: Iterable[int], ended_ns: Iterable[int]) -> int:
    """Most requests at once, each in flight over [began, ended)."""
    ends = [*sorted(ended_ns), math.inf]
    peak = ended = 0
    for begun, at in enumerate(sorted(began_ns), 1):
        while ends[ended] <= at:
            ended += 1
        peak = max(peak, begun - ended)
    return peak


def summarise(columns: Columns, rows: Sequence[int], facts: RunFacts) -> LoadSummary:
    """The summary of these rows, ascending, none of which may be PENDING."""
    read = _read(columns, rows)
    counts = {Outcome(value): count for value, count in sorted(Counter(read.outcome).items())}
    replied = [True] * len(rows) if counts.keys() <= REPLIED else [value in REPLIED for value in read.outcome]
    lags = read.lags()
    lag = distribution(lags)
    late = facts.asked_per_s is not None and _late(lags)
    failed = counts.get(Outcome.FAILED, 0)
    unheard = _unheard(columns, rows, read) if counts.keys() & _BROKEN else 0
    resent = sum(read.resent)
    begun = read.began if all(read.began) else [at for at in read.began if at != NEVER]
    first_begun, last_begun = min(begun, default=0), max(begun, default=0)
    from_due = latency_ms(distribution(compress(map(sub, read.done, read.due), replied)))
    return LoadSummary(
        offered=len(rows),
        outcomes={outcome.label: count for outcome, count in counts.items()},
        rate_asked_per_s=_rounded(facts.asked_per_s),
        rate_reached_per_s=_rate(len(begun) - 1, first_begun, last_begun),
        throughput_per_s=_rate(sum(replied), first_begun, max(compress(read.done, replied), default=0)),
        peak_in_flight=_peak(read, begun) if facts.peak is None else facts.peak,
        latency_from_due_ms=from_due,
        # On kept connections they are the same instants, and sorting takes most of this function's time.
        latency_from_sent_ms=from_due if read.sent == read.due else _from_sent_ms(read, replied),
        pacing_lag_us=LagUs(*(None if each is None else each // US for each in (lag.p50, lag.p99, lag.max))),
        generator_limited=late or bool(facts.limits) or failed > 0,
        duration_s=round(max(0, max(read.done, default=0) - min(read.due, default=0)) / NS_PER_S, 3),
        resent=resent,
        warnings=(
            *facts.limits,
            *facts.notes,
            *_doubts_of_outcomes(0 if facts.limits else failed, unheard),
            *_doubts_of_resent(resent, facts),
            *_doubts_of_lag(lag, facts, late=late),
        ),
    )


@frozen
class _Rows:
    """Columns of some rows, and when each request began; 0 if its load process was lost before."""

    outcome: list[int]
    due: list[int]
    opened: list[int]
    sent: list[int]
    done: list[int]
    began: list[int]
    resent: list[int]

    def lags(self) -> list[int]:
        """How much later than due each request began, in ns."""
        # On kept connections they are the same instants.
        if self.began and self.began == self.due:
            return [0]
        # How long it took until a request was sent again is the server's doing.
        times = zip(self.began, self.due, self.resent, strict=True)
        return [max(0, at - due) for at, due, again in times if at and not again]


def _read(columns: Columns, rows: Sequence[int]) -> _Rows:
    outcome, due, opened, sent, done, resent = (
        _taken(column, rows)
        for column in (columns.outcome, columns.due, columns.opened, columns.sent, columns.done, columns.resent)
    )
    # A request on a kept connection begins when it is sent.
    began = [at or sent_ns for at, sent_ns in zip(opened, sent, strict=True)]
    return _Rows(outcome, due, opened, sent, done, began, resent)


def _peak(read: _Rows, begun: Sequence[int]) -> int:
    return peak_in_flight(begun, read.done if begun is read.began else compress(read.done, read.began))


def _from_sent_ms(read: _Rows, replied: Sequence[bool]) -> LatencyMs:
    return latency_ms(distribution(compress(map(sub, read.done, read.sent), replied)))


def _doubts_of_outcomes(failed: int, unheard: int) -> Iterator[str]:
    if failed:
        yield f"{failed} requests failed on the load's own side or on the way: the server had no part in it."
    if unheard:
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
            f"The load was late: one request in a hundred began {lag.p99 / MS:.0f} ms or more after it was due. "
            "Ask for less, use connections again (--keep-alive), or share it out: --processes N, --cluster."
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
            f"One request in a hundred began {lag.p99 / MS:,.0f} ms or more after it was due: so much of the latency "
            "from due may be the load's own."
        )


def _late(lags: Sequence[int]) -> bool:
    """Whether the generator set the pace: more than one request in a hundred was begun too late.

    Among few requests, one short stall of the machine makes that many late, so more than FEW_LATE, or half of all,
    must be.
    """
    late = sum(lag > LATE_NS for lag in lags)
    return late * 100 > len(lags) and (late > FEW_LATE or late * 2 > len(lags))


def _unheard(columns: Columns, rows: Sequence[int], read: _Rows) -> int:
    """How many requests on kept connections met a close; which of the two came first cannot be seen on this side."""
    broken = [value in _BROKEN and not at for value, at in zip(read.outcome, read.opened, strict=True)]
    return sum(not columns.received[row] and columns.sent[row] != NEVER for row in compress(rows, broken))


def latency_ms(times: Distribution) -> LatencyMs:
    """The same percentiles in ms."""
    in_order = (times.p50, times.p90, times.p95, times.p99, times.p999, times.max)
    return LatencyMs(*(None if each is None else round(each / MS, 3) for each in in_order))


def latency_from_due(columns: Columns, rows: Sequence[int]) -> Distribution:
    """Of the requests among these rows that were replied to."""
    return distribution(columns.done[row] - columns.due[row] for row in rows if columns.outcome[row] in REPLIED)


def _taken(column: memoryview, rows: Sequence[int]) -> list[int]:
    if isinstance(rows, range) and rows.step == 1:
        return column[rows.start : rows.stop].tolist()
    return [column[row] for row in rows]


def _rate(count: int, from_ns: int, to_ns: int) -> float | None:
    return _rounded(count * NS_PER_S / (to_ns - from_ns)) if count > 0 and to_ns > from_ns else None


def _rounded(rate: float | None) -> float | None:
    return None if rate is None else round(rate, 1)
