"""A load run that is over -> the result for a person; pure."""

from __future__ import annotations

from array import array
from bisect import bisect
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import fields
from itertools import chain
from typing import Any

from holdfast.engine.collect import LoadRun
from holdfast.engine.quantities import Threshold
from holdfast.engine.summary import latency_from_due, latency_ms
from holdfast.engine.totals import in_parts, taken
from holdfast.engine.wide import is_one
from holdfast.model.load import (
    Expectation,
    LoadExperiment,
    LoadResult,
    LoadSummary,
    LoadTarget,
    StepResult,
)
from holdfast.model.places import Outcome
from holdfast.model.shapes import Clients

# Always in the JSON; other outcomes only if there are any.
_ALWAYS = tuple(
    outcome.label
    for outcome in (
        Outcome.ANSWERED,
        Outcome.REJECTED,
        Outcome.REFUSED,
        Outcome.RESET,
        Outcome.CLOSED,
        Outcome.CONNECT_TIMEOUT,
        Outcome.UNANSWERED,
        Outcome.FAILED,
    )
)
_COMPLETED = frozenset({"outcomes", "warnings"})
_REDIRECTS = frozenset({301, 302, 303, 307, 308})  # RFC 9110, 15.4: those that lead to another address


def label_of(spans: Sequence[range], labels: Sequence[Sequence[str]], row: int) -> str:
    """The label of a row.

    Args:
        spans: rows of each group.
        labels: of the steps of each group.
    """
    group = bisect([span.start for span in spans], row) - 1
    return labels[group][(row - spans[group].start) % len(labels[group])]


def result_of(
    experiment: LoadExperiment, run: LoadRun, labels: Sequence[Sequence[str]], thresholds: Sequence[Threshold]
) -> LoadResult:
    """The result of a run that is over; its wall clock, and whether it was interrupted, are not in its rows.

    Args:
        labels: of the steps of each group.
    """
    summary, steps = run.summary, _steps(run, labels)
    statuses: Counter[int] = Counter()
    for part in in_parts(run.begun):
        _count(run.columns.status, part, statuses)
    del statuses[0]
    return LoadResult(
        **{each.name: getattr(summary, each.name) for each in fields(LoadSummary) if each.name not in _COMPLETED},
        outcomes=_with_usual(summary.outcomes),
        warnings=(
            *summary.warnings,
            *_redirects(experiment, run, statuses),
            *_not_begun(experiment, run),
            *_unended(experiment, run),
            *_reasons(run),
        ),
        target=LoadTarget(urls_of(experiment, run)),
        statuses={str(status): count for status, count in sorted(statuses.items())},
        thresholds=tuple(_checked(each, summary, steps) for each in thresholds),
        steps=steps,
        **_of_journeys(run),
        stopped=run.facts.stopped,
        hosts=run.facts.hosts,
        events=run.facts.events,
        http2=run.facts.http2,
    )


def _count(column: memoryview, rows: Sequence[int], counts: Counter[int]) -> None:
    """Counts the values of these rows."""
    if isinstance(rows, range) and rows.step == 1 and is_one(column[rows.start : rows.stop].tobytes(), column.itemsize):
        counts[column[rows.start]] += len(rows)
    else:
        counts.update(taken(column, rows))


def urls_of(experiment: LoadExperiment, run: LoadRun | None = None) -> str:
    """What is loaded, as one text.

    Args:
        run: None before there is one.
    """
    if experiment.journeys is not None:
        from holdfast.loadtest import journey_results  # noqa: PLC0415 - of journeys alone, as all below

        return journey_results.urls_of(experiment.journeys, run)
    return ", ".join(dict.fromkeys(group.url for group in experiment.groups))


def _of_journeys(run: LoadRun) -> dict[str, Any]:
    """What only journeys have."""
    if run.particulars is None:
        return {}
    from holdfast.loadtest.journey_results import embedded, transactions  # noqa: PLC0415

    return {"transactions": transactions(run), "redirects": run.facts.redirects, "embedded": embedded(run)}


def _reasons(run: LoadRun) -> Iterator[str]:
    """Why requests of journeys were not answered."""
    if run.particulars is not None:
        from holdfast.loadtest.journey_results import reasons  # noqa: PLC0415

        yield from reasons(run)


