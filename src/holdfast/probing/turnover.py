"""Processes of a starting server that end and come again: such a server cannot come up, however long one waits."""

from __future__ import annotations

import re
import shlex
from collections import Counter
from collections.abc import Iterable

from holdfast.observe.process_info import read_arguments
from holdfast.procfs.read import is_alive

_AGAIN_AND_AGAIN = 3
_SHOWN = 200
_YOUNG_LOOKS = 40
"""Between fork() and exec() a process has its parent's command line, and on a busy machine that takes a while."""
# Descriptors and pids, as in what `multiprocessing` starts: "spawn_main(tracker_fd=5, pipe_handle=7)".
_NUMBER = re.compile(r"[0-9]+")


class Turnover:
    """Counts, look by look, how often processes with the same command line have ended, numbers in it apart."""

    def __init__(self) -> None:
        self._running: dict[int, str] = {}
        self._looks: Counter[int] = Counter()
        self._ended: Counter[str] = Counter()
        self._shown: dict[str, str] = {}

    def seen(self, pids: Iterable[int]) -> None:
        """Takes a look: these are there now. Costs one small file for each that is new.

        One may be missing that is still there, as from `read_descendants`.
        """
        now = set(pids)
        for pid in self._running.keys() - now:
            if not is_alive(pid):
                self._note_end(self._running.pop(pid))
                del self._looks[pid]
        for pid in now:
            if self._looks[pid] < _YOUNG_LOOKS:
                self._looks[pid] += 1
                # A process that is about to be waited for has no command line any more.
                self._running[pid] = shlex.join(read_arguments(pid)) or self._running.get(pid, "")

    def _note_end(self, line: str) -> None:
        if line:
            kind = _NUMBER.sub("0", line)
            self._ended[kind] += 1
            self._shown[kind] = line

    def words(self) -> str:
        """What ends again and again, and how often it has; "" if nothing does."""
        kind, count = next(iter(self._ended.most_common(1)), ("", 0))
        if count < _AGAIN_AND_AGAIN:
            return ""
        line = self._shown[kind]
        return f"{count} times by now: {line if len(line) <= _SHOWN else f'{line[:_SHOWN]}...'}"
