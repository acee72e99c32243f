"""Servers that run already: started by the test and not by holdfast."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from support.commandline import end_group
from support.waiting import until

HERE = Path(__file__).parent
SCRIPTS = Path(sys.executable).parent


@contextlib.contextmanager
def serving(command: list[str], answers: Callable[[], bool], log: Path) -> Iterator[int]:
    """A server in a process group of its own, from its first answer on; gives its pid."""
    environment = {**os.environ, "PATH": f"{SCRIPTS}{os.pathsep}{os.environ['PATH']}", "PYTHONPATH": str(HERE)}
    with log.open("wb") as out:
        server = subprocess.Popen(
            command, cwd=HERE, env=environment, stdout=out, stderr=out, stdin=subprocess.DEVNULL, start_new_session=True
        )
        try:
            until(lambda: answers() or server.poll() is not None, "its first answer")
            assert server.poll() is None, log.read_text()
            yield server.pid
        finally:
            end_group(server.pid)
            server.wait()
