"""Requests on many streams of a few connections: open some more on one of them, then look at what became of all.

As `prober`, where each request has a connection of its own. A request is a stream here, and
its connection has a number.
"""

from __future__ import annotations

import select
import socket
import ssl
import time
from collections.abc import Callable, Iterable
from types import TracebackType
from typing import Literal, Self, cast

from holdfast.engine.acceptance import NO_ERROR
from holdfast.engine.columns import MOST_RECEIVED, Columns, requests
from holdfast.engine.endpoint import NO_TLS, Tls, endpoint
from holdfast.engine.epoll import RECEIVE_BYTES
from holdfast.engine.exchange import State, after, event_of_errno
from holdfast.engine.http1 import NO_ALPN, ProtocolError
from holdfast.engine.http2 import Heard, Http2Client, request_fields
from holdfast.engine.local_limits import failure_in_words
from holdfast.engine.stream_reply import GoAway
from holdfast.engine.tls import TlsSocket, context_for, words_of
from holdfast.engine.waiting import END_SIGNS, WATCHED, Waiting
from holdfast.model.phase import Phase
from holdfast.model.places import Outcome
from holdfast.model.timeline import Request


class _Connection:
    """One socket and the streams on it.

    Attributes:
        ids: of all its streams.
        rows: of its streams that have not ended, by the streams' numbers.
        sock: None once it is closed.
        tls: the same; None where TLS is not spoken.
    """

    __slots__ = ("client", "connected", "fd", "ids", "local_port", "rows", "sock", "source", "tls", "unsent")

    def __init__(self, sock: socket.SocketType) -> None:
        self.sock: socket.SocketType | None = sock
        self.tls: TlsSocket | None = None
        self.fd = sock.fileno()
        self.client = Http2Client()
        self.unsent = self.client.to_send()
        self.ids: list[int] = []
        self.rows: dict[int, int] = {}
        self.connected = False
        self.source, self.local_port = 0, 0


