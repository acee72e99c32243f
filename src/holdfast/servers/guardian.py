"""A process that outlives ours if ours is killed, and ends the server then.

Facts: SIGKILL and the kernel's want of memory leave us no line of our own to run. PR_SET_PDEATHSIG
(prctl(2)) ends the server's first process with us, but is not inherited by its children: of a uWSGI
without a master the other workers would stay and listen.

Decision: a fork of ours waits at a pipe whose other end only we hold. When that end closes without a
word, it cleans up. It is no part of the server: another session, no descriptor of ours, no thread.
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

    def __init__(self, clean_up: Callable[[], None]) -> None:
        """Posts it.

        Args:
            clean_up: must need nothing but the file system and signals: descriptors of ours are closed there.

        Raises:
            OSError: no process or descriptor is left for it.
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

    def dismiss(self) -> None:
        """Sends it away; the second time does nothing."""
        if self.pid:
            with contextlib.suppress(OSError):
                os.write(self._word, _DISMISSED)
            os.close(self._word)
            with contextlib.suppress(OSError):
                os.waitpid(self.pid, 0)
            self.pid = 0


def _wait_and_clean_up(waiting: int, clean_up: Callable[[], None]) -> None:
    try:
        os.setsid()
        for each in _TERMINAL_SIGNALS:
            signal.signal(each, signal.SIG_IGN)
        for descriptor in map(int, os.listdir("/proc/self/fd")):
            if descriptor != waiting:
                with contextlib.suppress(OSError):
                    os.close(descriptor)
        if not os.read(waiting, 1):
            clean_up()
    finally:
        # Nothing of what our stack has open is this process's to close or to flush.
        os._exit(0)
