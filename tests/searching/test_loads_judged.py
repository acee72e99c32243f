"""One load: whether a queue grew, what was answered, and what the server lacked of the cores."""

from __future__ import annotations

import random
from types import SimpleNamespace
from typing import Any, cast

import pytest

from holdfast.infer.capacity_cores import (
    computes,
    is_starved,
    lateness_in_words,
    taken_by_others,
    waited_for_a_core_ms,
)
from holdfast.infer.capacity_load import answered_per_s, growth_of, why_not
from holdfast.model.capacity import ProcessCores
from holdfast.model.load import Expectation
from holdfast.searching.offer import limited_by

S = 1_000_000_000
MS = 1_000_000


def even(rate: float, seconds: float) -> list[int]:
    return [round(number * S / rate) for number in range(round(rate * seconds))]


def in_turn(due: list[int], service_ns: int, places: int) -> list[int]:
    """Times from due to done of a server with so many places, first come, first served."""
    free, took = [0] * places, []
    for at in due:
        place = min(range(places), key=free.__getitem__)
        free[place] = max(at, free[place]) + service_ns
        took.append(free[place] - at)
    return took


@pytest.mark.parametrize(("rate", "growth"), [(84.0, 0.05), (160.0, 1.0), (82.0, 0.025)])
def test_above_the_edge_the_delay_grows_by_the_rates_ratio(rate: float, growth: float) -> None:
    """A load of T seconds at rate r builds up T * (r/c - 1)."""
    due = even(rate, 5)

    assert growth_of(due, in_turn(due, 50 * MS, 4)) == pytest.approx(growth, rel=0.15)


def test_growth_is_the_gain_of_the_medians_over_a_third_of_the_load() -> None:
    """Thirty requests over 29 s, each second's waits 0.1 s more: medians 1 s apart, in 29/3 s."""
    due = [second * S for second in range(30)]

    assert growth_of(due, [at // 10 for at in due]) == pytest.approx(3 / 29, rel=1e-9)


@pytest.mark.parametrize("rate", [10.0, 60.0, 79.9])
def test_below_the_edge_no_queue_grows(rate: float) -> None:
    due = even(rate, 5)

    assert growth_of(due, in_turn(due, 50 * MS, 4)) == 0.0


@pytest.mark.parametrize("seed", range(10))
def test_random_arrivals_well_below_the_edge_do_not_grow_for_long(seed: int) -> None:
    chance, at, due = random.Random(seed), 0.0, []
    while at < 20:
        at += chance.expovariate(60)
        due.append(round(at * S))

    assert abs(growth_of(due, in_turn(due, 50 * MS, 4)) or 0.0) < 0.01


def test_with_too_few_replies_growth_is_not_known() -> None:
    assert growth_of([0, S, 2 * S], [1, 1, 1]) is None


def test_what_is_answered_counts_from_the_second_third_on() -> None:
    done = [round(number * S / 80) for number in range(1000)]

    assert answered_per_s(0, 5.0, done) == pytest.approx(80, rel=0.01)
    assert answered_per_s(0, 0.0, done) is None


def test_what_did_not_hold_is_said_with_its_value() -> None:
    thresholds = (Expectation("p99<200ms", 220.0, False), Expectation("errors<1%", 0.02, False))

    assert why_not(thresholds, 0.034) == (
        "p99<200ms: 220 ms; errors<1%: 2.0%; a queue grew: each second's requests waited 34 ms longer"
    )
    assert not why_not((Expectation("p99<200ms", 20.0, True),), 0.0)
    assert "no request was replied to" in why_not((Expectation("p99<200ms", None, None),), None)


def process(cores: float, *, waited: float = 0.0, busiest: float | None = None, threads: int = 1) -> ProcessCores:
    own = cores + waited if busiest is None else busiest
    return ProcessCores(1, "gunicorn", python=True, cores=cores, waited=waited, busiest=own, threads=threads)


def test_a_server_that_computes_and_has_its_core_lacks_nothing() -> None:
    assert computes(process(0.97))
    assert taken_by_others([process(1.0)], 1.0, 2) == 0.0


def test_what_a_computing_server_lacks_others_took() -> None:
    assert taken_by_others([process(0.6, waited=0.4)], 1.4, 2) == pytest.approx(0.4)
    assert taken_by_others([process(0.6, waited=0.4)], 0.25, 2) == pytest.approx(0.25)


def test_a_server_that_sleeps_lacks_nothing_however_busy_the_others_are() -> None:
    assert not computes(process(0.1, threads=4))
    assert taken_by_others([process(0.1)], 2.0, 2) == 0.0


def test_where_nobody_else_computes_nothing_was_taken() -> None:
    assert taken_by_others([process(0.5, waited=0.5), process(0.5, waited=0.5)], 0.05, 2) == 0.0
    assert taken_by_others([process(0.6, waited=0.4)], None, 2) == 0.0


def test_waiting_for_cores_that_others_have_is_told_from_a_slow_server() -> None:
    """0.1 s in each second, for 4 requests: 25 ms each, of a request that takes 20."""
    waited_ms = waited_for_a_core_ms([process(0.08, waited=0.08, busiest=0.16)], 0.02, 4.0)

    assert waited_ms == pytest.approx(25)
    assert is_starved(waited_ms, 1.9, 20.0)
    assert not is_starved(waited_ms, 0.1, 20.0)
    assert not is_starved(waited_ms, 1.9, 200.0)
    assert not is_starved(waited_ms, None, 20.0)


def test_what_a_computing_server_waits_for_is_no_delay_of_its_own() -> None:
    assert waited_for_a_core_ms([process(0.6, waited=0.4)], 0.0, 30.0) == 0.0
    assert waited_for_a_core_ms([process(0.1, waited=0.4, busiest=0.1)], 0.0, None) == 0.0


def test_a_thread_that_always_could_run_computes_however_little_it_gets() -> None:
    assert computes(process(0.15, waited=0.75))
    assert not computes(process(0.01, waited=0.9))


@pytest.mark.parametrize(
    ("busiest", "others", "why"),
    [
        (0.95, 1.0, ", and a load process was busy for 95% of the time. Give more of them (--processes N), or "),
        (0.4, 1.2, ", and other programs used 1.2 cores."),
        (0.4, 0.1, ". Use connections again (--keep-alive), or share it out (--processes N)."),
        (None, None, ". Use connections again (--keep-alive), or share it out (--processes N)."),
    ],
)
def test_a_late_load_says_who_had_the_cores_and_names_what_a_search_can_be_given(
    busiest: float | None, others: float | None, why: str
) -> None:
    late = "The load was late: at least one request in a hundred began 25 ms or more after it was due"

    told = lateness_in_words(25.4, busiest, others)

    assert told.startswith(late + why)
    assert "--cluster" not in told
    assert "--keep-alive" not in lateness_in_words(25.4, busiest, others, kept=True)


def test_a_load_whose_requests_failed_on_its_own_side_says_that_before_what_else_was_noted() -> None:
    run = SimpleNamespace(facts=SimpleNamespace(limits=(), notes=("A name has two addresses.",)))
    result = SimpleNamespace(generator_limited=True, warnings=("A name has two addresses.",))
    load = SimpleNamespace(outcomes={"failed": 3})

    told = limited_by(*cast("Any", (None, load, run, result, None)))

    assert told == "3 requests failed on the load's own side or on the way: the server had no part in it."
