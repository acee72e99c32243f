from __future__ import annotations

from array import array
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.engine.collect import begin_together
from holdfast.engine.columns import Columns
from holdfast.engine.plan import Plan
from holdfast.engine.reports import RunFacts
from holdfast.engine.sessions import Sessions
from holdfast.engine.shapes import Closed, Open
from holdfast.engine.summary import MANY, distribution, peak_in_flight, summarise
from holdfast.engine.totals import totals_of
from holdfast.model import schedule
from holdfast.model.places import REPLIED, Outcome
from holdfast.model.scenario import Pause

MS = 1_000_000
S = 1000 * MS


def columns_of(*rows: dict[str, int]) -> Columns:
    columns = Columns(len(rows))
    for number, row in enumerate(rows):
        for name, value in row.items():
            getattr(columns, name)[number] = value
    return columns


def answered(due: int, opened: int, sent: int, done: int, outcome: Outcome = Outcome.ANSWERED) -> dict[str, int]:
    return {"due": due, "opened": opened, "sent": sent, "done": done, "outcome": outcome}


def test_percentiles_are_nearest_ranks():
    told = distribution(range(1, 1001))

    assert (told.p50, told.p90, told.p95, told.p99, told.p999, told.max) == (500, 900, 950, 990, 999, 1000)
    assert distribution([7]) == distribution([7, 7, 7])
    assert distribution([]).max is None


@given(st.lists(st.integers(1, 99), max_size=40), st.integers(0, 40))
def test_values_that_are_zero_need_not_be_there_to_be_counted(values, zeros):
    assert distribution(values, zeros) == distribution([0] * zeros + values)
    assert distribution(array("q", values), zeros) == distribution([*values, *[0] * zeros])


INSTANT = st.integers(0, 20)
ROW = st.tuples(
    INSTANT, INSTANT, INSTANT, INSTANT, st.sampled_from(list(Outcome)[1:]), st.booleans(), st.sampled_from([0, 9])
)


@given(st.lists(ROW, min_size=1, max_size=30), st.integers(1, 7), st.booleans())
def test_totals_are_those_of_all_rows_however_many_are_read_at_once(rows, at_once, gaps):
    columns = Columns(2 * len(rows))
    numbers = range(0, 2 * len(rows), 2) if gaps else range(len(rows))
    names = ("due", "opened", "sent", "done", "outcome", "resent", "received")
    for row, values in zip(numbers, rows, strict=True):
        for name, value in zip(names, values, strict=True):
            getattr(columns, name)[row] = value

    told = totals_of(columns, numbers, flights=True, at_once=at_once)

    # (begun, row) of each; one that has not begun has neither of the two instants.
    begun = [(opened or sent, row) for row in rows for _, opened, sent, *_ in [row] if opened or sent]
    replied = [row for row in rows if row[4] in REPLIED]
    lags = [max(0, at - row[0]) for at, row in begun if not row[5]]
    assert told.outcomes == Counter(int(row[4]) for row in rows)
    assert (told.replied, told.begun, told.resent) == (len(replied), len(begun), sum(row[5] for row in rows))
    assert list(told.from_due) == [row[3] - row[0] for row in replied]
    assert list(told.from_sent) == [row[3] - row[2] for row in replied]
    assert (told.first_due_ns, told.last_done_ns) == (min(row[0] for row in rows), max(row[3] for row in rows))
    assert told.last_reply_ns == max((row[3] for row in replied), default=0)
    assert told.first_begun_ns == min((at for at, _ in begun), default=0)
    assert told.last_begun_ns == max((at for at, _ in begun), default=0)
    assert list(told.began_ns) == [at for at, _ in begun]
    assert list(told.ended_ns) == [row[3] for _, row in begun]
    assert sorted(told.lags) == sorted(filter(None, lags))
    assert told.unheard == sum(
        row[4] in {Outcome.RESET, Outcome.CLOSED} and not row[1] and row[2] != 0 and not row[6] for row in rows
    )


def test_a_request_is_in_flight_from_its_begin_to_just_before_its_end():
    assert peak_in_flight([0, 10], [10, 20]) == 1
    assert peak_in_flight([0, 9], [10, 20]) == 2
    assert peak_in_flight([], []) == 0


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(1, 50)), max_size=40))
def test_the_peak_is_the_most_that_any_instant_sees(spans):
    began = [begin for begin, _ in spans]
    ended = [begin + length for begin, length in spans]

    seen = [sum(b <= at < e for b, e in zip(began, ended, strict=True)) for at in range(101)]

    assert peak_in_flight(began, ended) == max(seen)


