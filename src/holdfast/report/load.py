"""A load run for a person's terminal, and its rows for other programs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from holdfast.model.load import LatencyMs, LoadResult
from holdfast.model.timeline import Request
from holdfast.report.hosts import render_hosts

_HELD = {True: ("holds", "green"), False: ("does not hold", "red"), None: ("nothing to compare", "yellow")}
_COLUMNS = ("id", "due_ns", "begun_ns", "connected_ns", "done_ns", "outcome", "status")


def render_load(result: LoadResult) -> RenderableType:
    """Everything that a person reads of one load run."""
    parts: list[RenderableType] = [Text(result.target.url, style="bold"), Text()]
    parts += [Padding(Text(line), (0, 0, 0, 2)) for line in _sentences(result)]
    parts += [Text(), _latencies(result)]
    if result.hosts:
        parts += [Text(), render_hosts(result.hosts)]
    if result.thresholds:
        parts.append(Text())
    for each in result.thresholds:
        word, colour = _HELD[each.held]
        value = "" if each.value is None else f" ({each.value:g})"
        parts.append(Padding(Text(f"{each.text}: ").append(word, style=colour).append(value), (0, 0, 0, 2)))
    if result.warnings:
        parts.append(Text())
        parts += [Padding(Text(f"! {warning}", style="yellow"), (0, 0, 0, 2)) for warning in result.warnings]
    return Group(*parts)


def _sentences(result: LoadResult) -> Iterator[str]:
    ends = ", ".join(f"{count} {name}" for name, count in result.outcomes.items() if count) or "none"
    yield f"{result.offered} requests in {result.duration_s:.1f} s: {ends}."
    if result.statuses:
        yield "Replies: " + ", ".join(f"{count} x {status}" for status, count in result.statuses.items()) + "."
    rates = [
        "" if value is None else f"{value:,.1f}/s {what}"
        for what, value in (
            ("asked", result.rate_asked_per_s),
            ("begun", result.rate_reached_per_s),
            ("replied", result.throughput_per_s),
        )
    ]
    known = ", ".join(each for each in rates if each)
    yield f"{f'Rate: {known}; at' if known else 'At'} most {result.peak_in_flight} in flight at once."
    lag = result.pacing_lag_us
    if lag.p99 is not None:
        yield f"Pacing: begun {lag.p50} us after due (median), p99 {lag.p99} us, at most {lag.max} us."


def _latencies(result: LoadResult) -> Table:
    table = Table(box=None, padding=(0, 2), pad_edge=False)
    for column in ("  latency, ms", *LatencyMs.__dataclass_fields__):
        table.add_column(column, justify="left" if column.startswith(" ") else "right", no_wrap=True)
    for name, times in (("from due", result.latency_from_due_ms), ("from sent", result.latency_from_sent_ms)):
        values = [getattr(times, each) for each in LatencyMs.__dataclass_fields__]
        table.add_row(f"  {name}", *("-" if value is None else f"{value:,.2f}" for value in values))
    return table


def rows_csv(requests: Iterable[Request]) -> Iterator[str]:
    """The raw rows as CSV (RFC 4180), with a head; instants are CLOCK_MONOTONIC ns, 0 where one did not come."""
    yield ",".join(_COLUMNS) + "\r\n"
    for each in requests:
        outcome = each.outcome.name.lower().replace("_", "-")
        yield (f"{each.id},{each.due_ns},{each.sent_ns},{each.connected_ns},{each.done_ns},{outcome},{each.status}\r\n")
