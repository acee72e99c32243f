"""The progress of a load run: a view for a terminal, and a line for everything else."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from holdfast.model.load import LagUs, LatencyMs
from holdfast.model.progress import LabelProgress, OwnUse, Progress
from holdfast.report.layout import Text

_MOST_BAR = 40
_COLUMN = 10
_NARROW_COLUMN = 8
_NAMES = 12
_FULL = 0.95
"""Share of a core from which a load process can hardly do more."""


def progress_view(progress: Progress, title: str, state: str, width: int, height: int) -> list[Text]:
    """The lines of the view, no more than `height`; each is to be cut off at `width`.

    Args:
        title: what is loaded.
        state: anything unusual, such as a stop that was asked for, in words; "" is nothing.
    """
    lines = [Text(title, style="bold"), _time(progress, width), Text()]
    lines += _row("rate", _rates(progress), width)
    lines += _row("requests", _counts(progress), width)
    lines += _row("ended", _ends(progress), width)
    lines += [Text(), *_latencies(progress, width)]
    last = [*_row("load", _own(progress.own), width)] if progress.own else []
    last += [Text(f"  {state}", style="yellow")] if state else []
    room = height - len(lines) - len(last) - 2
    if len(progress.labels) > 1 and room > 1:
        lines += [Text(), *_labels(progress.labels, room, width)]
    if len(lines) + len(last) < height:
        lines.append(Text())
    # The last lines matter most: where there is no room, those above them are left out.
    return [*lines[: max(0, height - len(last))], *last][:height]


def progress_line(progress: Progress) -> str:
    """The state of the run on one line."""
    parts = [f"{progress.elapsed_s:.1f} s", f"{progress.begun:,} begun"]
    parts += [f"{count:,} {name}" for name, count in ({"answered": 0} | progress.outcomes).items()]
    parts.append(f"{progress.in_flight:,} in flight")
    if progress.recent_ms.p99 is not None:
        parts.append(f"p99 {_ms(progress.recent_ms.p99)} ms")
    if progress.lag_us is not None:
        parts.append(f"lag p99 {_ms((progress.lag_us.p99 or 0) / 1000)} ms")
    return "  ".join(parts)


def _row(name: str, items: Iterable[Text], width: int) -> Iterator[Text]:
    """A name and its items, on as many lines as they take."""
    line = Text(f"  {name:<{_NAMES}}", style="dim")
    indent = len(line)
    for item in items:
        if indent < len(line) and len(line) + len(item) > width:
            yield line
            line = Text(" " * indent)
        line.append_text(item).append("  ")
    yield line


def _time(progress: Progress, width: int) -> Text:
    text = f"{progress.elapsed_s:.1f} s"
    done: float | None = None
    if progress.planned_s:
        text += f" of {progress.planned_s:,.{1 if progress.planned_s < 60 else 0}f} s"
        done = progress.elapsed_s / progress.planned_s
    elif progress.planned:
        text += f", {progress.begun:,} of {progress.planned:,} begun"
        done = progress.begun / progress.planned
    line = Text(f"  {text}")
    room = min(_MOST_BAR, width - len(line) - 3)
    if done is None or room < 5:
        return line
    full = round(min(1.0, done) * room)
    return line.append("  ").append("━" * full, style="green").append("─" * (room - full), style="dim")


def _rates(progress: Progress) -> Iterator[Text]:
    for value, what in (
        (progress.asked_per_s, "asked"),
        (progress.begun_per_s, "begun"),
        (progress.replied_per_s, "replied"),
    ):
        if value is not None:
            yield _count(f"{_number(value)}/s", what)
    yield Text(f"last {progress.window_s:.0f} s", style="dim")


def _counts(progress: Progress) -> Iterator[Text]:
    for value, what in ((progress.begun, "begun"), (progress.ended, "ended"), (progress.in_flight, "in flight")):
        yield _count(f"{value:,}", what)


def _ends(progress: Progress) -> Iterator[Text]:
    for name, count in ({"answered": 0} | progress.outcomes).items():
        yield _count(f"{count:,}", name, "" if name == "answered" else "red")


def _count(value: str, what: str, style: str = "") -> Text:
    return Text.assemble((value, f"not dim bold {style}"), (f" {what}", "not dim"))


def _latencies(progress: Progress, width: int) -> Iterator[Text]:
    names = [*LatencyMs.__dataclass_fields__]
    wide = width >= _NAMES + 2 + len(names) * _COLUMN
    shown, column = (names, _COLUMN) if wide else (["p50", "p99", "max"], _NARROW_COLUMN)
    yield Text(f"  {'ms from due':<{_NAMES}}" + "".join(f"{name:>{column}}" for name in shown), style="dim")
    for name, times in ((f"last {progress.window_s:.0f} s", progress.recent_ms), ("whole run", progress.whole_ms)):
        yield _figures(name, [_ms(getattr(times, each)) for each in shown], column)
    if progress.lag_us is not None:
        yield _figures("pacing lag", [_lag(progress.lag_us, each) for each in shown], column)


def _figures(name: str, values: Iterable[str], column: int) -> Text:
    return Text(f"  {name:<{_NAMES}}", style="dim").append("".join(f"{each:>{column}}" for each in values), "not dim")


def _lag(lag: LagUs, name: str) -> str:
    value = getattr(lag, name, None)
    return "" if value is None else _ms(value / 1000)


def _labels(labels: tuple[LabelProgress, ...], room: int, width: int) -> Iterator[Text]:
    shown = labels if len(labels) <= room else labels[: room - 1]
    wide = max(_NAMES, min(max(len(each.label) for each in shown), width - 54))
    for each in shown:
        name = each.label if len(each.label) <= wide else f"{each.label[: wide - 1]}…"
        text = Text(f"  {name:<{wide}}", style="dim")
        unanswered = each.ended - each.outcomes.get("answered", 0)
        row = Text(f" {each.ended:>11,} ended", style="not dim")
        if each.latency_ms.p99 is not None:
            row.append(f"  p99 {_ms(each.latency_ms.p99)} ms")
        if unanswered:
            row.append(f"  {unanswered:,} not answered", style="red")
        yield text.append_text(row)
    if len(shown) < len(labels):
        yield Text(f"  and {len(labels) - len(shown)} more requests", style="dim")


def _own(own: OwnUse) -> Iterator[Text]:
    yield _count(f"{own.processes}", f"process{'' if own.processes == 1 else 'es'}")
    if own.share is not None and own.busiest is not None:
        yield _count(f"{own.share:.0%}", "of a core", "yellow" if own.busiest >= _FULL else "")
    if own.descriptors is not None:
        yield _count(f"{own.descriptors:,}", "descriptors")
    yield _count(f"{own.memory_bytes / 1e6:,.0f}", "MB")


def _ms(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:,.{2 if value < 10 else 1 if value < 100 else 0}f}"


def _number(value: float) -> str:
    return f"{value:,.{0 if value >= 100 else 1}f}"
