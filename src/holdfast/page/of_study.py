"""The page of a study: a small picture of each row, and the table of all."""

from __future__ import annotations

from collections.abc import Iterator

from holdfast.model.study import Row, StudyResult
from holdfast.page.document import Document, Fact, Multiple, Sheet
from holdfast.page.of_verdict import places_of
from holdfast.page.words import lines_of
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
from holdfast.report.terminal import headline

_SAME = {True: "yes", False: "no", None: "not measured"}


def document_of_study(result: StudyResult) -> Document:
    """The page of one study."""
    return Document(
        kind="study",
        title=f"Study {result.name}",
        headline=sum_up(result),
        answered=all(row.outcome == "measured" for row in result.rows),
        sentences=(),
        warnings=(),
        multiples=tuple(map(_multiple, result.rows)),
        sheets=tuple(_sheets(result)),
        command=f"holdfast study {result.name}",
        facts=(Fact("made on", made_on(result.made)),),
    )


def _multiple(row: Row) -> Multiple:
    label, what = label_of(row), _started(row)
    notes = [each for each in (what if label else "", application_of(row)) if each]
    if row.verdict is None:
        return Multiple(label or what, why_not(row), (), notes, remarks(row), answered=False)
    answer, *doubts = lines_of(headline(row.verdict))
    known = row.verdict.ceiling.in_service is not None
    return Multiple(
        label or what, answer, tuple(places_of(row.verdict)), notes, [*doubts, *remarks(row)], answered=known
    )


def _started(row: Row) -> str:
    return f"{name_of(row)} {settings_of(row)}".strip()


def _sheets(result: StudyResult) -> Iterator[Sheet]:
    if result.source:
        titles = ("experiment", "what", result.source, "here", "same?", "why not")
        rows = tuple(
            (row.title, each.what, each.claimed, each.here or "-", _SAME[each.same], each.why_not)
            for row in result.rows
            for each in row.findings
        )
        yield Sheet("What the source says, and what was measured here", titles, rows)
    silences = silences_of(result)
    columns = (
        "row",
        *(column.head.replace("\n", " ") for column in COLUMNS),
        *(SILENT_HEADS[each] for each in silences),
        "s",
    )
    measured = tuple(
        (
            label_of(row) or _started(row),
            *(column.cell(row.verdict) for column in COLUMNS),
            *(silent_cell(row, each) for each in silences),
            f"{row.seconds:.1f}",
        )
        for row in result.rows
        if row.verdict is not None
    )
    figures = {number for number, column in enumerate(COLUMNS, 1) if column.right} | {len(columns) - 1}
    if measured:
        yield Sheet("All figures", columns, measured, frozenset(figures))
        meanings = tuple((column.head.replace("\n", " "), column.means.replace("`", "")) for column in COLUMNS)
        yield Sheet("What the columns mean", ("column", "means"), meanings)
