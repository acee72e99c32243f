"""A process that outlives ours if ours is killed, and then ends the server; and that lets it run on if ours is stopped.

Facts: after SIGKILL, from the OOM killer or anyone else, not one line of ours runs. PR_SET_PDEATHSIG (prctl(2)) ends
the server's first process with us, but its children do not inherit it: of a uWSGI without a master the other workers
would keep listening.

Decision: a fork of ours waits on a pipe whose other end only we hold. If that end closes before we dismiss it, the fork
cleans up. It is not part of the server: another session, no descriptor of ours, no thread.

What of the server has left its session and no longer has our mark in its environment (a daemon that sets its title
overwrites it) is known only to us, who adopted it: so we tell the guardian its session when we see it.

A probe stops some of the server's processes for a moment. If ours is stopped meanwhile (SIGSTOP, or Ctrl-Z where no
handler of ours may be set), it cannot let them run again. So it says beforehand which they are, and the guardian
lets them run after AWAKE_S without another word.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
from collections.abc import Callable
from collections.abc import Set as AbstractSet

AWAKE_S = 0.6
"""So long without a word from us, and what we have stopped runs again. Such words come twice as often."""

_DISMISSED = b"."
_STOPS = b"stops"
_TERMINAL_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)


class Guardian:
    """Invariant: `clean_up` is run, in another process, if and only if ours ends before `dismiss()`."""

    def __init__(self, clean_up: Callable[[frozenset[int]], None]) -> None:
        """Starts it.

        Args:
            clean_up: is given the numbers that the guardian was told. It may use only the file system and signals: our
                descriptors are closed there.

        Raises:
            OSError: no process could be forked, or no descriptor is left.
        """
        waiting, self._word = os.pipe()
        try:
            self.pid = os.fork()
        except OSError:
            os.close(waiting)
            os.close(self._word)
            raise
        if self.pid == 0:
            _wait_and_clean_up(waiting, clean_up)
        os.close(waiting)

    def tell(self, number: int) -> None:
        """Tells it a number that its `clean_up` is to know, such as a session of the server's."""
        if self.pid:
            with contextlib.suppress(OSError):
                os.write(self._word, b"%d\n" % number)

    def stops(self, pids: AbstractSet[int]) -> None:
        """Tells it which processes are stopped from now on, all others being let run; none with an empty set."""
        if self.pid:
            with contextlib.suppress(OSError):
                os.write(self._word, b"%b %b\n" % (_STOPS, b" ".join(b"%d" % each for each in pids)))

    def dismiss(self) -> None:
        """Ends it; a second call does nothing."""
        if self.pid:
            with contextlib.suppress(OSError):
                os.write(self._word, _DISMISSED)
            os.close(self._word)
            with contextlib.suppress(OSError):
                os.waitpid(self.pid, 0)
            self.pid = 0


def _let_run(pids: tuple[int, ...]) -> None:
    for pid in pids:
        with contextlib.suppress(OSError):
            os.kill(pid, signal.SIGCONT)


def _wait_and_clean_up(waiting: int, clean_up: Callable[[frozenset[int]], None]) -> None:
    try:
        os.setsid()
        for each in _TERMINAL_SIGNALS:
            signal.signal(each, signal.SIG_IGN)
        for descriptor in map(int, os.listdir("/proc/self/fd")):
            if descriptor != waiting:
                with contextlib.suppress(OSError):
                    os.close(descriptor)
        told, stopped, rest = set[int](), tuple[int, ...](), b""
        while True:
            if stopped and not select.select([waiting], [], [], AWAKE_S)[0]:
                _let_run(stopped)
                stopped = ()
            word = os.read(waiting, 65536)
            if _DISMISSED in word:
                return
            *lines, rest = (rest + word).split(b"\n")
            for line in lines:
                if line.startswith(_STOPS):
                    stopped = tuple(map(int, line.split()[1:]))
                else:
                    told.add(int(line))
            if not word:
                break
        clean_up(frozenset(told))
    finally:
        # Whatever our stack has open is not for this process to close or flush.
        os._exit(0)