def _not_begun(experiment: LoadExperiment, run: LoadRun) -> Iterator[str]:
    """A warning about clients that had sent nothing when the time of the load was over."""
    if experiment.journeys is not None or run.facts.stopped is not None:
        return
    for group, span in zip(experiment.groups, run.facts.spans, strict=True):
        shape = group.shape
        if not isinstance(shape, Clients) or shape.for_s is None or len(span) < shape.clients:
            continue
        begun = bisect(run.begun, span.stop - 1) - bisect(run.begun, span.start - 1)
        if begun < shape.clients:
            pause = group.steps[0].pause
            first_s = shape.delay_s + shape.ramp_s + pause.constant_s + pause.random_s
            why = (
                f"some were to wait for up to {first_s:g} s before their first request. Give a longer --for."
                if first_s >= shape.for_s
                else "opening so many connections takes longer. Give a longer --for, or fewer --clients."
            )
            yield f"Only {begun:,} of {shape.clients:,} clients had begun when the time of the load was over: {why}"


def _unended(experiment: LoadExperiment, run: LoadRun) -> Iterator[str]:
    """A warning about replies that had begun, and not ended, when the time for their requests was over."""
    if not run.summary.outcomes.get(Outcome.UNANSWERED.label):
        return
    first, outcome = run.columns.first, run.columns.outcome
    many = sum(outcome[row] == Outcome.UNANSWERED and first[row] > 0 for row in run.begun)
    may_be_streams = experiment.journeys is None and not any(group.events for group in experiment.groups)
    if many:
        replies = f"{many:,} replies" if many > 1 else "A reply"
        yield (
            f"{replies} had begun and not ended when the time for it was over. Give a longer "
            f"{'timeout' if experiment.journeys is not None else '--timeout'}"
            f"{', or --events for a stream that does not end' if may_be_streams else ''}."
        )


def _redirects(experiment: LoadExperiment, run: LoadRun, statuses: Iterable[int]) -> Iterator[str]:
    """A warning about redirects, unless a step expects certain statuses, or journeys say which are followed."""
    if experiment.journeys is not None:
        return
    expected = any(step.expected for group in experiment.groups for step in group.steps)
    if expected or _REDIRECTS.isdisjoint(statuses):
        return
    status, outcome = run.columns.status, run.columns.outcome
    many = sum(status[row] in _REDIRECTS and outcome[row] == Outcome.ANSWERED for row in run.begun)
    if many:
        where = f"; the last one leads to {run.facts.location}" if run.facts.location else ""
        yield f"Redirects are not followed: {many} of the replies that count as answers were redirects{where}."


def _with_usual(counts: dict[str, int]) -> dict[str, int]:
    """The same counts by label, the usual ones first and also where they are 0."""
    return dict.fromkeys(_ALWAYS, 0) | counts


def _steps(run: LoadRun, labels: Sequence[Sequence[str]]) -> tuple[StepResult, ...]:
    """The results of each label; none if there is only one."""
    if len(set(chain.from_iterable(labels))) == 1:
        return ()
    rows: dict[str, Sequence[int]]
    if run.particulars is not None:
        from holdfast.loadtest.journey_results import rows_of_labels  # noqa: PLC0415

        rows = {**rows_of_labels(run)}
        if len(rows) < 2:
            return ()
    else:
        of_labels = {label: array("q") for label in chain.from_iterable(labels)}
        for row in run.begun:
            of_labels[label_of(run.facts.spans, labels, row)].append(row)
        rows = {**of_labels}
    return tuple(
        StepResult(
            label,
            len(own),
            _with_usual(_by_label(Counter(run.columns.outcome[row] for row in own))),
            latency_ms(latency_from_due(run.columns, own)),
        )
        for label, own in rows.items()
    )


def _by_label(counts: Counter[int]) -> dict[str, int]:
    """The same counts by the outcomes' labels, in the order in which they first came."""
    return {Outcome(value).label: count for value, count in counts.items()}


def _checked(threshold: Threshold, summary: LoadSummary, steps: Sequence[StepResult]) -> Expectation:
    value = _value(threshold, summary, steps)
    return Expectation(threshold.text, value, None if value is None else threshold.holds(value))


def _value(threshold: Threshold, summary: LoadSummary, steps: Sequence[StepResult]) -> float | None:
    if threshold.what == "rate":
        return summary.throughput_per_s
    # A load with a single label has no results of labels: all of it is that one's.
    own = threshold.label is not None and bool(steps)
    of = next((each for each in steps if each.label == threshold.label), None) if own else summary
    if of is None:
        return None
    if threshold.what == "errors":
        errors = of.offered - of.outcomes.get(Outcome.ANSWERED.label, 0)
        if not threshold.share:
            return errors
        return errors / of.offered if of.offered else None
    found: float | None = getattr(of.latency_from_due_ms, threshold.what)
    return found
