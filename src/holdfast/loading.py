"""The wiring of one load run: what a person asked for -> schedule -> rows -> result."""

from __future__ import annotations

import random
from array import array
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from holdfast.interrupts import Interrupts
from holdfast.load import schedule
from holdfast.load.http1 import request_head
from holdfast.load.plan import Closed, Open, Plan, Stop
from holdfast.load.processes import LoadRun, load_run
from holdfast.load.summary import Distribution, Summary
from holdfast.load.words import Threshold
from holdfast.model.load import (
    Burst,
    Clients,
    Expectation,
    LagUs,
    LatencyMs,
    LoadExperiment,
    LoadResult,
    LoadTarget,
    Rise,
    Shape,
    Spread,
    Stages,
)
from holdfast.model.places import Outcome
from holdfast.target import Target

MOST_REQUESTS = 50_000_000
"""Each takes 46 bytes, of which a page is paid for when it is used."""

_MOST_PER_S = 400_000  # of closed-model rows; no machine of two cores comes near it
_ID = "{id}"

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


@dataclass(frozen=True, slots=True)
class Loaded:
    """A load run that is over: its rows, and what they come to."""

    run: LoadRun
    result: LoadResult


def load(experiment: LoadExperiment, target: Target, thresholds: Sequence[Threshold], interrupts: Interrupts) -> Loaded:
    """Carries out a load run.

    The first Ctrl-C lets what is on its way come to its end, the second gives it up; both leave a result.

    Raises:
        ValueError: the request cannot be sent as it is written.
        EnvironmentFailure: the address cannot be connected to at all.
    """
    head = experiment.headers
    if not any(name.lower() == "user-agent" for name, _ in head):
        head = (("User-Agent", "holdfast"), *head)
    plan = Plan(
        address=target.addresses[0],
        port=target.url.port,
        request=request_of(experiment, target.url.path, target.url.host_field, head),
        shape=_planned(experiment.shape, experiment.seed),
        patience_s=experiment.patience_s,
        tls=target.tls,
        expected=experiment.expected,
    )

    def stopped() -> Stop:
        if interrupts.leaving:
            return Stop.AT_ONCE
        return Stop.DRAIN if interrupts.asked else Stop.NOT

    run = load_run(plan, stopped)
    return Loaded(run, _result(experiment, run, thresholds))


def request_of(
    experiment: LoadExperiment, path: str, host: str, headers: Sequence[tuple[str, str]]
) -> bytes | Callable[[int], bytes]:
    """The bytes of every request, or row -> its bytes where `{id}` in it stands for the number of the row.

    Raises:
        ValueError: a part of it cannot be sent.
    """
    method, body = experiment.method, experiment.body
    whole = request_head(method, path, host, headers, body)
    if _ID.encode() not in whole:
        return whole

    def head_of(row: int) -> bytes:
        number = str(row)
        fields = [(name, value.replace(_ID, number)) for name, value in headers]
        content = None if body is None else body.replace(_ID.encode(), number.encode())
        return request_head(method, path.replace(_ID, number), host, fields, content)

    return head_of


def _planned(shape: Shape, seed: int) -> Open | Closed:
    if isinstance(shape, Clients):
        most = shape.requests
        if most is None:
            most = min(MOST_REQUESTS, round(_MOST_PER_S * (shape.for_s or 0)) + shape.clients)
        return Closed(shape.clients, most, shape.for_s)
    return Open(_due_ns(shape, seed))


def _due_ns(shape: Spread | Stages | Rise | Burst, seed: int) -> array[int]:
    if isinstance(shape, Spread):
        return schedule.spread(shape.requests, shape.over_s)
    if isinstance(shape, Rise):
        return schedule.linear(shape.from_per_s, shape.to_per_s, shape.for_s)
    if isinstance(shape, Burst):
        return schedule.burst(shape.requests)
    if shape.poisson:
        return schedule.by_chance(shape.stages, _exponential(seed))
    return schedule.steps(shape.stages)


def _exponential(seed: int) -> Iterator[float]:
    lots = random.Random(seed)  # noqa: S311 - lots that can be drawn again, no secret
    while True:
        yield lots.expovariate(1.0)


def _result(experiment: LoadExperiment, run: LoadRun, thresholds: Sequence[Threshold]) -> LoadResult:
    summary = run.summary
    outcomes = {_name(each): summary.outcomes.get(each, 0) for each in _ALWAYS}
    outcomes |= {_name(each): count for each, count in summary.outcomes.items() if each not in _ALWAYS}
    statuses = Counter(status for status in run.columns.status if status)
    return LoadResult(
        target=LoadTarget(experiment.url),
        offered=summary.offered,
        outcomes=outcomes,
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
        warnings=summary.warnings,
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
    return LatencyMs(*map(_ms, (times.p50, times.p90, times.p99, times.p999, times.max)))


def _name(outcome: Outcome) -> str:
    return outcome.name.lower().replace("_", "-")


def _ms(ns: int | None) -> float | None:
    return None if ns is None else round(ns / 1e6, 3)


def _us(ns: int | None) -> int | None:
    return None if ns is None else ns // 1000


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 1)
