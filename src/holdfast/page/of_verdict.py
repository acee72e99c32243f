"""The page of a probe, or of a look from outside."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

from holdfast.errors import InconclusiveError
from holdfast.model.experiment import CommandTarget, OutsideExperiment
from holdfast.model.outside import OutsideTimeline
from holdfast.model.phase import Phase
from holdfast.model.timeline import NEVER, Timeline
from holdfast.model.verdict import CALL_NOT_ASKED, HTTP2_NOT_ASKED, PLAIN_HTTP, Verdict
from holdfast.page.charts import areas_data, curves_data, usage_data
from holdfast.page.document import Document, Fact, PlaceBar
from holdfast.page.lanes import lanes_data, overflow_data
from holdfast.page.words import in_words, lines_of
from holdfast.picture.lanes import lanes_of
from holdfast.picture.outside import picture_of_outside
from holdfast.picture.overflow_rows import overflow_rows
from holdfast.picture.probe import UNPLACED, areas_of_probe
from holdfast.picture.usage import usage_of
from holdfast.report.command import command_of
from holdfast.report.forms import listen_queues, processes
from holdfast.report.limit_lines import all_in_force
from holdfast.report.terminal import headline, lanes, sentences, title

_NOT_MISSED = frozenset({CALL_NOT_ASKED, HTTP2_NOT_ASKED, PLAIN_HTTP})
"""Reasons for what was not asked for, which a terminal does not mention either."""
_PHASES = {
    Phase.EXACT_LOAD: "exact load",
    Phase.REUSE: "one after another",
    Phase.CALLED_ALONE: "bodies are run",
}


def document_of(record: Timeline | OutsideTimeline, verdict: Verdict | InconclusiveError) -> Document:
    """The page of one run.

    Args:
        verdict: or why there is none.
    """
    command = shlex.join(command_of(record.experiment))
    kind, log, data = "attach", "", {}
    if isinstance(record, Timeline):
        kind = "exec" if isinstance(record.experiment.target, CommandTarget) else "probe"
        log, data = record.server_log, _data(record)
    else:
        data = _data_from_outside(record)
    if isinstance(verdict, InconclusiveError):
        return Document(
            kind=kind,
            title=_asked(record),
            headline=f"No verdict: {verdict.what}",
            answered=False,
            sentences=[each for each in (verdict.why, verdict.remedy) if each],
            warnings=(),
            forms=tuple(_forms(record)),
            command=command,
            log=log,
            data=data,
        )
    answer, *doubts = lines_of(headline(verdict))
    return Document(
        kind=kind,
        title=in_words(title(verdict)),
        headline=answer,
        answered=verdict.ceiling.in_service is not None,
        sentences=[*doubts, *sentences(verdict)],
        warnings=verdict.warnings,
        places=tuple(places_of(verdict)),
        forms=tuple(_forms(record)),
        command=command,
        facts=tuple(_facts(verdict)),
        unknown=tuple(Fact(name, why) for name, why in verdict.unknown.items() if why not in _NOT_MISSED),
        log=log,
        data=data,
    )


def places_of(verdict: Verdict) -> Iterator[PlaceBar]:
    """The table of places."""
    most = max(1, verdict.offered)
    for each in lanes(verdict):
        yield PlaceBar(each.place, each.label.strip(), each.shown, 100 * each.number / most, each.note)


def _forms(record: Timeline | OutsideTimeline) -> Iterator[Fact]:
    if isinstance(record, Timeline):
        snapshot = record.placed
    else:
        snapshot = next((each.snapshot for each in reversed(record.rounds) if each.snapshot is not None), None)
    if snapshot is not None and snapshot.listeners:
        yield Fact("Listen queues when every place was full, as ss -ltn prints them", listen_queues(snapshot))
    if isinstance(record, Timeline) and record.entries:
        yield Fact("Processes, and the threads that ran handlers, as ps prints them", processes(record))


def _asked(record: Timeline | OutsideTimeline) -> str:
    experiment = record.experiment
    if isinstance(experiment, OutsideExperiment):
        return experiment.target.url
    return shlex.join(command_of(experiment)[2:])


def _data(timeline: Timeline) -> dict[str, object]:
    marks = sorted(_marks(timeline))
    labels = {UNPLACED: "waits, in which queue is not known"}
    areas = areas_of_probe(timeline)
    return {
        "areas": areas_data(areas, labels, marks=marks),
        "lanes": lanes_data(lanes_of(timeline), areas),
        "overflow": overflow_data(overflow_rows(timeline), areas),
        "usage": usage_data(usage_of(timeline)),
    }


def _marks(timeline: Timeline) -> Iterator[tuple[int, str]]:
    marks = timeline.marks
    for at_ns, text in (
        (marks.placed_ns, "places counted"),
        # Handlers are let go in the same instant as clients leave.
        (marks.abandoned_ns or marks.released_ns, "clients leave" if marks.abandoned_ns else "handlers let go"),
    ):
        if at_ns != NEVER:
            yield at_ns, text
    first: dict[Phase, int] = {}
    for request in timeline.requests:
        if request.phase in _PHASES and request.opened_ns != NEVER:
            first[request.phase] = min(request.opened_ns, first.get(request.phase, request.opened_ns))
    yield from ((at_ns, _PHASES[phase]) for phase, at_ns in first.items())


def _data_from_outside(timeline: OutsideTimeline) -> dict[str, object]:
    picture = picture_of_outside(timeline)
    labels = {UNPLACED: "in service or in a queue"}
    return {
        "areas": areas_data(picture.areas, labels, in_flight=True),
        "curves": curves_data(picture.curves),
        "overflow": overflow_data(overflow_rows(timeline), picture.areas, outside=True),
    }


def _facts(verdict: Verdict) -> Iterator[Fact]:
    target = verdict.target
    yield Fact("server", f"{target.server} {target.version or ''}".strip())
    if target.command:
        yield Fact("started with", shlex.join(target.command))
    if target.python:
        yield Fact("Python", target.interpreter.removeprefix("Python "))
    if target.held_in:
        yield Fact("held in", target.held_in)
    if limits := all_in_force(verdict.limits):
        yield Fact("limits", limits)
    if verdict.timing.pacing_lag_p99_us is not None:
        yield Fact("pacing lag, p99", f"{verdict.timing.pacing_lag_p99_us:,} us: the instrument's own error")
    yield Fact("confidence", verdict.confidence)