def test_a_run_is_summed_up_from_due_from_sent_and_with_our_own_lag():
    columns = columns_of(
        answered(10 * S, 10 * S + MS, 10 * S + 2 * MS, 10 * S + 100 * MS),
        answered(11 * S, 11 * S + MS, 11 * S + 2 * MS, 11 * S + 200 * MS, Outcome.REJECTED),
        answered(12 * S, 12 * S + MS, 0, 12 * S + 1 * MS, Outcome.REFUSED),
    )

    summary = summarise(columns, range(3), RunFacts(asked_per_s=1.0))

    assert summary.outcomes == {"answered": 1, "rejected": 1, "refused": 1}
    assert (summary.offered, summary.rate_reached_per_s, summary.peak_in_flight) == (3, 1.0, 1)
    assert (summary.latency_from_due_ms.p50, summary.latency_from_due_ms.max) == (100, 200)
    assert summary.latency_from_sent_ms.max == 198
    assert summary.pacing_lag_us.max == 1000
    assert summary.duration_s == 2.001
    assert (summary.generator_limited, summary.warnings) == (False, ())


def test_a_late_load_is_generator_limited_and_says_so():
    columns = columns_of(answered(10 * S, 10 * S + 50 * MS, 10 * S + 51 * MS, 11 * S))

    summary = summarise(columns, range(1), RunFacts(asked_per_s=1.0))

    assert summary.generator_limited
    (warning,) = summary.warnings
    assert warning.startswith("The load was late: at least one request in a hundred began 50 ms or more after")


def test_only_requests_that_were_to_begin_together_are_said_to_be():
    columns = columns_of(answered(10 * S, 10 * S + 44 * MS, 10 * S + 45 * MS, 11 * S))

    (together,) = summarise(columns, range(1), RunFacts(together=True)).warnings
    (apart,) = summarise(columns, range(1), RunFacts()).warnings

    assert together.startswith("They were to begin together, and it took the load 44 ms to begin them all:")
    assert apart.startswith("At least one request in a hundred began 44 ms or more after it was due:")


@pytest.mark.parametrize(
    ("shapes", "together"),
    [
        ([Open(schedule.burst(3))], True),
        ([Open(schedule.burst(3)), Open(schedule.burst(1))], True),
        ([Open(schedule.steps([(10, 1)]))], False),
        ([Closed(3, 30)], False),
        ([Sessions(array("q", [0] * 3), 10, (Pause(0.01),))], False),
        ([Open(schedule.burst(3)), Closed(3, 30)], False),
    ],
)
def test_only_bursts_begin_together(shapes, together):
    assert begin_together([Plan("127.0.0.1", 1, b"", shape) for shape in shapes]) is together


def test_our_own_failure_makes_a_run_generator_limited_and_a_strange_reply_does_not():
    columns = columns_of(answered(10 * S, 10 * S, 10 * S, 11 * S))

    assert summarise(columns, range(1), RunFacts(limits=("no port",))).generator_limited
    assert not summarise(columns, range(1), RunFacts(notes=("odd",))).generator_limited


def test_a_request_that_failed_on_our_own_side_makes_a_run_generator_limited():
    columns = columns_of(answered(1, 1, 2, 3), answered(1, 1, 0, 3, Outcome.FAILED))

    told = summarise(columns, [0, 1], RunFacts())

    assert told.generator_limited
    assert told.warnings[0].startswith("1 requests failed on the load's own side")


def test_rows_that_never_began_count_as_offered_alone():
    columns = columns_of(
        answered(10 * S, 10 * S, 10 * S, 11 * S),
        {"due": 12 * S, "done": 13 * S, "outcome": Outcome.FAILED},
    )

    summary = summarise(columns, range(2), RunFacts())

    assert (summary.offered, summary.peak_in_flight, summary.outcomes["failed"]) == (2, 1, 1)


def test_a_load_without_requests_has_no_latencies():
    summary = summarise(Columns(0), range(0), RunFacts())

    assert (summary.offered, summary.outcomes, summary.throughput_per_s, summary.duration_s) == (0, {}, None, 0)


@given(st.lists(st.integers(0, 50), min_size=1, max_size=30), st.sampled_from([1, 7, 1_000_003]), st.booleans())
def test_percentiles_of_many_values_are_those_of_the_sorted_ones(few, factor, ascending):
    many = [few[at % len(few)] * factor + at % 13 for at in range(MANY + 1)]
    if ascending:
        many.sort()
    ordered = sorted(many)

    told = distribution(many)

    for value, per_mille in ((told.p50, 500), (told.p90, 900), (told.p95, 950), (told.p99, 990), (told.p999, 999)):
        assert value == ordered[-(-len(many) * per_mille // 1000) - 1]
    assert told.max == ordered[-1]
