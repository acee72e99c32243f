"""Ctrl-C and its kin: the first asks the run to come to its end, the second ends it on the spot."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

_FAREWELLS = (signal.SIGTERM, signal.SIGHUP)


class Terminated(BaseException):
    """The terminal was closed, or somebody ended holdfast: everything is cleaned up on the way out."""

    def __init__(self, number: int) -> None:
        super().__init__(signal.Signals(number).name)
        self.number = number


class Interrupts:
    """Whether the person has asked for the end. Invariant: it never goes back to False."""

    def __init__(self) -> None:
        self._asked = False

    @property
    def asked(self) -> bool:
        """Ctrl-C was pressed once: release what is held and report what was seen."""
        return self._asked

    def on_interrupt(self, _number: int, _frame: FrameType | None) -> None:
        """Notes the first SIGINT; raises KeyboardInterrupt on the second."""
        if self._asked:
            raise KeyboardInterrupt
        self._asked = True


def _on_farewell(number: int, _frame: FrameType | None) -> None:
    # A second one must not break the clean-up that the first one began.
    for each in _FAREWELLS:
        signal.signal(each, signal.SIG_IGN)
    raise Terminated(number)


@contextmanager
def listening() -> Iterator[Interrupts]:
    """Takes SIGINT, SIGTERM and SIGHUP for the time of a run; only from a process's main thread."""
    interrupts = Interrupts()
    before: dict[int, Any] = {signal.SIGINT: signal.signal(signal.SIGINT, interrupts.on_interrupt)}
    before |= {each: signal.signal(each, _on_farewell) for each in _FAREWELLS}
    try:
        yield interrupts
    finally:
        for number, action in before.items():
            signal.signal(number, action)
