"""The shared file from both sides: what the recorder writes is what the reader sees."""

from __future__ import annotations

import asyncio
import contextlib
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.errors import EnvironmentFailure
from holdfast.inside.holdfast_inside import layout, recorder, request, shared_memory
from holdfast.observe.record_reader import INSIDE_DIRECTORY, Recording

SLOTS = 200
LONGEST_WAIT_S = 20
ENTRY = (1, 1, False)


@pytest.fixture
def recording(tmp_path, monkeypatch):
    with Recording.create(tmp_path / "record", SLOTS, look_ns=1_000_000) as created:
        monkeypatch.setenv(layout.RECORD_VARIABLE, str(created.path))
        monkeypatch.setattr(recorder, "_record", None)
        yield created


def enter(id, held_in="a view", kind="sync", via="view"):
    recorder.enter(id, held_in, kind, via, ENTRY)


def test_nothing_is_entered_in_a_new_record(recording):
    assert recording.entered(0, SLOTS) == 0
    assert recording.in_service(0, SLOTS) == 0
    assert recording.entries(0, SLOTS) == ()
    assert recording.newly_entered(0, SLOTS) == []
    assert recording.held_in(0) is None
    assert recording.entered_ns(0) == 0


def test_an_entry_names_the_process_and_thread_that_ran_the_handler(recording):
    recorder.enter(7, "flask view index()", "async", "entry", (11, 12, True))
    recorder.leave(7)
    (entry,) = recording.entries(0, SLOTS)

    assert (entry.id, entry.pid, entry.tid) == (7, os.getpid(), threading.get_native_id())
    assert entry.thread_name == threading.current_thread().name
    assert (entry.entry_tid, entry.entry_thread_seq, entry.entry_loop) == (11, 12, True)
    assert entry.loop is False
    assert 0 < entry.entered_ns == recording.entered_ns(7) <= entry.left_ns
    assert recording.held_in(7) == ("flask view index()", "async", "entry")


def test_it_is_written_once_when_the_application_was_called_with_a_request(recording):
    recorder.note_handed(3, by_server=True)
    (first,) = recording.handed(0, SLOTS)
    recorder.note_handed(3, by_server=False)

    assert recording.handed(0, SLOTS) == (first,)
    assert (first.id, first.by_server) == (3, True)
    assert first.handed_ns > 0
    # Only a handler enters.
    assert recording.entered(0, SLOTS) == 0


def test_what_was_handed_over_before_a_ramp_began_anew_is_of_the_requests_of_that_time(recording):
    recorder.note_handed(0, by_server=True)

    recording.begin_anew(range(10), range(10, 14))
    recorder.note_handed(recording.number(1), by_server=True)

    assert [each.id for each in recording.handed(0, SLOTS)] == [1, 10]


def test_a_request_that_ends_late_does_not_take_the_claim_of_the_next_one_with_its_id(recording, monkeypatch):
    """A client has its answer, and sends again, before a bridge has returned."""
    monkeypatch.setenv(layout.TOKEN_VARIABLE, "token")
    scope = {"type": "http", "path": "/", "headers": [(request.SCOPE_HEADER, b"token/3")]}
    environ = {"PATH_INFO": "/", request.ENVIRON_HEADER: "token/3"}
    first, second = (request.asgi_claim(dict(scope)) for _ in range(2))
    late = contextlib.ExitStack()
    late.enter_context(request.handed_over(first))
    assert request.wsgi_claim(dict(environ)) is first

    with request.handed_over(second):
        late.close()

        assert request.wsgi_claim(dict(environ)) is second


def test_a_running_loop_is_noticed(recording):
    async def handler():
        enter(0)
        await recorder.hold_async(0)

    recording.release(0)
    asyncio.run(handler())

    assert recording.entries(0, 1)[0].loop


def test_a_handler_with_a_service_time_ends_after_it_and_a_released_one_before(recording):
    async def handler():
        began_ns = time.monotonic_ns()
        await recorder.hold_async(1)
        return time.monotonic_ns() - began_ns

    recording.set_service_time(30_000_000)
    began_ns = time.monotonic_ns()
    recorder.hold_sync(0)
    assert time.monotonic_ns() - began_ns >= 30_000_000
    assert asyncio.run(handler()) >= 30_000_000

    recording.set_service_time(LONGEST_WAIT_S * 10**9)
    recording.release(2)
    began_ns = time.monotonic_ns()
    recorder.hold_sync(2)
    assert time.monotonic_ns() - began_ns < LONGEST_WAIT_S * 10**9


