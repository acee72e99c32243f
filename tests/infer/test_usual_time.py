"""How long a path usually takes, as a few requests one after another show it."""

from __future__ import annotations

from holdfast.infer.signals import TOO_QUICK_NS, Trip, service_of, usual_of

MS = 1_000_000


def alone(*took_ms: float) -> list[Trip]:
    return [Trip(0, 0, 0, round(each * MS), True) for each in took_ms]


def test_one_request_that_waited_for_a_core_makes_no_slow_path_of_a_quick_one() -> None:
    trips = alone(1.0, 0.6, 45.0, 0.7, 0.6, 0.8)

    assert service_of(trips).mean_ns > TOO_QUICK_NS
    assert usual_of(trips) < TOO_QUICK_NS


def test_a_path_that_waits_is_not_quick_because_one_answer_was() -> None:
    assert usual_of(alone(300.0, 301.0, 1.0, 300.0, 302.0)) > TOO_QUICK_NS
