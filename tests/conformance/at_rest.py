"""Starts a server without holdfast and looks at it before any request: what it has open, how many tasks it is."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from functools import cache
from pathlib import Path

from expectation import Resting

LONGEST_START_S = 20.0
LOOK_S = 0.01
# Numbers of the calls in which a thread of a server waits (asm/unistd.h): poll, select, accept, futex,
# epoll_wait, epoll_pwait, accept4 on x86-64; ppoll, accept, futex, epoll_pwait, accept4 on arm64.
WAITS = {"x86_64": {7, 23, 43, 202, 232, 271, 281, 288}, "aarch64": {73, 202, 98, 22, 242}}[os.uname().machine]


@cache
def resting(command: tuple[str, ...]) -> Resting:
    """The leader of `command` once it and all its children wait for something and a socket listens."""
    server = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        return _once_waiting(server)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(server.pid, signal.SIGKILL)
        server.wait()


def _once_waiting(server: subprocess.Popen[bytes]) -> Resting:
    for _ in range(int(LONGEST_START_S / LOOK_S)):
        with contextlib.suppress(subprocess.TimeoutExpired):
            raise AssertionError(f"{server.args!r} exited with {server.wait(LOOK_S)}")
        pids = _session(server.pid)
        tasks = [task for pid in pids for task in Path("/proc", str(pid), "task").iterdir()]
        descriptors = [os.readlink(each) for each in Path(f"/proc/{server.pid}/fd").iterdir()]
        if _listening() & set(descriptors) and all(_call(task) in WAITS for task in tasks):
            return Resting(len(descriptors), len(tasks))
    raise AssertionError(f"{server.args!r} did not come to rest")


def _listening() -> set[str]:
    """Sockets in state LISTEN (0A in `/proc/net/tcp`), as the links in `/proc/PID/fd` name them (proc(5))."""
    rows = (row.split() for row in Path("/proc/net/tcp").read_text().splitlines()[1:])
    return {f"socket:[{row[9]}]" for row in rows if row[3] == "0A"}


def _session(leader: int) -> list[int]:
    pids = [int(name) for name in os.listdir("/proc") if name.isdecimal()]
    found = []
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            if os.getsid(pid) == leader:
                found.append(pid)
    return found


def _call(task: Path) -> int | None:
    """Number of the system call that a thread is in; None where it runs (proc(5), `syscall`)."""
    first = (task / "syscall").read_text().split()[0]
    return None if first == "running" else int(first)
