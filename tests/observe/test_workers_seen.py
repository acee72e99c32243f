"""Who holds requests, read from a record as the server's processes write it."""

from __future__ import annotations

import mmap
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from holdfast.inside.holdfast_inside import layout
from holdfast.observe.record_reader import Recording
from holdfast.observe.workers_seen import MOST_FOLLOWED, WorkersSeen

PID, OTHER = 1234, 1235


class Server:
    """Writes into the record as `holdfast_inside.recorder` does: first the slot, then its state byte."""

    def __init__(self, data: bytearray | mmap.mmap, slots: int) -> None:
        self._data = data
        self._state = layout.state_offset(slots)
        self._slot = layout.slot_offset(slots)

    def enter(self, number: int, pid: int, tid: int) -> None:
        at = self._slot + number * layout.SLOT_BYTES
        layout.SLOT.pack_into(self._data, at, pid, 1, tid, *[0] * 12, b"", b"")
        self._data[self._state + number] = layout.ENTERED

    def runs(self, number: int, gil: str, entered_ns: int) -> None:
        at = self._slot + number * layout.SLOT_BYTES
        layout.WORD.pack_into(self._data, at + layout.ENTERED_NS_OFFSET, entered_ns)
        self._data[at + layout.GIL_OFFSET] = layout.GILS.index(gil)

    def leave(self, number: int) -> None:
        self._data[self._state + number] = layout.LEFT


def record_of(slots: int) -> tuple[Server, WorkersSeen]:
    data = mmap.mmap(-1, layout.file_bytes(slots))
    return Server(data, slots), WorkersSeen(data, slots)


def holds(workers: WorkersSeen) -> dict[int, tuple[int, ...]]:
    return {each.pid: each.holds for each in workers.look()}


@pytest.fixture
def recording(tmp_path: Path) -> Iterator[tuple[Recording, Server]]:
    with Recording.create(tmp_path / "record", 8) as created, (tmp_path / "record").open("r+b") as file:
        yield created, Server(mmap.mmap(file.fileno(), 0), 8)


def test_of_each_process_the_handler_that_began_last_tells_of_the_gil():
    server, workers = record_of(4)

    assert workers.gil() is None
    server.enter(0, pid=1, tid=1)
    server.runs(0, "on", entered_ns=5)
    assert workers.gil() == "on"
    server.enter(1, pid=1, tid=2)
    server.runs(1, "off", entered_ns=7)
    assert workers.gil() == "off"
    server.enter(2, pid=2, tid=3)
    server.runs(2, "asked for", entered_ns=6)
    assert workers.gil() == "asked for"


def test_threads_are_counted_where_they_hold_and_stay_when_they_hold_nothing(recording):
    reader, server = recording
    assert reader.workers.look() == ()

    server.enter(0, PID, 1)
    server.enter(1, PID, 2)
    server.enter(5, OTHER, 3)
    assert holds(reader.workers) == {PID: (1, 1), OTHER: (1,)}

    server.leave(0)
    assert holds(reader.workers) == {PID: (0, 1), OTHER: (1,)}


def test_a_request_that_came_and_went_between_two_looks_leaves_its_thread():
    server, workers = record_of(8)
    server.enter(3, PID, 1)
    server.leave(3)

    assert holds(workers) == {PID: (0,)}


def test_a_thread_that_holds_many_requests_is_one_thread():
    server, workers = record_of(300)
    for number in range(300):
        server.enter(number, PID, 1)

    assert holds(workers) == {PID: (300,)}


def test_of_very_many_changes_the_rest_is_followed_in_the_next_looks():
    slots = 2 * MOST_FOLLOWED + 1
    server, workers = record_of(slots)
    for number in range(slots):
        server.enter(number, PID, 1)

    assert [holds(workers)[PID] for _ in range(3)] == [(MOST_FOLLOWED,), (2 * MOST_FOLLOWED,), (slots,)]


changes = st.lists(st.tuples(st.integers(0, 19), st.booleans(), st.integers(1, 3)), max_size=60)


@settings(deadline=None)
@example([(0, True, 1), (1, True, 1), (1, False, 1), (1, True, 2)], {2})
@given(changes, st.sets(st.integers(0, 60)))
def test_the_counts_are_those_of_the_record_whenever_it_is_looked_at(steps, looked_at):
    server, workers = record_of(20)
    held: dict[int, int] = {}
    # What is entered again before that was seen counts for the thread that held it first (WorkersSeen's invariant).
    left_unseen: set[int] = set()
    for at, (number, enters, tid) in enumerate(steps):
        if at in looked_at:
            workers.look()
            left_unseen.clear()
        if enters and number not in held and number not in left_unseen:
            server.enter(number, PID, tid)
            held[number] = tid
        elif not enters and number in held:
            server.leave(number)
            del held[number]
            left_unseen.add(number)

    found = holds(workers).get(PID, ())

    assert sorted(each for each in found if each) == sorted(Counter(held.values()).values())
