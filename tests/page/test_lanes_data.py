"""What the page's scripts get of lanes and the overflow says the same as the record."""

from __future__ import annotations

from itertools import accumulate
from pathlib import Path
from typing import Any

import pytest
from support.recorded_runs import recorded, recorded_probe

from holdfast.model.timeline import NEVER
from holdfast.page.lanes import lanes_data, overflow_data
from holdfast.picture.areas import Areas
from holdfast.picture.lanes import lanes_of
from holdfast.picture.overflow_rows import overflow_rows
from holdfast.picture.probe import areas_of_probe

NOTHING = Areas((), (), (), thinned=False)


@pytest.mark.parametrize("name", ["flask-threaded", "gunicorn-gthread", "uvicorn-limit", "killed-server"])
def test_bars_can_be_read_back_from_the_columns(name: str, tmp_path: Path) -> None:
    timeline = recorded_probe(name, tmp_path)
    areas = areas_of_probe(timeline)

    data: Any = lanes_data(lanes_of(timeline), areas)

    ids, entered, ordinals, phases = (
        list(accumulate(data[column])) for column in ("id", "entered_us", "ordinal", "phase")
    )
    threads = [(pid, tid) for pid, tid, _, _, bars in data["lanes"] for _ in range(bars)]
    open_ones = set(data["open"])
    drawn = {
        (*thread, id_, at, ordinal, data["phases"][phase], number in open_ones)
        for number, (thread, id_, at, ordinal, phase) in enumerate(
            zip(threads, ids, entered, ordinals, phases, strict=True)
        )
    }
    sent_for = {each.id: each.phase.value for each in timeline.requests}
    assert drawn == {
        (each.pid, each.tid, each.id, (each.entered_ns - areas.at_ns[0]) // 1000, each.thread_seq, sent_for[each.id],
         each.left_ns == NEVER)
        for each in timeline.entries
    }  # fmt: skip


def test_rows_are_written_only_where_requests_of_a_thread_overlap(tmp_path: Path) -> None:
    pool: Any = lanes_data(lanes_of(recorded_probe("waitress", tmp_path)), NOTHING)
    loop: Any = lanes_data(lanes_of(recorded_probe("uvicorn-limit", tmp_path)), NOTHING)

    assert pool["row"] is None
    assert max(accumulate(loop["row"])) + 1 == loop["lanes"][0][3] > 1


def test_without_a_handler_and_without_an_overflow_there_is_nothing_to_draw() -> None:
    assert lanes_data((), NOTHING) is None
    assert overflow_data((), NOTHING) is None


def test_the_overflow_is_everything_offered_that_was_not_in_service(tmp_path: Path) -> None:
    timeline = recorded_probe("gunicorn-gthread", tmp_path)

    rows = overflow_rows(timeline)

    # The recorded verdict: 54 offered, 16 in service, 24 and 11 in the queues, 3 SYNs.
    places = [each.place for each in rows]
    assert {place: places.count(place) for place in places} == {"userspace_queue": 24, "accept_queue": 11, "syn": 3}
    assert [each.begun_ns for each in rows] == sorted(each.begun_ns for each in rows)
    assert {each.id for each in rows if each.left} == set(timeline.abandoned)


def test_the_overflow_can_be_read_back_from_the_columns(tmp_path: Path) -> None:
    timeline = recorded_probe("gunicorn-gthread", tmp_path)
    areas = areas_of_probe(timeline)
    rows = overflow_rows(timeline)

    data: Any = overflow_data(rows, areas)

    assert list(accumulate(data["id"])) == [each.id for each in rows]
    begun = list(accumulate(data["begun_us"]))
    assert begun == [(each.begun_ns - areas.at_ns[0]) // 1000 for each in rows]
    assert data["done_us"] == [
        None if each.done_ns == NEVER else (each.done_ns - each.begun_ns) // 1000 for each in rows
    ]
    ends = [data["ends"][number] for number in accumulate(data["end"])]
    assert [end.startswith("its client left") for end in ends] == [each.left for each in rows]
    assert [end == "no answer when the record ended" for end in ends] == [each.outcome == "pending" for each in rows]


def test_a_rejected_request_has_its_status(tmp_path: Path) -> None:
    rows = overflow_rows(recorded_probe("uvicorn-limit", tmp_path))

    assert {(each.place, each.outcome, each.status, each.entered_ns) for each in rows} == {
        ("rejected", "rejected", 503, NEVER)
    }


def test_from_outside_every_request_of_the_last_burst_is_in_it(tmp_path: Path) -> None:
    record = recorded("attach", tmp_path)
    offered = [each.id for each in record.requests if each.phase.value == "ramp"]

    rows = overflow_rows(record)
    data: Any = overflow_data(rows, NOTHING, outside=True)

    assert sorted(each.id for each in rows) == sorted(offered)
    assert data["places"] == ["in service or in the server's own queue"]
    assert data["ends"] == ["answered, HTTP 200"]


def test_a_run_whose_places_were_not_counted_has_no_overflow(tmp_path: Path) -> None:
    assert overflow_rows(recorded_probe("killed-worker", tmp_path)) == ()
