"""The page of a load."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from holdfast.model.load import LatencyMs, LoadExperiment, LoadResult
from holdfast.model.rows import Rows
from holdfast.page.charts import areas_data, curves_data
from holdfast.page.document import Document, Fact, Sheet
from holdfast.picture.load import picture_of_load
from holdfast.picture.probe import REPLYING, UNPLACED
from holdfast.report.load import milliseconds, sentences, shown_value

_LABELS = {UNPLACED: "sent, not answered yet", "syn": "connecting", REPLYING: "reply begun"}
_LATENCY_HEADS = ("latency, ms", *LatencyMs.__dataclass_fields__)


def document_of_load(experiment: LoadExperiment, result: LoadResult, chunks: Iterable[Rows]) -> Document:
    """The page of one load.

    Args:
        chunks: its rows, read once.
    """
    picture = picture_of_load(chunks)
    headline, *further = sentences(result)
    return Document(
        kind="load",
        title=_title(experiment, result),
        headline=headline,
        sentences=further,
        warnings=result.warnings,
        sheets=tuple(_sheets(result)),
        facts=tuple(_facts(experiment)),
        data={
            "areas": areas_data(picture.areas, _LABELS, in_flight=True),
            "curves": curves_data((picture.from_due, picture.from_sent)),
        },
    )


def _title(experiment: LoadExperiment, result: LoadResult) -> str:
    if experiment.journeys is not None:
        crews = ", ".join(each.name for each in experiment.journeys.crews)
        # The options of a command line name a crew by its URL.
        return crews if result.target.url and crews.startswith(result.target.url) else f"{result.target.url} {crews}"
    return ", ".join(f"{each.url} {each.shape.title}" for each in experiment.groups)


def _sheets(result: LoadResult) -> Iterator[Sheet]:
    times = [("from due", result.latency_from_due_ms), ("from sent", result.latency_from_sent_ms)]
    rows = [(name, *(milliseconds(getattr(each, field)) for field in _LATENCY_HEADS[1:])) for name, each in times]
    yield Sheet("Latency of the requests that were replied to", _LATENCY_HEADS, tuple(rows), frozenset(range(1, 7)))
    if result.steps:
        yield Sheet(
            "By label",
            ("request", "offered", "outcomes", "p50, ms", "p99, ms", "max, ms"),
            tuple(
                (
                    each.label,
                    str(each.offered),
                    ", ".join(f"{count} {name}" for name, count in each.outcomes.items() if count),
                    *map(milliseconds, (times.p50, times.p99, times.max)),
                )
                for each in result.steps
                for times in [each.latency_from_due_ms]
            ),
            frozenset({1, 3, 4, 5}),
        )
    if result.transactions:
        yield Sheet(
            "Requests that are a result together",
            ("together", "ended", "all answered", "p50, ms", "p99, ms", "max, ms"),
            tuple(
                (
                    each.label,
                    str(each.ended),
                    str(each.answered),
                    *map(milliseconds, (each.took_ms.p50, each.took_ms.p99, each.took_ms.max)),
                )
                for each in result.transactions
            ),
            frozenset(range(1, 6)),
        )
    if result.thresholds:
        held = {True: "holds", False: "does not hold", None: "nothing to compare"}
        yield Sheet(
            "Thresholds",
            ("threshold", "result", "measured"),
            tuple((each.text, held[each.held], shown_value(each) or "-") for each in result.thresholds),
        )


def _facts(experiment: LoadExperiment) -> Iterator[Fact]:
    for group in experiment.groups:
        steps = ", ".join(dict.fromkeys(step.label for step in group.steps))
        connections = "connections are kept" if group.keep_alive else "a connection for each request"
        yield Fact("asked", f"{group.url} {group.shape.title}: {steps}; {connections}")
    for crew in () if experiment.journeys is None else experiment.journeys.crews:
        who = f"{len(crew.stays):,} {'arrivals' if crew.open else 'clients'}"
        cookies = ", each with its cookies" if crew.keeps_cookies else ""
        yield Fact("asked", f"{crew.name}: {who} on a journey{cookies}")
    if experiment.processes is not None:
        yield Fact("load processes", f"{experiment.processes} for each group")
    if not experiment.verify:
        yield Fact("certificate", "not checked")
