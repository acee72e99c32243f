"""A server under overload: one line for each level, and what they mean."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from holdfast.model.overload import Health, Overload, OverloadLevel, Recovery
from holdfast.report.layout import Column, Indent, Renderable, Stack, Table, Text, doubt

HEADS = ("load", "in time", "late", "away", "left", "wait", "p99", "vain", "idle", "usual", "health")
_INDENT = 2


def render_overload(overload: Overload) -> Renderable:
    """The whole of it."""
    return Stack(*_parts(overload))


def _parts(overload: Overload) -> Iterator[Renderable]:
    yield Text.assemble(("Overload", "bold"), (f"  {relative_to(overload)}", "dim"))
    for sentence in overload.sentences:
        yield Indent(Text(sentence), _INDENT)
    yield Text()
    yield _table(overload)
    yield from map(doubt, doubts(overload))
    yield Text(legend(overload), style="dim")


def doubts(overload: Overload) -> Iterator[str]:
    """Why a level was not measured, what makes one doubtful, and what to keep in mind."""
    for level in overload.levels:
        for words in (*([level.why_not] if level.why_not else []), *level.doubts):
            yield f"{level.factor:g}x: {words}"
    yield from overload.notes


def legend(overload: Overload) -> str:
    """What the columns mean."""
    late, limit = _time(overload.late_s), _time(overload.limit_s)
    return (
        f"Times in seconds. Late: after {late}. Away: rejected, refused or cut off. Left: after {limit}. Wait: until "
        "the handler began, the median and the 99th percentile. Vain: the share of the handlers' time after their "
        "client had left. Idle, usual: from the end of the load until no handler ran, and until a single request took "
        "its usual time. Health: checks that were answered, and the longest wait."
    )


def relative_to(overload: Overload) -> str:
    """The throughput that the levels are multiples of, and what it was computed from."""
    what = "ceiling" if overload.ceiling is not None else "chosen number"
    service_s = overload.took_s if overload.service_s is None else overload.service_s
    whose = "the view's body alone" if overload.service_s is None else "held"
    return f"{_rate(overload.throughput_per_s)}/s = {what} {overload.relative_to} / {_time(service_s)} ({whose})"


def _table(overload: Overload) -> Table:
    table = Table(*(Column(head, right=head != HEADS[-1], whole=True) for head in HEADS))
    for level in overload.levels:
        table.add_row(*row_of(level))
    return table


def row_of(level: OverloadLevel) -> Sequence[str | Text]:
    """The cells of a level, under `HEADS`; only the first two where it was not measured."""
    head = f"{level.factor:g}x"
    clients, wait, recovery = level.clients, level.wait, level.recovery
    vain, health = level.in_vain, level.health
    if clients is None or wait is None or vain is None or recovery is None or health is None:
        return [head, "?"]
    style = "green" if clients.in_time == clients.came else "yellow" if clients.in_time else "red"
    away = clients.rejected + clients.refused + clients.reset + clients.closed
    return [
        head,
        Text(f"{clients.in_time / clients.came:.0%}", style=style),
        f"{clients.late}",
        f"{away}",
        f"{clients.timed_out + clients.unconnected}",
        _seconds(wait.p50_s, at_least=wait.p50_at_least),
        _seconds(wait.p99_s, at_least=wait.p99_at_least),
        "-" if vain.share is None else f"{vain.share:.0%}",
        *_recovery(recovery),
        _health(health),
    ]


def _recovery(recovery: Recovery) -> tuple[str, str]:
    idle = recovery.idle_s if recovery.idle_s is not None else recovery.idle_at_least_s
    return _seconds(idle, at_least=recovery.idle_s is None), _seconds(recovery.usual_s)


def _health(health: Health) -> Text:
    if not health.asked:
        return Text("?")
    style = "green" if health.answered == health.asked else "yellow" if health.answered else "red"
    longest = "" if health.longest_s is None else f" {_seconds(health.longest_s)}"
    return Text(f"{health.answered}/{health.asked}{longest}", style=style)


def _seconds(seconds: float | None, *, at_least: bool = False) -> str:
    if seconds is None:
        return "?"
    digits = 3 if seconds < 1 else 2 if seconds < 10 else 1
    return f"{'>' if at_least else ''}{seconds:.{digits}f}"


def _time(seconds: float) -> str:
    return f"{seconds:.1f} s" if seconds >= 1 else f"{seconds * 1000:.0f} ms"


def _rate(per_s: float) -> str:
    return f"{per_s:,.0f}" if per_s >= 10 else f"{per_s:.2g}"
