"""What a load run came to: counts, rates and distributions out of its columns; pure."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import compress
from operator import sub

from holdfast.load.columns import Columns
from holdfast.model.places import REPLIED, Outcome
from holdfast.model.ranks import nearest_rank
from holdfast.model.timeline import NEVER
from holdfast.model.units import NS_PER_S

# Beyond this the generator, and not the server, made the pace (p99 of pacing lag).
LATE_NS = 10_000_000
FEW_LATE = 10
MANY = 20_000
SAMPLE = 2_000

_BROKEN = frozenset({Outcome.RESET, Outcome.CLOSED})


@dataclass(frozen=True, slots=True)
class Distribution:
    """Nearest-rank percentiles in ns; None of these where there was nothing to measure."""

    p50: int | None
    p90: int | None
    p95: int | None
    p99: int | None
    p999: int | None
    max: int | None


@dataclass(frozen=True, slots=True)
class Summary:
    """One load run.

    Attributes:
        offered: requests that were begun or were due.
        outcomes: how many ended in each way; the sum is `offered`.
        rate_asked_per_s: the schedule's mean rate; None in the closed model and in a burst.
        rate_reached_per_s: the rate at which connections were opened, or in the closed model requests
            were sent; None with fewer than two.
        throughput_per_s: answered and rejected requests per second, from the first one's begin to the last reply.
        peak_in_flight: most requests at once that had begun and not ended.
        latency_from_due, latency_from_sent: of answered and rejected requests.
        pacing_lag: from due to opened, the generator's own error.
        generator_limited: the load could not do what was asked: late, out of means, or a load process was lost.
        duration_s: from the first due instant to the last end.
    """

    offered: int
    outcomes: dict[Outcome, int]
    rate_asked_per_s: float | None
    rate_reached_per_s: float | None
    throughput_per_s: float | None
    peak_in_flight: int
    latency_from_due: Distribution
    latency_from_sent: Distribution
    pacing_lag: Distribution
    generator_limited: bool
    duration_s: float
    warnings: tuple[str, ...] = ()


def distribution(values: Iterable[int]) -> Distribution:
    """Percentiles by nearest rank: the smallest value that so many of all do not exceed."""
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

    A sample says about where they lie, and only what lies there is sorted: 0.09 us a value instead of 0.19 (measured).
    Where the sample has misled, all are sorted.
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


def summarise(
    columns: Columns,
    rows: Sequence[int],
    asked_per_s: float | None,
    peak: int | None = None,
    limits: Sequence[str] = (),
    notes: Sequence[str] = (),
) -> Summary:
    """The summary of these rows, ascending, none of which may be PENDING.

    Args:
        asked_per_s: the schedule's mean rate.
        peak: most requests at once, where one process has counted them; None counts them by the rows.
        limits: what went wrong on our own side; any makes the run generator-limited.
        notes: other doubts.
    """
    outcome, due, opened, sent, done = (
        _taken(column, rows) for column in (columns.outcome, columns.due, columns.opened, columns.sent, columns.done)
    )
    # A request on a kept connection begins when it is sent; one whose load process was lost never may have.
    began = [at or sent_ns for at, sent_ns in zip(opened, sent, strict=True)]
    counts = {Outcome(value): count for value, count in sorted(Counter(outcome).items())}
    replied = [True] * len(rows) if counts.keys() <= REPLIED else [value in REPLIED for value in outcome]
    begun = began if all(began) else [at for at in began if at != NEVER]
    ended = done if begun is began else compress(done, began)
    # On kept connections they are the same instants.
    same = rows and began == due
    lags = [0] if same else [max(0, at - planned) for at, planned in zip(began, due, strict=True) if at]
    lag = distribution(lags)
    late = asked_per_s is not None and _late(lags)
    unheard = _unheard(columns, rows, opened, outcome) if counts.keys() & _BROKEN else 0
    failed = counts.get(Outcome.FAILED, 0)
    words = [*limits, *notes]
    if failed and not limits:
        words.append(f"{failed} requests failed on the load's own side or on the way: the server had no part in it.")
    if unheard:
        words.append(
            f"{unheard} requests on kept connections were reset or closed before any byte of a reply: a server that "
            "closes connections between requests may not have read them."
        )
    if late and lag.p99 is not None:
        words.append(
            f"The load was late: one request in a hundred began {lag.p99 / 1e6:.0f} ms or more after it was due. "
            "Ask for less, use connections again (--keep-alive), or share it out: --processes N, --cluster."
        )
    if asked_per_s is None and lag.p99 is not None and lag.p99 > LATE_NS:
        words.append(
            f"They were to begin together, and it took the load {max(lags) / 1e6:,.0f} ms to begin them all: so much "
            "of the latency from due may be its own."
        )
    from_due = distribution(compress(map(sub, done, due), replied))
    first_due, last_done = min(due, default=0), max(done, default=0)
    first_begun, last_begun = min(begun, default=0), max(begun, default=0)
    last_reply = max(compress(done, replied), default=0)
    return Summary(
        offered=len(rows),
        outcomes=counts,
        rate_asked_per_s=asked_per_s,
        rate_reached_per_s=_rate(len(begun) - 1, first_begun, last_begun),
        throughput_per_s=_rate(sum(replied), first_begun, last_reply),
        peak_in_flight=peak_in_flight(begun, ended) if peak is None else peak,
        latency_from_due=from_due,
        # On kept connections they are the same instants, and sorting takes most of this function's time.
        latency_from_sent=from_due if sent == due else distribution(compress(map(sub, done, sent), replied)),
        pacing_lag=lag,
        generator_limited=late or bool(limits) or failed > 0,
        duration_s=max(0, last_done - first_due) / NS_PER_S,
        warnings=tuple(words),
    )


def _late(lags: Sequence[int]) -> bool:
    """Whether the generator made the pace: more than one request in a hundred begun too late.

    Of few requests one short stall of the machine makes as many late, so it takes more than FEW_LATE, or half of them.
    """
    late = sum(lag > LATE_NS for lag in lags)
    return late * 100 > len(lags) and (late > FEW_LATE or late * 2 > len(lags))


def _unheard(columns: Columns, rows: Sequence[int], opened: Sequence[int], outcome: Sequence[int]) -> int:
    """How many requests on kept connections met a close, of which nobody on this side can say what was first."""
    broken = [value in _BROKEN and not at for value, at in zip(outcome, opened, strict=True)]
    return sum(not columns.received[row] and columns.sent[row] != NEVER for row in compress(rows, broken))


def latency_from_due(columns: Columns, rows: Sequence[int]) -> Distribution:
    """Of the answered and rejected requests among these rows."""
    return distribution(columns.done[row] - columns.due[row] for row in rows if columns.outcome[row] in REPLIED)


def _taken(column: memoryview, rows: Sequence[int]) -> list[int]:
    if isinstance(rows, range) and rows.step == 1:
        return column[rows.start : rows.stop].tolist()
    return [column[row] for row in rows]


def _rate(count: int, from_ns: int, to_ns: int) -> float | None:
    return count * NS_PER_S / (to_ns - from_ns) if count > 0 and to_ns > from_ns else None
