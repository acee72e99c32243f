"""A load run that is over -> the result that a person reads; pure."""

from __future__ import annotations

from bisect import bisect
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain

from holdfast.load.collect import LoadRun
from holdfast.load.quantities import Threshold
from holdfast.load.summary import Distribution, Summary, latency_from_due
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
from holdfast.model.units import MS

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
_REDIRECTS = frozenset({301, 302, 303, 307, 308})  # RFC 9110, 15.4: those that lead to another address


def label_of(spans: Sequence[range], labels: Sequence[Sequence[str]], row: int) -> str:
    """The label of a row, from the rows of each group and the labels of each group's steps."""
    group = bisect([span.start for span in spans], row) - 1
    return labels[group][(row - spans[group].start) % len(labels[group])]


def result_of(
    experiment: LoadExperiment, run: LoadRun, labels: Sequence[Sequence[str]], thresholds: Sequence[Threshold]
) -> LoadResult:
    """What a run that is over comes to; when it was, and whether somebody ended it, is not in its rows.

    Args:
        labels: of the steps of each group.
    """
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
        hosts=run.beside.hosts,
        warnings=(*summary.warnings, *_redirects(experiment, run, statuses)),
    )


def _redirects(experiment: LoadExperiment, run: LoadRun, statuses: Iterable[int]) -> Iterator[str]:
    """What to know of replies that lead elsewhere, unless somebody said to expect them."""
    expected = any(step.expected for group in experiment.groups for step in group.steps)
    if expected or _REDIRECTS.isdisjoint(statuses):
        return
    status, outcome = run.columns.status, run.columns.outcome
    many = sum(status[row] in _REDIRECTS and outcome[row] == Outcome.ANSWERED for row in run.begun)
    if many:
        where = f"; the last that was read leads to {run.beside.location}" if run.beside.location else ""
        yield f"Redirects are not followed: of the replies that count as answers {many} were redirects{where}."


def _outcomes(counts: Mapping[Outcome, int]) -> dict[str, int]:
    """How many requests ended in each way, by name."""
    outcomes = {each.label: counts.get(each, 0) for each in _ALWAYS}
    return outcomes | {each.label: count for each, count in counts.items() if each not in _ALWAYS}


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


def _ms(ns: int | None) -> float | None:
    return None if ns is None else round(ns / MS, 3)


def _us(ns: int | None) -> int | None:
    return None if ns is None else ns // 1000


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 1)
