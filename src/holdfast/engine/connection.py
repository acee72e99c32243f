"""One socket of the load and the request that it carries."""

from __future__ import annotations

import _socket as socket  # as in `endpoint`
import time
from collections.abc import Sequence

from holdfast.engine.columns import MOST_RECEIVED, Columns
from holdfast.engine.exchange import CONNECTING, Event
from holdfast.engine.http1 import ReplyReader
from holdfast.engine.replies import Replies

_REPLY = Event.REPLY  # as the states in `exchange`


class Connection:
    """One socket and the request it carries.

    Attributes:
        untouched: the peer had ended it when the request was to be sent, and no byte of it was.
    """

    __slots__ = (
        "client",
        "head_only",
        "keep_alive",
        "peer_ended",
        "reader",
        "row",
        "sock",
        "state",
        "unsent",
        "untouched",
    )

    def __init__(self, sock: socket.SocketType, row: int, client: int | None) -> None:
        self.sock = sock
        self.row = row
        self.client = client
        self.state = CONNECTING
        self.unsent = b""
        self.reader: ReplyReader | None = None
        self.head_only = False
        self.keep_alive = False
        self.peer_ended = False
        self.untouched = False


def heard(connection: Connection, data: bytes, columns: Columns, replies_of: Sequence[Replies]) -> Event:
    """Interprets received bytes (none is the peer's FIN), and records in the request's row what they say.

    Args:
        replies_of: of each step; row r belongs to step r % their number.
    """
    row, first = connection.row, connection.reader is None
    replies = replies_of[row % len(replies_of)]
    if first and replies.is_usual(data):
        columns.status[row] = replies.usual_status
        columns.received[row] = len(data)
        connection.keep_alive = replies.usual_keep_alive
        return _REPLY
    reader = connection.reader = connection.reader or replies.reader(head=connection.head_only)
    interim = reader.interim
    event = replies.heard(reader, data, first=first)
    columns.status[row] = reader.status
    columns.received[row] = min(columns.received[row] + len(data), MOST_RECEIVED)
    if reader.interim != interim:
        # What came before was not the reply (RFC 9110, 15.2).
        columns.first[row] = 0
    if event is Event.BYTES and reader.begun and not columns.first[row]:
        columns.first[row] = time.monotonic_ns()
    connection.keep_alive = reader.complete and reader.keep_alive
    return event
