"""Without the GIL the recorder counts each request once, and reads no frame of another thread."""

from __future__ import annotations

import os
import subprocess
from collections import Counter

from support.free_threaded import free_threaded

from holdfast.observe.record_reader import INSIDE_DIRECTORY, RecorderSettings, Recording

THREADS, EACH = 8, 400

# All threads are at the first request of the process and of their thread at once.
RUNS_AT_ONCE = f"""
import sys, threading
from holdfast_inside import layout, recorder

together = threading.Barrier({THREADS})

def run(first):
    together.wait()
    for id in range(first, first + {EACH}):
        entry = recorder.note_entry_thread()
        recorder.note_handed(id, by_server=True)
        recorder.enter(id, "here " + str(id), "sync", "view", entry)
        recorder.leave(id)

sys.setswitchinterval(1e-6)
threads = [threading.Thread(target=run, args=(number * {EACH},)) for number in range({THREADS})]
for each in threads:
    each.start()
for each in threads:
    each.join()
"""
LOOKS = """
import threading
from holdfast_inside import gil

print(gil.frames_can_be_read())
over = threading.Event()
other = threading.Thread(target=over.wait)
other.start()
print(gil.frames_can_be_read())
over.set()
other.join()
"""


def run_inside(script: str, variables: dict[str, str], *options: str) -> str:
    command = [free_threaded(), *options, "-c", script]
    env = {**os.environ, "PYTHONPATH": INSIDE_DIRECTORY, **variables}
    return subprocess.run(command, env=env, check=True, capture_output=True, text=True).stdout


def test_each_request_is_counted_once_by_its_process_and_its_thread(tmp_path):
    with Recording.create(tmp_path / "record", THREADS * EACH) as recording:
        settings = RecorderSettings(record=recording.path, token="token", trouble=tmp_path / "trouble")
        run_inside(RUNS_AT_ONCE, settings.environment())
        entries = recording.entries(0, THREADS * EACH)
        gil = recording.workers.gil()
        held_in = [recording.held_in(each.id).held_in for each in entries]

    every = list(range(1, THREADS * EACH + 1))
    assert sorted(each.process_seq for each in entries) == every
    assert sorted(each.globals_seq for each in entries) == every
    assert Counter(each.thread_seq for each in entries) == dict.fromkeys(range(1, EACH + 1), THREADS)
    assert Counter(each.tid for each in entries) == {each.tid: EACH for each in entries}
    assert len({each.pid for each in entries}) == 1
    assert held_in == [f"here {each.id}" for each in entries]
    assert all(each.entry_tid == each.tid and each.entered_ns <= each.left_ns for each in entries)
    assert gil == "off"


def test_frames_are_read_where_no_other_thread_can_run():
    assert run_inside(LOOKS, {}) == "True\nFalse\n"
    assert run_inside(LOOKS, {}, "-X", "gil=1") == "True\nTrue\n"
