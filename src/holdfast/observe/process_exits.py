"""Which processes have ended, and by which signal or with which status, as soon as the kernel knows.

A pidfd becomes readable when its process ends (pidfd_open(2), Linux 5.3), so nothing has to be read from `/proc` to
know that none has. How a process ended is told to its parent only; since Linux 6.15 the pidfd tells it too
(PIDFD_GET_INFO with PIDFD_INFO_EXIT, include/uapi/linux/pidfd.h), once the parent has waited for it. Until then it is
a zombie, whose exit code is in `/proc` (proc(5), `stat`).
"""

from __future__ import annotations

import fcntl
import os
import select
import signal
import struct
from collections.abc import Iterable
from types import TracebackType
from typing import Self

from holdfast.procfs.read import read_stat

# struct pidfd_info as it was at first: mask, cgroup, eleven ids, exit code.
_INFO = struct.Struct("=QQ11Ii")
_EXIT = 1 << 3
_GET_INFO = 3 << 30 | _INFO.size << 16 | 0xFF << 8 | 11

VIOLENT = frozenset(
    {signal.SIGKILL, signal.SIGSEGV, signal.SIGABRT, signal.SIGBUS, signal.SIGFPE, signal.SIGILL, signal.SIGSYS}
)
"""Signals that end no process in good order."""


class ProcessExits:
    """The exits of some processes; a context manager that closes its descriptors.

    If the kernel has no pidfds, or we have no descriptors left, no process is seen to end.
    Invariant: a process that has ended stays in the result until others are watched.
    """

    def __init__(self) -> None:
        self._poll = select.poll()
        self._pids: dict[int, int] = {}
        self._ended: dict[int, int] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def watch(self, pids: Iterable[int]) -> None:
        """Watches these processes instead of the earlier ones; one that has already been waited for is not seen."""
        self.close()
        for pid in pids:
            try:
                descriptor = os.pidfd_open(pid)
            except OSError:
                continue
            self._pids[descriptor] = pid
            self._poll.register(descriptor, select.POLLIN)

    def close(self) -> None:
        """Stops watching."""
        for descriptor in self._pids:
            os.close(descriptor)
        self._poll = select.poll()
        self._pids.clear()
        self._ended.clear()

    def ended(self) -> frozenset[int]:
        """The watched processes that have ended. Takes ~1 us, and 0.1 us for each process."""
        for descriptor, _ in self._poll.poll(0):
            self._poll.unregister(descriptor)
            self._ended[self._pids[descriptor]] = descriptor
        return frozenset(self._ended)

    def killed(self) -> dict[int, int]:
        """The processes that a signal of VIOLENT has ended, as far as the kernel says so: pid -> signal."""
        return {pid: number for pid, status in self._statuses() if (number := os.WTERMSIG(status)) in VIOLENT}

    def failed(self) -> dict[int, int]:
        """Those that ended by themselves with an exit status other than 0, as far as the kernel says: pid -> status."""
        return {pid: number for pid, status in self._statuses() if (number := os.WEXITSTATUS(status))}

    def _statuses(self) -> list[tuple[int, int]]:
        return [(pid, _status(pid, self._ended[pid])) for pid in self.ended()]


def _status(pid: int, descriptor: int) -> int:
    """How a process ended, as wait(2) has it; 0 too if the kernel does not say."""
    try:
        mask, *_, status = _INFO.unpack(fcntl.ioctl(descriptor, _GET_INFO, _INFO.pack(_EXIT, *[0] * 13)))
        if not mask & _EXIT:
            status = _zombies_status(pid)
    except OSError:
        status = _zombies_status(pid)
    return int(status)


def _zombies_status(pid: int) -> int:
    """As wait(2) has it; 0 if it is not a zombie, or may not be read."""
    stat = read_stat(pid)
    return 0 if stat is None or stat.state != "Z" else stat.wait_status
