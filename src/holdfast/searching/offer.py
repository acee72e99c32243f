"""One load at one rate: requests are sent, and what became of them is judged."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import compress

from holdfast.engine.collect import LoadRun
from holdfast.engine.plan import Plan, Stop
from holdfast.engine.processes import Watched, load_runs
from holdfast.engine.quantities import Threshold
from holdfast.engine.summary import distribution, failed_in_words, latency_ms
from holdfast.infer.capacity_cores import BUSY, is_starved, lateness_in_words, taken_by_others, waited_for_a_core_ms
from holdfast.infer.capacity_load import answered_per_s, growth_of, why_not
from holdfast.infer.capacity_search import GROWS, able
from holdfast.interrupts import Interrupts
from holdfast.loadtest.plans import plans_of
from holdfast.loadtest.run import finished_load
from holdfast.model.capacity import AtRate
from holdfast.model.frozen import frozen
from holdfast.model.load import LatencyMs, LoadExperiment, LoadResult
from holdfast.model.places import REPLIED, Outcome
from holdfast.model.shapes import Clients, Shape, Stages
from holdfast.model.units import MS
from holdfast.searching.cores import CoreLooks, CoresSeen, cores_here, until_ns
from holdfast.searching.disturbed import disturbance
from holdfast.searching.subject import Sent, Subject

SINGLES = 5
_MOST_TIMES = 10


@frozen
class Bench:
    """What all loads of a search have in common.

    Attributes:
        began_s: `time.monotonic` of its begin.
        alone_ms: how long a single request takes; 0.0 before one was sent.
        until_s: `time.monotonic` at which it is to be over.
    """

    subject: Subject
    sent: Sent
    thresholds: tuple[Threshold, ...]
    poisson: bool
    interrupts: Interrupts
    began_s: float
    alone_ms: float = 0.0
    until_s: float = math.inf

    def ends(self) -> bool:
        """Whether a person has asked for the end, or the time is up that the search was to take."""
        return self.interrupts.asked or self.interrupts.leaving

    def left_s(self) -> float:
        """How much longer the search may take."""
        return self.until_s - time.monotonic()

    def stopped(self) -> Stop:
        """As `load_runs` asks: a load that was cut short says nothing, so nothing of it is waited for."""
        return Stop.AT_ONCE if self.ends() else Stop.NOT


@frozen
class Offered:
    """A load that is over.

    Attributes:
        at_rate: what became of it.
        start_ns: CLOCK_MONOTONIC of its first request; 0 where none was due.
    """

    at_rate: AtRate
    start_ns: int
    cores: CoresSeen


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
    cores, began_s = CoreLooks(bench.subject.pids), time.monotonic() - bench.began_s

    def look(watched: Watched) -> None:
        cores.look(watched, until_ns(watched, seconds))
        if watch is not None:
            watch(watched)

    run = load_runs((plan,), bench.stopped, watch=look)
    result = finished_load(experiment, run, bench.thresholds, None).result
    due = run.columns.due
    start_ns = min((due[row] for row in run.begun), default=0)
    session = bench.subject.session
    seen = cores.seen(has_gil=session is not None and session.recording.workers.gil() in {"on", "asked for"})
    at_rate = _judged(bench, (rate_per_s, seconds, began_s), run, result, seen)
    return Offered(at_rate, start_ns, seen)


def _judged(
    bench: Bench, asked: tuple[float, float, float], run: LoadRun, result: LoadResult, cores: CoresSeen
) -> AtRate:
    rate_per_s, seconds, began_s = asked
    replied = _rows(run, REPLIED)
    due, done = ([column[row] for row in replied] for column in (run.columns.due, run.columns.done))
    took = [end - begin for begin, end in zip(due, done, strict=True)]
    growth = growth_of(due, took)
    answered = compress(done, (run.columns.outcome[row] == Outcome.ANSWERED for row in replied))
    start_ns = min((run.columns.due[row] for row in run.begun), default=0)
    why = why_not(result.thresholds, growth)
    taken = taken_by_others(cores.server, cores.others, cores_here())
    done_at_rate = AtRate(
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
        load_cores=cores.load,
        server_cores=round(sum(each.cores for each in cores.server), 3) if cores.server else None,
        taken=taken,
    )
    return replace(done_at_rate, limited=limited_by(bench, done_at_rate, run, result, cores))


def limited_by(bench: Bench, load: AtRate, run: LoadRun, result: LoadResult, cores: CoresSeen) -> str:
    """Why the load, or another program, decided what was seen; "" where neither did."""
    if result.generator_limited:
        return _generator_limits(bench, load, run, cores)
    if load.held:
        return ""
    if cores.busiest is not None and cores.busiest >= BUSY:
        return f"A load process was busy for {cores.busiest:.0%} of the time: it may be what made requests late."
    if load.taken and load.rate_per_s <= able(load):
        return (
            f"Other programs used {cores.others or 0:.1f} cores, and the server computed and lacked {load.taken:.0%} "
            "of the processor time that it needed."
        )
    waited_ms = waited_for_a_core_ms(cores.server, cores.load_waited, load.answered_per_s)
    # Without that it would have served more; what is beyond that too does not hold anyway.
    more = (load.answered_per_s or 0.0) * (1 + waited_ms / max(bench.alone_ms, waited_ms / _MOST_TIMES))
    if is_starved(waited_ms, cores.others, bench.alone_ms) and load.rate_per_s <= more:
        return (
            f"Other programs used {cores.others or 0:.1f} cores, and for each request the server and the load waited "
            f"{waited_ms:.0f} ms for one."
        )
    return _lateness(bench, load, run) or disturbance(bench.thresholds, load, run.columns, run.begun, cores.windows)


def _generator_limits(bench: Bench, load: AtRate, run: LoadRun, cores: CoresSeen) -> str:
    """What kept the load from sending what it was to send."""
    if run.facts.limits:
        return run.facts.limits[0]
    if failed := load.outcomes["failed"]:
        return failed_in_words(failed)
    late_ms = (load.pacing_lag_p99_us or 0) / 1000
    return lateness_in_words(late_ms, cores.busiest, cores.others, kept=bench.sent.keep_alive)


def _lateness(bench: Bench, load: AtRate, run: LoadRun) -> str:
    """That latencies would have held without the load's own lateness; "" where they would not."""
    grew = load.growth is not None and load.growth > GROWS
    broken = [each for each, seen in zip(bench.thresholds, load.thresholds, strict=True) if not seen.held]
    if grew or not broken or any(each.what == "errors" for each in broken):
        return ""
    from_begun = _from_begun(run)
    if not all(_holds(each, from_begun) for each in broken):
        return ""
    return (
        f"{broken[0].text} would have held without the load's own lateness (99 of 100 requests began within "
        f"{(load.pacing_lag_p99_us or 0) / 1000:.1f} ms of being due)."
    )


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
