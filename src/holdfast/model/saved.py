"""What is known of a saved run without reading it."""

from __future__ import annotations

from holdfast.model.frozen import frozen


@frozen
class SavedRun:
    """One row of `holdfast runs`.

    Attributes:
        saved_at: wall time, seconds since the epoch; None where the row is damaged, and then so is `offered`.
    """

    id: int
    saved_at: float | None
    server: str
    arguments: str
    offered: int | None
