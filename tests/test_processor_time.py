"""Whether a server has had the processor, seen on real processes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from holdfast.errors import InconclusiveError
from holdfast.probing import ProcessorTime


@contextmanager
def running(code: str) -> Iterator[int]:
    """A process that has come to its last line."""
    command = [sys.executable, "-c", f"print(flush=True)\n{code}"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, start_new_session=True)
    assert process.stdout is not None
    try:
        process.stdout.readline()
        yield process.pid
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        process.stdout.close()


def until_enough(processor: ProcessorTime, *moved: int) -> None:
    while not processor.enough(*moved):
        pass


def test_a_server_that_waits_has_had_enough() -> None:
    with running("import signal; signal.pause()") as pid:
        until_enough(ProcessorTime(pid, time.monotonic_ns), 1)


def test_a_server_that_always_computes_has_had_enough_once_it_has_used_some() -> None:
    with running("while True: pass") as pid:
        processor = ProcessorTime(pid, time.monotonic_ns)

        assert not processor.enough(1)
        until_enough(processor, 1)


def test_what_it_had_before_something_moved_does_not_count() -> None:
    with running("while True: pass") as pid:
        processor = ProcessorTime(pid, time.monotonic_ns)
        until_enough(processor, 1)

        assert not processor.enough(2)


def test_a_server_that_gets_no_processor_time_at_all_makes_the_probe_inconclusive() -> None:
    instants = iter([1_000_000_000, 1_000_000_000, 12_000_000_000])
    with running("while True: pass") as pid:
        # Stopped by a signal it is ready to go on and does not, as far as its counters show.
        os.kill(pid, signal.SIGSTOP)
        os.waitpid(pid, os.WUNTRACED)
        processor = ProcessorTime(pid, lambda: next(instants))

        assert not processor.enough(1)
        with pytest.raises(InconclusiveError, match="hardly any processor time"):
            processor.enough(1)
