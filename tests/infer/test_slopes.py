"""What one more held request costs, over the trials of an explanation."""

from __future__ import annotations

from holdfast.infer.slopes import cost_over
from holdfast.model.explanation import RequestCost, Slope
from holdfast.model.trial import Trial
from holdfast.model.verdict import Cost

KIB = 1024


def trial(cost: Cost | None, processes: int = 1) -> Trial:
    return Trial(1, "", (), (), 100, processes=processes, cost=cost)


def test_the_middle_the_least_and_the_most_of_the_trials_are_told() -> None:
    # As in README: 35 KiB of memory (35 to 36).
    trials = [trial(Cost(1.0, 1.0, 0.0, each * KIB)) for each in (36, 35, 35)]

    assert cost_over(trials).memory_bytes == Slope(35 * KIB, 35 * KIB, 36 * KIB)
    assert cost_over(trials).descriptors == Slope(1.0, 1.0, 1.0)


def test_trials_with_another_number_of_processes_say_nothing_of_this_server() -> None:
    trials = [trial(Cost(1.0, 1.0, 0.0, 35 * KIB)), trial(Cost(5.0, 1.0, 1.0, 900 * KIB), processes=4)]

    assert cost_over(trials).descriptors == Slope(1.0, 1.0, 1.0)
    assert cost_over(trials).memory_bytes == Slope(35 * KIB, 35 * KIB, 35 * KIB)


def test_what_no_trial_measured_has_no_cost() -> None:
    only_threads = Cost(None, 1.0, None, None)

    assert cost_over([trial(None)]) == RequestCost(None, None, None, None)
    assert cost_over([trial(only_threads), trial(None)]) == RequestCost(None, Slope(1.0, 1.0, 1.0), None, None)
