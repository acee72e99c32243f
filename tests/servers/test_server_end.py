"""What a server has put down elsewhere is cleared away when it is ended."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from support.waiting import until

from holdfast.procfs.read import is_alive
from holdfast.servers.process import Command, ServerProcess

PATIENCE_S = 20.0

# As servers do that start their workers by multiprocessing's "spawn": the semaphore keeps its name, by which the
# worker opens it, and only the resource tracker takes it away (multiprocessing/synchronize.py, SemLock.__init__).
SERVER = """
import multiprocessing, signal, sys, time
lock = multiprocessing.get_context("spawn").Lock()
print(lock._semlock.name, flush=True)
time.sleep(60)
"""


def test_named_semaphores_go_with_their_server(tmp_path: Path) -> None:
    log = tmp_path / "log"
    command = Command(
        argv=(sys.executable, "-c", SERVER),
        environment=dict(os.environ) | {"HOLDFAST_TOKEN": "semaphores"},
        cwd=tmp_path,
        log=log,
        token="semaphores",
    )
    with ServerProcess(command):
        until(lambda: log.read_text().endswith("\n"), "the semaphore's name")
        semaphore = Path("/dev/shm", f"sem.{log.read_text().strip().removeprefix('/')}")
        assert semaphore.exists()

    assert not semaphore.exists()


# A master that, once told to end, ends its worker and then looks now and then whether that has happened, as gunicorn's
# arbiter does (arbiter.py, stop).
MASTER = """
import os, signal, sys, time
def end(*_):
    os.kill(worker, signal.SIGKILL)
    while True:
        time.sleep(0.1)
worker = os.fork()
if worker == 0:
    signal.pause()
signal.signal(signal.SIGTERM, end)
print(worker, flush=True)
signal.pause()
"""


@pytest.mark.parametrize("ends_with_workers", [True, False])
def test_a_master_that_only_waits_after_its_workers_is_not_waited_for(tmp_path, ends_with_workers):
    log = tmp_path / "log"
    command = Command(
        argv=(sys.executable, "-c", MASTER),
        environment=dict(os.environ) | {"HOLDFAST_TOKEN": "master"},
        cwd=tmp_path,
        log=log,
        token="master",
        grace_s=2.0,
        ends_with_workers=ends_with_workers,
    )
    with ServerProcess(command) as server:
        until(lambda: log.read_text().endswith("\n"), "the worker's pid")
        worker = int(log.read_text())
        began = time.monotonic()

    took_s = time.monotonic() - began
    assert not is_alive(worker)
    assert not is_alive(server.pid)
    assert (took_s < command.grace_s) == ends_with_workers


def test_a_server_that_was_asked_to_end_ends_while_something_else_is_done(tmp_path: Path) -> None:
    log = tmp_path / "log"
    command = Command(
        argv=(sys.executable, "-c", "import signal; print(flush=True); signal.pause()"),
        environment=dict(os.environ) | {"HOLDFAST_TOKEN": "meanwhile"},
        cwd=tmp_path,
        log=log,
        token="meanwhile",
    )
    with ServerProcess(command) as server:
        until(lambda: log.read_text().endswith("\n"), "its line")
        server.begin_to_end()
        until(lambda: server.exit_status() is not None, "its end")
        assert server.exit_status() == -signal.SIGTERM


KILLED = """
import os, signal, sys
from pathlib import Path

from holdfast.servers.process import Command, ServerProcess, guardian_of

scratch, after = Path(sys.argv[1]), sys.argv[2]

def killed_after(what):
    if what == after:
        os.kill(os.getpid(), signal.SIGKILL)

guardian = guardian_of("killed", scratch)
scratch.mkdir()
killed_after("mkdir")
command = Command(
    argv=("sleep", "60"),
    environment=dict(os.environ) | {"HOLDFAST_TOKEN": "killed"},
    cwd=scratch,
    log=scratch / "log",
    token="killed",
)
with ServerProcess(command, guardian):
    pass
killed_after("end")
"""


@pytest.mark.parametrize("after", ["mkdir", "end"])
def test_a_run_that_is_killed_before_or_after_its_server_leaves_no_directory(tmp_path: Path, after: str) -> None:
    scratch = tmp_path / "scratch"

    ended = subprocess.run([sys.executable, "-c", KILLED, scratch, after], check=False)

    assert ended.returncode == -signal.SIGKILL
    until(lambda: not scratch.exists(), "the directory's removal", PATIENCE_S)
