"""What threads had of the cores, read from files that stay open."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest
from support.waiting import until

from holdfast.observe.core_uses import CoreUses, read_core_use
from holdfast.procfs import parse
from holdfast.procfs.parse import ProtocolError

# Starts threads as it is told, and ends the last one for "-".
THREADS = """
import sys, threading
running = []
for line in sys.stdin:
    if line == "-\\n":
        thread, ends = running.pop()
        ends.set()
        thread.join()
    else:
        for _ in range(int(line)):
            ends = threading.Event()
            thread = threading.Thread(target=ends.wait)
            thread.start()
            running.append((thread, ends))
    print(flush=True)
for thread, ends in running:
    ends.set()
"""


class Threads:
    """A process with as many threads as it is told, which do nothing."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.pid = process.pid

    def tell(self, line: str) -> None:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(f"{line}\n")
        self.process.stdin.flush()
        self.process.stdout.readline()

    def tids(self) -> set[int]:
        return set(map(int, os.listdir(f"/proc/{self.pid}/task")))


@pytest.fixture
def threads():
    with subprocess.Popen(
        [sys.executable, "-c", THREADS], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        yield Threads(process)
        process.communicate()


def descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))


def test_files_that_stay_open_show_what_a_first_look_shows(threads):
    threads.tell("3")
    with CoreUses() as uses:
        uses.read([threads.pid])
        until(lambda: all(each.asleep for each in (read_core_use([threads.pid]) or {}).values()), "sleep")

        assert uses.read([threads.pid]) == read_core_use([threads.pid])
        assert uses.read([threads.pid], {threads.pid}).keys() == threads.tids() - {threads.pid}


def test_threads_come_and_go(threads):
    before = descriptors()
    with CoreUses() as uses:
        for line, count in (("2", 3), ("-", 2), ("3", 5), ("-", 4), ("-", 3)):
            threads.tell(line)
            # A thread that has been joined may still be listed.
            until(lambda count=count: len(threads.tids()) == count, f"{count} threads")
            assert uses.read([threads.pid]).keys() == threads.tids()
        assert descriptors() == before + 2 * len(threads.tids())
    assert descriptors() == before


def test_many_threads_do_not_take_the_descriptors_of_the_load(threads):
    threads.tell("60")
    before, (soft, hard) = descriptors(), resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (160, hard))
    try:
        with CoreUses() as uses:
            assert uses.read([threads.pid]).keys() == threads.tids()
            assert len(threads.tids()) == 61
            assert 0 < descriptors() - before <= 160 // 4
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_a_process_that_has_ended_has_no_threads(threads):
    with CoreUses() as uses:
        until(lambda: uses.read([threads.pid]), "a process that has had a core")
        threads.process.communicate()
        assert uses.read([threads.pid]) == {}


def test_a_state_is_that_of_the_whole_stat():
    text = b"7 (a) R (b) S 1 2 3 4 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 99 0 0"
    assert parse.thread_state(text) == parse.process_stat(text).state == "S"
    assert parse.thread_state(Path("/proc/thread-self/stat").read_bytes()) == "R"
    for wrong in (b"", b"7 (a", b"7 (a) "):
        with pytest.raises(ProtocolError):
            parse.thread_state(wrong)
