"""The table of a study without claims: two lines for each case, so that it fits a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from holdfast.model.study import Row, StudyResult
from holdfast.report.columns import (
    COLUMNS,
    SILENT_HEADS,
    application_of,
    label_of,
    made_on,
    name_of,
    remarks,
    settings_of,
    sum_up,
    why_not,
)
from holdfast.report.layout import Renderable, Stack, Text
from holdfast.report.silent import cell

_GAP = 2
_INDENT = 2


def render_table(result: StudyResult) -> Renderable:
    """For each case, a line that says what was started, and a line of what was measured."""
    widths = _widths(result.rows)
    lines: list[Renderable] = [Text(f"Study {result.name}", style="bold"), Text()]
    heads = [column.head.split("\n") for column in COLUMNS]
    height = max(map(len, heads))
    for number in range(height):
        # Titles of one line stand on the lower one.
        cells = [[*[""] * (height - len(each)), *each][number] for each in heads]
        lines.append(Text(_line(cells, widths), style="dim", overflow="ignore"))
    for row in result.rows:
        lines += _row(row, widths)
    lines += [
        Text(),
        Text(sum_up(result)),
        Text(made_on(result.made) + ".", style="dim"),
        Text(
            "N+: at least N, no bound reached. ?: not measured. -: does not apply. --json has every verdict.",
            style="dim",
        ),
    ]
    return Stack(*lines)


def _row(row: Row, widths: Sequence[int]) -> Iterator[Renderable]:
    head = Text(name_of(row), style="bold")
    head.append(f"  {settings_of(row)}".rstrip(), style="not bold")
    head.append(f"  {application_of(row)}".rstrip(), style="not bold cyan")
    head.append(f"  {label_of(row)}".rstrip(), style="not bold dim")
    yield head
    if row.verdict is None:
        colour = "yellow" if row.outcome in {"not installed", "interrupted"} else "red"
        yield _indented(why_not(row), colour)
    else:
        cells = [column.cell(row.verdict) for column in COLUMNS]
        yield Text(_line(cells, widths), style="green", overflow="ignore")
    if row.silent is not None:
        tried = (f"{SILENT_HEADS[each.silence]}: {cell(each)}" for each in row.silent.silences)
        yield _indented(f"silent {'; '.join(tried)}", "cyan")
    for sentence in remarks(row):
        yield _indented(
            f"! {sentence}" if sentence != row.note else sentence, "dim" if sentence == row.note else "yellow"
        )


def _indented(words: str, style: str) -> Renderable:
    return Text(f"{'':{_INDENT}}{words}", style=style)


def _widths(rows: Sequence[Row]) -> list[int]:
    widths = []
    for column in COLUMNS:
        cells = [column.cell(row.verdict) for row in rows if row.verdict is not None]
        widths.append(max(map(len, [*column.head.split("\n"), *cells])))
    return widths


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    parts = [
        f"{cell:>{width}}" if column.right else f"{cell:<{width}}"
        for cell, width, column in zip(cells, widths, COLUMNS, strict=True)
    ]
    return " " * _INDENT + (" " * _GAP).join(parts).rstrip()
