"""The wiring of one load run: what a person asked for -> schedule -> rows -> result."""

from __future__ import annotations

import random
from array import array
from bisect import bisect
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain

from holdfast.interrupts import Interrupts
from holdfast.load import schedule
from holdfast.load.acceptance import Acceptance
from holdfast.load.gathered import LoadRun
from holdfast.load.plan import Closed, Open, Plan, Sessions, Stop
from holdfast.load.processes import Watched, load_runs
from holdfast.load.summary import NS_PER_S, Distribution, Summary, latency_from_due
from holdfast.load.values import Numbering, request_bytes
from holdfast.load.words import Threshold
from holdfast.model.load import (
    Expectation,
    LagUs,
    LatencyMs,
    LoadExperiment,
    LoadResult,
    LoadTarget,
    StepResult,
)
from holdfast.model.places import Outcome
from holdfast.model.scenario import (
    Burst,
    Chance,
    ClientNumber,
    Clients,
    DataRows,
    Group,
    Pause,
    Phases,
    Rise,
    Spread,
    Stages,
    Step,
    Values,
)
from holdfast.target import Target

MOST_REQUESTS = 50_000_000
"""Each takes 60 bytes, of which a page is paid for when it is used."""

_MOST_PER_S = 400_000  # of closed-model rows; no machine of two cores comes near it
_MOST_PER_CLIENT_S = 5_000  # of one client that waits for each answer, over loopback

# In the JSON, those of design's list always, the others where there are any.
_ALWAYS = (
    Outcome.ANSWERED,
    Outcome.REJECTED,
    Outcome.REFUSED,
    Outcome.RESET,
    Outcome.CLOSED,
    Outcome.CONNECT_TIMEOUT,
    Outcome.UNANSWERED,
    Outcome.FAILED,
)
_NO_PAUSE = Pause()

Fleet = Callable[[LoadExperiment, Sequence[Target], Sequence[Plan], Callable[[], Stop]], LoadRun]
"""Carries out an experiment's plans on other hosts (`fleet.on`)."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """A load run that is over: its rows, and what they come to.

    Attributes:
        labels: the label of each step of each group.
    """

    run: LoadRun
    result: LoadResult
    labels: tuple[tuple[str, ...], ...]

    def label(self, row: int) -> str:
        """Which request of the experiment a row is."""
        return label_of(self.run.spans, self.labels, row)


def label_of(spans: Sequence[range], labels: Sequence[Sequence[str]], row: int) -> str:
    """The label of a row, from the rows of each group and the labels of each group's steps."""
    group = bisect([span.start for span in spans], row) - 1
    return labels[group][(row - spans[group].start) % len(labels[group])]


def load(
    experiment: LoadExperiment,
    targets: Sequence[Target],
    thresholds: Sequence[Threshold],
    interrupts: Interrupts,
    watch: Callable[[Watched], None] | None = None,
    fleet: Fleet | None = None,
) -> Loaded:
    """Carries out a load run.

    The first Ctrl-C lets what is on its way come to its end, the second gives it up; both leave a result.

    Args:
        targets: of each group.
        watch: as of `load_runs`.
        fleet: carries it out on other hosts, which `watch` does not see.

    Raises:
        ValueError: a request cannot be sent as it is written.
        EnvironmentFailure: an address cannot be connected to at all, or the fleet is not there.
    """

    def stopped() -> Stop:
        if interrupts.leaving:
            return Stop.AT_ONCE
        return Stop.DRAIN if interrupts.asked else Stop.NOT

    plans = plans_of(experiment, targets)
    if fleet is not None:
        return loaded(experiment, fleet(experiment, targets, plans, stopped), thresholds)
    return loaded(experiment, load_runs(plans, stopped, rule=experiment.stop, watch=watch), thresholds)


def loaded(experiment: LoadExperiment, run: LoadRun, thresholds: Sequence[Threshold]) -> Loaded:
    """What a run that is over comes to."""
    labels = tuple(tuple(step.label for step in group.steps) for group in experiment.groups)
    return Loaded(run, _result(experiment, run, labels, thresholds), labels)


