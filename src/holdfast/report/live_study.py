"""A study while it runs, for a terminal: the row that runs, and what came of those before it."""

from __future__ import annotations

from collections.abc import Iterator

from holdfast.model.live import LiveProbe
from holdfast.model.live_study import LiveRow, LiveStudy
from holdfast.report.layout import Text
from holdfast.report.live_explain import explanation_lines
from holdfast.report.live_probe import cut_to_fit, probe_lines
from holdfast.report.live_rows import INDENT, with_meter

_MINUTE_S = 60
_LEAST_ROWS = 3
_RESULT = 14
"""Columns of what came of a row."""


def study_view(study: LiveStudy, title: str, width: int, height: int) -> list[Text]:
    """The lines of the view, no more than `height`; each is to be cut off at `width`.

    Args:
        title: of the study.
    """
    now = study.now if isinstance(study.now, LiveProbe) else study.now.probe
    head = [Text(f"study {title}", style="bold"), _time(study, width), Text()]
    running = [_line(study, len(study.rows) + 1, Text(study.title, style="bold"), width), *_row_now(study, width)]
    room = max(_LEAST_ROWS, height - len(head) - len(running) - 1)
    return cut_to_fit([*head, *_rows(study, room, width), *running], height, asked_to_end=now.asked_to_end)


def _time(study: LiveStudy, width: int) -> Text:
    line = Text(" " * INDENT).append(f"row {len(study.rows) + 1} of {study.total}", "bold cyan")
    line.append(f"  {_span(study.elapsed_s)}")
    if study.left_s is not None:
        line.append(f"  about {_span(study.left_s)} more", "dim")
    return with_meter(line, len(study.rows) / study.total if study.total else None, width)


def _span(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 2 * _MINUTE_S else f"{seconds / _MINUTE_S:.0f} min"


def _rows(study: LiveStudy, room: int, width: int) -> Iterator[Text]:
    """The latest rows, no more lines than `room`."""
    shown = study.rows if len(study.rows) <= room else study.rows[len(study.rows) - room + 1 :]
    if len(shown) < len(study.rows):
        yield Text(f"{'':<{INDENT}}{len(study.rows) - len(shown)} earlier rows", style="dim")
    for number, each in enumerate(shown, len(study.rows) - len(shown) + 1):
        yield _line(study, number, Text(each.title), width).append_text(_result(each))


def _line(study: LiveStudy, number: int, title: Text, width: int) -> Text:
    numbers = len(f"{study.total}")
    wide = max(1, width - INDENT - numbers - 2 - 2 - _RESULT)
    cut = title.cut(wide)
    line = Text(f"{'':<{INDENT}}{number:>{numbers}}  ", style="dim")
    return line.append_text(Text(style="not dim").append_text(cut)).append(" " * (wide - len(cut) + 2))


def _result(row: LiveRow) -> Text:
    if row.at_once is None:
        return Text(row.why_not, style="not dim yellow")
    return Text.assemble((f"{row.at_once:,}", "not dim bold"), (" at once" if row.bounded else " or more", "not dim"))


def _row_now(study: LiveStudy, width: int) -> Iterator[Text]:
    yield Text()
    if isinstance(study.now, LiveProbe):
        yield from probe_lines(study.now, width)
    else:
        yield from explanation_lines(study.now, width)
