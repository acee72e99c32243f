"""Ctrl-C and its kin: the first asks the run to come to its end, the second ends it on the spot.

A signal's exception may strike between any two lines, so also in the middle of the clean-up that it was
to cause. Therefore at most one is ever raised, and none within `undisturbed()`: what comes there is
raised when that block is over.
"""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from types import FrameType
from typing import Any

_FAREWELLS = (signal.SIGTERM, signal.SIGHUP)


class Terminated(BaseException):
    """The terminal was closed, or somebody ended holdfast: everything is cleaned up on the way out."""

    def __init__(self, number: int) -> None:
        super().__init__(signal.Signals(number).name)
        self.number = number


class Interrupts:
    """Whether the person has asked for the end. Invariant: what was once asked for stays asked for."""

    def __init__(self) -> None:
        self._asked = False
        self._leaving: BaseException | None = None
        self._raised = False
        self._deferred = False

    @property
    def asked(self) -> bool:
        """Ctrl-C was pressed once: release what is held and report what was seen."""
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
        """Raises Terminated."""
        self._leave(Terminated(number))

    @contextmanager
    def undisturbed(self) -> Iterator[None]:
        """No signal raises anything in here, nor while resources are entered that it must not part."""
        before = self._deferred
        self._deferred = True
        try:
            yield
        finally:
            self._deferred = before
            self._raise_if_due()

    @contextmanager
    def cleaned_up(self) -> Iterator[ExitStack]:
        """A stack of resources whose clean-up no signal can cut short."""
        try:
            with ExitStack() as stack:
                try:
                    yield stack
                finally:
                    # Nothing between the last line of the block and this one lets a signal in.
                    self._deferred = True
        finally:
            self._deferred = False
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
def listening() -> Iterator[Interrupts]:
    """Takes SIGINT, SIGTERM and SIGHUP for the time of a run; only from a process's main thread.

    Once one of them ends the run they stay without effect: what is left to do is short.
    """
    interrupts = Interrupts()
    before: dict[int, Any] = {signal.SIGINT: signal.signal(signal.SIGINT, interrupts.on_interrupt)}
    before |= {each: signal.signal(each, interrupts.on_farewell) for each in _FAREWELLS}
    try:
        yield interrupts
    finally:
        for number, action in before.items():
            # Ignored by the kernel, because the interpreter's own end undoes handlers written in Python.
            signal.signal(number, signal.SIG_IGN if interrupts.leaving else action)
