"""A load run for a person's terminal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from holdfast.model.load import EventsResult, Expectation, LatencyMs, LoadResult, StreamsResult
from holdfast.report.hosts import render_hosts
from holdfast.report.layout import Column, Indent, Renderable, Stack, Table, Text, doubt

_TWO_PLACES_MS = 1000
_HELD = {True: ("holds", "green"), False: ("does not hold", "red"), None: ("nothing to compare", "yellow")}


def render_load(result: LoadResult) -> Renderable:
    """The whole result of a load run, as a person reads it."""
    parts: list[Renderable] = [Text(result.target.url, style="bold"), Text()]
    parts += [Indent(Text(line), 2) for line in sentences(result)]
    if result.latency_from_due_ms.max is not None:
        parts += [Text(), _latencies(result)]
    if result.steps:
        parts += [Text(), Indent(_labels(result), 2)]
    if result.transactions:
        parts += [Text(), Indent(_transactions(result), 2)]
    if result.hosts:
        parts += [Text(), render_hosts(result.hosts)]
    if result.thresholds:
        parts.append(Text())
    for each in result.thresholds:
        word, colour = _HELD[each.held]
        found = shown_value(each)
        parts.append(
            Indent(Text(f"{each.text}: ").append(word, style=colour).append(f" ({found})" if found else ""), 2)
        )
    if result.warnings:
        parts.append(Text())
        parts += map(doubt, result.warnings)
    return Stack(*parts)


def sentences(result: LoadResult) -> Iterator[str]:
    """What became of the requests, at which rate, and how late they were begun."""
    requests = "1 request" if result.offered == 1 else f"{result.offered:,} requests"
    yield f"{requests} in {result.duration_s:.1f} s: {_ends(result.outcomes)}."
    if result.stopped:
        yield f"Stopped early: {result.stopped}."
    if result.interrupted:
        yield "Stopped early: interrupted."
    if result.statuses:
        yield "Replies: " + ", ".join(f"{count:,} x {status}" for status, count in result.statuses.items()) + "."
    if result.redirects or result.embedded:
        counts = ((result.redirects, "followed a redirect"), (result.embedded, "fetched what a page embeds"))
        yield "Of the requests, " + ", ".join(f"{count:,} {what}" for count, what in counts if count) + "."
    rates = [
        "" if value is None else f"{value:,.1f}/s {what}"
        for what, value in (
            ("asked", result.rate_asked_per_s),
            ("begun", result.rate_reached_per_s),
            ("replied", result.throughput_per_s),
        )
    ]
    known = ", ".join(each for each in rates if each)
    yield f"{f'Rate: {known}; at' if known else 'At'} most {result.peak_in_flight:,} in flight at once."
    if result.events is not None:
        yield _events(result.events)
    if result.http2 is not None:
        yield from _streams(result.http2)
    lag = result.pacing_lag_us
    if lag.p99 is not None:
        yield f"Pacing: begun {lag.p50:,} us after due (median), p99 {lag.p99:,} us, at most {lag.max:,} us."


def _events(events: EventsResult) -> str:
    said = f"Events: {events.events:,} in {events.streams:,} {'reply' if events.streams == 1 else 'replies'}"
    if events.ended_by_us:
        were = "was" if events.ended_by_us == 1 else "were"
        said += f", {events.ended_by_us:,} of which {were} ended by holdfast when their time was over"
    if events.kept < events.events:
        said += f"; times are of the first {events.kept:,}"
    return said + "."


def _streams(http2: StreamsResult) -> Iterator[str]:
    """Connections and streams of a load over HTTP/2, and how the server ended them."""
    connections = "1 connection" if http2.connections == 1 else f"{http2.connections:,} connections"
    streams = "1 stream" if http2.streams == 1 else f"{http2.streams:,} streams"
    allowed = "does not say how many it allows" if http2.advertised is None else f"allows {http2.advertised:,}"
    yield f"HTTP/2: {connections}, at most {streams} on each at once; the server {allowed}."
    ends = [
        *(f"{count:,} streams by RST_STREAM ({code})" for code, count in http2.resets.items()),
        *(f"{count:,} connections by GOAWAY ({code})" for code, count in http2.goaways.items()),
    ]
    if ends:
        yield f"The server ended {', '.join(ends)}."


def _ends(outcomes: Mapping[str, int]) -> str:
    return ", ".join(f"{count:,} {name}" for name, count in outcomes.items() if count) or "none"


def _labels(result: LoadResult) -> Table:
    """One line for each label: what became of its requests, and how long they took from due."""
    titles = ("request", "offered", "outcomes", "p50, ms", "p99, ms", "max, ms")
    table = Table(*(Column(each, right=each not in {"request", "outcomes"}) for each in titles))
    for each in result.steps:
        times = each.latency_from_due_ms
        values = map(milliseconds, (times.p50, times.p99, times.max))
        table.add_row(each.label, f"{each.offered:,}", _ends(each.outcomes), *values)
    return table


def _transactions(result: LoadResult) -> Table:
    """One line for each label of requests that are a result together."""
    titles = ("together", "ended", "all answered", "p50, ms", "p99, ms", "max, ms")
    table = Table(*(Column(each, right=each != "together") for each in titles))
    for each in result.transactions:
        values = map(milliseconds, (each.took_ms.p50, each.took_ms.p99, each.took_ms.max))
        table.add_row(each.label, f"{each.ended:,}", f"{each.answered:,}", *values)
    return table


def _latencies(result: LoadResult) -> Table:
    """A table whose figures stay whole on any terminal: a line that is too long wraps."""
    rows = [("  latency, ms", *LatencyMs.__dataclass_fields__)]
    known = [("from due", result.latency_from_due_ms), ("from sent", result.latency_from_sent_ms)]
    if result.events is not None:
        known += [("first event", result.events.first_ms), ("gap of events", result.events.gap_ms)]
    for name, times in known:
        rows.append((f"  {name}", *(milliseconds(getattr(times, each)) for each in LatencyMs.__dataclass_fields__)))
    columns = [
        Column(right=at > 0, whole=True, least=max(map(len, cells)) + (at > 0))
        for at, cells in enumerate(zip(*rows, strict=True))
    ]
    table = Table(*columns, header=False)
    for cells in rows:
        table.add_row(*cells)
    return table


def milliseconds(value: float | None) -> str:
    """A time in ms as it is shown."""
    if value is None:
        return "-"
    return f"{value:,.2f}" if value < _TWO_PLACES_MS else f"{value:,.0f}"


def shown_value(each: Expectation) -> str:
    """What a threshold was compared with, in its unit; "" where there was nothing."""
    if each.value is None:
        return ""
    text = each.text.strip()
    if text.endswith("%"):
        return f"{each.value:.2%}"
    if text.endswith("/s"):
        return f"{each.value:,.1f}/s"
    return f"{milliseconds(each.value)} ms" if text.endswith("s") else f"{each.value:g}"
