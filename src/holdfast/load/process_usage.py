"""What load processes use, read from `/proc`.

Facts
-----
* `/proc/PID/schedstat` begins with the time on a CPU of the process's first thread, in ns; a load process has no
  other (sched-stats.rst of the kernel). That of a process that has ended and was not waited for can be read as well.
* Since Linux 6.2 the size of the directory `/proc/PID/fd` is the number of descriptors (proc.rst). Before that it
  is 0, and the names are to be counted, which takes some ms for 20,000.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Sequence

from holdfast.model.progress import OwnUse
from holdfast.model.units import NS_PER_S

_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


class OwnUses:
    """What some processes use, from look to look."""

    def __init__(self, pids: Sequence[int], window_s: float) -> None:
        """Has not looked yet; shares of a core are those over `window_s`."""
        self._pids = pids
        self._window_ns = window_s * NS_PER_S
        self._looks: deque[tuple[int, list[int]]] = deque()

    def look(self, now_ns: int, rows_bytes: int) -> OwnUse | None:
        """What they use now; None where they may not be read, or are gone.

        Args:
            rows_bytes: of the shared columns, as far as they are written.
        """
        alive = [pid for pid in self._pids if _lives(pid)]
        try:
            on_cpu_ns = [int(_read(f"/proc/{pid}/schedstat").split()[0]) for pid in self._pids]
            memory = sum(_own_bytes(pid) for pid in alive)
            descriptors = sum(_descriptors(pid) for pid in alive)
        except (OSError, ValueError, IndexError):
            return None
        while len(self._looks) > 1 and self._looks[1][0] <= now_ns - self._window_ns:
            self._looks.popleft()
        shares: list[float] = []
        if self._looks and now_ns > self._looks[0][0]:
            since_ns, before = self._looks[0]
            shares = [(now - then) / (now_ns - since_ns) for now, then in zip(on_cpu_ns, before, strict=True)]
        self._looks.append((now_ns, on_cpu_ns))
        return OwnUse(
            processes=len(alive),
            cpu_s=sum(on_cpu_ns) / NS_PER_S,
            share=sum(shares) if shares else None,
            busiest=max(shares) if shares else None,
            descriptors=descriptors,
            memory_bytes=memory + rows_bytes,
        )


def _lives(pid: int) -> bool:
    try:
        stat = _read(f"/proc/{pid}/stat")
    except OSError:
        return False
    return stat[stat.rindex(b")") + 2 :][:1] not in b"ZX"


def _own_bytes(pid: int) -> int:
    """Resident memory that is neither a file's nor shared; of a fork's, what it still has in common with its parent."""
    resident, shared = _read(f"/proc/{pid}/statm").split()[1:3]
    return (int(resident) - int(shared)) * _PAGE_BYTES


def _descriptors(pid: int) -> int:
    directory = f"/proc/{pid}/fd"
    return os.stat(directory).st_size or len(os.listdir(directory))


def _read(path: str) -> bytes:
    with open(path, "rb", buffering=0) as file:
        return file.read(4096)
