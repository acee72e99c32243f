"""How long the parts of a run took, and the instrument's own error."""

from __future__ import annotations

from collections.abc import Sequence

from holdfast.model.ranks import P99, percentile
from holdfast.model.timeline import NEVER, Request
from holdfast.model.units import NS_PER_S, US


def seconds(begin_ns: int, end_ns: int) -> float | None:
    """Time between two marks; None where one of them did not come."""
    if NEVER in (begin_ns, end_ns):
        return None
    return round((end_ns - begin_ns) / NS_PER_S, 3)


def pacing_lag_p99_us(requests: Sequence[Request]) -> int | None:
    """The 99th percentile (nearest rank) of opened - due in microseconds; None without requests.

    The instrument's own error: how much later than decided a connection was opened.
    """
    lag_ns = percentile((each.opened_ns - each.due_ns for each in requests if each.opened_ns != NEVER), P99)
    return None if lag_ns is None else lag_ns // US