def plans_of(experiment: LoadExperiment, targets: Sequence[Target]) -> tuple[Plan, ...]:
    """What the engine is to do, one plan for each group.

    Raises:
        ValueError: a request cannot be sent as it is written.
    """
    return tuple(_plan(experiment, group, target) for group, target in zip(experiment.groups, targets, strict=True))


def _plan(experiment: LoadExperiment, group: Group, target: Target) -> Plan:
    shape = _planned(group, experiment.seed)
    steps = [_with_agent(step) for step in group.steps]
    numbering = Numbering(len(steps), shape.clients if isinstance(shape, Sessions) else 1, experiment.seed)
    if isinstance(shape, Closed):
        numbering = Numbering(1, shape.connections, experiment.seed)
    timeouts = group.timeouts
    return Plan(
        address=target.addresses[0],
        port=target.url.port,
        request=request_bytes(steps, group.values, target.url.host_field, numbering),
        shape=shape,
        patience_s=timeouts.whole_s,
        connect_s=timeouts.connect_s,
        first_byte_s=timeouts.first_byte_s,
        sources=experiment.sources or None,
        processes=experiment.processes,
        tls=target.tls,
        acceptances=tuple(Acceptance(step.expected, step.checks) for step in steps),
        keep_alive=group.keep_alive,
    )


def _with_agent(step: Step) -> Step:
    if any(name.lower() == "user-agent" for name, _ in step.headers):
        return step
    return replace(step, headers=(("User-Agent", "holdfast"), *step.headers))


def _planned(group: Group, seed: int) -> Open | Closed | Sessions:
    """The engine's shape: the plain models where clients have one step and nothing between their requests."""
    shape = group.shape
    clients = shape.clients if isinstance(shape, Clients) else 1
    last_index = min(
        (
            len(each.rows) * (clients if each.per_client else 1)
            for each in group.values
            if isinstance(each, DataRows) and not each.again
        ),
        default=None,
    )
    if isinstance(shape, Clients):
        return _clients(group, shape, last_index, seed)
    due_ns = _due_ns(shape, seed)
    if last_index is not None:
        due_ns = due_ns[:last_index]
    if len(group.steps) == 1 and group.steps[0].pause == _NO_PAUSE:
        return Open(due_ns)
    return Sessions(due_ns, 1, _pauses(group), on_failure=group.on_failure, seed=seed)


