"""The page of a probe, or of a look from outside."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

from holdfast.errors import InconclusiveError
from holdfast.model.experiment import CommandTarget, command_line_of
from holdfast.model.outside import OutsideTimeline
from holdfast.model.timeline import Timeline
from holdfast.model.verdict import Verdict
from holdfast.page.charts import areas_data
from holdfast.page.document import Document, Fact, PlaceBar
from holdfast.page.words import in_words
from holdfast.picture.probe import areas_of_probe
from holdfast.report.terminal import headline, lanes, sentences, title


def document_of(record: Timeline | OutsideTimeline, verdict: Verdict | InconclusiveError) -> Document:
    """The page of one run.

    Args:
        verdict: or why there is none.
    """
    started = isinstance(record, Timeline)
    shown = _words(verdict)
    return Document(
        kind="probe" if started else "attach",
        title=shown[0],
        headline=shown[1],
        sentences=shown[2],
        warnings=() if isinstance(verdict, InconclusiveError) else verdict.warnings,
        places=() if isinstance(verdict, InconclusiveError) else tuple(_places(verdict)),
        command=_command(record),
        facts=() if isinstance(verdict, InconclusiveError) else tuple(_facts(verdict)),
        unknown=()
        if isinstance(verdict, InconclusiveError)
        else tuple(Fact(name, why) for name, why in verdict.unknown.items()),
        log=record.server_log if isinstance(record, Timeline) else "",
        data={"areas": areas_data(areas_of_probe(record)) if isinstance(record, Timeline) else None},
    )


def _words(verdict: Verdict | InconclusiveError) -> tuple[str, str, list[str]]:
    if isinstance(verdict, InconclusiveError):
        return "No verdict", verdict.what, [each for each in (verdict.why, verdict.remedy) if each]
    return in_words(title(verdict)), in_words(headline(verdict)), list(sentences(verdict))


def _places(verdict: Verdict) -> Iterator[PlaceBar]:
    most = max(1, verdict.offered)
    for each in lanes(verdict):
        yield PlaceBar(each.place, each.label.strip(), each.shown, 100 * each.number / most, each.note)


def _command(record: Timeline | OutsideTimeline) -> str:
    if isinstance(record, OutsideTimeline):
        return shlex.join(["holdfast", "attach", record.experiment.target.url])
    target = record.experiment.target
    if isinstance(target, CommandTarget):
        return shlex.join(["holdfast", "exec", "--", *target.command])
    return shlex.join(["holdfast", "probe", "--server", *command_line_of(target)])


def _facts(verdict: Verdict) -> Iterator[Fact]:
    target = verdict.target
    yield Fact("server", f"{target.server} {target.version or ''}".strip())
    if target.command:
        yield Fact("started with", shlex.join(target.command))
    if target.python:
        yield Fact("Python", target.python)