@settings(deadline=None)  # a busy machine is not a failure
@given(st.lists(st.tuples(st.integers(0, SLOTS - 1), st.booleans()), max_size=60), st.data())
def test_the_counts_are_those_of_the_ids_whatever_the_order(tmp_path_factory, monkeypatch_module, steps, data):
    first, last = sorted((data.draw(st.integers(0, SLOTS)), data.draw(st.integers(0, SLOTS))))
    directory = tmp_path_factory.mktemp("record")
    with Recording.create(directory / "record", SLOTS) as recording:
        monkeypatch_module.setenv(layout.RECORD_VARIABLE, str(recording.path))
        monkeypatch_module.setattr(recorder, "_record", None)
        entered, inside, told = set(), set(), []
        for id, leaves in steps:
            enter(id)
            entered.add(id)
            inside.add(id)
            if leaves:
                recorder.leave(id)
                inside.discard(id)
            told += recording.newly_entered(first, last)
        wanted = set(range(first, last))

        assert recording.entered(first, last) == len(entered & wanted)
        assert recording.in_service(first, last) == len(inside & wanted)
        assert sorted(told) == sorted(entered & wanted)
        assert [entry.id for entry in recording.entries(first, last)] == sorted(entered & wanted)
        assert all((entry.left_ns == 0) == (entry.id in inside) for entry in recording.entries(first, last))


@pytest.fixture(scope="module")
def monkeypatch_module():
    with pytest.MonkeyPatch.context() as patch:
        yield patch


def test_long_and_foreign_names_are_cut_between_characters(recording):
    def named():
        enter(0, "flask view " + "\u00e4" * 200 + "()")
        enter(1, "\ud800 lone surrogate")

    thread = threading.Thread(target=named, name="x" + "\u20ac" * 60)
    thread.start()
    thread.join()

    held_in = recording.held_in(0)
    assert held_in is not None
    assert ("flask view " + "\u00e4" * 200).startswith(held_in.held_in)
    assert len(held_in.held_in.encode()) >= layout.HELD_IN_BYTES - 1
    assert ("x" + "\u20ac" * 60).startswith(recording.entries(0, 1)[0].thread_name)
    assert recording.held_in(1) == ("? lone surrogate", "sync", "view")


def test_each_thread_counts_for_itself_and_a_forked_child_starts_again(recording):
    def twice(first):
        enter(first)
        enter(first + 1)

    threads = [threading.Thread(target=twice, args=(first,)) for first in (0, 2)]
    for thread in threads:
        thread.start()
        thread.join()
    twice(4)
    before = recording.entries(4, 6)
    child = os.fork()
    if not child:
        twice(6)
        os._exit(0)
    os.waitpid(child, 0)
    entries = recording.entries(0, 8)

    assert [entry.thread_seq for entry in entries[:4]] == [1, 2, 1, 2]
    assert before[1].thread_seq == before[0].thread_seq + 1
    assert [entry.process_seq - entries[0].process_seq for entry in entries[:6]] == list(range(6))
    assert [entry.pid for entry in entries[6:]] == [child, child]
    assert [(entry.process_seq, entry.thread_seq) for entry in entries[6:]] == [(1, 1), (2, 2)]
    assert entries[6].globals_seq == entries[5].globals_seq + 1


