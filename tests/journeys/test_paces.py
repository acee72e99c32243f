"""When requests of journeys are due, on a clock that jumps: exact instants, or counts with their deviation."""

from __future__ import annotations

import math
from itertools import pairwise
from statistics import fmean, stdev

import pytest
from journeys.walks import crew, request, walked

from holdfast.journeys.paces import count_by, instant_of
from holdfast.model.answers import Variable
from holdfast.model.journey import Count, Delay, Loop, Meeting, Pace, Timed

A, B = request("a"), request("b")


def instants(*crews: object, path: str = "a", took_ms: float = 1.0) -> list[float]:
    return [at for at, _, sending in walked(*crews, took_ms=took_ms).sent if sending.path == path]  # type: ignore[arg-type]


def test_all_waits_before_a_request_are_done_together() -> None:
    waits = (Delay(("100",)), Delay((Variable("more"),)))

    assert instants(crew(Timed(waits, (A,)), passes=2, values=(("more", "50"),))) == [150.0, 301.0]


def test_waits_apply_to_pauses_too_as_in_jmeter() -> None:
    assert instants(crew(Timed((Delay(("100",)),), (Delay(("1000",)), A)))) == [1200.0]


@pytest.mark.parametrize(
    ("spread", "mean", "deviation"), [("uniform", 150.0, 100 / math.sqrt(12)), ("gaussian", 100.0, 100.0)]
)
def test_random_waits_have_their_mean_and_deviation(spread: str, mean: float, deviation: float) -> None:
    constant = ("1000",) if spread == "gaussian" else ("100",)
    at = instants(crew(Timed((Delay(constant, ("100",), spread),), (A,)), passes=4000), took_ms=0)  # type: ignore[arg-type]
    waits = [after - before for before, after in zip([0.0, *at], at, strict=False)]
    expected = mean + 900 if spread == "gaussian" else mean

    # The mean of 4,000 has a deviation of a 63rd: five of them.
    assert abs(fmean(waits) - expected) < 5 * deviation / 63
    assert abs(stdev(waits) / deviation - 1) < 0.06


@pytest.mark.parametrize("mean", ["20", "150", "5000"])
def test_a_poisson_number_has_its_mean_as_its_variance(mean: str) -> None:
    at = instants(crew(Timed((Delay(("0",), (mean,), "poisson"),), (A,)), passes=2000), took_ms=0)
    waits = [after - before for before, after in zip([0.0, *at], at, strict=False)]

    assert abs(fmean(waits) - float(mean)) < 5 * math.sqrt(float(mean) / 2000)
    assert abs(stdev(waits) ** 2 / float(mean) - 1) < 0.2


def test_a_client_alone_keeps_to_its_rate_and_does_not_catch_up() -> None:
    paced = Timed((Pace(("600",)),), (A,))

    assert instants(crew(paced, passes=4)) == [0.0, 100.0, 200.0, 300.0]
    # Requests take longer than the gap between them: each follows at once, and none is made up for.
    assert instants(crew(paced, passes=3), took_ms=150) == [0.0, 150.0, 300.0]


def test_clients_of_a_crew_share_a_rate_in_one_queue() -> None:
    paced = Timed((Pace(("300",), "crew"),), (A,))

    assert instants(crew(paced, passes=2, clients=3)) == [0.0, 200.0, 400.0, 600.0, 800.0, 1000.0]


def test_clients_share_a_rate_in_equal_parts_of_those_that_are_there() -> None:
    paced = Timed((Pace(("600",), "load", in_equal_parts=True),), (A,))
    at = instants(crew(paced, passes=3, clients=2))

    assert at == [0.0, 0.0, 200.0, 200.0, 400.0, 400.0]


def test_a_precise_rate_has_its_number_in_each_stretch_at_instants_by_chance() -> None:
    paced = Timed((Pace(("300",), "crew", precise=True, within_s=4.0),), (Loop((), (A,)),))
    at = instants(crew(paced, clients=20, until_ms=8000), took_ms=1)

    assert len([each for each in at if each < 4000]) == 20
    assert len(at) == 40
    assert len({round(after - before) for before, after in pairwise(at)}) > 10
    # Each is anywhere in its stretch: the mean of 40 has a deviation of 4 s / sqrt(12 x 40), and this is five of them.
    assert abs(fmean(each % 4000 for each in at) - 2000) < 5 * 4000 / math.sqrt(12 * 40)


def test_a_batch_of_a_precise_rate_comes_together() -> None:
    paced = Timed((Pace(("300",), "crew", precise=True, within_s=4.0, batch=4),), (Loop((), (A,)),))
    at = instants(crew(paced, clients=20, until_ms=3999), took_ms=0)

    assert len(at) == 20
    assert len(set(at)) == 5


def test_a_schedule_shares_its_requests_among_all_and_ends_the_clients_that_come_to_it_later() -> None:
    schedule = ((2.0, 5.0, 5.0), (2.0, 5.0, 15.0), (2.0, 15.0, 15.0))
    at = instants(crew(Timed((Pace(shared_by="load", schedule=schedule),), (Loop((), (A,)),)), clients=4))

    assert len(at) == 10 + 20 + 30
    assert [len([each for each in at if low <= each < low + 2000]) for low in (0, 2000, 4000)] == [10, 20, 30]


def test_what_a_schedule_had_for_nobody_is_made_up_for_within_a_second_only() -> None:
    schedule = ((10.0, 10.0, 10.0),)
    slow = Timed((Pace(shared_by="load", schedule=schedule),), (Loop((), (A,)),))
    at = instants(crew(slow, clients=1), took_ms=1500)

    # One client that takes 1.5 s has 7 in 10 s, and the schedule does not wait for it.
    assert len(at) == 7


@pytest.mark.parametrize(("number", "at_s"), [(0, 0.0), (1, 1.0), (4, 2.0), (16, 4.0), (17, 4.125), (24, None)])
def test_a_request_of_a_schedule_is_due_where_the_integral_of_the_rate_reaches_it(
    number: int, at_s: float | None
) -> None:
    # From 0 to 8 a second in 4 s: N(t) = t^2. Then 8 a second for 1 s.
    schedule = ((4.0, 0.0, 8.0), (1.0, 8.0, 8.0))
    found = instant_of(schedule, number)

    assert found == (None if at_s is None else pytest.approx(at_s))
    if found is not None:
        assert count_by(schedule, found) == pytest.approx(number)


def test_clients_that_meet_go_on_together() -> None:
    # Client n comes after n * 100 ms: three meet at 300 ms, and the other three at 600 ms.
    late = Timed((Delay((Variable("late"),)),), (Delay(("0",)),), sets=(Count("late", ("100",), ("100",)),))
    at = instants(crew(late, Timed((Meeting(("3",)),), (A,)), clients=6))

    assert [round(each, -1) for each in at] == [300.0] * 3 + [600.0] * 3


def test_clients_that_wait_in_vain_for_others_go_on_after_their_time() -> None:
    assert [round(each) for each in instants(crew(Timed((Meeting(("3",), ("50",)),), (A,)), clients=2))] == [50, 50]


def test_all_clients_of_a_crew_meet_where_no_number_is_said() -> None:
    assert len(instants(crew(Timed((Meeting(("0",)),), (A,)), clients=4, passes=2))) == 8
