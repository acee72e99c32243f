"""When a probe is looked at for its view, and what that look sees."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from holdfast.interrupts import listening
from holdfast.model.experiment import Experiment, ProbeTarget
from holdfast.model.live import LivePhase, LiveProbe
from holdfast.model.places import Place
from holdfast.model.timeline import NEVER, Timeline
from holdfast.probing.experiment import run

THREADS = 3


class Onlooker:
    """Looks whenever a view is offered, many times as often as any view is drawn."""

    def __init__(self) -> None:
        self.seen: list[tuple[int, LiveProbe, int]] = []

    def __call__(self, look: Callable[[], LiveProbe], /, *, at_once: bool = False) -> None:
        began_ns = time.monotonic_ns()
        probe = look()
        self.seen.append((began_ns, probe, time.monotonic_ns()))
        assert not at_once or probe.phase is LivePhase.ENDING

    def looks_between(self, from_ns: int, until_ns: int) -> list[LivePhase]:
        return [probe.phase for began_ns, probe, ended_ns in self.seen if began_ns < until_ns and ended_ns > from_ns]


@pytest.fixture(scope="module")
def probed() -> tuple[Onlooker, Timeline]:
    onlooker = Onlooker()
    target = ProbeTarget("gunicorn", arguments=("--threads", f"{THREADS}"))
    with listening() as interrupts:
        return onlooker, run(Experiment(target, max_offered=60), interrupts, watch=onlooker)


def test_no_look_falls_into_what_is_timed_with_precision(probed):
    onlooker, timeline = probed
    entered = {each.id: each.entered_ns for each in timeline.entries}
    opened = {each.id: each.opened_ns for each in timeline.requests}

    assert timeline.exact is not None
    assert timeline.exact.repeats
    for each in timeline.exact.repeats:
        offered = range(each.first, each.last)
        assert onlooker.looks_between(min(opened[id] for id in offered), each.placed_ns) == []
    for leaving in timeline.left_in_service:
        assert leaving.until_ns != NEVER
        assert onlooker.looks_between(leaving.at_ns, leaving.until_ns) == []
    first = next(each for each in timeline.requests if each.phase == "first request")
    assert onlooker.looks_between(first.opened_ns, entered[first.id]) == []


def test_in_the_ramp_no_look_falls_between_a_request_and_its_handler_s_start_where_that_is_quick(probed):
    onlooker, timeline = probed
    entered = {each.id: each.entered_ns for each in timeline.entries}
    ramp = [each for each in timeline.requests if each.phase == "ramp" and each.id in entered]

    quick = [each for each in ramp if entered[each.id] - each.opened_ns < 5_000_000]
    assert all(onlooker.looks_between(each.opened_ns, entered[each.id]) == [] for each in quick)


def test_each_look_sees_every_offered_request_in_one_place(probed):
    onlooker, _ = probed

    with_places = [probe.places for _, probe, _ in onlooker.seen if probe.places is not None]
    assert with_places
    assert all(sum(each.counts.values()) + each.left == each.offered <= each.most for each in with_places)
    assert max(each.counts[Place.IN_SERVICE] for each in with_places) == THREADS


def test_the_workers_are_those_that_the_record_shows(probed):
    onlooker, timeline = probed

    (worker,) = onlooker.seen[-2][1].workers
    assert worker.pid in {each.pid for each in timeline.entries}
    assert len(worker.holds) == len({each.tid for each in timeline.entries}) == THREADS
    assert max(sum(each.holds) for _, probe, _ in onlooker.seen for each in probe.workers) == THREADS


def test_the_phases_come_in_their_order(probed):
    onlooker, _ = probed

    phases = list(dict.fromkeys(probe.phase for _, probe, _ in onlooker.seen))
    assert phases[:2] == [LivePhase.STARTING, LivePhase.FIRST_REQUEST]
    assert phases[-1] is LivePhase.ENDING
    assert {LivePhase.RAMP, LivePhase.COUNTING, LivePhase.EXACT_LOAD, LivePhase.LEAVING} <= {*phases}
    starting = [probe for _, probe, _ in onlooker.seen if probe.phase is LivePhase.STARTING]
    assert all(probe.detail.startswith("waiting for the server to") for probe in starting)
    assert all(probe.within_s is not None and 0 <= probe.within_s <= 30 for probe in starting)
