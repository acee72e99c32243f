"""Connections of clients that say nothing, or half of something, and what the server does to them.

Facts
-----
* On loopback a connection is in the accept queue, or accepted, when connect(2) has made it (a listener with
  TCP_DEFER_ACCEPT keeps it out of the queue until it sends: tcp(7)).
* A receive buffer can be made smaller before the connection only: its window is agreed on with the first segments
  (tcp(7), SO_RCVBUF).
* A FIN behind bytes that do not fit into the window is not seen. An RST is.
"""

from __future__ import annotations

import re
import select
import socket
import time
from collections.abc import Callable
from typing import Self

from holdfast.engine.endpoint import endpoint
from holdfast.engine.exchange import Event
from holdfast.engine.http1 import ProtocolError, ReplyReader
from holdfast.engine.waiting import END_SIGNS
from holdfast.model.silent import SilentConnection, SilentEnd

_RECEIVE_BYTES = 65536
_SMALL_BUFFER = 4096
_STATUS = re.compile(rb"HTTP/1\.[01] (\d{3})")
_HEAD_BYTES = 16


class _Client:
    """One of them.

    Attributes:
        unsent: what it has yet to send before it is silent.
        reader: reads the answer before its silence; None once it is silent.
        begun: the first bytes of what came during its silence.
    """

    __slots__ = ("begun", "ended_ns", "how", "left_ns", "opened_ns", "reader", "reads", "silent_ns", "sock", "unsent")

    def __init__(self, sock: socket.SocketType, unsent: bytes, *, answered: bool, reads: bool) -> None:
        self.sock = sock
        self.unsent = unsent
        self.reader = ReplyReader() if answered else None
        self.reads = reads
        self.begun = b""
        self.opened_ns = time.monotonic_ns()
        self.silent_ns = self.ended_ns = self.left_ns = 0
        self.how: SilentEnd = ""

    @property
    def is_open(self) -> bool:
        return not (self.ended_ns or self.left_ns)


