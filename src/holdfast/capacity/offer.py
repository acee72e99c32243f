"""One load at one rate: requests are sent, and what became of them is judged."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import compress

from holdfast.capacity.subject import Sent, Subject
from holdfast.infer.capacity_load import answered_per_s, growth_of, why_not
from holdfast.infer.capacity_search import GROWS
from holdfast.interrupts import Interrupts
from holdfast.load.collect import LoadRun
from holdfast.load.plan import Plan, Stop
from holdfast.load.processes import Watched, load_runs
from holdfast.load.quantities import Threshold
from holdfast.load.summary import distribution, latency_ms
from holdfast.loadtest.plans import plans_of
from holdfast.loadtest.run import finished_load
from holdfast.model.capacity import AtRate
from holdfast.model.frozen import frozen
from holdfast.model.load import LatencyMs, LoadExperiment, LoadResult
from holdfast.model.places import REPLIED, Outcome
from holdfast.model.shapes import Clients, Shape, Stages
from holdfast.model.units import MS
from holdfast.observe.processes import read_core_use
from holdfast.observe.starvation import CoreUse

SINGLES = 5
_BUSY = 0.9
"""Of a load process's time on a core, from which on it may be what makes requests late."""


@frozen
class Bench:
    """What all loads of a search have in common.

    Attributes:
        began_s: `time.monotonic` of its begin.
    """

    subject: Subject
    sent: Sent
    thresholds: tuple[Threshold, ...]
    poisson: bool
    interrupts: Interrupts
    began_s: float

    def ends(self) -> bool:
        """Whether a person has asked for the end."""
        return self.interrupts.asked

    def stopped(self) -> Stop:
        """As `load_runs` asks."""
        if self.interrupts.leaving:
            return Stop.AT_ONCE
        return Stop.DRAIN if self.interrupts.asked else Stop.NOT


@frozen
class Offered:
    """A load that is over.

    Attributes:
        at_rate: what became of it.
        start_ns: CLOCK_MONOTONIC of its first request; 0 where none was due.
    """

    at_rate: AtRate
    run: LoadRun
    result: LoadResult
    start_ns: int


class _OwnUse:
    """What the load's own processes had of the cores."""

    def __init__(self) -> None:
        self._first: tuple[int, dict[int, CoreUse]] | None = None
        self._last: tuple[int, dict[int, CoreUse]] | None = None

    def look(self, watched: Watched) -> None:
        now_ns, use = time.monotonic_ns(), read_core_use(watched.pids)
        if not use:
            return
        self._first = self._first or (now_ns, use)
        self._last = (now_ns, use)

    def cores(self) -> tuple[float | None, float | None]:
        """Of all its processes, and of the busiest of them."""
        if self._first is None or self._last is None or self._last[0] <= self._first[0]:
            return None, None
        (from_ns, before), (to_ns, after) = self._first, self._last
        ran = [(use.ran_ns - before[tid].ran_ns) / (to_ns - from_ns) for tid, use in after.items() if tid in before]
        return sum(ran), max(ran, default=0.0)


def plan_of(bench: Bench, shape: Shape) -> tuple[LoadExperiment, Plan]:
    """A load of this shape.

    Raises:
        ValueError: a request cannot be sent as it is written.
    """
    sent = bench.sent
    experiment = LoadExperiment((bench.subject.group(sent, shape),), sent.verify, sent.seed, processes=sent.processes)
    return experiment, plans_of(experiment, (bench.subject.target,))[0]


def send_singles(bench: Bench, request: Callable[[int], bytes] | None = None) -> LoadRun:
    """A few requests one after another.

    Args:
        request: row -> its bytes; None sends what the load sends.
    """
    _, plan = plan_of(bench, Clients(1, SINGLES))
    plan = replace(plan, keep_alive=False, processes=1)
    if request is not None:
        plan = replace(plan, request=request)
    return load_runs((plan,), bench.stopped)


def alone_ms(singles: LoadRun) -> float | None:
    """How long the quickest of them took; None where none was answered."""
    columns = singles.columns
    took = [
        columns.done[row] - (columns.opened[row] or columns.sent[row])
        for row in singles.begun
        if columns.outcome[row] == Outcome.ANSWERED
    ]
    return round(min(took) / MS, 3) if took else None


