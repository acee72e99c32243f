"""Connections of the closed model whose hot loop is compiled: `holdfast_fast`, an optional package (fast/).

Facts
-----
* Of the time that a request on a kept connection takes, 3 us are Python's own, beside 5.5 us of the kernel (measured).
* A descriptor that waits for the usual reply is the compiled part's: it knows the row. What it cannot finish it hands
  back, with the row and with what it has received or sent.

Decisions
---------
* Rows of such descriptors are asked for only where a row has to be found: to end it, or to count what is pending.
* Whatever is unusual is done by `KeptConnections`, which is also what is used where the package is not installed.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from holdfast.engine.columns import Columns
from holdfast.engine.connection import Connection
from holdfast.engine.epoll import RECEIVE_BYTES
from holdfast.engine.exchange import State, event_of_errno
from holdfast.engine.kept import KeptConnections

WITHOUT = "HOLDFAST_PURE"
"""The variable that leaves the compiled part out, whatever its value."""
_MODULE = "holdfast_fast"
_UNTOUCHED, _RECEIVED, _RECEIVE_FAILED, _SENT_IN_PART = range(4)


def is_compiled() -> bool:
    """Whether the compiled part is installed and wanted."""
    return WITHOUT not in os.environ and find_spec(_MODULE) is not None


class CompiledConnections(KeptConnections):
    """As `KeptConnections`; what waits for the usual reply is in the compiled part's hands."""

    def __init__(
        self, address: str, port: int, head_of: Callable[[int], bytes], columns: Columns, sources: Sequence[str] = ()
    ) -> None:
        """As of `Connections`."""
        super().__init__(address, port, head_of, columns, sources)
        self._compiled: Any = None

    def turn(self, timeout_ns: int) -> int:
        """As of `Connections`."""
        if self._compiled is None:
            if self._next_row >= self._last_row:
                return super().turn(timeout_ns)
            self._compiled = self._made()
        replies = self.replies[0]
        known = replies.usual_keep_alive and not replies.acceptance.checks and replies.usual_bytes <= RECEIVE_BYTES
        events, taken, idle_ns, unusual = self._compiled.turn(
            timeout_ns,
            replies.usual_head,
            replies.usual_bytes if known else -1,
            replies.usual_status,
            self._next_row,
            self._last_row,
            self._head_of,
            self.sent_rows.append if self.remembers_sent else None,
        )
        first_row = self._next_row
        self._waiting.idle_ns += idle_ns
        self._next_row += taken
        self.ended += taken
        for event in unusual:
            self._hand_over(*event)
        self._took(self._next_row - first_row)
        return int(events)

    def _made(self) -> Any:  # noqa: ANN401 - the module may be absent
        own = self._columns
        columns = (own.due, own.sent, own.done, own.status, own.received, own.outcome)
        return import_module(_MODULE).Kept(self._waiting.fileno(), self._descriptors, columns)

    def _hand_over(self, fd: int, mask: int, kind: int, value: Any, row: int) -> None:  # noqa: ANN401 - of the kind
        """Carries out what the compiled part did not, and gives it the descriptor if it waits for a reply again."""
        connection = self._by_fd.get(fd)
        if connection is None:
            return
        if row >= 0:
            connection.row = row
        if kind == _UNTOUCHED:
            self._carry_out(fd, mask)
        elif kind == _RECEIVED:
            self._take(connection, value)
            if len(value) == RECEIVE_BYTES:
                self._receive(connection)
        elif kind == _RECEIVE_FAILED:
            self._move(connection, event_of_errno(value))
        elif kind == _SENT_IN_PART:
            connection.state = State.SENDING
            connection.unsent = self._head_of(connection.row)[value:]
            self._send(connection)
        if self._by_fd.get(fd) is connection and connection.state is State.WAITING and connection.reader is None:
            self._compiled.give(fd, connection.row)

    def _rows(self) -> dict[int, Connection]:
        if self._moved_on and self._compiled is not None:
            for fd, connection in self._by_fd.items():
                if (row := self._compiled.row(fd)) >= 0:
                    connection.row = row
        return super()._rows()

    def _let_go(self, connection: Connection) -> None:
        if self._compiled is not None:
            self._compiled.forget(connection.sock.fileno())
        super()._let_go(connection)
