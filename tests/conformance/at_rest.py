"""Starts a server without holdfast and looks at it before any request: what it has open, how many tasks it is."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from functools import cache
from pathlib import Path
from typing import NamedTuple

from expectation import Resting

LONGEST_START_S = 20.0
LOOK_S = 0.01
UNCHANGED_LOOKS = 20
# Numbers of system calls (asm/unistd.h): those that wait for a connection, and the one that waits for another thread.
# x86-64: poll, select, accept, epoll_wait, pselect6 (glibc's select() since 2.33), ppoll, epoll_pwait, accept4;
# arm64: pselect6, ppoll, accept, epoll_pwait, accept4.
WAITS = {"x86_64": {7, 23, 43, 232, 270, 271, 281, 288}, "aarch64": {72, 73, 202, 22, 242}}[os.uname().machine]
SLEEPS = {"x86_64": {202}, "aarch64": {98}}[os.uname().machine]


class Look(NamedTuple):
    """What of a server stays the same when it is at rest: its leader's files, what each thread is in, CPU time."""

    descriptors: tuple[str, ...]
    calls: tuple[int | None, ...]
    ticks: int


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
    before, same = None, 0
    for _ in range(int(LONGEST_START_S / LOOK_S)):
        with contextlib.suppress(subprocess.TimeoutExpired):
            raise AssertionError(f"{server.args!r} exited with {server.wait(LOOK_S)}")
        try:
            look = _look(server.pid)
        except (FileNotFoundError, ProcessLookupError):
            # A file, a thread or a process went while it was read: the server is still starting.
            before, same = None, 0
            continue
        calls = set(look.calls)
        waits = _listening() & set(look.descriptors) and WAITS & calls and calls <= WAITS | SLEEPS
        same = same + 1 if waits and look == before else 0
        if same == UNCHANGED_LOOKS:
            return Resting(len(look.descriptors), len(look.calls))
        before = look
    raise AssertionError(f"{server.args!r} did not come to rest")


def _look(leader: int) -> Look:
    tasks = [task for pid in _session(leader) for task in Path("/proc", str(pid), "task").iterdir()]
    descriptors = tuple(os.readlink(each) for each in Path(f"/proc/{leader}/fd").iterdir())
    return Look(descriptors, tuple(map(_call, tasks)), sum(map(_ticks, tasks)))


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


def _ticks(task: Path) -> int:
    """CPU time of a thread, user and system (proc(5), `stat`; its name, in brackets, may hold spaces)."""
    fields = (task / "stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])
