"""Which requests have timed out; pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from holdfast.engine.columns import Columns

IDLE_NS = 100_000_000
NEVER_NS = 1 << 62


class Deadlines:
    """A request's three timeouts: for all of it, for its connection, and for the first byte of the reply.

    What begins first expires first, so each timeout needs only the oldest request that it still runs for: an index
    into the order in which requests were begun, or into the order in which they were sent. None expires before the
    oldest one did when it was last looked at, so until then nothing is looked at.
    """

    __slots__ = (
        "_columns",
        "_connect",
        "_first_byte",
        "_look_ns",
        "_reconnect",
        "_resent",
        "_resent_rows",
        "_sent_rows",
        "_whole",
    )

    def __init__(
        self,
        columns: Columns,
        sent_rows: Sequence[int] = (),
        whole_ns: int | None = None,
        connect_ns: int | None = None,
        first_byte_ns: int | None = None,
        resent_rows: Sequence[int] = (),
    ) -> None:
        """Has seen no request yet.

        Args:
            sent_rows: rows in the order in which they were sent; it grows during the load. Only read if there is a
                timeout for the first byte.
            whole_ns, connect_ns, first_byte_ns: the timeouts; None waits for ever.
            resent_rows: rows that were sent again, in order; it grows during the load. In `sent_rows` row r then comes
                a second time, as ~r.
        """
        self._columns = columns
        self._sent_rows = sent_rows
        self._whole = _Timeout(whole_ns, self._begun_ns)
        self._connect = _Timeout(connect_ns, self._opened_ns)
        self._reconnect = _Timeout(connect_ns, self._opened_ns)
        self._resent_rows = resent_rows
        self._first_byte = _Timeout(first_byte_ns, self._sent_ns)
        self._look_ns = self._resent = 0

    def expired(self, rows: Sequence[int], begun: int, now_ns: int) -> tuple[Sequence[int], int]:
        """Rows that expire now, and the ns until the next one can.

        Args:
            rows: in the order in which they are begun; the first `begun` of them have been.
        """
        resent = len(self._resent_rows)
        if now_ns < self._look_ns and resent == self._resent:
            return (), min(self._look_ns - now_ns, IDLE_NS)
        expired: list[int] = []
        wait_ns = min(
            self._whole.expire(rows, begun, now_ns, expired),
            self._connect.expire(rows, begun, now_ns, expired),
            self._reconnect.expire(self._resent_rows, resent, now_ns, expired),
            self._first_byte.expire(self._sent_rows, len(self._sent_rows), now_ns, expired),
        )
        self._look_ns, self._resent = now_ns + wait_ns, resent
        return expired, min(wait_ns, IDLE_NS)

    def _begun_ns(self, row: int) -> int | None:
        columns = self._columns
        if columns.outcome[row]:
            return None
        if columns.resent[row]:
            # Its instants are those of its second connection; it has begun before.
            return columns.due[row]
        # On a kept connection a request begins when it is sent.
        return columns.opened[row] or columns.sent[row]

    def _opened_ns(self, row: int) -> int | None:
        columns = self._columns
        # A TLS handshake is part of it: the request is sent when that is over.
        return None if columns.outcome[row] or columns.sent[row] else columns.opened[row]

    def _sent_ns(self, entry: int) -> int | None:
        columns, row = self._columns, max(entry, ~entry)
        # The wait for the first reply is over, and the second one has its own entry.
        if columns.resent[row] and entry >= 0:
            return None
        return None if columns.outcome[row] or columns.first[row] else columns.sent[row]


class _Timeout:
    """One timeout, and the oldest request that it may still run for."""

    __slots__ = ("_began_ns", "_limit_ns", "_oldest")

    def __init__(self, limit_ns: int | None, began_ns: Callable[[int], int | None]) -> None:
        """`began_ns`: row -> since when it runs; 0 is from now on, None no longer."""
        self._limit_ns = limit_ns
        self._began_ns = began_ns
        self._oldest = 0

    def expire(self, rows: Sequence[int], begun: int, now_ns: int, expired: list[int]) -> int:
        """Adds the rows that expire now to `expired`, and returns the ns until the next one can."""
        if self._limit_ns is None:
            return NEVER_NS
        while self._oldest < begun:
            began_ns = self._began_ns(rows[self._oldest])
            if began_ns is not None:
                left_ns = (began_ns or now_ns) + self._limit_ns - now_ns
                if left_ns > 0:
                    return left_ns
                entry = rows[self._oldest]
                expired.append(max(entry, ~entry))
            self._oldest += 1
        return self._limit_ns
