"""A probe while it runs, for a terminal: what it does, where its requests are, and who holds them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

from holdfast.model.live import LivePhase, LivePlaces, LiveProbe, LiveWorker
from holdfast.report.lanes import LANES
from holdfast.report.layout import Line, Span, Text
from holdfast.report.live_rows import INDENT, cells_of, counted, row

_MOST_LINES = 2
"""Of the cells of workers."""
# What is done in a phase, where its name alone says little to those who see it for the first time.
_MEANS = {
    LivePhase.FIRST_REQUEST: "one that is answered at once, to see where requests are held",
    LivePhase.RAMP: "more and more requests, until no queue takes another",
    LivePhase.COUNTING: "at a moment at which nothing moves",
    LivePhase.LEAVING: "some clients, to see what the server does about them",
    LivePhase.RELEASING: "handlers return, and what waits comes in",
    LivePhase.REUSE: "do threads and processes serve again?",
    LivePhase.EXACT_LOAD: "as many requests as there are places, together",
}
_HOLDS, _FREE, _APART = "■", "□", " "
_ENDING = "ending; press Ctrl-C again to leave at once"


def probe_view(probe: LiveProbe, title: str, width: int, height: int) -> list[Text]:
    """The lines of the view, no more than `height`; each is to be cut off at `width`.

    Args:
        title: what is probed.
    """
    lines = [Text(title, style="bold"), *probe_lines(probe, width)]
    return cut_to_fit(lines, height, asked_to_end=probe.asked_to_end)


def cut_to_fit(lines: Sequence[Text], height: int, *, asked_to_end: bool) -> list[Text]:
    """As many of the lines as fit, and what a further Ctrl-C does where the person has asked for the end."""
    last = [Text(f"{'':<{INDENT}}{_ENDING}", style="yellow")] if asked_to_end else []
    return [*lines[: max(0, height - len(last))], *last][:height]


def probe_lines(probe: LiveProbe, width: int) -> Iterator[Text]:
    """The lines of a probe without its title; each is to be cut off at `width`."""
    yield _phase(probe)
    if detail := probe.detail or _MEANS.get(probe.phase, ""):
        yield Text(f"{'':<{INDENT}}{detail}", style="dim")
    if probe.places is not None:
        yield Text()
        yield from _places(probe.places, width)
    if probe.workers:
        yield Text()
        yield from _workers(probe.workers, width)


def _phase(probe: LiveProbe) -> Text:
    line = Text(" " * INDENT).append(f"{probe.phase}", "bold cyan").append(f"  {probe.elapsed_s:.1f} s")
    if probe.within_s is not None:
        line.append(f"  at most {probe.within_s:.0f} s more", "dim")
    return line


def _places(places: LivePlaces, width: int) -> Iterator[Text]:
    offered = counted(f"{places.offered:,}", "so far" if places.most is None else f"of at most {places.most:,}")
    left = [counted(f"{places.left:,}", "clients have left" if places.left > 1 else "client has left")]
    yield from row("offered", [offered, *(left if places.left else [])], width)
    room = max(len(LANES), width - 2 * INDENT)
    bar = Text(" " * INDENT)
    for place, cells in cells_of(places.counts, room).items():
        _, colour, fill = LANES[place]
        bar.append(fill * cells, colour)
    yield bar
    yield from row("", [_part(place, number) for place, number in places.counts.items() if number], width)


def _part(place: str, number: int) -> Text:
    label, colour, fill = LANES[place]
    return Text.assemble((f"{fill} ", f"not dim {colour}"), (f"{number:,}", "not dim bold"), (f" {label}", "not dim"))


def _workers(workers: Sequence[LiveWorker], width: int) -> Iterator[Text]:
    threads = [holds for each in workers for holds in each.holds]
    items = [_plural(len(workers), "process", "es"), _plural(len(threads), "thread", "s")]
    shown = items if len(threads) > len(workers) else items[:1]
    yield from row("workers", [*shown, counted(f"{sum(threads):,}", "held")], width)
    yield from _cells(workers, width)


def _plural(number: int, what: str, ending: str) -> Text:
    return counted(f"{number:,}", what if number == 1 else f"{what}{ending}")


def _cells(workers: Sequence[LiveWorker], width: int) -> Iterator[Text]:
    """One cell for each thread, those of a process together, on a few lines; what has no room there is counted."""
    left = sum(len(each.holds) for each in workers)
    more = len(f"  {left:,} more")
    lines: list[Line] = [[]]
    used = INDENT
    for text, style in _each_cell(workers):
        if text == _APART and used in {INDENT, width}:
            continue
        if used + len(text) > width - (more if len(lines) == _MOST_LINES else 0):
            if len(lines) == _MOST_LINES:
                lines[-1].append((f"  {left:,} more", "dim"))
                break
            lines.append([])
            used = INDENT
        lines[-1].append((text, style))
        used += len(text)
        left -= text != _APART
    for line in lines:
        runs = (("".join(text for text, _ in cells), style) for style, cells in groupby(line, lambda cell: cell[1]))
        yield Text.assemble((" " * INDENT, ""), *runs)


def _each_cell(workers: Sequence[LiveWorker]) -> Iterator[Span]:
    """The cells and their styles, with a space between two processes where any has several."""
    apart = any(len(each.holds) > 1 for each in workers)
    for number, worker in enumerate(workers):
        if number and apart:
            yield _APART, ""
        # Those that hold something first: where some have no room, these are the ones to be seen.
        for holds in sorted(worker.holds, reverse=True):
            # A loop or a greenlet server holds many on one thread.
            yield (f"{_HOLDS}{holds:,} " if holds > 1 else _HOLDS, "green") if holds else (_FREE, "dim")