def test_process_counts_are_not_lost_between_threads(recording):
    start = threading.Barrier(8)

    def run(first):
        start.wait()
        for id in range(first, first + 25):
            enter(id)

    threads = [threading.Thread(target=run, args=(first,)) for first in range(0, 200, 25)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    sequence = sorted(entry.process_seq for entry in recording.entries(0, 200))

    assert sequence == list(range(sequence[0], sequence[0] + 200))


def test_release_lets_go_of_one_and_of_all(recording):
    done = [threading.Event() for _ in range(3)]

    def held(id):
        enter(id)
        recorder.hold_sync(id)
        recorder.leave(id)
        done[id].set()

    threads = [threading.Thread(target=held, args=(id,)) for id in range(3)]
    for thread in threads:
        thread.start()
    recording.release(1)
    assert done[1].wait(10)
    assert not done[0].is_set()
    assert not done[2].is_set()
    for id in (0, 2):
        recording.release(id)
    for thread in threads:
        thread.join(10)

    assert recording.entered(0, 3) == 3
    assert recording.in_service(0, 3) == 0


HOLDER = """
import os, sys
sys.path.insert(0, sys.argv[1])
from holdfast_inside import recorder
recorder.record()
if sys.argv[3:]:
    os.chroot(sys.argv[3])
print("holds", flush=True)
recorder.hold_sync(int(sys.argv[2]))
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may change the root directory")
def test_a_process_that_changed_its_root_directory_lets_nothing_go(tmp_path):
    with Recording.create(tmp_path / "record", SLOTS) as recording:
        variables = os.environ | {layout.RECORD_VARIABLE: str(recording.path)}
        (tmp_path / "root").mkdir()

        def holder(*arguments):
            command = [sys.executable, "-c", HOLDER, INSIDE_DIRECTORY, *arguments]
            return subprocess.Popen(command, env=variables, stdout=subprocess.PIPE, text=True)

        with holder("0", str(tmp_path / "root")) as moved, holder("1") as stayed:
            try:
                assert moved.stdout.readline() == stayed.stdout.readline() == "holds\n"
                (tmp_path / "record").unlink()
                # Both look after the same time; only one of them looks where the record was.
                stayed.wait(LONGEST_WAIT_S)

                assert moved.poll() is None
            finally:
                recording.release(0)
                moved.wait(LONGEST_WAIT_S)


def test_sleep_is_looked_up_when_it_is_called(recording, monkeypatch):
    intervals = []

    def patched(seconds):
        intervals.append(seconds)
        recording.release(0)

    recording.set_look_interval(5_000_000)
    monkeypatch.setattr("time.sleep", patched)
    recorder.hold_sync(0)

    assert intervals == [0.005]


def test_the_mapped_record_costs_the_server_no_descriptor(recording):
    before = sorted(os.listdir("/proc/self/fd"))
    data = shared_memory.open_shared(str(recording.path))
    after = sorted(os.listdir("/proc/self/fd"))

    assert after == before
    assert bytes(data[:8]) == layout.MAGIC
    assert len(data) == layout.file_bytes(SLOTS)


def test_a_file_that_is_no_record_is_refused(tmp_path):
    (tmp_path / "other").write_bytes(bytes(5000))

    with pytest.raises(ValueError, match="not a record"):
        recorder.Record(str(tmp_path / "other"))
    with pytest.raises(FileNotFoundError):
        recorder.Record(str(tmp_path / "none"))


def test_a_record_that_cannot_be_created_names_the_place_and_leaves_nothing(tmp_path):
    with pytest.raises(EnvironmentFailure) as caught:
        Recording.create(tmp_path / "missing" / "record", 10)
    assert str(tmp_path / "missing") in str(caught.value)

    (tmp_path / "there").write_text("mine")
    with pytest.raises(EnvironmentFailure):
        Recording.create(tmp_path / "there", 10)
    assert (tmp_path / "there").read_text() == "mine"


@pytest.mark.skipif(not Path("/dev/shm").is_dir(), reason="no memory file system here")
def test_a_record_larger_than_the_file_system_is_refused_before_anything_is_mapped():
    path = Path(f"/dev/shm/holdfast-test-{os.getpid()}")

    with pytest.raises(EnvironmentFailure) as caught:
        Recording.create(path, 2**40)

    assert "MB on that file system" in caught.value.remedy
    assert not path.exists()


@settings(deadline=None)  # a busy machine is not a failure
@given(st.text(max_size=30) | st.from_regex(r"token/[0-9]{1,12}", fullmatch=True))
def test_a_foreign_header_claims_nothing_that_is_not_there(value):
    id = request.parse(value, "token", SLOTS)

    assert id is None or (value == f"token/{value[6:]}" and int(value[6:]) == id < SLOTS)
    assert request.parse(value, "", SLOTS) is None


@settings(deadline=None)  # a busy machine is not a failure
@given(st.integers(0, SLOTS - 1))
def test_every_slot_can_be_claimed(id):
    assert request.parse(f"token/{id}", "token", SLOTS) == id


def test_a_ramp_that_begins_anew_leaves_its_first_requests_their_handlers_under_other_ids(recording):
    ramp, aside = range(100), range(100, 110)
    enter(0)
    enter(3)
    recorder.leave(3)
    enter(150)
    recorder.note_handed(3, by_server=True)
    before = recording.entries(0, SLOTS)
    assert recording.newly_entered(0, 10) == [0, 3]

    recording.begin_anew(ramp, aside)

    assert [each.id for each in recording.entries(0, SLOTS)] == [100, 103, 150]
    assert [each.entered_ns for each in recording.entries(0, SLOTS)] == [each.entered_ns for each in before]
    assert recording.entered(*bounds(ramp)) == 0
    assert (recording.entered(*bounds(aside)), recording.in_service(*bounds(aside))) == (2, 1)
    assert recording.is_left(103)
    assert [each.id for each in recording.handed(0, SLOTS)] == [103]
    # The new ramp's first request has a number of its own.
    recording.release(0)
    enter(recording.number(0))
    assert recording.newly_entered(*bounds(ramp)) == [0]
    assert recording.is_entered(0)
    assert recording.held_in(0) == ("a view", "sync", "view")


def test_every_id_keeps_a_number_of_its_own_when_a_ramp_begins_anew(recording):
    recording.begin_anew(range(90), range(90, 120))

    assert sorted(map(recording.number, range(SLOTS))) == list(range(SLOTS))


def bounds(ids: range) -> tuple[int, int]:
    return ids.start, ids.stop
