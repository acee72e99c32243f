"""A view of what is in progress, on the terminal: each one is written over the last, and none is left in the end.

Facts
-----
* A write to a stopped terminal (Ctrl-S) blocks.
* A write to a terminal that was closed fails (EIO); Ctrl-C and SIGTERM may come at any time.

Decisions
---------
* If a view cannot be written now, a later one is; after a failed write there are no more. Neither ends the run.
* A view is one write: it moves up and writes over the last one. The cursor rests below it, is never hidden, and no
  other mode of the terminal is changed, so nothing needs to be restored, however holdfast ends.
* Only what is in the foreground of its terminal writes there.
* Standard output is the result's, so a view is on standard error.
"""

from __future__ import annotations

import os
import select
import sys
from collections.abc import Callable, Sequence

from holdfast.console import say
from holdfast.model.printable import in_ascii

_USUAL_SIZE = (80, 24)

Drawn = Callable[[int, int, bool], Sequence[str]]
"""Gives the lines of a view for so many columns and rows, with colours or without, with no line break in any."""


def terminal_for_views() -> LiveTerminal | None:
    """Standard error, if it is a terminal on which a view can be written over."""
    if sys.stderr is None or not sys.stderr.isatty() or os.environ.get("TERM", "dumb") in ("dumb", "unknown"):
        return None
    return LiveTerminal()


def takes_a_write(descriptor: int) -> bool:
    """Whether a write would not wait."""
    poll = select.poll()
    poll.register(descriptor, select.POLLOUT)
    return bool(poll.poll(0))


class LiveTerminal:
    """A view that each further one is written over. Invariant: the cursor is below its last line."""

    def __init__(self) -> None:
        """Nothing is shown yet."""
        self._descriptor = sys.stderr.fileno()
        self._styled = not os.environ.get("NO_COLOR")
        self._lines = 0
        self._failed = False

    def show(self, drawn: Drawn) -> None:
        """Shows a view, if it can be seen now; `drawn` is not called if it cannot."""
        if self._failed or not self._in_front() or not takes_a_write(self._descriptor):
            return
        columns, rows = self._size()
        lines = drawn(columns - 1, rows - 1, self._styled)
        self._write(self._back(rows) + "".join(f"\x1b[2K{line}\n" for line in lines) + "\x1b[J")
        self._lines = len(lines)

    def say(self, line: str) -> None:
        """Prints a line that stays, above the views to come."""
        self.close()
        say(line)

    def close(self) -> None:
        """Leaves the terminal as it was."""
        if self._lines and not self._failed and self._in_front():
            self._write(self._back(self._size()[1]) + "\x1b[J")
        self._lines = 0

    def _back(self, rows: int) -> str:
        up = min(self._lines, rows - 1)
        return f"\r\x1b[{up}A" if up else "\r"

    def _size(self) -> tuple[int, int]:
        try:
            columns, rows = os.get_terminal_size(self._descriptor)
        except OSError:
            return _USUAL_SIZE
        return columns or _USUAL_SIZE[0], rows or _USUAL_SIZE[1]

    def _in_front(self) -> bool:
        """Whether we are in the foreground of the terminal."""
        try:
            return os.tcgetpgrp(self._descriptor) == os.getpgrp()
        except OSError:
            return True  # not the terminal that controls us

    def _write(self, text: str) -> None:
        try:
            content = text.encode(sys.stderr.encoding)
        except UnicodeEncodeError:
            content = in_ascii(text).encode(sys.stderr.encoding, "replace")
        try:
            while content:
                content = content[os.write(self._descriptor, content) :]
        except OSError:
            self._failed = True
