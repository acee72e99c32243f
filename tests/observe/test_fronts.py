"""Which processes that accept are another program than the one that runs handlers; with real processes."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest

from holdfast.observe.fronts import is_front, program_of

WAITS = "import sys; sys.stdout.write('here'); sys.stdout.flush(); sys.stdin.read()"
FORKS = """
import os, sys

child = os.fork()
if not child:
    sys.stdin.read()
    os._exit(0)
print(child, flush=True)
os.wait()
"""


@pytest.fixture
def start(tmp_path):
    """Starts programs that wait until their input ends, and ends them."""
    with ExitStack() as stack:

        def started(*command):
            process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
            stack.callback(process.wait)
            stack.callback(process.stdout.close)
            stack.callback(process.stdin.close)
            return process

        def script(name, text=WAITS):
            (tmp_path / name).write_text(text)
            process = started(sys.executable, str(tmp_path / name))
            assert process.stdout.read(1)
            return process

        yield started, script


def test_another_executable_is_a_front(start):
    started, script = start
    cat = started("cat")
    cat.stdin.write(b"x")
    cat.stdin.flush()
    assert cat.stdout.read(1)

    assert is_front((cat.pid,), script("server.py").pid)


def test_an_interpreter_that_runs_something_else_is_a_front(start):
    _, script = start
    one, other = script("front.py"), script("server.py")

    assert is_front((one.pid,), other.pid)
    assert program_of(one.pid) == "front.py"


def test_a_sibling_that_runs_the_same_is_a_part_of_the_server(start):
    _, script = start
    one, other = script("server.py"), script("server.py")

    assert not is_front((one.pid,), other.pid)


def test_a_parent_of_the_handlers_process_is_a_part_of_the_server(start):
    _, script = start
    process = script("master.py", FORKS)
    child = int(Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text())

    assert not is_front((process.pid,), child)


def test_a_process_that_runs_handlers_and_accepts_is_the_server(start):
    _, script = start
    server = script("server.py")

    assert not is_front((server.pid, os.getpid()), server.pid)


def test_of_a_process_that_has_ended_nothing_is_said(start):
    _, script = start
    gone = subprocess.Popen([sys.executable, "-c", ""])
    # Not waited for yet, it is still in the table of processes.
    os.waitid(os.P_PID, gone.pid, os.WEXITED | os.WNOWAIT)

    try:
        assert not is_front((script("server.py").pid,), gone.pid)
    finally:
        gone.wait()