class SilentConnections:
    """All silent connections of one run. A context manager: leaving it closes every socket.

    Invariant: `clients` keeps one row for each connection that was begun, in that order.
    """

    def __init__(self, address: str, port: int, now_ns: Callable[[], int] = time.monotonic_ns) -> None:
        """Opens none yet.

        Args:
            address, port: as of `endpoint`.
        """
        self._endpoint = endpoint(address, port)
        self._now_ns = now_ns
        self._epoll = select.epoll()
        self._by_fd: dict[int, _Client] = {}
        self._clients: list[_Client] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.leave(self.begun)
        self._epoll.close()

    @property
    def begun(self) -> int:
        """How many were begun."""
        return len(self._clients)

    @property
    def silent(self) -> int:
        """How many are open and have been silent since."""
        return sum(each.is_open and each.silent_ns > 0 for each in self._by_fd.values())

    @property
    def ended(self) -> int:
        """How many the server has ended."""
        return sum(each.ended_ns > 0 for each in self._clients)

    def is_silent(self, number: int) -> bool:
        """Whether this one has begun its silence."""
        return self._clients[number].silent_ns > 0

    def is_open(self, number: int) -> bool:
        """Whether neither side has ended this one."""
        return self._clients[number].is_open

    @property
    def first(self) -> int | None:
        """The number of the one that was begun first of those that `silent` counts; None where there is none."""
        return next((number for number in range(self.begun) if self.is_silent(number) and self.is_open(number)), None)

    def open(self, sent: bytes, *, answered: bool = False, reads: bool = True) -> int:
        """Begins one, and gives its number.

        Args:
            sent: what it sends before it is silent.
            answered: it waits for the answer to that before it is silent.
            reads: it reads what comes; else it is silent when the first bytes of a reply have come.

        Raises:
            OSError: our own side has no descriptor or port left.
        """
        sock = self._endpoint.open()
        if not reads:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _SMALL_BUFFER)
        client = _Client(sock, sent, answered=answered, reads=reads)
        self._clients.append(client)
        try:
            self._endpoint.connect(sock)
        except OSError as error:
            sock.close()
            if self._endpoint.event(error.errno or 0) is Event.OWN_LIMIT:
                client.ended_ns, client.how = self._now_ns(), "failed"
                raise
            client.ended_ns, client.how = self._now_ns(), "turned away"
            return self.begun - 1
        self._by_fd[sock.fileno()] = client
        self._epoll.register(sock.fileno(), select.EPOLLOUT | select.EPOLLIN | select.EPOLLRDHUP)
        return self.begun - 1

    def look(self, timeout_s: float = 0.0) -> None:
        """Takes note of what has happened to them, waiting at most this long for something to happen."""
        for fd, mask in self._epoll.poll(timeout_s):
            client = self._by_fd[fd]
            if mask & select.EPOLLOUT and not self._send(client):
                continue
            if mask & (select.EPOLLIN | END_SIGNS):
                self._hear(client, mask)

    def note_end(self, number: int) -> None:
        """Notes that the server has ended this one, of which nothing can be seen from here."""
        self._end(self._clients[number], "closed")

    def unread_ports(self) -> dict[int, int]:
        """Our port of each that is open and does not read -> its number."""
        return {
            each.sock.getsockname()[1]: number
            for number, each in enumerate(self._clients)
            if each.is_open and not each.reads and each.sock.family != socket.AF_UNIX
        }

    def leave(self, count: int) -> None:
        """Closes the last so many that were begun."""
        for client in self._clients[max(0, self.begun - count) :]:
            if client.is_open:
                client.left_ns = self._now_ns()
                self._drop(client)

    def connections(self) -> tuple[SilentConnection, ...]:
        """All that were begun, as they are now."""
        return tuple(
            SilentConnection(
                opened_ns=each.opened_ns,
                silent_ns=each.silent_ns,
                ended_ns=each.ended_ns,
                left_ns=each.left_ns,
                how=each.how,
                status=int(found[1]) if (found := _STATUS.match(each.begun)) else 0,
            )
            for each in self._clients
        )

    def _send(self, client: _Client) -> bool:
        """Sends what is to be sent, and falls silent where that is all; False where the connection has ended."""
        if client.sock.family != socket.AF_UNIX and client.sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
            self._end(client, "turned away")
            return False
        try:
            while client.unsent:
                client.unsent = client.unsent[client.sock.send(client.unsent) :]
        except BlockingIOError:
            return True
        except OSError:
            self._end(client, "reset")
            return False
        self._epoll.modify(client.sock.fileno(), select.EPOLLIN | select.EPOLLRDHUP)
        if client.reader is None and client.reads:
            client.silent_ns = self._now_ns()
        return True

    def _hear(self, client: _Client, mask: int) -> None:
        if not client.reads:
            # Errors and the end are reported without being asked for.
            client.silent_ns = client.silent_ns or self._now_ns()
            self._epoll.modify(client.sock.fileno(), select.EPOLLRDHUP)
            if mask & END_SIGNS:
                self._end(client, "reset" if mask & select.EPOLLERR else "closed")
            return
        try:
            data = client.sock.recv(_RECEIVE_BYTES)
        except BlockingIOError:
            return
        except OSError:
            self._end(client, "reset")
            return
        if not data:
            self._end(client, "closed")
        elif client.reader is None:
            client.begun = (client.begun + data)[:_HEAD_BYTES]
        else:
            self._answer(client, client.reader, data)

    def _answer(self, client: _Client, reader: ReplyReader, data: bytes) -> None:
        try:
            reader.feed(data)
        except ProtocolError:
            client.reader = None
            return
        if reader.complete:
            client.reader, client.silent_ns = None, self._now_ns()

    def _end(self, client: _Client, how: SilentEnd) -> None:
        client.ended_ns, client.how = self._now_ns(), how
        self._drop(client)

    def _drop(self, client: _Client) -> None:
        self._by_fd.pop(client.sock.fileno(), None)
        client.sock.close()
