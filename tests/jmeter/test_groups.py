"""When clients come and go; the instants follow from the formulas in JMeter's source and its plug-ins'."""

from __future__ import annotations

import pytest
from jmeter.small_plans import read, sent, stays
from plans.writing import collection, element, group, http, inner, text

from holdfast.errors import UsageError

A = http("/a")
NS = 1_000_000_000


def seconds(below: str, **more: object) -> list[tuple[float, float | None]]:
    """From when to when each client stays."""
    return [(each.from_ns / NS, None if each.until_ns is None else each.until_ns / NS) for each in stays(below, **more)]


def plugin(kind: str, *properties: str, loops: str = "-1", below: str = A) -> str:
    main = inner("ThreadGroup.main_controller", "LoopController", text("LoopController.loops", loops))
    return element(f"plugin.threads.{kind}", "group", main, *properties, below=below)


def properties(**said: str) -> list[str]:
    return [text(name.replace("_", " "), value) for name, value in said.items()]


def table(name: str, *rows: str) -> str:
    lines = [collection(str(number), *[text("", each) for each in row.split()]) for number, row in enumerate(rows)]
    return collection(name, *lines)


def test_threads_begin_evenly_within_the_ramp_after_the_delay_and_end_after_the_duration() -> None:
    scheduled = [
        text("ThreadGroup.scheduler", "true"),
        text("ThreadGroup.delay", "2"),
        text("ThreadGroup.duration", "9"),
    ]

    assert seconds(group(A, threads="4", ramp="2")) == [(0.0, None), (0.5, None), (1.0, None), (1.5, None)]
    assert seconds(group(A, *scheduled, threads="2", ramp="2")) == [(2.0, 11.0), (3.0, 11.0)]
    assert seconds(group(A, threads="2", ramp="2", loops="-1"), most_s=1.5) == [(0.0, 1.5), (1.0, 1.5)]


def test_a_stepping_group_adds_and_takes_away_threads_by_steps() -> None:
    said = {
        "Threads_initial_delay": "2",
        "Start_users_count": "2",
        "Start_users_count_burst": "1",
        "Start_users_period": "3",
        "Stop_users_count": "3",
        "Stop_users_period": "2",
        "flighttime": "10",
        "rampUp": "2",
    }
    below = plugin("SteppingThreadGroup", text("ThreadGroup.num_threads", "5"), *properties(**said))

    # One at 2 s, then two each 5 s, the second of them 1 s after the first. Down: 2 + 2 * 5 + 1 * 2 + 10 = 24 s.
    assert seconds(below) == [(2.0, 24.0), (7.0, 24.0), (8.0, 24.0), (12.0, 26.0), (13.0, 26.0)]


def test_an_ultimate_group_has_rows_whose_first_thread_comes_last() -> None:
    below = plugin("UltimateThreadGroup", table("ultimatethreadgroupdata", "2 1 4 10 2", "1 5 0 1 0"))

    assert seconds(below) == [(5.0, 17.0), (3.0, 16.0), (5.0, 6.0)]


@pytest.mark.parametrize(
    ("ramp", "steps", "instants"),
    [
        ("0", "", [0.0, 0.0, 0.0, 0.0]),
        # 4 / 8 clients a second, rounded: the first at half of 2 s.
        ("8", "", [1.0, 3.0, 5.0, 7.0]),
        # Steps of 4 / 3 = 1.33, rounded to 1, 3, 4.
        ("6", "3", [0.0, 2.0, 2.0, 4.0]),
    ],
)
def test_a_concurrency_group_has_as_many_clients_as_is_planned(ramp: str, steps: str, instants: list[float]) -> None:
    said = {"TargetLevel": "4", "RampUp": ramp, "Steps": steps, "Hold": "10", "Unit": "S"}
    found = seconds(plugin("ConcurrencyThreadGroup", *properties(**said)))

    assert found == [(each, float(ramp) + 10) for each in instants]


