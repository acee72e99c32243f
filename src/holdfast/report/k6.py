"""The summary of a load in the lines that k6 prints at the end of a test, for people and scripts that read those.

Source: k6's documentation, "End of test" (the lines, their order and columns, as since version 1.0) and "Built-in
metrics" (what each means): `http_req_duration` is sending, waiting and receiving, without the connection, so it is our
latency from sent. `http_req_waiting` is the time to the first byte; sending is part of it here. What is not measured
has no line. A client that never got a reply has no duration.

Percentiles are the nearest rank, as in every result of holdfast; k6 interpolates between two values.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Sequence

from holdfast.model.load import Expectation, LoadResult
from holdfast.model.places import REPLIED_LABELS, Outcome
from holdfast.model.printable import printable
from holdfast.model.ranks import nearest_rank
from holdfast.model.rows import Rows
from holdfast.model.units import NS_PER_S
from holdfast.report.load import shown_value

_NAME = 35
_HEADS = ("avg", "min", "med", "max", "p(90)", "p(95)")
_ANSWERED = Outcome.ANSWERED.label
_MARKS = {True: "✓", False: "✗", None: "?"}
_SIZES = ("B", "kB", "MB", "GB", "TB")


class _Times:
    """Times of the requests that were replied to, in ns."""

    def __init__(self) -> None:
        self.connecting = array("q")
        self.duration = array("q")
        self.answered = array("q")
        self.waiting = array("q")
        self.receiving = array("q")
        self.received_bytes = 0

    def take(self, rows: Rows) -> None:
        """Adds some requests."""
        self.received_bytes += sum(rows.received_bytes)
        columns = (rows.outcome, rows.opened_ns, rows.connected_ns, rows.sent_ns, rows.first_byte_ns, rows.done_ns)
        for outcome, opened, connected, sent, first_byte, done in zip(*columns, strict=True):
            if outcome not in REPLIED_LABELS:
                continue
            self.connecting.append(connected - opened if opened and connected else 0)  # 0 on a kept connection
            self.duration.append(done - sent)
            if outcome == _ANSWERED:
                self.answered.append(done - sent)
            self.waiting.append(first_byte - sent)
            self.receiving.append(done - first_byte)


def summary_lines(result: LoadResult, chunks: Iterable[Rows]) -> Iterator[bytes]:
    """The lines, with a line break behind each.

    Args:
        chunks: all rows of the load.
    """
    times = _Times()
    for rows in chunks:
        times.take(rows)
    for line in (*_thresholds(result.thresholds), *_results(result, times)):
        yield f"{line}\n".encode()


def _thresholds(thresholds: Sequence[Expectation]) -> Iterator[str]:
    """Each threshold, as it was given; latencies of thresholds count from due."""
    if not thresholds:
        return
    yield from ("  █ THRESHOLDS", "")
    for each in thresholds:
        text = printable(each.text.replace("\n", " "))
        yield f"    {_MARKS[each.held]} '{text}' {shown_value(each) or 'nothing to compare'}"
    yield from ("", "")


def _results(result: LoadResult, times: _Times) -> Iterator[str]:
    failed = result.offered - result.outcomes.get(_ANSWERED, 0)
    share = failed / result.offered if result.offered else 0.0
    seconds = result.duration_s or 1.0
    counts = {
        "http_req_failed": (f"{share:.2%}", f"{failed} out of {result.offered}"),
        "http_reqs": (str(result.offered), f"{_plain(result.offered / seconds, 6)}/s"),
        "data_received": (_size(times.received_bytes), f"{_size(times.received_bytes / seconds)}/s"),
    }
    trends = {
        "http_req_connecting": times.connecting,
        "http_req_duration": times.duration,
        "  { expected_response:true }": times.answered,
        "http_req_receiving": times.receiving,
        "http_req_waiting": times.waiting,
    }
    known = {name: _trend(values) for name, values in trends.items() if values}
    widths = [max(map(len, column)) for column in zip(*known.values(), strict=True)] if known else []
    first = max(len(one) for one, _ in counts.values())
    yield from ("  █ TOTAL RESULTS", "", "    HTTP")
    for name in ("http_req_connecting", "http_req_duration", "  { expected_response:true }"):
        if name in known:
            yield _line(name, _padded(known[name], widths))
    yield _line("http_req_failed", _padded(counts["http_req_failed"], (first, 0)))
    for name in ("http_req_receiving", "http_req_waiting"):
        if name in known:
            yield _line(name, _padded(known[name], widths))
    yield _line("http_reqs", _padded(counts["http_reqs"], (first, 0)))
    yield from ("", "    NETWORK")
    yield _line("data_received", _padded(counts["data_received"], (first, 0)))


def _line(name: str, values: str) -> str:
    return f"    {name:.<{_NAME}}: {values}"


def _padded(values: Sequence[str], widths: Sequence[int]) -> str:
    return " ".join(f"{value:<{width}}" for value, width in zip(values, widths, strict=True)).rstrip()


def _trend(values: Sequence[int]) -> list[str]:
    ordered = sorted(values)
    at = [ordered[nearest_rank(len(ordered), per_mille)] for per_mille in (500, 900, 950)]
    median, p90, p95 = at
    shown = (sum(ordered) / len(ordered), ordered[0], median, ordered[-1], p90, p95)
    return [f"{head}={_time(value)}" for head, value in zip(_HEADS, shown, strict=True)]


def _time(ns: float) -> str:
    """As k6 writes a time: two places of the largest unit below it, `1m5.2s` beyond a minute."""
    if ns < 1_000:
        return f"{_plain(ns, 2)}ns" if ns else "0s"
    if ns < 1_000_000:
        return f"{_plain(ns / 1_000, 2)}µs"
    if ns < NS_PER_S:
        return f"{_plain(ns / 1_000_000, 2)}ms"
    minutes, seconds = divmod(ns / NS_PER_S, 60)
    if not minutes:
        return f"{_plain(seconds, 2)}s"
    hours, minutes = divmod(int(minutes), 60)
    return f"{f'{hours}h' if hours else ''}{minutes}m{int(seconds)}s"


def _size(number: float) -> str:
    """As k6 writes a number of bytes: in powers of 1,000, with one place below ten."""
    unit = 0
    while number >= 999.5 and unit < len(_SIZES) - 1:
        number /= 1000
        unit += 1
    return f"{number:.1f} {_SIZES[unit]}" if unit and number < 9.95 else f"{number:.0f} {_SIZES[unit]}"


def _plain(number: float, places: int) -> str:
    """A number with at most so many places, without zeros at the end."""
    return f"{number:.{places}f}".rstrip("0").rstrip(".")
