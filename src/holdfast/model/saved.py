"""What is known of a saved run without reading it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SavedRun:
    """One row of `holdfast runs`; `saved_at` is wall time, seconds since the epoch."""

    id: int
    saved_at: float
    server: str
    arguments: str
    offered: int
