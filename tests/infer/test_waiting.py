"""Where requests wait in the application, from what its processes have told."""

from __future__ import annotations

from dataclasses import replace

import pytest
import records

from holdfast.infer.judge import judge
from holdfast.infer.signals import told_alike
from holdfast.infer.waiting import libraries_of, running_in
from holdfast.model.experiment import Experiment, ProbeTarget
from holdfast.model.phase import Phase
from holdfast.model.timeline import Handed
from holdfast.model.waiting import BodiesAtRest, Library, LibraryLimit, WaitingPoint

SEMAPHORE = "asyncio.locks.Semaphore.acquire"


def point(requests: int, pid: int = 10, phase: Phase = Phase.RAMP, **changed: object) -> WaitingPoint:
    plain = WaitingPoint(phase, pid, requests, "/srv/shop/app.py", 14, "index", SEMAPHORE, waits=True)
    return replace(plain, **changed)  # type: ignore[arg-type]


def seen(*points: WaitingPoint, told: bool = True, waiting: int = 2):
    """One request in service, and others handed to the application."""
    requests = [records.request(id) for id in range(1 + waiting)]
    sockets = [records.socket(id, accepted=True) for id in range(1 + waiting)]
    timeline = records.timeline(requests, [records.entry(0)], records.snapshot(*sockets))
    handed = tuple(Handed(id, records.AT - 1000, by_server=True) for id in range(1 + waiting))
    experiment = Experiment(ProbeTarget("some"), cwd="/srv/shop")
    return replace(timeline, experiment=experiment, handed=handed, waiting=points if told else None)


def test_the_same_line_in_several_processes_is_one_place_and_the_fullest_comes_first():
    elsewhere = point(1, line=20)
    (first, second) = judge(seen(elsewhere, point(3), point(4, pid=11))).waiting

    assert (first.phase, first.requests, first.processes) == ("ramp", 7, 2)
    assert (first.file, first.line, first.function, first.waits_in) == ("app.py", 14, "index", SEMAPHORE)
    assert (second.requests, second.processes, second.line) == (1, 1, 20)


def test_what_takes_time_before_its_view_is_listed_and_a_body_only_if_it_waits_for_its_turn():
    slow_body = point(2, phase=Phase.CALLED_TOGETHER, line=30, waits=False)

    found = judge(seen(point(1, line=20, waits=False), slow_body)).waiting

    assert [(each.phase, each.line) for each in found] == [("ramp", 20)]


def test_a_file_outside_of_the_directory_of_the_run_keeps_its_whole_path():
    (found,) = judge(seen(point(1, file="/opt/lib/app.py"))).waiting

    assert found.file == "/opt/lib/app.py"


def test_what_is_in_no_code_of_the_persons_own_has_no_line():
    (found,) = judge(seen(point(2, file="", line=0, function=""))).waiting

    assert (found.file, found.line, found.function, found.waits_in) == (None, None, None, SEMAPHORE)


def test_where_nothing_waits_before_its_view_nothing_is_listed_whatever_was_asked():
    verdict = judge(seen(told=False, waiting=0))

    assert verdict.waiting == ()
    assert "waiting" not in verdict.unknown


def test_where_no_process_has_answered_it_says_so():
    verdict = judge(seen(told=False))

    assert verdict.waiting is None
    assert verdict.unknown["waiting"] == "no process that held a request could tell where the others wait"


def test_a_run_that_was_saved_before_it_was_asked_says_so():
    verdict = judge(replace(seen(told=False), handed=None))

    assert verdict.waiting is None
    assert "was saved before" in verdict.unknown["waiting"]


def test_bodies_that_do_not_wait_for_their_turn_are_those_that_run():
    called = Phase.CALLED_TOGETHER
    working = point(3, phase=called, line=15, library="asyncio.tasks.sleep", waits=False)
    timeline = seen(point(9, phase=called), working)

    assert running_in(timeline).value == 3
    assert [(each.phase, each.requests) for each in judge(timeline).waiting] == [("call", 9)]


def test_where_no_body_waits_how_many_run_is_not_a_bound():
    working = point(3, phase=Phase.CALLED_TOGETHER, waits=False)
    value, unknown = running_in(seen(working))

    assert value is None
    assert unknown["call.running"].startswith("no body was seen to wait")


def test_where_only_waiting_bodies_were_seen_no_number_is_claimed():
    value, unknown = running_in(seen(point(9, phase=Phase.CALLED_TOGETHER)))

    assert value is None
    assert unknown["call.running"].startswith("none was seen to run")


def test_with_a_limit_of_tasks_no_thread_looks_and_the_reason_says_so():
    timeline = seen()
    limited = replace(timeline, experiment=replace(timeline.experiment, nproc=20))

    assert "under a limit of tasks" in running_in(limited).unknown["call.running"]
    assert "were over before" in running_in(timeline).unknown["call.running"]


@pytest.mark.parametrize(
    ("told", "alike"), [((), None), ((40,), None), ((40, 40), 40), ((7, 8, 7), None), ((7, 8, 7, 7), 7)]
)
def test_looks_tell_alike_what_two_more_of_them_tell_than_anything_else(told, alike):
    assert told_alike(told) == alike


def looked(*looks: tuple[int, int], **changed: object):
    """What is said of bodies that ran when these looks told how many ran and how many waited."""
    waits = point(9, phase=Phase.CALLED_TOGETHER, **changed)
    return running_in(replace(seen(waits), bodies_at_rest=tuple(BodiesAtRest(*each) for each in looks)))


def test_how_many_run_is_what_looks_at_rest_tell_alike_while_others_wait():
    # 3 bodies are left when none waits any more.
    assert looked((3, 61), (40, 24), (40, 24), (40, 24), (3, 0), (3, 0)).value == 40


@pytest.mark.parametrize(
    ("looks", "why"),
    [
        ([], "the bodies were never all seen at rest while some waited for their turn"),
        ([(3, 0)], "the bodies were never all seen at rest while some waited for their turn"),
        ([(40, 24)], "only one look saw the bodies at rest, while 40 ran and others waited"),
        ([(40, 24), (52, 12)], "looks at the bodies at rest told 40 to 52 that ran while others waited"),
        ([(0, 9), (0, 9)], "none was seen to run while the others waited"),
    ],
)
def test_where_looks_do_not_tell_alike_no_number_is_claimed(looks, why):
    value, unknown = looked(*looks)

    assert value is None
    assert unknown["call.running"].startswith(why)


def test_where_no_body_was_seen_at_rest_none_is_said_not_to_have_waited():
    assert looked(waits=False).unknown["call.running"].startswith("the bodies were never all seen at rest")
    assert looked((9, 0), waits=False).unknown["call.running"].startswith("no body was seen to wait")


def limit(pid: int, number: int | None, in_use: int, phase: Phase = Phase.RAMP) -> LibraryLimit:
    return LibraryLimit(phase, pid, "AnyIO tokens", number, in_use)


def test_processes_with_the_same_limit_are_told_together_and_others_apart():
    told = (limit(10, 40, 40), limit(11, 40, 7), limit(12, None, 3))

    assert libraries_of(replace(seen(), libraries=told)).value == (
        Library("AnyIO tokens", None, in_use=3, processes=1),
        Library("AnyIO tokens", 40, in_use=47, processes=2),
    )


def test_of_two_looks_at_a_process_the_one_with_more_in_use_counts():
    told = (limit(10, 40, 0), limit(10, 40, 12, Phase.CALLED_TOGETHER))

    assert libraries_of(replace(seen(), libraries=told)).value == (Library("AnyIO tokens", 40, in_use=12, processes=1),)
