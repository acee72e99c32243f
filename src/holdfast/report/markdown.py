"""The table of a study as Markdown, to be pasted or committed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from holdfast.model.study import StudyResult
from holdfast.report.columns import (
    COLUMNS,
    SILENT_HEADS,
    application_of,
    label_of,
    made_on,
    name_of,
    remarks,
    settings_of,
    silences_of,
    silent_cell,
    sum_up,
    why_not,
)
from holdfast.report.marking import code as _code
from holdfast.report.marking import escaped as _escaped
from holdfast.report.marking import row as _line
from holdfast.report.silent import CELL_MEANS

_RIGHT, _LEFT = "--:", ":--"


def study_markdown(result: StudyResult) -> bytes:
    """One document: when and where it was made, the table, its notes, and what the columns mean."""
    return ("\n".join(_source(result) if result.source else _table(result)) + "\n").encode()


def _head(result: StudyResult) -> Iterator[str]:
    yield f"# holdfast study {result.name}"
    yield ""
    pythons = sorted({row.verdict.target.python for row in result.rows if row.verdict and row.verdict.target.python})
    servers = f", servers under Python {' and '.join(pythons)}" if pythons else ""
    yield f"Made by `holdfast study {result.name}` on {made_on(result.made)}{servers}."
    yield ""
    yield sum_up(result)
    yield ""


def _table(result: StudyResult) -> Iterator[str]:
    yield from _head(result)
    named = any(label_of(row) for row in result.rows)
    heads = [*(["row"] if named else []), "server", "settings", "application and view"]
    silences = silences_of(result)
    more = [SILENT_HEADS[each] for each in silences]
    yield _line([*heads, *(column.head.replace("\n", " ") for column in COLUMNS), *more, "s"])
    sides = [_RIGHT if column.right else _LEFT for column in COLUMNS]
    yield _line([_LEFT] * len(heads) + sides + [_LEFT] * len(more) + [_RIGHT])
    notes: list[str] = []
    for row in result.rows:
        marks = "".join(
            f" [{number}]"
            for number in _numbered([*([why_not(row)] if row.verdict is None else []), *remarks(row)], notes)
        )
        settings = _code(settings_of(row)) or "defaults"
        label = [_escaped(label_of(row))] if named else []
        cells = [*label, _escaped(name_of(row)), settings, _escaped(application_of(row))]
        if row.verdict is None:
            cells += [f"**{row.outcome}**{marks}", *[""] * (len(COLUMNS) - 1 + len(more))]
        else:
            cells += [column.cell(row.verdict) for column in COLUMNS]
            cells += [silent_cell(row, each) for each in silences]
            cells[len(heads)] += marks
        yield _line([*cells, f"{row.seconds:.1f}"])
    if notes:
        yield ""
        for number, note in enumerate(notes, 1):
            yield f"{number}. {_escaped(note)}"
    yield ""
    yield "Columns:"
    yield ""
    for column in COLUMNS:
        yield f"- **{column.head.replace(chr(10), ' ')}**: {column.means}"
    for head in more:
        yield f"- **{head}**: {CELL_MEANS}"
    yield "- **s**: seconds that the row took, including the server's start and end"
    yield ""
    yield "`?`: not measured. `-`: does not apply."


def _source(result: StudyResult) -> Iterator[str]:
    yield from _head(result)
    yield _line(["", "experiment", "", result.source, "here", "same?", "why not"])
    yield _line([_LEFT] * 7)
    for row in result.rows:
        if row.skipped:
            yield _line([row.id, row.title, "", "", f"**{row.outcome}**", "", _escaped(why_not(row))])
            continue
        for finding in row.findings:
            same = {True: "yes", False: "no", None: "not measured"}[finding.same]
            yield _line([row.id, row.title, finding.what, finding.claimed, finding.here or "", same, finding.why_not])


def _numbered(remarks: Sequence[str], notes: list[str]) -> list[int]:
    """The numbers of these remarks among all notes; one that was made before keeps its number."""
    notes += [each for each in remarks if each not in notes]
    return [notes.index(each) + 1 for each in remarks]