def test_arrivals_come_one_after_the_other_at_the_rate_of_their_step() -> None:
    said = {"TargetLevel": "4", "RampUp": "2", "Steps": "2", "Hold": "1", "Unit": "S"}
    found = seconds(plugin("ArrivalsThreadGroup", *properties(**said)))

    # 2 a second for 1 s, then 4 a second. At 2 s the plug-in's step is one more, once: 6 a second.
    instants = [0.0, 0.5, 1.0, 1.25, 1.5, 1.75, 2.0]
    assert [at for at, _ in found][:7] == instants
    assert [at for at, _ in found][7:] == pytest.approx([2.0 + 1 / 6 + each / 4 for each in range(4)])


def test_arrivals_whose_steps_are_empty_are_refused_for_the_plug_in_sends_nothing_then() -> None:
    said = {"TargetLevel": "4", "RampUp": "2", "Steps": "", "Hold": "1"}

    with pytest.raises(UsageError, match="it would send other requests than with JMeter") as told:
        read(plugin("ArrivalsThreadGroup", *properties(**said)))
    assert "ArrivalsThreadGroup" in told.value.why
    assert "its steps are empty" in told.value.why


def test_free_form_arrivals_follow_their_rows() -> None:
    found = seconds(plugin("FreeFormArrivalsThreadGroup", table("Schedule", "2 2 1", "4 4 1")))

    # An instant at which one row ends belongs to that row, also the last one.
    assert [at for at, _ in found] == [0.0, 0.5, 1.0, 1.5, 1.75, 2.0]


def test_groups_before_and_after_are_stages_and_groups_in_series_are_told_to_the_engine() -> None:
    setup = element("SetupThreadGroup", "up", text("ThreadGroup.num_threads", "1"), below=http("/up"))
    down = element("PostThreadGroup", "down", text("ThreadGroup.num_threads", "1"), below=http("/down"))
    journeys = read(setup + group(A) + down, text("TestPlan.serialize_threadgroups", "true")).journeys

    assert [(crew.name, crew.stage) for crew in journeys.crews] == [
        ("up", "before"),
        ("Group", "main"),
        ("down", "after"),
    ]
    assert journeys.one_by_one


def test_groups_of_one_name_are_two_groups() -> None:
    assert sorted(sent(group(A) + group(http("/b"))).paths) == ["/a", "/b"]


def test_a_group_without_end_is_refused_unless_something_ends_it() -> None:
    with pytest.raises(UsageError, match="Limit it with --for S") as told:
        read(group(A, loops="-1"))
    assert 'ThreadGroup "Group" (line 1): it loops for ever' in told.value.why
    assert read(group(A, loops="-1"), most_s=1.0).journeys.crews


def test_a_plan_that_sends_nothing_is_an_error() -> None:
    with pytest.raises(UsageError, match="sends nothing"):
        read(group(A, threads="0"))
    with pytest.raises(UsageError, match="sends nothing"):
        read(group(element("DebugSampler", "debug")))


def test_a_load_that_ends_before_its_threads_begin_is_an_error_that_says_so() -> None:
    scheduled = {"scheduler": "true", "duration": "60", "delay": "5"}
    late = group(A, *[text(f"ThreadGroup.{name}", value) for name, value in scheduled.items()], loops="-1")

    with pytest.raises(UsageError, match="sends nothing in 3 s") as told:
        read(late, most_s=3.0)

    assert told.value.why == "Its first thread begins after 5 s."


def test_a_loop_that_does_not_say_whether_it_ends_does_not() -> None:
    """LoopController.java, 5.5: its constructor sets continue_forever, and what JMeter saves takes it back."""
    loops = text("LoopController.loops", "3")
    silent = inner("ThreadGroup.main_controller", "LoopController", loops)
    ending = inner(
        "ThreadGroup.main_controller", "LoopController", loops, text("LoopController.continue_forever", "false")
    )
    threads = text("ThreadGroup.num_threads", "1")

    (for_ever,) = stays(element("ThreadGroup", "group", threads, silent, below=A), most_s=2.0)
    (three_times,) = stays(element("ThreadGroup", "group", threads, ending, below=A))

    assert (for_ever.passes, three_times.passes) == (None, 3)
