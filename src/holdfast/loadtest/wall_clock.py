"""The wall clock of a load."""

from __future__ import annotations

import time


def wall_clock_offset_ns() -> int:
    """Reads what turns an instant of CLOCK_MONOTONIC into one since the epoch, at this moment."""
    return time.time_ns() - time.monotonic_ns()
