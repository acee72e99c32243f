"""Connections that speak HTTP/2, each with one request on one stream: the same engine, with frames instead of text.

A request is then a stream and a connection, so that it is found in every place as a request of HTTP/1 is. Many streams
on one connection are `streams`'.

Decisions
---------
* HTTP/2 is spoken from the first byte (prior knowledge, RFC 9113, 3.3), over TLS after ALPN has agreed on it (3.2). The
  upgrade from HTTP/1.1 is not tried: RFC 9113 has dropped it.
* A stream that ends by RST_STREAM is RESET, even if its connection lives on. A stream that GOAWAY leaves out is CLOSED:
  it was not processed, and may be sent again.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from holdfast.engine.acceptance import NO_ERROR
from holdfast.engine.columns import MOST_RECEIVED, Columns
from holdfast.engine.connection import Connection
from holdfast.engine.epoll import Connections
from holdfast.engine.exchange import Event, State
from holdfast.engine.http1 import ProtocolError
from holdfast.engine.http2 import Heard, Http2Client, request_fields
from holdfast.engine.tls import TlsConnections
from holdfast.model.places import Outcome

_EVENTS = {"rst": Event.RST, "goaway": Event.EOF}


class Http2Connections(Connections):
    """As `Connections`, over HTTP/2."""

    _scheme = "http"

    def __init__(
        self,
        address: str,
        port: int,
        head_of: Callable[[int], bytes],
        columns: Columns,
        sources: Sequence[str] = (),
    ) -> None:
        """Opens no connection yet; the arguments are those of `Connections`."""

        def frames_of(row: int) -> bytes:
            client = self._clients[row] = Http2Client()
            client.request(request_fields(head_of(row), self._scheme))
            return client.to_send()

        super().__init__(address, port, frames_of, columns, sources)
        self._clients: dict[int, Http2Client] = {}
        self._turned_away = ""

    @property
    def turned_away(self) -> str:  # type: ignore[override]
        """Why a request had no answer, as the peer's frames say it; "" where they do not."""
        return self._turned_away or next(filter(None, map(_why_none, self._clients.values())), "")

    def _take(self, connection: Connection, data: bytes) -> None:
        client = self._clients[connection.row]
        self._move(connection, self._event(connection.row, client, data))
        self._answer(connection, client.to_send())

    def _answer(self, connection: Connection, frames: bytes) -> None:
        """Sends what the protocol wants to be sent: acknowledgements of settings and pings, and larger windows."""
        if frames and connection.state is not State.ENDED:
            connection.unsent += frames
            self._send(connection)

    def _event(self, row: int, client: Http2Client, data: bytes) -> Event:
        """What these bytes, or with none the peer's FIN, mean for the one request of the connection."""
        if not data:
            return Event.EOF
        columns = self._columns
        columns.received[row] = min(columns.received[row] + len(data), MOST_RECEIVED)
        try:
            heard = client.receive(data)
        except ProtocolError as error:
            self.replies[0].malformed = self.replies[0].malformed or str(error)
            return Event.NOT_HTTP
        for each in heard:
            if (event := self._of_stream(row, each)) is not Event.BYTES:
                return event
        return Event.BYTES

    def _of_stream(self, row: int, heard: Heard) -> Event:
        if heard.status:
            self._columns.status[row] = heard.status
            self._columns.first[row] = self._columns.first[row] or time.monotonic_ns()
        if heard.what == "end":
            return Event.REPLY if heard.status in NO_ERROR else Event.ERROR_REPLY
        return _EVENTS.get(heard.what, Event.BYTES)

    def _record(self, row: int, outcome: Outcome, now_ns: int) -> None:
        client = self._clients.pop(row, None)
        if client is not None and not self._columns.status[row]:
            self._turned_away = self._turned_away or _why_none(client)
        super()._record(row, outcome, now_ns)


def _why_none(client: Http2Client) -> str:
    if client.advertised == 0:
        return "the server allows 0 streams at once on a connection (SETTINGS_MAX_CONCURRENT_STREAMS)"
    return "" if client.goaway is None else f"the server ended its connection (GOAWAY, {client.goaway.code})"


class Http2TlsConnections(TlsConnections, Http2Connections):
    """As `Http2Connections`, over TLS with "h2" as its ALPN."""

    _scheme = "https"
    _protocol = "h2"
