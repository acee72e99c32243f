"""The trace as JSON: each request once, on its thread, and nothing that Perfetto would drop."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from recorded.saved import RUNS, names
from support.recorded_runs import recorded, recorded_probe

from holdfast.model.rows import Rows
from holdfast.model.timeline import NEVER, Entry, Timeline
from holdfast.picture.trace import load_trace_of, outside_trace_of, trace_of

Event = dict[str, Any]


def events(pieces: Iterable[bytes]) -> list[Event]:
    found: list[Event] = json.loads(b"".join(pieces))["traceEvents"]
    return found


def of(found: list[Event], category: str) -> list[Event]:
    """The slices of requests."""
    return [
        each
        for each in found
        if each.get("cat") == category and each["name" if "name" in each else "ph"][:8] == "request "
    ]


def ns(us: float) -> int:
    return round(us * 1000)


def spans(found: list[Event]) -> dict[tuple[Any, ...], list[tuple[int, int, int]]]:
    """Begin, end and depth of the slices of each track, as the order of the events says."""
    tracks: dict[tuple[Any, ...], list[tuple[int, int, int]]] = defaultdict(list)
    opened: dict[tuple[Any, ...], list[int]] = defaultdict(list)
    for each in found:
        if each["ph"] == "X":
            begin = ns(each["ts"])
            tracks[each["pid"], each["tid"]].append((begin, begin + ns(each["dur"]), 0))
        elif each["ph"] in {"b", "e"}:
            track = (each["pid"], each["cat"], each["id2"]["local"])
            if each["ph"] == "b":
                opened[track].append(ns(each["ts"]))
            else:
                depth = len(opened[track]) - 1
                tracks[track].append((opened[track].pop(), ns(each["ts"]), depth))
    assert not any(opened.values())
    return tracks


def check_nothing_overlaps(found: list[Event]) -> None:
    for slices in spans(found).values():
        for depth in {depth for _, _, depth in slices}:
            own = sorted(each for each in slices if each[2] == depth)
            assert all(begin <= end for begin, end, _ in own)
            assert all(before[1] <= after[0] for before, after in pairwise(own))


@pytest.mark.parametrize("name", names(RUNS))
def test_each_request_of_a_recorded_run_is_there_once_on_each_side(name: str, tmp_path: Path) -> None:
    record = recorded(name, tmp_path)
    inside = isinstance(record, Timeline)

    found = events(trace_of(record) if inside else outside_trace_of(record))

    assert sorted(each["args"]["id"] for each in of(found, "client")) == sorted(each.id for each in record.requests)
    entries = record.entries if inside else ()
    drawn = [(each["args"]["id"], each["pid"], each["tid"]) for each in of(found, "handler")]
    assert sorted(drawn) == sorted((each.id, each.pid, each.tid) for each in entries)
    check_nothing_overlaps(found)


@pytest.mark.parametrize("name", ["uvicorn-async", "gunicorn-gthread", "gunicorn-unix-socket"])
def test_instants_are_exact_and_a_flow_goes_from_sent_to_entered(name: str, tmp_path: Path) -> None:
    timeline = recorded_probe(name, tmp_path)
    requests = {each.id: each for each in timeline.requests}
    zero = timeline.marks.started_ns

    found = events(trace_of(timeline))

    out = {int(each["bind_id"], 16): zero + ns(each["ts"]) for each in found if each.get("flow_out")}
    into = {int(each["bind_id"], 16): zero + ns(each["ts"]) for each in found if each.get("flow_in")}
    assert into == {each.id: each.entered_ns for each in timeline.entries}
    assert out == {each.id: requests[each.id].sent_ns for each in timeline.entries}


def test_processes_and_threads_have_their_names(tmp_path: Path) -> None:
    timeline = recorded_probe("gunicorn-gthread", tmp_path)

    named = {
        (each["name"], each["pid"], each["tid"]): each["args"]["name"]
        for each in events(trace_of(timeline))
        if each["ph"] == "M"
    }

    threads = {(pid, tid): name for (kind, pid, tid), name in named.items() if kind == "thread_name"}
    (own,) = [thread for thread, name in threads.items() if name == "phases of the run"]
    del threads[own]
    assert threads == {(each.pid, each.tid): each.thread_name for each in timeline.entries}
    processes = {pid: name for (kind, pid, _), name in named.items() if kind == "process_name"}
    assert {pid for pid, name in processes.items() if name == "gunicorn"} == {each.pid for each in timeline.entries}
    assert sorted(name for name in processes.values() if name != "gunicorn") == [
        "holdfast: client side",
        "holdfast: places",
    ]


def test_the_counters_add_up_to_what_was_offered(tmp_path: Path) -> None:
    timeline = recorded_probe("gunicorn-gthread", tmp_path)

    last = {}
    for each in events(trace_of(timeline)):
        if each["ph"] == "C" and "now" in each["args"]:
            last[each["name"]] = each["args"]["now"]

    assert sum(last.values()) == len(timeline.requests)


handler_runs = st.lists(
    st.tuples(st.integers(1, 3), st.integers(1, 3), st.integers(1, 10_000), st.integers(-1, 3_000)), max_size=40
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
@given(runs=handler_runs)
def test_slices_of_one_track_never_overlap_whatever_threads_do(
    runs: list[tuple[int, int, int, int]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    timeline = _timeline(tmp_path_factory)
    zero = timeline.marks.started_ns
    entries = tuple(
        _entry(number, pid, tid, zero + begin, zero + begin + length if length >= 0 else NEVER)
        for number, (pid, tid, begin, length) in enumerate(runs)
    )

    found = events(trace_of(replace(timeline, entries=entries)))

    assert len(of(found, "handler")) == len(entries)
    check_nothing_overlaps(found)


_KEPT: list[Timeline] = []


def _timeline(directories: pytest.TempPathFactory) -> Timeline:
    if not _KEPT:
        _KEPT.append(recorded_probe("killed-worker", directories.mktemp("recorded")))
    return _KEPT[0]


def _entry(id: int, pid: int, tid: int, entered_ns: int, left_ns: int) -> Entry:
    return Entry(
        id,
        pid,
        tid,
        "worker",
        1,
        1,
        1,
        loop=False,
        entry_tid=tid,
        entry_thread_seq=1,
        entry_loop=False,
        entered_ns=entered_ns,
        left_ns=left_ns,
        entries=1,
    )


def rows(ids: list[int], due: list[int], done: list[int], **changed: Any) -> Rows:
    many = len(ids)
    columns: dict[str, Any] = {
        "id": ids, "due_ns": due, "begun_ns": due, "connected_ns": due, "done_ns": done, "outcome": ["answered"] * many,
        "status": [200] * many, "label": ["/"] * many, "group": ["group"] * many, "number": ids, "opened_ns": due,
        "sent_ns": due, "first_byte_ns": done, "received_bytes": [1] * many, "source": [""] * many,
        "local_port": [1] * many,
    }  # fmt: skip
    return Rows(**(columns | changed))


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(1, 1000), st.integers(0, 300)), min_size=1, max_size=60))
def test_each_row_of_a_load_is_there_once(drawn: list[tuple[int, int]]) -> None:
    begun = [each for each, _ in drawn]
    chunk = rows([*range(len(drawn))], begun, [begin + length for begin, length in drawn])

    found = events(load_trace_of([chunk], "http://127.0.0.1/"))

    assert sorted(each["args"]["id"] for each in of(found, "client")) == list(range(len(drawn)))
    check_nothing_overlaps(found)


def test_a_request_of_a_load_without_an_end_lasts_to_the_last_instant() -> None:
    chunk = rows([0, 1], [5, 7], [0, 99], outcome=["unanswered", "answered"])

    (slices,) = [found for track, found in spans(events(load_trace_of([chunk], ""))).items() if track[2] == "0.0"]

    assert {(begin, end) for begin, end, _ in slices} == {(0, 94)}


def test_labels_from_outside_cannot_control_a_terminal() -> None:
    chunk = rows([0], [5], [7], label=["\x1b[2J</script>"])

    text = b"".join(load_trace_of([chunk], "\x1b[2J"))

    assert b"\x1b" not in text
    assert "\\x1b[2J</script>" in {each.get("name") for each in json.loads(text)["traceEvents"]}


def test_a_load_without_a_row_is_an_empty_trace() -> None:
    assert [each["ph"] for each in events(load_trace_of([], ""))] == ["M", "M"]
