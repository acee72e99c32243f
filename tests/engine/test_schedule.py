from __future__ import annotations

import math
from itertools import pairwise

import pytest
from driving import steady
from hypothesis import assume, given
from hypothesis import strategies as st

from holdfast.model import schedule

NS = 1_000_000_000
rates = st.floats(0, 5000)
times = st.floats(0, 3)


def ascending(due) -> bool:
    return all(earlier <= later for earlier, later in pairwise(due))


def test_ten_thousand_over_ten_seconds_are_one_every_millisecond():
    due = schedule.spread(10_000, 10)

    assert len(due) == 10_000
    assert (due[0], due[1], due[-1]) == (0, 1_000_000, 9_999_000_000)
    assert schedule.offered_per_s(due) == 1000
    assert due == steady(1000, 10)


def test_a_burst_is_due_at_once():
    assert list(schedule.burst(3)) == [0, 0, 0]
    assert schedule.offered_per_s(schedule.burst(3)) is None


def test_a_ramp_from_nothing_is_quadratic():
    # N(t) = 5 t^2: request 5 after one second, request 20 after two.
    due = schedule.linear(0, 100, 10)

    assert len(due) == 500
    assert (due[0], due[5], due[20]) == (0, 1 * NS, 2 * NS)


def test_a_ramp_down_to_nothing_ends_in_time():
    due = schedule.linear(10, 0, 10)

    assert len(due) == 50
    assert due[-1] <= 10 * NS


def test_a_pause_between_two_stages_carries_the_rest_of_a_request_over():
    # 1.5 requests, a pause, then the other half of the second is due half a second into the third stage.
    due = schedule.steps([(1, 1.5), (0, 1), (1, 2)])

    assert list(due) == [0, 1 * NS, 3 * NS, 4 * NS]


def test_a_schedule_without_requests_or_duration_has_no_due_times():
    assert list(schedule.spread(0, 0)) == []
    assert list(steady(0, 10)) == []
    assert list(schedule.linear(5, 10, 0)) == []
    assert list(schedule.steps([])) == []


@pytest.mark.parametrize("value", [-1, math.inf, math.nan])
@pytest.mark.parametrize(
    "shape",
    [
        lambda value: steady(value, 1),
        lambda value: steady(1, value),
        lambda value: schedule.linear(value, 1, 1),
        lambda value: schedule.linear(1, value, 1),
        lambda value: schedule.linear(1, 1, value),
        lambda value: schedule.spread(1, value),
        schedule.burst,
    ],
)
def test_what_is_no_rate_or_time_is_refused_with_its_value(shape, value):
    with pytest.raises(ValueError, match=f"must be 0 or more and finite, not {value}"):
        shape(value)


@given(rates, times)
def test_a_constant_rate_gives_its_integral_in_ascending_order(rate, seconds):
    due = steady(rate, seconds)

    assert abs(len(due) - rate * seconds) <= 1
    assert ascending(due)
    assert not due or (due[0] == 0 and due[-1] <= seconds * NS + 1)


@given(rates, rates, times)
def test_a_linear_ramp_gives_its_integral_in_ascending_order(first, last, seconds):
    due = schedule.linear(first, last, seconds)

    assert abs(len(due) - (first + last) / 2 * seconds) <= 1
    assert ascending(due)
    assert not due or (due[0] == 0 and due[-1] <= seconds * NS + 1)


@given(st.lists(st.tuples(rates, times), max_size=5))
def test_stages_give_their_integral_in_ascending_order_each_in_its_time(stages):
    due = schedule.steps(stages)

    assert abs(len(due) - sum(rate * seconds for rate, seconds in stages)) <= 1
    assert ascending(due)
    begin = total = 0.0
    for rate, seconds in stages:
        total += rate * seconds
        begin += seconds
        assert abs(sum(at <= begin * NS + 1 for at in due) - total) <= 1 + 1e-6


@given(rates, rates, times)
def test_half_way_a_linear_ramp_has_given_half_way_s_integral(first, last, seconds):
    assume(seconds > 0.01)
    due = schedule.linear(first, last, seconds)
    middle = (first + last) / 2

    given_by_then = sum(at < seconds / 2 * NS for at in due)

    assert abs(given_by_then - (first + middle) / 2 * seconds / 2) <= 1.001


@given(st.integers(0, 5000), times)
def test_a_spread_gives_exactly_as_many_as_asked(count, seconds):
    due = schedule.spread(count, seconds)

    assert len(due) == count
    assert ascending(due)
    assert not due or due[-1] <= seconds * NS
