"""The table of a study: what the source says, what was measured here, and why they differ."""

from __future__ import annotations

from collections.abc import Iterator

from holdfast.model.study import Finding, StudyResult
from holdfast.report.columns import why_not
from holdfast.report.layout import Indent, Renderable, Stack, Text
from holdfast.report.table import render_table

_SAME = {True: ("yes", "green"), False: ("no", "yellow"), None: ("not measured", "red")}
_INDENT = 4
_WHAT = 18
_VALUE = 22


def render_study(result: StudyResult) -> Renderable:
    """Each experiment with one line for each of its claims; without a source, a table of what is here."""
    if not result.source:
        return render_table(result)
    head = Text(f"Study {result.name}", style="bold")
    return Stack(head, *_sections(result), Text(f"\nThe whole study took {result.seconds:.0f} s."))


def _sections(result: StudyResult) -> Iterator[Renderable]:
    yield Text(f"\n{'':<{_INDENT}}{_line('', result.source, 'here', 'same?')}", style="dim")
    for row in result.rows:
        yield Text(f"{row.id:<{_INDENT}}{row.title}", style="bold")
        if row.skipped:
            yield Indent(Text(why_not(row), style="red"), _INDENT)
            continue
        for finding in row.findings:
            yield from _lines(finding)


def _lines(finding: Finding) -> Iterator[Renderable]:
    word, colour = _SAME[finding.same]
    line = Text(_line(finding.what, finding.claimed, finding.here or "", ""))
    yield Indent(line.append(word, style=colour), _INDENT)
    if finding.why_not:
        yield Indent(Text(f"why not: {finding.why_not}", style="dim"), _INDENT + _WHAT)


def _line(what: str, claimed: str, here: str, same: str) -> str:
    return f"{what:<{_WHAT}}{claimed:<{_VALUE}}{here:<{_VALUE}}{same}"
