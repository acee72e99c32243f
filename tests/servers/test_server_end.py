"""What a server has put down elsewhere is cleared away when it is ended."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from support.waiting import until

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
