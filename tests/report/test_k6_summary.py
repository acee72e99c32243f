"""A load's summary in the lines of k6: names, dots and columns as in its documentation, figures by arithmetic."""

from __future__ import annotations

import re
from dataclasses import fields

import pytest

from holdfast.model.load import Expectation, LagUs, LatencyMs, LoadResult, LoadTarget
from holdfast.model.rows import INSTANTS, WORDS, Rows
from holdfast.report.k6 import _size, _time, summary_lines

MS = 1_000_000
NOTHING = LatencyMs(None, None, None, None, None, None)


def rows(*each: dict[str, object]) -> Rows:
    empty = {name: "" if name in WORDS else 0 for name in (one.name for one in fields(Rows))}
    return Rows(**{name: [{**empty, **one}[name] for one in each] for name in empty})


def lines(*each: dict[str, object], thresholds: tuple[Expectation, ...] = (), seconds: float = 2.0) -> list[str]:
    answered = sum(one["outcome"] == "answered" for one in each)
    result = LoadResult(
        offered=len(each),
        outcomes={"answered": answered},
        rate_asked_per_s=None,
        rate_reached_per_s=None,
        throughput_per_s=None,
        peak_in_flight=1,
        latency_from_due_ms=NOTHING,
        latency_from_sent_ms=NOTHING,
        pacing_lag_us=LagUs(None, None, None),
        generator_limited=False,
        duration_s=seconds,
        target=LoadTarget(""),
        statuses={},
        thresholds=thresholds,
    )
    return b"".join(summary_lines(result, [rows(*each)])).decode().splitlines()


def replied(ms: int, outcome: str = "answered") -> dict[str, object]:
    """Connected in 1 ms, its first byte after all but 2 ms of its time."""
    instants = (5, 5, 5, 6, 6, 6 + ms - 2, 6 + ms)
    named = dict(zip(INSTANTS, (each * MS for each in instants), strict=True))
    return {**named, "outcome": outcome, "received_bytes": 500}


def test_the_lines_are_those_of_k6() -> None:
    found = lines(*(replied(each) for each in (10, 20, 30)), replied(40, "rejected"), {"outcome": "refused"})

    assert found == [
        "  █ TOTAL RESULTS",
        "",
        "    HTTP",
        "    http_req_connecting................: avg=1ms  min=1ms  med=1ms  max=1ms  p(90)=1ms  p(95)=1ms",
        "    http_req_duration..................: avg=25ms min=10ms med=20ms max=40ms p(90)=40ms p(95)=40ms",
        "      { expected_response:true }.......: avg=20ms min=10ms med=20ms max=30ms p(90)=30ms p(95)=30ms",
        "    http_req_failed....................: 40.00% 2 out of 5",
        "    http_req_receiving.................: avg=2ms  min=2ms  med=2ms  max=2ms  p(90)=2ms  p(95)=2ms",
        "    http_req_waiting...................: avg=23ms min=8ms  med=18ms max=38ms p(90)=38ms p(95)=38ms",
        "    http_reqs..........................: 5      2.5/s",
        "",
        "    NETWORK",
        "    data_received......................: 2.0 kB 1.0 kB/s",
    ]


def test_without_a_reply_there_are_counts_and_no_times() -> None:
    assert [line.split(".")[0].strip() for line in lines({"outcome": "refused"}, seconds=0.0) if ": " in line] == [
        "http_req_failed",
        "http_reqs",
        "data_received",
    ]


def test_thresholds_come_first_and_their_text_is_text() -> None:
    held = Expectation("p99<1s", 3.25, held=True)
    broken = Expectation("label('\x1b[2J\n').errors<1%", 0.5, held=False)
    without = Expectation("p50<1s", None, held=None)

    assert lines(replied(10), thresholds=(held, broken, without))[:7] == [
        "  █ THRESHOLDS",
        "",
        "    ✓ 'p99<1s' 3.25 ms",
        r"    ✗ 'label('\x1b[2J ').errors<1%' 50.00%",
        "    ? 'p50<1s' nothing to compare",
        "",
        "",
    ]


@pytest.mark.parametrize(
    ("ns", "shown"),
    # Those with two places, and those with fewer, stand in k6's documentation.
    [
        *((0, "0s"), (7_000, "7µs"), (12_250, "12.25µs"), (104_110_000, "104.11ms"), (1_100_000_000, "1.1s")),
        *((59_994_000_000, "59.99s"), (65_200_000_000, "1m5s"), (3_725_000_000_000, "1h2m5s")),
    ],
)
def test_times_are_written_as_k6_writes_them(ns: int, shown: str) -> None:
    assert _time(ns) == shown


@pytest.mark.parametrize(
    ("number", "shown"),
    [(0, "0 B"), (999, "999 B"), (1_300_000, "1.3 MB"), (31_000, "31 kB"), (2_000, "2.0 kB"), (9_960, "10 kB")],
)
def test_sizes_are_written_as_k6_writes_them(number: float, shown: str) -> None:
    assert _size(number) == shown
    assert re.fullmatch(r"[\d.]+ (B|kB|MB|GB|TB)", _size(number * 1e9))
