"""What live views are made of: rows with a name, counts, meters and bars of several parts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TypeVar

from holdfast.report.layout import Text

NAMES = 12
"""Columns of a row's name."""
INDENT = 2
_MOST_METER = 40
_LEAST_METER = 5

Part = TypeVar("Part")


def row(name: str, items: Iterable[Text], width: int) -> Iterator[Text]:
    """A name and its items, on as many lines as they take; without a name they begin where names do."""
    line = Text(f"{'':<{INDENT}}{name:<{NAMES if name else 0}}", style="dim")
    indent = len(line)
    for item in items:
        apart = "  " if len(line) > indent else ""
        if apart and len(line) + len(apart) + len(item) > width:
            yield line
            line, apart = Text(" " * indent), ""
        line.append(apart).append_text(item)
    yield line


def counted(value: str, what: str, style: str = "") -> Text:
    """A figure that catches the eye, and what it counts."""
    return Text.assemble((value, f"not dim bold {style}"), (f" {what}", "not dim"))


def with_meter(line: Text, done: float | None, width: int) -> Text:
    """The line with a meter behind it, as far as there is room.

    Args:
        done: part of the whole; None has no meter.
    """
    room = min(_MOST_METER, width - len(line) - INDENT - 1)
    if done is None or room < _LEAST_METER:
        return line
    full = round(min(1.0, done) * room)
    return line.append("  ").append("━" * full, style="green").append("─" * (room - full), style="dim")


def cells_of(counts: Mapping[Part, int], width: int) -> dict[Part, int]:
    """How many cells of a bar each part gets: one for each that it counts, or its share of the width if that is less.

    A part that counts anything has at least one cell, and one that counts more has no fewer.

    Args:
        width: at least as many as there are parts.
    """
    there = {part: number for part, number in counts.items() if number > 0}
    total = sum(there.values())
    if total <= width:
        return there
    cells = {part: max(1, number * width // total) for part, number in there.items()}
    rounded_down = [part for part, number in there.items() if number * width >= total]
    by_remainder = sorted(rounded_down, key=lambda part: there[part] * width % total, reverse=True)
    for part in by_remainder[: max(0, width - sum(cells.values()))]:
        cells[part] += 1
    while sum(cells.values()) > width:
        # What the smallest were given is taken from the largest.
        cells[max(cells, key=lambda part: (cells[part], -there[part]))] -= 1
    return cells


def amount(value: float) -> str:
    """A number with one decimal, where it is below a hundred."""
    return f"{value:,.{0 if value >= 100 else 1}f}"


def time_row(elapsed_s: float, planned_s: float | None, planned: int | None, begun: int, width: int) -> Text:
    """How long a load has run, and how much of it is done.

    Args:
        planned_s: for how many seconds requests are begun; None if their number decides.
        planned, begun: requests; `planned` is None if time decides.
    """
    text = f"{elapsed_s:.1f} s"
    done: float | None = None
    if planned_s:
        text += f" of {planned_s:,.{1 if planned_s < 60 else 0}f} s"
        done = elapsed_s / planned_s
    elif planned:
        text += f", {begun:,} of {planned:,} begun"
        done = begun / planned
    return with_meter(Text(f"  {text}"), done, width)
