"""What load processes use, read from `/proc`.

Facts
-----
* `/proc/PID/schedstat` begins with the time on a CPU of the process's first thread, in ns; a load process has no
  other (sched-stats.rst of the kernel). That of a process that has ended and was not waited for can be read as well.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Sequence

from holdfast.model.progress import OwnUse
from holdfast.model.units import NS_PER_S
from holdfast.procfs import parse
from holdfast.procfs.parse import ProtocolError
from holdfast.procfs.read import count_descriptors, is_alive, read

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
        alive = [pid for pid in self._pids if is_alive(pid)]
        try:
            on_cpu_ns = [parse.core_times(read(f"/proc/{pid}/schedstat"))[0] for pid in self._pids]
            memory = sum(_private_bytes(pid) for pid in alive)
            descriptors = sum(count_descriptors(pid) for pid in alive)
        except (OSError, ProtocolError):
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


def _private_bytes(pid: int) -> int:
    return parse.private_pages(read(f"/proc/{pid}/statm")) * _PAGE_BYTES
