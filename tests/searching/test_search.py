"""The search alone, with servers that are arithmetic only."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace

import pytest
from support.capacity_loads import at_rate

from holdfast.cli.capacity import exit_code
from holdfast.infer.capacity import capacity_of
from holdfast.infer.capacity_search import next_load
from holdfast.model.capacity import AtRate, Capacity, CapacityAsked, CapacityRecord
from holdfast.model.load import Expectation
from holdfast.report.capacity import render_capacity
from holdfast.report.layout import rendered

MOST = 60
INCONCLUSIVE = 3

Server = Callable[[float, int], tuple[bool, float, str]]
"""Rate, number of the load -> whether it holds, what is answered per second, and why the load says nothing."""


def searched(
    server: Server, *, alone: Callable[[int], float] = lambda _number: 50.0, up_to: float | None = None
) -> Capacity:
    asked = CapacityAsked(("p99<200ms",), up_to_per_s=up_to)
    loads: list[AtRate] = []
    while (step := next_load(asked, loads, alone(0))) is not None:
        assert len(loads) < MOST
        held, answered, limited = server(step.rate_per_s, len(loads))
        loads.append(
            at_rate(
                step.rate_per_s,
                step.seconds,
                answered_per_s=answered,
                held=held,
                why="" if held else "p99<200ms: 300 ms",
                limited=limited,
                alone_ms=alone(len(loads)),
            )
        )
    return capacity_of(CapacityRecord("a", "b", asked, tuple(loads), None, "", (), 0.0, alone(0)))


def ends(found: Capacity) -> tuple[float, float]:
    return found.interval.low or 0.0, found.interval.high or 0.0


def served(most: float) -> Server:
    return lambda rate, _number: (rate <= most, min(rate, most), "")


@pytest.mark.parametrize("most", [1.0, 3.3, 20.0, 80.0, 79.0, 1234.0, 9000.0])
def test_the_interval_has_the_edge_in_it_and_is_at_most_five_percent_wide(most: float) -> None:
    found = searched(served(most))

    assert found.status == "edge"
    low, high = ends(found)
    assert low <= most < high <= low * 1.05
    assert not found.warnings
    assert len(found.loads) <= 18


def test_both_ends_were_tried_twice_for_long_enough() -> None:
    found = searched(served(80.0))

    for end in (found.interval.low, found.interval.high):
        assert sum(each.rate_per_s == end and each.seconds >= 5 for each in found.loads) >= 2


def test_a_threshold_that_is_met_before_the_server_is_full_is_found_too() -> None:
    found = searched(lambda rate, _number: (rate <= 61.0, min(rate, 80.0), ""))

    low, high = ends(found)
    assert low <= 61.0 < high <= low * 1.05


@pytest.mark.parametrize("seed", range(20))
def test_an_edge_that_is_not_sharp_is_found_within_ten_percent(seed: int) -> None:
    chance = random.Random(seed)
    found = searched(lambda rate, _number: (rate <= 80.0 * (1 + chance.gauss(0, 0.02)), min(rate, 80.0), ""))

    assert found.status in {"edge", "not stationary"}
    if found.status == "edge":
        assert found.rate_per_s == pytest.approx(80.0, rel=0.1)


def test_the_loads_own_limit_is_never_taken_for_the_servers() -> None:
    found = searched(lambda rate, _number: (rate <= 700, min(rate, 700.0), "the load was late" if rate > 700 else ""))

    assert (found.status, found.bounded) == ("at least", False)
    assert 700 / 1.25 <= (found.rate_per_s or 0) <= 700
    assert "the load was late" in found.words
    assert found.interval.high is None
    assert exit_code(found) == INCONCLUSIVE


def test_beyond_the_loads_own_limit_the_interval_ends_at_a_rate_that_surely_does_not_hold() -> None:
    def tried(rate: float, _number: int) -> tuple[bool, float, str]:
        return rate <= 60.0, min(rate, 60.0), "" if rate <= 60 or rate > 150 else "the load was late"

    found = searched(tried)

    assert found.status == "at least"
    assert found.interval.high is None or found.interval.high > 150


def test_a_load_that_was_limited_once_is_tried_again() -> None:
    found = searched(lambda rate, number: (rate <= 80.0, min(rate, 80.0), "a stall" if number == 3 else ""))

    assert found.status == "edge"


@pytest.mark.parametrize("most", [20.0, 80.0, 61.3])
@pytest.mark.parametrize("seed", range(10))
def test_an_edge_is_found_where_other_programs_take_some_of_each_load(seed: int, most: float) -> None:
    """What a server does not hold that lacks a fiftieth of the time says nothing, unless it is beyond the edge."""
    chance = random.Random(seed)

    def tried(rate: float, _number: int) -> tuple[bool, float, str]:
        able = most * (1 - chance.uniform(0, 0.02))
        return rate <= able, min(rate, able), "others" if able < rate <= most else ""

    found = searched(tried)

    low, high = ends(found)
    assert found.status == "edge"
    assert low <= most < high <= low * 1.05
    assert len(found.loads) <= 30


def test_a_rate_whose_loads_nearly_all_say_nothing_is_not_repeated_without_end() -> None:
    """Of 80 a second one load in ten says something."""

    def tried(rate: float, number: int) -> tuple[bool, float, str]:
        return rate < 80.0, min(rate, 79.9), "others" if rate == 80.0 and number % 10 else ""

    found = searched(tried)

    assert sum(each.rate_per_s == 80.0 for each in found.loads) <= 5
    assert found.status == "edge"


def test_no_higher_rate_is_tried_than_was_asked_for() -> None:
    found = searched(served(5000.0), up_to=100.0)

    assert (found.status, found.rate_per_s, found.bounded) == ("at least", 100.0, False)
    assert max(each.rate_per_s for each in found.loads) == 100.0


def test_a_rate_of_which_nothing_is_known_is_not_passed_beyond_what_was_asked_for() -> None:
    found = searched(lambda rate, _number: (rate < 80.0, rate, "others" if rate >= 80.0 else ""), up_to=85.0)

    assert max(each.rate_per_s for each in found.loads) <= 85.0


def test_a_server_that_holds_no_rate_is_told() -> None:
    found = searched(lambda _rate, _number: (False, 0.0, ""))

    assert (found.status, found.rate_per_s) == ("none", None)
    assert len(found.loads) <= 12


def test_a_search_that_only_followed_a_server_down_does_not_say_that_no_rate_holds() -> None:
    """7.5/s at first, and 3 % less with each load: each rate is a little too high once it is tried."""
    found = searched(lambda rate, number: (rate <= 7.5 * 0.97**number, min(rate, 7.5 * 0.97**number), ""))

    assert (found.status, found.rate_per_s, exit_code(found)) == ("unknown", None, INCONCLUSIVE)
    assert found.words.endswith("do not hold, and no lower rate is known that does.")


def test_a_server_that_gets_slower_with_each_load_has_no_rate() -> None:
    def alone(number: int) -> float:
        return 50.0 * 1.1**number

    found = searched(lambda rate, number: (rate <= 4000 / alone(number), 4000 / alone(number), ""), alone=alone)

    assert (found.status, found.rate_per_s) == ("not stationary", None)
    assert any("longer and longer" in each for each in found.warnings)


def test_a_server_that_loses_places_has_no_rate_although_single_requests_take_as_long_as_ever() -> None:
    """Places that are lost one after another: c falls by 6 % with each load, from 500/s."""
    found = searched(lambda rate, number: (rate <= 500 * 0.94**number, min(rate, 500 * 0.94**number), ""))

    assert (found.status, found.rate_per_s) == ("not stationary", None)
    assert found.words.startswith("The server became slower: ")
    assert any("not given back" in each for each in found.warnings)
    assert len(found.loads) <= 24
    assert exit_code(found) == INCONCLUSIVE


def test_a_server_that_is_half_as_quick_from_some_load_on_has_no_rate() -> None:
    found = searched(lambda rate, number: (rate <= (400 if number < 7 else 150), min(rate, 200.0), ""))

    assert (found.status, found.rate_per_s) == ("not stationary", None)
    assert found.words.startswith("The server became slower: 320 requests a second held")


def test_a_server_that_becomes_quicker_has_the_rate_that_it_comes_to() -> None:
    found = searched(lambda rate, number: (rate <= min(40 * 1.2**number, 100), min(rate, 100.0), ""))

    assert (found.status, found.rate_per_s) == ("edge", pytest.approx(100.0, rel=0.05))


@pytest.mark.parametrize("seed", range(20))
def test_an_edge_that_is_not_sharp_is_not_taken_for_a_server_that_became_slower(seed: int) -> None:
    chance = random.Random(seed)
    found = searched(lambda rate, _number: (rate <= 80.0 * (1 + chance.gauss(0, 0.05)), min(rate, 80.0), ""))

    assert "became slower" not in found.words


def test_that_single_requests_take_a_little_longer_each_time_is_told_beside_the_rate() -> None:
    found = searched(served(80.0), alone=lambda number: 50.0 * 1.008**number)

    assert found.status == "edge"
    assert any("a little longer from load to load" in each for each in found.warnings)


def test_that_far_more_held_once_is_told_beside_the_rate() -> None:
    found = searched(lambda rate, number: (rate <= (350 if number < 6 else 285), min(rate, 300.0), ""))

    assert found.status == "edge"
    assert any("320 requests a second held too" in each for each in found.warnings)


def test_a_rate_that_does_not_hold_below_one_that_does_is_not_hidden() -> None:
    found: Capacity = searched(lambda rate, _number: (rate <= 80 and not 30 < rate < 50, min(rate, 80.0), ""))

    assert found.status == "not stationary" or (found.rate_per_s or 0) <= 30


def test_where_others_have_the_cores_all_the_time_nothing_is_claimed() -> None:
    found = searched(lambda _rate, _number: (False, 1.0, "Other programs used 1.9 cores."))

    assert (found.status, found.rate_per_s) == ("unknown", None)
    assert found.words == "Nothing is known of any rate: Other programs used 1.9 cores."
    assert len(found.loads) <= 6


def test_the_rate_of_a_server_that_ended_in_mid_search_is_not_known() -> None:
    """It may end at any rate, as one does that loses a thread now and then: what held for seconds is no lower bound."""
    whole = searched(served(80.0))
    said = "After a load, the server no longer answered single requests."
    record = CapacityRecord("a", "b", CapacityAsked(("p99<200ms",)), whole.loads[:2], None, said, (said,), 0.0, 50.0)

    found = capacity_of(record)

    assert (found.status, found.rate_per_s, found.bounded, found.ended_by) == ("unknown", None, None, said[:-1])
    assert found.interval.low == whole.loads[1].rate_per_s
    held = f"{whole.loads[1].rate_per_s:g} requests a second held at first"
    assert found.words == f"No rate is known to hold for long: {held}. {said}"


def failing_at_random(share: float, most: float, seed: int, allowed: float = 0.01) -> Capacity:
    """Of a server that fails this share of its requests at any rate, and what is beyond the most."""
    text = f"errors<{allowed:.1%}"
    rng, asked, loads = random.Random(seed), CapacityAsked(("p99<200ms", text)), list[AtRate]()
    while (step := next_load(asked, loads, 20.0)) is not None:
        offered = round(step.rate_per_s * step.seconds)
        failing = 1 - (1 - share) * min(1.0, most / step.rate_per_s)
        errors = sum(rng.random() < failing for _ in range(offered))
        held = errors / offered < allowed
        loads.append(
            at_rate(
                step.rate_per_s,
                step.seconds,
                offered=offered,
                outcomes={"answered": offered - errors, "rejected": errors},
                answered_per_s=(offered - errors) / step.seconds,
                held=held,
                why="" if held else f"{text}: {errors / offered:.1%}",
                thresholds=(Expectation("p99<200ms", 60.0, True), Expectation(text, errors / offered, held)),
                alone_ms=20.0,
            )
        )
    return capacity_of(CapacityRecord("a", "b", asked, tuple(loads), None, "", (), 0.0, 20.0))


def test_errors_that_come_at_any_rate_are_no_edge() -> None:
    """Of a server that fails 1 % of its requests, 17 to 88 requests a second were the edge, by chance."""
    found = [failing_at_random(0.01, 190.0, seed) for seed in range(20)]

    no_edge = [each for each in found if each.status == "not stationary"]
    assert len(no_edge) >= 16
    for each in no_edge:
        assert (each.rate_per_s, each.words) == (None, "Errors come at any rate, so none is the server's own.")
        assert any("Errors come below" in said and "of_" not in said for said in each.warnings)


@pytest.mark.parametrize(("share", "most"), [(0.0, 190.0), (0.001, 190.0), (0.0, 9.0)])
def test_errors_of_what_is_beyond_the_most_are_the_edge(share: float, most: float) -> None:
    for seed in range(10):
        found = failing_at_random(share, most, seed)

        assert found.status == "edge"
        assert most * 0.93 < (found.rate_per_s or 0) <= most * 1.02


def test_an_edge_that_a_few_errors_make_is_not_claimed() -> None:
    """Of a server that fails 0.05 % of its requests and has no most, where 0.1 % are allowed: one error decides."""
    found = [failing_at_random(0.0005, 1e9, seed, 0.001) for seed in range(20)]

    assert not [each for each in found if each.status == "edge"]
    few = [each for each in found if "too few to tell the rate from chance" in each.words]
    assert few
    for each in few:
        assert (each.status, each.bounded) == ("at least", False)


def test_what_ended_a_search_is_said_once_and_of_no_rate() -> None:
    said = "After a load, the server no longer answered single requests."
    broken = at_rate(500.0, 2.0, answered_per_s=20.0, held=False, why="p99<200ms: 300 ms", alone_ms=50.0)
    record = CapacityRecord("a", "b", CapacityAsked(("p99<200ms",)), (broken,), None, said, (said,), 0.0, 50.0)

    found = capacity_of(record)

    shown = " ".join(rendered(render_capacity(found), 200, styled=False).split())
    assert (found.status, found.words) == ("unknown", f"Nothing is known of any rate: {said}")
    assert "At 500/s" not in shown
    assert shown.count(f"any rate: {said}") == 1


def test_a_search_that_was_out_of_time_says_what_is_known_as_an_interval() -> None:
    whole = searched(served(80.0))
    asked = CapacityAsked(("p99<200ms",), at_most_s=30.0)

    for many in range(len(whole.loads)):
        record = CapacityRecord("a", "b", asked, whole.loads[:many], None, "", (), 30.0, 50.0, out_of_time=True)
        found = capacity_of(record)

        assert any("was to take 30 s at most" in each for each in found.warnings)
        low, high = found.interval.low, found.interval.high
        assert (low or 0.0) <= 80.0 < (high or 81.0)
        narrow = low is not None and high is not None and high <= low * 1.05
        assert found.status == ("unknown" if low is None else "edge" if narrow else "at least")
        if found.status == "at least" and high is not None:
            assert found.words.startswith(f"At least {low:,g} requests a second; {high:,g} do not hold")


def test_a_rate_that_does_not_hold_is_told_where_time_was_up_before_a_lower_one() -> None:
    whole = searched(served(2.0))
    asked = CapacityAsked(("p99<200ms",), at_most_s=4.0)

    found = capacity_of(CapacityRecord("a", "b", asked, whole.loads[:1], None, "", (), 4.0, 50.0, out_of_time=True))

    assert (found.status, found.rate_per_s) == ("unknown", None)
    assert found.words == "10 requests a second do not hold, and no lower rate is known that does."


def test_why_a_load_says_nothing_is_a_note_below_the_table() -> None:
    """As a cell it would be a column of single words."""
    why = "Other programs used 1.9 cores, and for each request the server and the load waited 25 ms for one."
    found = searched(lambda rate, _number: (rate < 100, rate, why if rate >= 100 else ""))

    text = rendered(render_capacity(found), 200, styled=False)

    assert "says nothing (1)" in text
    assert text.count("Other programs used") == 2  # the answer's own sentence, and the note
    assert "(1) Other programs used 1.9 cores" in text


@pytest.mark.parametrize("interrupted", [False, True])
def test_a_server_that_became_slower_in_a_search_that_was_too_short_to_show_more_is_told(*, interrupted: bool) -> None:
    """Of one that takes 0.1 ms more for each request it was said that it answers at least 46 requests a second."""
    asked = CapacityAsked(("p99<200ms",), at_most_s=14.0)
    loads = tuple(
        at_rate(rate, 2.0, answered_per_s=rate, held=held, why="" if held else "p99<200ms: 300 ms", alone_ms=alone)
        for rate, alone, held in ((23.0, 21.0, True), (24.0, 26.0, False), (23.0, 30.0, True))
    )

    def found(last_ms: float) -> Capacity:
        record = CapacityRecord("a", "b", asked, loads, None, "", (), 14.0, 21.0, last_ms)
        return capacity_of(replace(record, out_of_time=not interrupted, interrupted=interrupted))

    slower, as_before = found(35.0), found(22.0)

    assert (slower.status, slower.bounded) == ("at least", False)
    assert any("took 21.0 ms at best, and 35.0 ms at last" in each for each in slower.warnings)
    assert as_before.status == "edge"
    assert not any("at last" in each for each in as_before.warnings)
