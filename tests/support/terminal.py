"""A terminal that a command line runs in, as a person would see it."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import struct
import termios
import threading
from typing import Any

import pyte

from support.commandline import Holdfast, Running
from support.waiting import until

FRAME = re.compile(r"\r(?:\x1b\[(\d+)A)?((?:\x1b\[2K[^\n]*\n)*)\x1b\[J")
_END = b"\0"
"""What we write behind all that a command wrote: a terminal keeps the order."""
STYLE = re.compile(r"\x1b\[[\d;]*m|\x1b\[2K")


class Terminal:
    """A terminal that a command line runs in, and what was written to it."""

    def __init__(self, columns: int = 80, rows: int = 24) -> None:
        self.columns, self.rows = columns, rows
        self.ours, self.theirs = pty.openpty()
        self.resize(columns, rows)
        self.before = termios.tcgetattr(self.theirs)
        self.after: list[Any] = []
        self._read = b""
        self._running: Running | None = None
        self._reader = threading.Thread(target=self._listen, daemon=True)

    def resize(self, columns: int, rows: int) -> None:
        fcntl.ioctl(self.theirs, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def start(self, holdfast: Holdfast, *arguments: Any, reads: bool = True, **how: Any) -> Running:
        def take() -> None:
            fcntl.ioctl(self.theirs, termios.TIOCSCTTY, 0)

        if reads:
            self._reader.start()
        streams = {"stdin": self.theirs, "stdout": self.theirs, "stderr": self.theirs}
        environment = {"TERM": "xterm-256color", "COLORTERM": None, "NO_COLOR": None, **how.pop("env", {})}
        self._running = holdfast.start(*arguments, env=environment, preexec_fn=take, **{**streams, **how})
        return self._running

    def read_now(self) -> None:
        self._reader.start()

    def _listen(self) -> None:
        try:
            while piece := os.read(self.ours, 65536):
                self._read += piece
        except OSError:
            pass  # closed

    def _take_the_rest(self) -> None:
        """Waits until all is read that a command which has ended wrote."""
        ended = self._running is not None and self._running.process.poll() is not None
        if ended and not self.after and self._reader.is_alive():
            os.write(self.theirs, _END)
            until(lambda: self._read.endswith(_END), "all that was written")
            self._read = self._read.removesuffix(_END)

    @property
    def written(self) -> str:
        self._take_the_rest()
        return self._read.decode(errors="replace").replace("\r\n", "\n")

    def frames(self) -> list[list[str]]:
        """The lines of each view that was drawn, without their styles; the empty ones erased it."""
        return [STYLE.sub("", found[2]).splitlines() for found in FRAME.finditer(self.written)]

    def screens(self) -> list[list[str]]:
        """What a terminal emulator shows after each view, line by line, from its first line to its last."""
        self._take_the_rest()
        screen = pyte.Screen(self.columns, self.rows)
        stream, screens = pyte.Stream(screen), []
        # The line breaks as they are before `written` makes them easier to compare.
        for piece in re.split(r"(?<=\x1b\[J)", self._read.decode(errors="replace")):
            stream.feed(piece)
            lines = [line.rstrip() for line in screen.display]
            while lines and not lines[-1]:
                lines.pop()
            screens.append(lines)
        return screens

    def after_the_view(self) -> str:
        """What was written behind the last view by a command that has ended."""
        return STYLE.sub("", FRAME.split(self.written)[-1])

    def is_left_as_it_was(self) -> None:
        """Each view went up over exactly the one before it, the last one was erased, and no mode was changed."""
        height = 0
        for found in FRAME.finditer(self.written):
            assert int(found[1] or 0) == height
            height = found[2].count("\n")
        assert height == 0
        assert "\x1b[?" not in self.written
        assert (self.after or termios.tcgetattr(self.theirs)) == self.before

    def close(self) -> None:
        self.after = termios.tcgetattr(self.theirs)
        os.close(self.theirs)
        if self._reader.is_alive():
            self._reader.join(10)
        os.close(self.ours)