def _clients(group: Group, shape: Clients, last_index: int | None, seed: int) -> Closed | Sessions:
    plain = not shape.ramp_s and not shape.delay_s and shape.iterations is None and group.on_failure == "continue"
    # In the plain model a row goes to whichever connection is free, so that no client has rows of its own.
    plain = plain and not any(map(_of_a_client, group.values))
    if plain and len(group.steps) == 1 and group.steps[0].pause == _NO_PAUSE:
        most = shape.requests
        if most is None:
            most = min(MOST_REQUESTS, round(_MOST_PER_S * (shape.for_s or 0)) + shape.clients)
        return Closed(shape.clients, most if last_index is None else min(most, last_index), shape.for_s)
    iterations = shape.iterations
    indices = [each for each in (last_index, shape.requests) if each is not None]
    if iterations is None:
        if shape.requests is not None:
            iterations = -(-shape.requests // shape.clients)
        else:
            fastest = round(_MOST_PER_CLIENT_S * (shape.for_s or 0)) // len(group.steps) + 1
            iterations = min(fastest, max(1, MOST_REQUESTS // (shape.clients * len(group.steps))))
    start_ns = array(
        "q",
        (round((shape.delay_s + client * shape.ramp_s / shape.clients) * NS_PER_S) for client in range(shape.clients)),
    )
    return Sessions(
        start_ns, iterations, _pauses(group), min(indices, default=None), shape.for_s, group.on_failure, seed
    )


def _of_a_client(values: Values) -> bool:
    if isinstance(values, ClientNumber):
        return True
    return not isinstance(values, Chance) and values.per_client


def _pauses(group: Group) -> tuple[Pause, ...]:
    return tuple(step.pause for step in group.steps)


def _due_ns(shape: Spread | Stages | Rise | Phases | Burst, seed: int) -> array[int]:
    if isinstance(shape, Spread):
        return schedule.spread(shape.requests, shape.over_s)
    if isinstance(shape, Rise):
        return schedule.linear(shape.from_per_s, shape.to_per_s, shape.for_s)
    if isinstance(shape, Burst):
        return schedule.burst(shape.requests)
    if isinstance(shape, Phases):
        lots = random.Random(seed)  # noqa: S311 - lots that can be drawn again, no secret
        return schedule.phases(shape.phases, iter(lots.random, None))
    due_ns = schedule.by_chance(shape.stages, _exponential(seed)) if shape.poisson else schedule.steps(shape.stages)
    return due_ns if shape.requests is None else due_ns[: shape.requests]


def _exponential(seed: int) -> Iterator[float]:
    lots = random.Random(seed)  # noqa: S311 - lots that can be drawn again, no secret
    while True:
        yield lots.expovariate(1.0)


def _result(
    experiment: LoadExperiment, run: LoadRun, labels: Sequence[Sequence[str]], thresholds: Sequence[Threshold]
) -> LoadResult:
    summary = run.summary
    statuses = Counter(run.columns.status[row] for row in run.begun)
    del statuses[0]
    return LoadResult(
        target=LoadTarget(", ".join(dict.fromkeys(group.url for group in experiment.groups))),
        offered=summary.offered,
        outcomes=_outcomes(summary.outcomes),
        statuses={str(status): count for status, count in sorted(statuses.items())},
        rate_asked_per_s=_rounded(summary.rate_asked_per_s),
        rate_reached_per_s=_rounded(summary.rate_reached_per_s),
        throughput_per_s=_rounded(summary.throughput_per_s),
        peak_in_flight=summary.peak_in_flight,
        latency_from_due_ms=_latency(summary.latency_from_due),
        latency_from_sent_ms=_latency(summary.latency_from_sent),
        pacing_lag_us=LagUs(*(_us(getattr(summary.pacing_lag, name)) for name in ("p50", "p99", "max"))),
        generator_limited=summary.generator_limited,
        duration_s=round(summary.duration_s, 3),
        thresholds=tuple(_checked(each, summary) for each in thresholds),
        steps=_steps(run, labels),
        stopped=run.stopped,
        hosts=run.hosts,
        warnings=summary.warnings,
    )


def _outcomes(counts: Mapping[Outcome, int]) -> dict[str, int]:
    """How many requests ended in each way, by name."""
    outcomes = {_name(each): counts.get(each, 0) for each in _ALWAYS}
    return outcomes | {_name(each): count for each, count in counts.items() if each not in _ALWAYS}


def _steps(run: LoadRun, labels: Sequence[Sequence[str]]) -> tuple[StepResult, ...]:
    """The results of each label, where there are several."""
    if len(set(chain.from_iterable(labels))) == 1:
        return ()
    rows: dict[str, list[int]] = {label: [] for label in chain.from_iterable(labels)}
    for row in run.begun:
        rows[label_of(run.spans, labels, row)].append(row)
    return tuple(
        StepResult(
            label,
            len(own),
            _outcomes(Counter(Outcome(run.columns.outcome[row]) for row in own)),
            _latency(latency_from_due(run.columns, own)),
        )
        for label, own in rows.items()
    )


def _checked(threshold: Threshold, summary: Summary) -> Expectation:
    value = _value(threshold, summary)
    return Expectation(threshold.text, value, None if value is None else threshold.holds(value))


def _value(threshold: Threshold, summary: Summary) -> float | None:
    if threshold.what == "rate":
        return _rounded(summary.throughput_per_s)
    if threshold.what == "errors":
        errors = summary.offered - summary.outcomes.get(Outcome.ANSWERED, 0)
        if not threshold.share:
            return errors
        return errors / summary.offered if summary.offered else None
    return _ms(getattr(summary.latency_from_due, threshold.what))


def _latency(times: Distribution) -> LatencyMs:
    return LatencyMs(*map(_ms, (times.p50, times.p90, times.p95, times.p99, times.p999, times.max)))


def _name(outcome: Outcome) -> str:
    return outcome.name.lower().replace("_", "-")


def _ms(ns: int | None) -> float | None:
    return None if ns is None else round(ns / 1e6, 3)


def _us(ns: int | None) -> int | None:
    return None if ns is None else ns // 1000


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 1)
