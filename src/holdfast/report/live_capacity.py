"""A search while it runs, for a terminal: the load that runs, those before it, and where the edge is by then."""

from __future__ import annotations

from collections.abc import Iterator

from holdfast.model.capacity import AtRate, LiveSearch
from holdfast.report.layout import Text
from holdfast.report.live_probe import cut_to_fit
from holdfast.report.live_rows import INDENT, counted, row, with_meter
from holdfast.report.load import milliseconds

_FEW = 8
"""Loads that are shown, the latest ones."""
_RATE = 10


def search_view(search: LiveSearch, title: str, width: int, height: int) -> list[Text]:
    """The lines of the view, no more than `height`; each is to be cut off at `width`.

    Args:
        title: what is loaded.
    """
    lines = [Text(title, style="bold"), *_lines(search, width)]
    return cut_to_fit(lines, height, asked_to_end=search.asked_to_end)


def _lines(search: LiveSearch, width: int) -> Iterator[Text]:
    line = Text(" " * INDENT).append(f"{search.rate_per_s:,g}/s", "bold cyan")
    line.append(f"  {min(search.load_s, search.seconds):.1f} of {search.seconds:.3g} s")
    yield with_meter(line, search.load_s / search.seconds if search.seconds else None, width)
    yield Text(f"{'':<{INDENT}}load {len(search.loads) + 1}, {search.elapsed_s:.0f} s: {search.why}", style="dim")
    yield Text()
    counts = [counted(f"{search.begun:,}", "begun"), counted(f"{search.ended:,}", "ended")]
    yield from row("requests", counts, width)
    low, high = search.interval.low, search.interval.high
    edge = [
        counted("?" if low is None else f"{low:,g}/s", "holds", "green"),
        counted("?" if high is None else f"{high:,g}/s", "does not"),
    ]
    yield from row("edge", edge, width)
    if search.loads:
        yield Text()
    if len(search.loads) > _FEW:
        yield Text(f"{'':<{INDENT}}{len(search.loads) - _FEW} earlier loads", style="dim")
    for each in search.loads[-_FEW:]:
        yield _load(each)


def _load(load: AtRate) -> Text:
    line = Text(" " * INDENT).append(f"{load.rate_per_s:>{_RATE},g}/s  ")
    line.append(f"p99 {milliseconds(load.latency_from_due_ms.p99):>8} ms  ")
    if load.limited:
        return line.append(f"says nothing: {load.limited}", "yellow")
    return line.append("holds", "green") if load.held else line.append(load.why, "red")
