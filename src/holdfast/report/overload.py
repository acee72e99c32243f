"""A server under overload: one line for each level, and what they mean."""

from __future__ import annotations

from collections.abc import Iterator

from holdfast.model.overload import Clients, Health, InVain, Overload, OverloadLevel, Recovery, Wait
from holdfast.report.layout import Column, Indent, Renderable, Stack, Table, Text

_INDENT = 2


def render_overload(overload: Overload) -> Renderable:
    """The whole of it."""
    return Stack(*_parts(overload))


def _parts(overload: Overload) -> Iterator[Renderable]:
    yield Text.assemble(("Overload", "bold"), (f"  {_relative_to(overload)}", "dim"))
    for sentence in overload.sentences:
        yield Indent(Text(sentence), _INDENT)
    yield Text()
    yield Indent(_table(overload), _INDENT)
    for level in overload.levels:
        for words in (*([level.why_not] if level.why_not else []), *level.doubts):
            yield Indent(Text(f"! {level.factor:g}x: {words}", style="yellow"), _INDENT)
    for note in overload.notes:
        yield Indent(Text(f"! {note}", style="yellow"), _INDENT)
    late, limit = _time(overload.late_s), _time(overload.limit_s)
    legend = (
        f"Late: after {late}. Clients leave after {limit}. In vain: the share of the handlers' time that was spent for "
        "clients that had left. Idle, usual: from the end of the load until no handler runs, and until a single "
        "request takes its usual time."
    )
    yield Text(legend, style="dim")


def _relative_to(overload: Overload) -> str:
    what = "ceiling" if overload.ceiling is not None else "chosen number"
    service_s = overload.took_s if overload.service_s is None else overload.service_s
    whose = "the view's body alone" if overload.service_s is None else "held"
    return f"{_rate(overload.throughput_per_s)}/s = {what} {overload.relative_to} / {_time(service_s)} ({whose})"


def _table(overload: Overload) -> Table:
    table = Table(
        Column("load", whole=True),
        Column("rate/s", right=True, whole=True),
        Column("in time", right=True, whole=True),
        Column("otherwise"),
        Column("wait p50", right=True, whole=True),
        Column("p99", right=True, whole=True),
        Column("in vain", right=True, whole=True),
        Column("idle", right=True, whole=True),
        Column("usual", right=True, whole=True),
        Column("health", whole=True),
    )
    for level in overload.levels:
        table.add_row(*_row(level))
    return table


def _row(level: OverloadLevel) -> list[str | Text]:
    head: list[str | Text] = [f"{level.factor:g}x", _rate(level.rate_per_s)]
    clients, wait, vain, recovery, health = (
        level.clients,
        level.wait,
        level.in_vain,
        level.recovery,
        level.health,
    )
    if clients is None or wait is None or vain is None or recovery is None or health is None:
        return [*head, "?"]
    style = "green" if clients.in_time == clients.came else "yellow" if clients.in_time else "red"
    return [
        *head,
        Text(f"{clients.in_time / clients.came:.0%}", style=style),
        _otherwise(clients),
        *_waits(wait),
        _share(vain),
        *_recovery(recovery),
        _health(health),
    ]


def _otherwise(clients: Clients) -> str:
    named = (
        (clients.late, "late"),
        (clients.rejected, "rejected"),
        (clients.refused, "refused"),
        (clients.reset, "reset"),
        (clients.closed, "closed"),
        (clients.timed_out, "timed out"),
        (clients.unconnected, "unconnected"),
        (clients.sent_away, "sent away"),
    )
    parts = [f"{number} {name}" for number, name in named if number]
    return f"{', '.join(parts)} of {clients.came}" if parts else f"0 of {clients.came}"


def _waits(wait: Wait) -> tuple[str, str]:
    return _time(wait.p50_s, at_least=wait.p50_at_least), _time(wait.p99_s, at_least=wait.p99_at_least)


def _share(vain: InVain) -> str:
    return "-" if vain.share is None else f"{vain.share:.0%}"


def _recovery(recovery: Recovery) -> tuple[str, str]:
    idle = recovery.idle_s if recovery.idle_s is not None else recovery.idle_at_least_s
    return _time(idle, at_least=recovery.idle_s is None), _time(recovery.usual_s)


def _health(health: Health) -> Text:
    if not health.asked:
        return Text("?")
    style = "green" if health.answered == health.asked else "yellow" if health.answered else "red"
    longest = "" if health.longest_s is None else f", {_time(health.longest_s)}"
    return Text(f"{health.answered}/{health.asked}{longest}", style=style)


def _rate(per_s: float) -> str:
    return f"{per_s:,.0f}" if per_s >= 10 else f"{per_s:.2g}"


def _time(seconds: float | None, *, at_least: bool = False) -> str:
    if seconds is None:
        return "?"
    more = ">" if at_least else ""
    if seconds >= 1:
        return f"{more}{seconds:.1f} s"
    return f"{more}{seconds * 1000:.0f} ms"
