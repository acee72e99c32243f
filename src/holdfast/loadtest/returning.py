"""Calls functions that a person wrote, which may never return.

Facts
-----
* A signal's handler in Python runs between two steps of the interpreter, also within a call that waits (PEP 475), and
  an exception in it ends what was under way.
* A process that is stopped gets one SIGALRM when it runs again, however long that was (signal(7): standard signals do
  not queue).
* Nothing in Python interrupts a call into C that neither returns nor looks for signals, such as `9**9**9`. A handler of
  `faulthandler` is C too, and writes where each frame is even then.

Decisions
---------
* Ticks are counted and not the time, so that a load that was stopped for an hour blames no function.
* What ends a function is not an `Exception`, which it might catch.
* A function that catches even that, or is within C, is noted in memory that the parent process reads: it makes
  the load process write where it is, and end (`engine.stuck`).
"""

from __future__ import annotations

import re
import signal
import time
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import TypeVar

from holdfast.engine.stuck import MOST_S

_Made = TypeVar("_Made")
_TICK_S = 0.5
_FRAME = re.compile(r'^  File "(.*)", line (\d+) in (.*)$', re.MULTILINE)


class NotReturnedError(BaseException):
    """It took too long; the message says where it was, in words."""


class Returning:
    """Calls functions, one at a time, in a process's main thread.

    Attributes:
        since: where CLOCK_MONOTONIC ns of the call's begin are noted, and 0 when it is over; None notes nothing.
    """

    def __init__(self) -> None:
        """Has called nothing yet."""
        self.since: memoryview | None = None
        self._file = ""
        self._ticks_left = 0
        self._within = False

    def call(self, function: Callable[[], _Made], file: str, most_s: float = MOST_S) -> _Made:
        """Calls a function, and ends it after `most_s`.

        Args:
            file: the person's own, of which the message names a line.

        Raises:
            NotReturnedError: it had to be ended.
        """
        self._file, self._ticks_left = file, round(most_s / _TICK_S)
        before = signal.signal(signal.SIGALRM, self._tick)
        try:
            try:
                self._within = True
                signal.setitimer(signal.ITIMER_REAL, _TICK_S, _TICK_S)
                if self.since is not None:
                    self.since[0] = time.monotonic_ns()
                return function()
            finally:
                self._within = False
        finally:
            # A tick may have ended the block above before its last line.
            self._within = False
            signal.setitimer(signal.ITIMER_REAL, 0)
            if self.since is not None:
                self.since[0] = 0
            signal.signal(signal.SIGALRM, before)

    def _tick(self, _number: int, frame: FrameType | None) -> None:
        self._ticks_left -= 1
        if self._within and self._ticks_left <= 0:
            raise NotReturnedError(_place(_frames(frame), self._file))


def place_in(dump: str, files: frozenset[str]) -> str:
    """Where a process was in one of these files, as `faulthandler` has written it; "" if it was in none."""
    frames = [(file, int(line), name) for file, line, name in _FRAME.findall(dump)]
    own = next((file for file, _, _ in frames if file in files), None)
    return "" if own is None else _place(frames, own)


def _frames(frame: FrameType | None) -> list[tuple[str, int, str]]:
    """File, line and function of each call under way, the innermost first."""
    found = []
    while frame is not None:
        found.append((frame.f_code.co_filename, frame.f_lineno, frame.f_code.co_name))
        frame = frame.f_back
    return found


def _place(frames: list[tuple[str, int, str]], file: str) -> str:
    """The innermost line in a file, and what that waits for elsewhere."""
    at = next((number for number, each in enumerate(frames) if each[0] == file), None)
    if at is None:
        return Path(file).name
    _, line, name = frames[at]
    words = f"{Path(file).name}:{line}, in {name}"
    if at:
        elsewhere, _, called = frames[0]
        words += f", within {called} of {Path(elsewhere).name}"
    return words
