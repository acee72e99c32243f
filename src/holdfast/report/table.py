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
from holdfast.report.layout import Indent, Line, Renderable, Stack, Text
from holdfast.report.silent import cell

_GAP = 2
_INDENT = 2
_BELOW = 6


def render_table(result: StudyResult) -> Renderable:
    """For each case, a line that says what was started, and a line of what was measured."""
    widths = _widths(result.rows)
    lines: list[Renderable] = [Text(f"Study {result.name}", style="bold"), Text()]
    lines.append(_Figures([column.head.split("\n") for column in COLUMNS], widths, "dim"))
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
    head = Text(name_of(row), style="bold", hanging=_INDENT)
    head.append(f"  {settings_of(row)}".rstrip(), style="not bold")
    head.append(f"  {application_of(row)}".rstrip(), style="not bold cyan")
    head.append(f"  {label_of(row)}".rstrip(), style="not bold dim")
    yield head
    if row.verdict is None:
        colour = "yellow" if row.outcome in {"not installed", "interrupted"} else "red"
        yield _indented(why_not(row), colour)
    else:
        yield _Figures([[column.cell(row.verdict)] for column in COLUMNS], widths, "green")
    if row.silent is not None:
        tried = (f"{SILENT_HEADS[each.silence]}: {cell(each)}" for each in row.silent.silences)
        yield _indented(f"silent {'; '.join(tried)}", "cyan")
    for sentence in remarks(row):
        yield _indented(
            f"! {sentence}" if sentence != row.note else sentence, "dim" if sentence == row.note else "yellow"
        )


def _indented(words: str, style: str) -> Renderable:
    return Indent(Text(words, style=style, hanging=_INDENT if words.startswith("! ") else 0), _INDENT)


class _Figures:
    """A cell for each column, side by side; on a terminal too narrow for all of them, those that do not fit come below.

    Args:
        cells: the lines of each cell; the last ones are on one level.
        widths: of each column.
    """

    def __init__(self, cells: Sequence[Sequence[str]], widths: Sequence[int], style: str) -> None:
        self._cells = cells
        self._widths = widths
        self._style = style

    def lines(self, width: int) -> Iterator[Line]:
        """As `Renderable`."""
        indent = _INDENT
        for columns in _fitting(self._widths, width):
            height = max(len(self._cells[each]) for each in columns)
            for number in range(height):
                parts = []
                for each in columns:
                    cell = [*[""] * (height - len(self._cells[each])), *self._cells[each]][number]
                    wide = self._widths[each]
                    parts.append(f"{cell:>{wide}}" if COLUMNS[each].right else f"{cell:<{wide}}")
                yield [(" " * indent + (" " * _GAP).join(parts).rstrip(), self._style)]
            indent = _BELOW


def _fitting(widths: Sequence[int], width: int) -> Iterator[list[int]]:
    """The numbers of the columns that have room side by side, line by line; a column wider than all has its own."""
    columns: list[int] = []
    used = _INDENT
    for number, wide in enumerate(widths):
        if columns and used + wide > width:
            yield columns
            columns, used = [], _BELOW
        columns.append(number)
        used += wide + _GAP
    yield columns


def _widths(rows: Sequence[Row]) -> list[int]:
    widths = []
    for column in COLUMNS:
        cells = [column.cell(row.verdict) for row in rows if row.verdict is not None]
        widths.append(max(map(len, [*column.head.split("\n"), *cells])))
    return widths
