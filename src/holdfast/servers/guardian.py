"""A process that outlives ours if ours is killed, and then ends the server.

Facts: after SIGKILL, from the OOM killer or anyone else, not one line of ours runs. PR_SET_PDEATHSIG (prctl(2)) ends
the server's first process with us, but its children do not inherit it: of a uWSGI without a master the other workers
would keep listening.

Decision: a fork of ours waits on a pipe whose other end only we hold. If that end closes before we dismiss it, the fork
cleans up. It is not part of the server: another session, no descriptor of ours, no thread.

What of the server has left its session and no longer has our mark in its environment (a daemon that sets its title
overwrites it) is known only to us, who adopted it: so we tell the guardian its session when we see it.
"""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Callable

_DISMISSED = b"."
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

    def dismiss(self) -> None:
        """Ends it; a second call does nothing."""
        if self.pid:
            with contextlib.suppress(OSError):
                os.write(self._word, _DISMISSED)
            os.close(self._word)
            with contextlib.suppress(OSError):
                os.waitpid(self.pid, 0)
            self.pid = 0


def _wait_and_clean_up(waiting: int, clean_up: Callable[[frozenset[int]], None]) -> None:
    try:
        os.setsid()
        for each in _TERMINAL_SIGNALS:
            signal.signal(each, signal.SIG_IGN)
        for descriptor in map(int, os.listdir("/proc/self/fd")):
            if descriptor != waiting:
                with contextlib.suppress(OSError):
                    os.close(descriptor)
        told = b""
        while word := os.read(waiting, 1024):
            if _DISMISSED in word:
                return
            told += word
        clean_up(frozenset(map(int, told.split())))
    finally:
        # Whatever our stack has open is not for this process to close or flush.
        os._exit(0)