class StreamProber:
    """Requests that are opened a few at a time on streams, and held. A context manager: leaving it closes every socket.

    Attributes:
        columns: the rows of all requests; rows from `offered` up are empty.
        offered: requests opened so far; their ids are 0..offered-1.
        ended: those with an outcome other than PENDING.
        codes: error codes by name of those that ended by RST_STREAM or GOAWAY: id -> (the frame, the code).
        failure: what our own side ran out of, in words; None if nothing.
        finding: the first bytes that were not HTTP/2, in words; None if there were none.
    """

    def __init__(
        self, address: str, port: int, head_of: Callable[[int], bytes], capacity: int, tls: Tls | None = None
    ) -> None:
        """Prepares the requests; the arguments are those of `Prober`."""
        self.columns = Columns(capacity)
        self.offered = self.ended = 0
        self.codes: dict[int, tuple[Literal["RST_STREAM", "GOAWAY"], str]] = {}
        self.failure: str | None = None
        self.finding: str | None = None
        self._endpoint = endpoint(address, port)
        self._head_of = head_of
        self._tls = tls
        self._waiting = Waiting()
        self._connections: list[_Connection] = []
        self._by_fd: dict[int, _Connection] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for each in self._by_fd.values():
            if each.sock is not None:
                each.sock.close()
        self._waiting.close()

    def connect(self) -> int | None:
        """Begins a new connection and gives its number, counted from 0; None where our own side has no means for it."""
        try:
            sock = self._endpoint.open()
        except OSError as error:
            self.failure = self.failure or failure_in_words(error)[1]
            return None
        connection = _Connection(sock)
        self._connections.append(connection)
        self._by_fd[connection.fd] = connection
        try:
            connection.source, connection.local_port = self._endpoint.connect(sock)
            self._waiting.register(sock, WATCHED)
        except OSError as error:
            outcome = after(State.CONNECTING, self._endpoint.event(error.errno or 0))[1]
            if outcome is Outcome.FAILED:
                self.failure = self.failure or failure_in_words(error)[1]
            self._end(connection, outcome)
        return len(self._connections) - 1

    def open(self, count: int, due_ns: int | None = None, number: int = -1) -> list[int]:
        """Opens at most so many streams on a connection now: fewer once it has ended, or no row is left.

        They are sent as soon as it is connected.

        Args:
            due_ns: when they were due, CLOCK_MONOTONIC ns; None is now.
            number: of the connection; -1 is the last one.

        Returns:
            The new ids.
        """
        connection, columns, first = self._connections[number], self.columns, self.offered
        most = min(self.columns.capacity, self.offered + count)
        while self.offered < most and self.is_open(number):
            row, now = self.offered, time.monotonic_ns()
            try:
                fields = request_fields(self._head_of(row), "http" if self._tls is None else "https")
                connection.rows[connection.client.request(fields)] = row
            except ValueError:
                break
            connection.ids.append(row)
            self.offered = row + 1
            columns.due[row], columns.opened[row] = now if due_ns is None else due_ns, now
            columns.source[row], columns.local_port[row] = connection.source, connection.local_port
            if connection.connected:
                columns.connected[row] = columns.sent[row] = now
        if connection.connected:
            self._send(connection)
        return list(range(first, self.offered))

    @property
    def connecting(self) -> int:
        """Connections whose SYN was sent and is unanswered."""
        return sum(not each.connected for each in self._by_fd.values())

    @property
    def connections(self) -> int:
        """How many were begun."""
        return len(self._connections)

    def ids_on(self, number: int) -> tuple[int, ...]:
        """Of the requests on a connection, in the order in which they were opened."""
        return tuple(self._connections[number].ids)

    def is_open(self, number: int) -> bool:
        """Whether a connection takes further streams, as far as is known."""
        connection = self._connections[number]
        return connection.sock is not None and connection.client.goaway is None

    def settled(self, number: int) -> bool:
        """Whether the server has sent its settings on a connection."""
        return self._connections[number].client.settled

    def advertised(self, number: int) -> int | None:
        """The server's SETTINGS_MAX_CONCURRENT_STREAMS on a connection; None where it has sent none."""
        return self._connections[number].client.advertised

    def goaway(self, number: int) -> GoAway | None:
        """The GOAWAY that came on a connection; None if none did."""
        return self._connections[number].client.goaway

    def turn(self, timeout_ns: int) -> int:
        """Waits for events for at most this long, handles each of them, and returns how many there were."""
        events = self._waiting.wait(timeout_ns)
        for fd, mask in events:
            if (connection := self._by_fd.get(fd)) is not None:
                self._carry_out(connection, mask)
        return len(events)

    def pending(self) -> list[int]:
        """Ids that have not ended, ascending."""
        open_ = (row for each in self._by_fd.values() for row in each.rows.values())
        return sorted(row for row in open_ if self.columns.outcome[row] == Outcome.PENDING)

    def expire(self, ids: Iterable[int]) -> None:
        """Times these requests out; those that have ended stay as they are."""
        for row in ids:
            self._record(row, Outcome.UNANSWERED)

    def requests(self, phase_of: Callable[[int], Phase], ids: Iterable[int] | None = None) -> tuple[Request, ...]:
        """As `Prober.requests`."""
        sources = tuple(self._endpoint.sources) or ("",)
        return requests(self.columns, range(self.offered) if ids is None else ids, phase_of, sources)

    def _carry_out(self, connection: _Connection, mask: int) -> None:
        if not connection.connected and connection.sock is not None:
            number = connection.sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            if number:
                self._end(connection, after(State.CONNECTING, event_of_errno(number))[1])
                return
            self._connected(connection)
        self._send(connection)
        if mask & (select.EPOLLIN | END_SIGNS):
            self._receive(connection)

    def _connected(self, connection: _Connection) -> None:
        connection.connected = True
        now = time.monotonic_ns()
        for row in connection.rows.values():
            self.columns.connected[row] = self.columns.sent[row] = now
        if self._tls is not None and connection.sock is not None:
            connection.tls = TlsSocket(connection.sock, context_for(self._tls, "h2"), self._tls.host)
            connection.sock = cast("socket.SocketType", connection.tls)

    def _send(self, connection: _Connection) -> None:
        try:
            if connection.tls is not None and not connection.tls.shaken:
                connection.tls.shake()
                if connection.tls.alpn != "h2":
                    raise ProtocolError(NO_ALPN)
            connection.unsent += connection.client.to_send()
            sock = connection.sock
            while connection.unsent and sock is not None:
                connection.unsent = connection.unsent[sock.send(connection.unsent) :]
        except BlockingIOError:
            return
        except (ssl.SSLError, ProtocolError) as error:
            words = f"{NO_TLS}: {words_of(error)}" if isinstance(error, ssl.SSLError) else str(error)
            self.finding = self.finding or words
            self._end(connection, Outcome.MALFORMED)
        except OSError:
            # What the peer said before it ended the connection can still be read.
            connection.unsent = b""
            self._receive(connection)

    def _receive(self, connection: _Connection) -> None:
        while connection.sock is not None:
            try:
                data = connection.sock.recv(RECEIVE_BYTES)
            except BlockingIOError:
                return
            except OSError as error:
                self._end(connection, after(State.WAITING, event_of_errno(error.errno or 0))[1])
                return
            if not data:
                self._end(connection, Outcome.CLOSED)
                return
            try:
                heard = connection.client.receive(data)
            except ProtocolError as error:
                self.finding = self.finding or str(error)
                self._end(connection, Outcome.MALFORMED)
                return
            for each in heard:
                self._of_stream(connection, each, len(data))
            self._send(connection)

    def _of_stream(self, connection: _Connection, heard: Heard, received: int) -> None:
        if (row := connection.rows.get(heard.stream)) is None:
            return
        columns = self.columns
        columns.received[row] = min(columns.received[row] + received, MOST_RECEIVED)
        if heard.status:
            columns.status[row] = heard.status
            columns.first[row] = columns.first[row] or time.monotonic_ns()
        outcome = _OUTCOMES.get(heard.what)
        if outcome is None:
            return
        if heard.code:
            self.codes[row] = ("RST_STREAM" if heard.what == "rst" else "GOAWAY", heard.code)
        if heard.what == "end" and heard.status not in NO_ERROR:
            outcome = Outcome.REJECTED
        del connection.rows[heard.stream]
        self._record(row, outcome)

    def _end(self, connection: _Connection, outcome: Outcome) -> None:
        """The connection has ended, and with it every stream on it that had not."""
        rows, connection.rows = connection.rows, {}
        for row in rows.values():
            if (goaway := connection.client.goaway) is not None:
                self.codes[row] = ("GOAWAY", goaway.code)
            self._record(row, outcome)
        if connection.sock is not None:
            del self._by_fd[connection.fd]
            connection.sock.close()
            connection.sock = None

    def _record(self, row: int, outcome: Outcome) -> None:
        if self.columns.outcome[row] == Outcome.PENDING:
            self.columns.done[row] = time.monotonic_ns()
            self.columns.outcome[row] = outcome
            self.ended += 1


_OUTCOMES = {"end": Outcome.ANSWERED, "rst": Outcome.RESET, "goaway": Outcome.CLOSED}
