"""Processes of a starting server that end and come again: such a server cannot come up, however long one waits."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Iterable

from holdfast.observe.process_info import read_arguments
from holdfast.procfs.read import is_alive

_AGAIN_AND_AGAIN = 3
_SHOWN = 200


class Turnover:
    """Counts, look by look, how often processes with the same command line have ended."""

    def __init__(self) -> None:
        self._running: dict[int, str] = {}
        self._ended: Counter[str] = Counter()

    def seen(self, pids: Iterable[int]) -> None:
        """Takes a look: these are there now. Costs one small file for each that was not there before.

        One may be missing that is still there, as from `read_descendants`.
        """
        now = set(pids)
        for pid in self._running.keys() - now:
            if not is_alive(pid):
                self._ended[self._running.pop(pid)] += 1
        for pid in now - self._running.keys():
            self._running[pid] = shlex.join(read_arguments(pid))

    def words(self) -> str:
        """What ends again and again; "" if nothing does."""
        found = [(count, line) for line, count in self._ended.items() if line and count >= _AGAIN_AND_AGAIN]
        if not found:
            return ""
        count, line = max(found)
        shown = line if len(line) <= _SHOWN else f"{line[:_SHOWN]}..."
        return f"it has ended {count} times: {shown}"
