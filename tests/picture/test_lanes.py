"""One bar for each request on the thread that ran it, and lanes in an order that shows how threads are used."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
from recorded.saved import RUNS, names
from support.recorded_runs import recorded_probe

from holdfast.model.timeline import NEVER
from holdfast.picture.lanes import lanes_of

PROBES = [name for name in names(RUNS) if not name.startswith("attach")]


@pytest.mark.parametrize("name", PROBES)
def test_each_handler_run_is_one_bar_on_its_thread(name: str, tmp_path: Path) -> None:
    timeline = recorded_probe(name, tmp_path)

    drawn = sorted(
        (bar.id, lane.pid, lane.tid, bar.entered_ns, bar.left_ns) for lane in lanes_of(timeline) for bar in lane.bars
    )

    assert drawn == sorted((each.id, each.pid, each.tid, each.entered_ns, each.left_ns) for each in timeline.entries)


@pytest.mark.parametrize("name", PROBES)
def test_bars_of_one_row_never_overlap(name: str, tmp_path: Path) -> None:
    for lane in lanes_of(recorded_probe(name, tmp_path)):
        for row in range(lane.rows):
            own = [bar for bar in lane.bars if bar.row == row]
            assert own
            assert all(before.until_ns <= after.entered_ns for before, after in pairwise(own))


def test_a_thread_for_each_request_is_a_staircase(tmp_path: Path) -> None:
    lanes = lanes_of(recorded_probe("flask-threaded", tmp_path))

    assert [len(lane.bars) for lane in lanes] == [1] * 201
    assert all(before.bars[0].entered_ns < after.bars[0].entered_ns for before, after in pairwise(lanes))


def test_a_pool_is_as_many_lanes_as_it_has_threads_process_by_process(tmp_path: Path) -> None:
    lanes = lanes_of(recorded_probe("gunicorn-gthread", tmp_path))

    # gunicorn --workers 2 --threads 8
    pids = [lane.pid for lane in lanes]
    assert [pids.count(pid) for pid in dict.fromkeys(pids)] == [8, 8]
    assert pids == sorted(pids, key=list(dict.fromkeys(pids)).index)
    assert all([bar.ordinal for bar in lane.bars] == list(range(1, len(lane.bars) + 1)) for lane in lanes)


def test_coroutines_of_one_thread_are_rows_of_its_lane(tmp_path: Path) -> None:
    timeline = recorded_probe("uvicorn-async", tmp_path)
    (lane,) = lanes_of(timeline)

    instants = [each.entered_ns for each in timeline.entries]
    at_once = max(
        sum(each.entered_ns <= at and (each.left_ns == NEVER or each.left_ns > at) for each in timeline.entries)
        for at in instants
    )
    assert lane.rows == at_once
    assert lane.overlaps


def test_what_never_left_reaches_to_the_end_of_the_record(tmp_path: Path) -> None:
    timeline = recorded_probe("killed-server", tmp_path)

    held = [bar for lane in lanes_of(timeline) for bar in lane.bars if bar.left_ns == NEVER]

    assert len(held) == sum(each.left_ns == NEVER for each in timeline.entries) > 0
    assert {bar.until_ns for bar in held} == {
        max(timeline.marks.ended_ns, *(each.done_ns for each in timeline.requests))
    }


def test_a_name_that_would_control_a_terminal_is_shown_as_escapes(tmp_path: Path) -> None:
    timeline = recorded_probe("waitress", tmp_path)
    renamed = tuple(replace(each, thread_name="a\x1b[2J") for each in timeline.entries)

    assert {lane.name for lane in lanes_of(replace(timeline, entries=renamed))} == {"a\\x1b[2J"}


def test_a_run_without_a_handler_has_no_lane(tmp_path: Path) -> None:
    assert lanes_of(replace(recorded_probe("waitress", tmp_path), entries=())) == ()
