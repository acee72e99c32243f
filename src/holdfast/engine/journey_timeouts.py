"""When a request of a journey times out; pure."""

from __future__ import annotations

from holdfast.engine.columns import Columns
from holdfast.model.scenario import Timeouts
from holdfast.model.units import NS_PER_S


def first_look_ns(timeouts: Timeouts, now_ns: int) -> int | None:
    """When a request that begins now can time out at the earliest; None if it never does."""
    known = [each for each in (timeouts.whole_s, timeouts.connect_s, timeouts.first_byte_s) if each is not None]
    return now_ns + round(min(known) * NS_PER_S) if known else None


def times_out_ns(columns: Columns, row: int, timeouts: Timeouts, began_ns: int, now_ns: int) -> int | None:
    """When a request that is in flight times out, as far as it has come; None if it never does.

    The three run as those of `timeouts.Deadlines` do.

    Args:
        began_ns: when it began, on whichever connection.
    """
    opened, sent, first = columns.opened[row], columns.sent[row], columns.first[row]
    runs = (
        (timeouts.whole_s, began_ns),
        # A TLS handshake is part of it: the request is sent when that is over.
        (timeouts.connect_s, 0 if sent else opened or now_ns),
        # Before it is sent, it cannot time out sooner than as if it were sent now.
        (timeouts.first_byte_s, 0 if first else sent or now_ns),
    )
    return min((since + round(limit * NS_PER_S) for limit, since in runs if limit is not None and since), default=None)
