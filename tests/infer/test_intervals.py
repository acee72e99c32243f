"""How many are in service at once, from answers alone: waiting lines whose truth is known."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from waiting_line import MS, Line, Workers, looked_at, varied

from holdfast.infer.concurrency_estimate import estimate
from holdfast.infer.flow import Flow, flow_of
from holdfast.infer.signals import Service, Trip, Wave

settings.register_profile("infer", deadline=None)  # a busy machine is no failure
settings.load_profile("infer")

HALF_A_SECOND = 500 * MS


def always(service_ns):
    return lambda: service_ns


def assert_found(found, places):
    """The number within a tenth, and the interval around the truth."""
    assert found.in_service is not None, found
    assert abs(found.in_service - places) <= places / 10, found
    assert found.bounded
    assert found.least <= places <= found.most, found


@given(st.integers(1, 200), st.sampled_from([200 * MS, HALF_A_SECOND, 2000 * MS]))
def test_the_ceiling_of_a_server_with_a_fixed_number_of_places_is_found(places, service_ns):
    assert_found(looked_at(Line(places, always(service_ns))), places)


@given(st.integers(1, 200), st.integers(0, 99))
def test_the_ceiling_is_found_where_service_times_differ_by_a_tenth(places, seed):
    assert_found(looked_at(Line(places, varied(HALF_A_SECOND, 0.05, seed))), places)


@given(st.integers(1, 200))
def test_the_ceiling_is_found_where_requests_without_a_place_are_turned_away(places):
    assert_found(looked_at(Line(places, always(HALF_A_SECOND), turns_away=True)), places)


@pytest.mark.parametrize("places", [4, 10, 25])
def test_the_ceiling_is_found_where_each_start_takes_a_fork(places):
    assert_found(looked_at(Line(places, always(1000 * MS), start_ns=15 * MS)), places)


def test_a_server_with_slow_starts_and_a_path_of_varying_time_gets_no_ceiling():
    found = [
        looked_at(Line(10 * places, varied(50 * MS, 0.4, seed), start_ns=50 * MS / places))
        for places in (2, 3, 5, 10, 30, 100)
        for seed in range(100)
    ]

    # By lot, the few requests that are sent one by one may all take the same time.
    assert sum(each.in_service is not None for each in found) <= len(found) / 100


@settings(derandomize=True)  # lots can always fall so that one worker is left out of everything
@given(st.integers(2, 4), st.integers(1, 50), st.integers(0, 999))
def test_workers_that_get_unequal_shares_are_counted_whole_or_not_at_all(workers, places, seed):
    lines = [Line(places, always(HALF_A_SECOND)) for _ in range(workers)]

    found = looked_at(Workers(lines, seed))

    assert found.least <= workers * places
    assert found.most is None or found.most >= 0.9 * workers * places
    assert found.in_service is None or abs(found.in_service - workers * places) <= workers * places / 10


def test_nobody_is_called_bounded_who_never_had_to_wait():
    found = looked_at(Line(10_000, always(HALF_A_SECOND)))

    assert (found.in_service, found.bounded, found.least, found.most) == (1000, False, 1000, None)


def test_with_too_few_offered_there_is_no_bound():
    found = looked_at(Line(40, always(HALF_A_SECOND)), most=40)

    assert (found.in_service, found.bounded, found.most) == (40, False, None)


@given(st.integers(2, 100))
def test_a_server_whose_requests_start_more_slowly_than_they_end_gets_no_number(places):
    found = looked_at(Line(10 * places, always(50 * MS), start_ns=50 * MS / places))

    # Its places are never all taken, so nothing shows how many there are.
    assert found.in_service is None
    assert found.most is None
    assert found.least <= 2 * places
    assert "start one by one" in found.why


def test_answers_that_a_blocked_loop_keeps_back_are_not_taken_for_requests_at_once():
    found = looked_at(Line(1, always(HALF_A_SECOND), keeps_back=True))

    assert found.in_service in (1, None)
    assert found.least == 1


@given(st.integers(1, 50), st.integers(0, 99))
def test_where_the_path_takes_another_time_each_time_throughput_tells_within_its_error(places, seed):
    found = looked_at(Line(places, varied(HALF_A_SECOND, 0.6, seed)))

    assert found.in_service is None or found.least <= 1.1 * places
    assert found.in_service is None or found.most >= 0.9 * places


@pytest.mark.parametrize("line", [Line(1, varied(50 * MS, 0.6)), Line(100, varied(50 * MS, 0.6), start_ns=50 * MS)])
def test_one_at_a_time_and_slow_starts_look_alike_where_the_path_takes_another_time_each_time(line):
    found = looked_at(line)

    assert found.in_service is None
    assert "one request at a time looks like starts that take as long" in found.why


@given(st.integers(0, 99), st.sampled_from([1.9, 8]))
def test_a_server_without_a_bound_gets_none_where_one_request_in_twenty_is_slow(seed, longer):
    lots = random.Random(seed)
    line = Line(10_000, lambda: HALF_A_SECOND * (longer if lots.random() < 0.05 else 1))

    found = [looked_at(line, most) for most in (30, 100)]

    assert not any(each.bounded for each in found)


@given(st.integers(0, 99), st.sampled_from([20, 100]))
def test_a_server_without_a_bound_gets_none_where_the_path_takes_another_time_each_time(seed, most):
    found = looked_at(Line(10_000, varied(HALF_A_SECOND, 0.6, seed)), most)

    assert not found.bounded


def test_what_takes_one_of_two_times_is_counted_rightly_or_not_at_all():
    lots = random.Random(1)
    found = [
        (looked_at(Line(places, lambda: 50 * MS * (0.2 if lots.random() < 0.7 else 3))), places)
        for places in (2, 3, 8, 16, 40, 100)
        for _ in range(50)
    ]

    # By lot, the few requests that are sent one by one may all take the same time, and so may those of a burst.
    wrong = [each for each, places in found if each.bounded and not each.least <= places <= (each.most or places)]
    assert len(wrong) <= len(found) / 100


@given(st.integers(0, 99))
def test_a_throughput_of_less_than_one_request_at_once_is_no_reason_to_fail(seed):
    found = looked_at(Line(1, varied(HALF_A_SECOND, 0.9, seed)))

    assert found.least <= 1 <= (found.most or 1)


def test_without_the_kernel_a_varied_path_gets_no_number_because_it_may_be_computing():
    found = looked_at(Line(8, varied(HALF_A_SECOND, 0.6)), cores=None)

    assert found.in_service is None
    assert "cannot be seen from here" in found.why


def test_the_estimate_never_depends_on_when_it_was_made():
    line = Line(7, always(HALF_A_SECOND))

    assert looked_at(line) == looked_at(line)


def counted(offered, together):
    """A burst of so many requests of which so many were in service at once."""
    beyond = together < offered
    return Wave(offered, together, clear=True, beyond=beyond, queue_full=False, full=beyond, waits=beyond)


def test_what_was_exceeded_without_anyone_waiting_is_no_bound():
    # A server without a bound on a busy machine: 233 of 233 at once, then 133 of 207 and 205 of 264.
    service = Service(3e8, 300_000_000, 310_000_000, 0.01, 6)
    flow = Flow(228.5, 0.03, clients=500, cores=0.2)
    waves = [counted(64, 64), counted(233, 233), counted(207, 133), counted(264, 205)]

    found = estimate(waves, [flow], service)

    assert (found.in_service, found.bounded, found.least, found.most) == (None, None, 233, None)
    assert "all 233 requests of one burst were in service at once, of another one only 205" in found.why


def test_a_stretch_that_ends_within_a_wave_of_two_says_how_far_off_it_may_be() -> None:
    # As FastAPI's requests ended that wait for a thread twice: those of 40 threads and of the 40 before, every second
    # service time. The stretch was over while the third wave ended, so that a part of it counts for the whole time.
    ended = [(0, 80), (2.0, 80), (4.0, 26), (4.25, 54), (6.0, 74), (6.25, 6)]
    service = Service(500 * MS, 499 * MS, 501 * MS, 0.001, 6)
    trips = [Trip(1, 1, 1, int((1 + at) * service.mean_ns), True) for at, count in ended for _ in range(count)]

    flow = flow_of(trips, service, int((1 + 4.1) * service.mean_ns), 8)

    assert flow is not None
    assert flow.in_service < 0.85 * 40
    assert flow.low < 40 < flow.high
    assert estimate([Wave(100, 40, True, True, False, True, True, (), "")], [flow], service).in_service == 40
