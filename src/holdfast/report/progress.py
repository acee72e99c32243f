"""The progress of a load run: a view for a terminal, and a line for everything else."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from holdfast.model.load import LagUs, LatencyMs
from holdfast.model.progress import LabelProgress, OwnUse, Progress
from holdfast.report.layout import Text
from holdfast.report.live_rows import NAMES, amount, counted, row, time_row

_COLUMN = 10
_NARROW_COLUMN = 8
_FULL = 0.95
"""Share of a core from which a load process can hardly do more."""


def progress_view(progress: Progress, title: str, state: str, width: int, height: int) -> list[Text]:
    """The lines of the view, no more than `height`; each is to be cut off at `width`.

    Args:
        title: what is loaded.
        state: anything unusual, such as a stop that was asked for, in words; "" is nothing.
    """
    lines = [
        Text(title, style="bold"),
        time_row(progress.elapsed_s, progress.planned_s, progress.planned, progress.begun, width),
        Text(),
    ]
    lines += row("rate", _rates(progress), width)
    lines += row("requests", _counts(progress), width)
    lines += row("ended", _ends(progress), width)
    lines += [Text(), *_latencies(progress, width)]
    last = [*row("load", _own(progress.own), width)] if progress.own else []
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


def _rates(progress: Progress) -> Iterator[Text]:
    for value, what in (
        (progress.asked_per_s, "asked"),
        (progress.begun_per_s, "begun"),
        (progress.replied_per_s, "replied"),
    ):
        if value is not None:
            yield counted(f"{amount(value)}/s", what)
    yield Text(f"last {progress.window_s:.0f} s", style="dim")


def _counts(progress: Progress) -> Iterator[Text]:
    for value, what in ((progress.begun, "begun"), (progress.ended, "ended"), (progress.in_flight, "in flight")):
        yield counted(f"{value:,}", what)


def _ends(progress: Progress) -> Iterator[Text]:
    for name, count in ({"answered": 0} | progress.outcomes).items():
        yield counted(f"{count:,}", name, "" if name == "answered" else "red")


def _latencies(progress: Progress, width: int) -> Iterator[Text]:
    names = [*LatencyMs.__dataclass_fields__]
    wide = width >= NAMES + 2 + len(names) * _COLUMN
    shown, column = (names, _COLUMN) if wide else (["p50", "p99", "max"], _NARROW_COLUMN)
    yield Text(f"  {'ms from due':<{NAMES}}" + "".join(f"{name:>{column}}" for name in shown), style="dim")
    for name, times in ((f"last {progress.window_s:.0f} s", progress.recent_ms), ("whole run", progress.whole_ms)):
        yield _figures(name, [_ms(getattr(times, each)) for each in shown], column)
    if progress.lag_us is not None:
        yield _figures("pacing lag", [_lag(progress.lag_us, each) for each in shown], column)


def _figures(name: str, values: Iterable[str], column: int) -> Text:
    return Text(f"  {name:<{NAMES}}", style="dim").append("".join(f"{each:>{column}}" for each in values), "not dim")


def _lag(lag: LagUs, name: str) -> str:
    value = getattr(lag, name, None)
    return "" if value is None else _ms(value / 1000)


def _labels(labels: tuple[LabelProgress, ...], room: int, width: int) -> Iterator[Text]:
    shown = labels if len(labels) <= room else labels[: room - 1]
    wide = max(NAMES, min(max(len(each.label) for each in shown), width - 54))
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
    yield counted(f"{own.processes}", f"process{'' if own.processes == 1 else 'es'}")
    if own.share is not None and own.busiest is not None:
        yield counted(f"{own.share:.0%}", "of a core", "yellow" if own.busiest >= _FULL else "")
    if own.descriptors is not None:
        yield counted(f"{own.descriptors:,}", "descriptors")
    yield counted(f"{own.memory_bytes / 1e6:,.0f}", "MB")


def _ms(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:,.{2 if value < 10 else 1 if value < 100 else 0}f}"