def offer(
    bench: Bench,
    rate_per_s: float,
    seconds: float,
    watch: Callable[[Watched], None] | None = None,
    request: Callable[[int], bytes] | None = None,
) -> Offered:
    """Sends requests at this rate, and waits for their end.

    Args:
        watch: called ten times a second meanwhile.
        request: as of `send_singles`.

    Raises:
        EnvironmentFailure: a load process could not be started.
    """
    experiment, plan = plan_of(bench, Stages(((rate_per_s, seconds),), bench.poisson))
    if request is not None:
        plan = replace(plan, request=request)
    own, began_s = _OwnUse(), time.monotonic() - bench.began_s

    def look(watched: Watched) -> None:
        own.look(watched)
        if watch is not None:
            watch(watched)

    run = load_runs((plan,), bench.stopped, watch=look)
    result = finished_load(experiment, run, bench.thresholds, None).result
    due = run.columns.due
    start_ns = min((due[row] for row in run.begun), default=0)
    at_rate = _judged(bench, (rate_per_s, seconds, began_s), run, result, own)
    return Offered(at_rate, run, result, start_ns)


def _judged(bench: Bench, asked: tuple[float, float, float], run: LoadRun, result: LoadResult, own: _OwnUse) -> AtRate:
    rate_per_s, seconds, began_s = asked
    replied = _rows(run, REPLIED)
    due, done = ([column[row] for row in replied] for column in (run.columns.due, run.columns.done))
    took = [end - begin for begin, end in zip(due, done, strict=True)]
    growth = growth_of(due, took)
    answered = compress(done, (run.columns.outcome[row] == Outcome.ANSWERED for row in replied))
    start_ns = min((run.columns.due[row] for row in run.begun), default=0)
    why = why_not(result.thresholds, growth)
    load_cores, busiest = own.cores()
    return AtRate(
        rate_per_s=rate_per_s,
        seconds=seconds,
        began_s=round(began_s, 3),
        offered=result.offered,
        outcomes=result.outcomes,
        latency_from_due_ms=result.latency_from_due_ms,
        answered_per_s=answered_per_s(start_ns, seconds, list(answered)),
        growth=None if growth is None else round(growth, 4),
        pacing_lag_p99_us=result.pacing_lag_us.p99,
        thresholds=result.thresholds,
        held=not why,
        why=why,
        limited=_limited(bench, run, result, growth, busiest, why=why),
        load_cores=None if load_cores is None else round(load_cores, 3),
    )


def _limited(
    bench: Bench,
    run: LoadRun,
    result: LoadResult,
    growth: float | None,
    busiest: float | None,
    *,
    why: str,
) -> str:
    """Why the load decided what was seen; "" where it did not."""
    if result.generator_limited:
        return result.warnings[0] if result.warnings else "The load could not do what was asked."
    if why and busiest is not None and busiest >= _BUSY:
        return f"A load process was busy for {busiest:.0%} of the time: it may be what made requests late."
    latencies = [each for each in bench.thresholds if each.what not in ("errors", "rate")]
    broken = [each for each in latencies if not _holds(each, result.latency_from_due_ms)]
    only_late = all(each.held for each in result.thresholds if each.text not in {one.text for one in latencies})
    if broken and only_late and not (growth is not None and growth > GROWS):
        from_begun = _from_begun(run)
        if all(_holds(each, from_begun) for each in broken):
            return (
                f"{broken[0].text} would have held without the load's own lateness "
                f"(99 of 100 requests began within {(result.pacing_lag_us.p99 or 0) / 1000:.1f} ms of being due)."
            )
    return ""


def _holds(threshold: Threshold, latency: LatencyMs) -> bool:
    value: float | None = getattr(latency, threshold.what)
    return value is not None and threshold.holds(value)


def _from_begun(run: LoadRun) -> LatencyMs:
    """Latencies from the instant at which each request really began."""
    columns = run.columns
    return latency_ms(
        distribution(columns.done[row] - (columns.opened[row] or columns.sent[row]) for row in _rows(run, REPLIED))
    )


def _rows(run: LoadRun, outcomes: frozenset[Outcome]) -> Sequence[int]:
    return [row for row in run.begun if run.columns.outcome[row] in outcomes]


def seconds_since(began_s: float) -> float:
    """Since an instant of `time.monotonic`."""
    return round(time.monotonic() - began_s, 3)
