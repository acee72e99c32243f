"""How long the parts of a run took, and the instrument's own error."""

from __future__ import annotations

from collections.abc import Sequence

from holdfast.model.timeline import NEVER, Request


def seconds(begin_ns: int, end_ns: int) -> float | None:
    """Time between two marks; None where one of them did not come."""
    if NEVER in (begin_ns, end_ns):
        return None
    return round((end_ns - begin_ns) / 1e9, 3)


def pacing_lag_p99_us(requests: Sequence[Request]) -> int | None:
    """The 99th percentile (nearest rank) of sent - due in microseconds; None without requests.

    The instrument's own error: how much later than decided a connection was opened.
    """
    lags = sorted(request.opened_ns - request.due_ns for request in requests if request.opened_ns != NEVER)
    return lags[max(0, -(-99 * len(lags) // 100) - 1)] // 1000 if lags else None
