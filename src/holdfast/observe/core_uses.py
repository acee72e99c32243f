"""What the threads of a server had of the machine's cores until now, looked at again and again.

A wait for a state takes such a look every few ms, and of a pool with forty threads half of a probe's CPU time went into
opening their files under `/proc`. So the files of some threads stay open: a look takes 7 us for each instead of 20.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable
from resource import RLIMIT_NOFILE, getrlimit
from types import TracebackType
from typing import Self

from holdfast.observe.activity import AT_REST
from holdfast.observe.starvation import CoreUse
from holdfast.procfs import parse
from holdfast.procfs.parse import ProtocolError

# Files are kept of so many threads at most, each of which takes two descriptors: the load needs its own, up to the hard
# limit, and all else that holdfast does the rest of the soft one.
_MOST_KEPT = 128
_OF_SOFT = 8
_OF_HARD = 64
_PIECE = 4096

_Files = tuple[int, int]


class CoreUses:
    """Reads them. A context manager: leaving it closes the files.

    Invariant: `_files` are those of threads that were there at the last look. A file of a thread that has ended answers
    with ESRCH, also when another thread has its number.
    """

    def __init__(self) -> None:
        self._files: dict[int, _Files] = {}
        soft, hard = (_MOST_KEPT * _OF_HARD if each < 0 else each for each in getrlimit(RLIMIT_NOFILE))
        self._most = min(_MOST_KEPT, soft // _OF_SOFT, hard // _OF_HARD)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Closes the files; a later look would open them again."""
        self._keep_only(())

    def read(self, pids: Iterable[int], without: Collection[int] = ()) -> dict[int, CoreUse] | None:
        """What each thread of these processes had until now, by tid.

        Args:
            without: tids to leave out.

        Returns:
            None where the kernel does not count it (CONFIG_SCHED_INFO).
        """
        found: dict[int, CoreUse] = {}
        for pid in pids:
            try:
                tids = set(map(int, os.listdir(f"/proc/{pid}/task"))).difference(without)
            except OSError:
                continue
            for tid in sorted(tids):
                times, state = self._look(pid, tid)
                if state is not None and times is None:
                    return None
                if state is not None and times is not None:
                    found[tid] = CoreUse(state == "R", *times, asleep=state in AT_REST)
        self._keep_only(found.keys())
        # A kernel that does not count shows zeros; a thread that was just started does so too.
        return found if not found or any(use.ran_ns for use in found.values()) else None

    def _look(self, pid: int, tid: int) -> tuple[tuple[int, int] | None, str | None]:
        """A thread's times and its state; None for what is gone or may not be read."""
        kept = self._files.get(tid)
        if kept is not None:
            seen = _seen(*kept)
            if seen[1] is not None:
                return seen
            self._forget(tid)
        files = _opened(f"/proc/{pid}/task/{tid}/schedstat"), _opened(f"/proc/{pid}/task/{tid}/stat")
        seen = _seen(*files)
        if None in files or len(self._files) >= self._most:
            _close(files)
        else:
            self._files[tid] = files[0] or 0, files[1] or 0
        return seen

    def _keep_only(self, tids: Collection[int]) -> None:
        for tid in self._files.keys() - tids:
            self._forget(tid)

    def _forget(self, tid: int) -> None:
        _close(self._files.pop(tid))


def read_core_use(pids: Iterable[int], without: Collection[int] = ()) -> dict[int, CoreUse] | None:
    """As `CoreUses.read`, once; takes ~20 us for each thread."""
    with CoreUses() as once:
        return once.read(pids, without)


def _opened(path: str) -> int | None:
    try:
        return os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None


def _close(files: Iterable[int | None]) -> None:
    for each in files:
        if each is not None:
            os.close(each)


def _seen(times: int | None, stat: int | None) -> tuple[tuple[int, int] | None, str | None]:
    # In this order: a thread that has run in between then shows that it has, or that it is running.
    times_text, stat_text = _text(times), _text(stat)
    try:
        return (
            None if times_text is None else parse.core_times(times_text),
            None if stat_text is None else parse.thread_state(stat_text),
        )
    except ProtocolError:
        return None, None


def _text(file: int | None) -> bytes | None:
    try:
        return None if file is None else os.pread(file, _PIECE, 0)
    except OSError:
        return None
