"""Exact load at the ramp's first plateau: what comes before and what comes after stays apart."""

from __future__ import annotations

import signal
from collections import Counter
from pathlib import Path

import pytest

from holdfast.infer.judge import judge
from holdfast.interrupts import listening
from holdfast.model.experiment import Experiment, ProbeTarget
from holdfast.model.phase import Phase
from holdfast.model.timeline import Timeline
from holdfast.probing import exact_load
from holdfast.probing.experiment import run

OFFERED = 300


def probed(arguments: str, cwd: Path, nofile: int | None = None) -> Timeline:
    target = ProbeTarget("waitress", framework="flask", arguments=tuple(arguments.split()))
    with listening() as interrupts:
        return run(Experiment(target, max_offered=OFFERED, view="sync", nofile=nofile, cwd=str(cwd)), interrupts)


def test_a_pool_is_filled_exactly_before_its_queues_are_filled(tmp_path):
    # waitress: as many requests at once as `threads`.
    timeline = probed("--threads 3", tmp_path)

    phases = Counter(each.phase for each in timeline.requests)
    assert phases[Phase.RAMP] == OFFERED
    assert phases[Phase.FIRST_CLIMB] > 3
    assert timeline.exact is not None
    assert timeline.placed is not None
    assert all(each.placed_ns < timeline.marks.first_sent_ns for each in timeline.exact.repeats)
    assert len({each.id for each in timeline.requests}) == len(timeline.requests)
    verdict = judge(timeline)
    assert (verdict.ceiling.in_service, verdict.ceiling.bounded) == (3, True)
    assert verdict.ceiling.at_exact_load == (3, 3)
    assert verdict.offered == OFFERED
    assert verdict.places.userspace_queue + verdict.places.accept_queue == OFFERED - 3


@pytest.mark.parametrize("nofile", [200])
def test_at_a_limit_of_descriptors_nothing_comes_before_the_ramp(tmp_path, nofile):
    timeline = probed("--threads 3", tmp_path, nofile)

    assert Phase.FIRST_CLIMB not in {each.phase for each in timeline.requests}
    assert judge(timeline).ceiling.in_service == 3


def test_an_interruption_during_exact_load_keeps_what_was_seen_before_it(tmp_path, monkeypatch):
    offer = exact_load.offer_exact_load

    def interrupted(*arguments):
        signal.raise_signal(signal.SIGINT)
        return offer(*arguments)

    monkeypatch.setattr(exact_load, "offer_exact_load", interrupted)
    timeline = probed("--threads 3", tmp_path)

    # waitress: as many requests at once as `threads`.
    verdict = judge(timeline)
    assert (verdict.places.in_service, verdict.ceiling.in_service) == (3, None)
    assert verdict.offered == verdict.places.in_service + verdict.places.userspace_queue + verdict.places.accept_queue
    assert verdict.offered > verdict.places.in_service
    assert verdict.unknown["ceiling.in_service"] == "the run was interrupted before the ceiling was met"
