"""Ctrl-C and similar signals: the first asks the run to finish, the second ends it at once.

SIGTERM does the same in a run that reports what it has seen. `timeout` or a job's limit sends it to a run that has
measured for minutes, and its report should not be lost; the exit status says which signal it was. Where the terminal
was closed nothing is left to report to.

A signal's exception can strike between any two lines, even in the middle of the clean-up that it causes. Therefore at
most one is ever raised, and none within `undisturbed()`: one that arrives there is raised when the block ends.
"""

from __future__ import annotations

import math
import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from types import FrameType
from typing import Any

_FAREWELLS = (signal.SIGTERM, signal.SIGHUP)


class Terminated(BaseException):
    """The terminal was closed, or holdfast was told to end: everything is cleaned up on the way out."""

    def __init__(self, number: int) -> None:
        super().__init__(signal.Signals(number).name)
        self.number = number


class Interrupts:
    """Whether the end was asked for. Invariant: once a signal has asked for it, it stays asked for.

    Attributes:
        farewell: the signal other than Ctrl-C that asked for it; None where none did.
    """

    def __init__(self, *, reports: bool = False) -> None:
        """Nothing was asked for; `reports` is whether SIGTERM asks as Ctrl-C does."""
        self.farewell: int | None = None
        self._reports = reports
        self._asked = False
        self._deadline_s = math.inf
        self._leaving: BaseException | None = None
        self._raised = False
        self._deferred = False

    @property
    def asked(self) -> bool:
        """Ctrl-C was pressed once, or the like, or time is up: release what is held and report what was seen."""
        return self._asked or time.monotonic() >= self._deadline_s

    @property
    def heard(self) -> bool:
        """A signal has asked for it, not the time that is up."""
        return self._asked

    @property
    def leaving(self) -> bool:
        """The run is to end on the spot."""
        return self._leaving is not None

    def on_interrupt(self, _number: int, _frame: FrameType | None) -> None:
        """Notes the first SIGINT; raises KeyboardInterrupt on the second."""
        if self._asked:
            self._leave(KeyboardInterrupt())
        self._asked = True

    def on_farewell(self, number: int, _frame: FrameType | None) -> None:
        """Raises Terminated; in a run that reports, the first SIGTERM is noted only."""
        if self._reports and number == signal.SIGTERM and not self._asked:
            self._asked, self.farewell = True, number
            return
        self._leave(Terminated(number))

    @contextmanager
    def until(self, deadline_s: float) -> Iterator[None]:
        """Within this block, the end counts as asked for from that instant of `time.monotonic` on."""
        before, self._deadline_s = self._deadline_s, deadline_s
        try:
            yield
        finally:
            self._deadline_s = before

    @contextmanager
    def undisturbed(self) -> Iterator[None]:
        """No signal raises an exception within this block; one that arrived is raised after it."""
        before = self._deferred
        self._deferred = True
        try:
            yield
        finally:
            self._deferred = before
            self._raise_if_due()

    @contextmanager
    def disturbed(self) -> Iterator[None]:
        """Signals raise their exceptions within this block, though one around it is undisturbed."""
        before, self._deferred = self._deferred, False
        try:
            self._raise_if_due()
            yield
        finally:
            self._deferred = before

    @contextmanager
    def cleaned_up(self) -> Iterator[ExitStack]:
        """A stack of resources whose clean-up no signal can interrupt."""
        try:
            with ExitStack() as stack:
                before = False
                try:
                    yield stack
                finally:
                    # No signal can get in between the last line of the block and this one.
                    before, self._deferred = self._deferred, True
        finally:
            self._deferred = before
            self._raise_if_due()

    def _leave(self, reason: BaseException) -> None:
        if self._leaving is None:
            self._leaving = reason
        if not self._deferred:
            self._raise_if_due()

    def _raise_if_due(self) -> None:
        if self._leaving is not None and not self._raised and not self._deferred:
            self._raised = True
            raise self._leaving


@contextmanager
def listening(*, reports: bool = False) -> Iterator[Interrupts]:
    """Handles SIGINT, SIGTERM and SIGHUP during a run; only in a process's main thread.

    Args:
        reports: the run reports what it has seen when SIGTERM ends it.

    After one of them has ended the run, they are ignored: little is left to do.
    """
    interrupts = Interrupts(reports=reports)
    before: dict[int, Any] = {signal.SIGINT: signal.signal(signal.SIGINT, interrupts.on_interrupt)}
    before |= {each: signal.signal(each, interrupts.on_farewell) for each in _FAREWELLS}
    try:
        yield interrupts
    finally:
        for number, action in before.items():
            # By the kernel, because the interpreter undoes handlers written in Python as it ends.
            signal.signal(number, signal.SIG_IGN if interrupts.leaving else action)
