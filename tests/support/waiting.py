"""Waiting for a state of another process or of the kernel."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

PATIENCE_S = 100.0
LOOK_S = 0.002


def until(condition: Callable[[], object], what: str, within_s: float = PATIENCE_S, every_s: float = LOOK_S) -> None:
    """Polls until a condition holds: other processes and the kernel send no word when their state changes.

    Args:
        what: is waited for, in words.
        every_s: between two looks; the condition is looked at at least once.

    Raises:
        AssertionError: the condition did not hold within `within_s`.
    """
    pause, deadline = threading.Event(), time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline, f"{what}: not within {within_s} s"
        pause.wait(every_s)
