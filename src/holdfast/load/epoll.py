"""Sockets and epoll: the only place of a load process that talks to the kernel.

Facts
-----
* epoll can report a change once (EPOLLET) or for as long as it lasts. Level-triggered, each
  reported socket is put back and polled again at the next wait; and asking for "writable" only
  while it is wanted costs two more epoll_ctl calls for each request.
* epoll_wait and poll count milliseconds and round up: median pacing lag 0.5 ms. select(2) counts
  microseconds, and an epoll descriptor is itself selectable: median 0.11-0.24 ms.
* select(2) takes no descriptor from 1024 up.
* A connect that is under way becomes writable when it is decided; SO_ERROR says how (connect(2)).
* A source port is unique only together with both addresses, but bind(2) with port 0 reserves one
  for the source address alone; IP_BIND_ADDRESS_NO_PORT (ip(7), Linux 4.2) leaves the choice to
  connect(2), so that one source has its whole ephemeral range towards each destination.
* The kernel reports a peer's RST once. A send that takes the report leaves EOF to the next
  receive; what the peer wrote before the RST can still be read.
* The kernel gives out the lowest free descriptor.

Decisions
---------
* One EPOLLET registration for a connection's whole life. Hence: send until done or EAGAIN, receive
  until a short read; after a sign of an end (RDHUP, HUP, ERR) receive until EOF, because no
  second edge will come.
* The wait is select on the epoll descriptor; then epoll is asked without waiting.
* "Connected" is EPOLLOUT with SO_ERROR 0. Before it, a connection is in SYN however often the kernel
  repeats its SYN.
* The request is sent in the turn that sees the handshake; `sent` is stamped before the send.
* A descriptor within RESERVE of the limit is given back and counts as none left: observers and
  reports of the same process need some.

Costs
-----
* A turn with more than MAX_EVENTS ready sockets takes several waits.
* Where the epoll descriptor is 1024 or higher the wait falls back to milliseconds.
"""

from __future__ import annotations

import contextlib
import errno
import os
import resource
import select
import socket
import struct
import time
from collections.abc import Callable, Iterable, Sequence

from holdfast.errors import EnvironmentFailure
from holdfast.load.columns import Columns
from holdfast.load.exchange import Event, State, after, event_of_errno
from holdfast.load.http1 import ProtocolError, ReplyReader
from holdfast.model.places import Outcome

MAX_EVENTS = 512
RECEIVE_BYTES = 65536
RESERVE = 32
FIRST_UNSELECTABLE = 1024
FIRST_ERROR_STATUS = 400
NS_PER_S = 1_000_000_000

_Peer = tuple[str, int] | tuple[str, int, int, int] | tuple[int, bytes]

_WATCHED = select.EPOLLIN | select.EPOLLOUT | select.EPOLLRDHUP | select.EPOLLET
_END_SIGNS = select.EPOLLRDHUP | select.EPOLLHUP | select.EPOLLERR
_BIND_ADDRESS_NO_PORT = getattr(socket, "IP_BIND_ADDRESS_NO_PORT", 24)
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)


class Connection:
    """One socket and the request it carries."""

    __slots__ = ("reader", "row", "sock", "state", "unsent")

    def __init__(self, sock: socket.socket, row: int) -> None:
        self.sock = sock
        self.row = row
        self.state = State.CONNECTING
        self.unsent = b""
        self.reader: ReplyReader | None = None


class Connections:
    """All connections of one load process and the rows that they write.

    Invariant: opened = connecting + established + ended, and each connecting or established row
    has exactly one open socket.

    Attributes:
        sources: our addresses as `columns.source` counts them.
        failure: errno and words of the first failure on our own side; None if there was none.
        malformed: the first reply that was not HTTP/1, in words; None if there was none.
        excess: replies that were followed by more than they announced.
        ended_rows: rows that ended since the owner last cleared the list.
    """

    def __init__(
        self, address: str, port: int, head_of: Callable[[int], bytes], columns: Columns, sources: Sequence[str] = ()
    ) -> None:
        """Opens no connection yet.

        Args:
            address: where to connect to; a name is looked up once.
            head_of: row -> the request's bytes.
            sources: our own addresses, used in turn; none leaves the choice to the kernel.

        Raises:
            EnvironmentFailure: the name cannot be looked up.
        """
        self._family, self._peer = _resolve(address, port)
        self._head_of = head_of
        self._columns = columns
        self._epoll = select.epoll()
        self._selectable = self._epoll.fileno() < FIRST_UNSELECTABLE
        self._by_fd: dict[int, Connection] = {}
        self._by_row: dict[int, Connection] = {}
        self._bound = bool(sources)
        self._turn_of_source = 0
        self._descriptors = _descriptors_for_load()
        self.sources: list[str] = list(sources)
        self.connecting = 0
        self.established = 0
        self.ended = 0
        self.failure: tuple[int, str] | None = None
        self.malformed: str | None = None
        self.excess = 0
        self.ended_rows: list[int] = []

    def open(self, row: int, due_ns: int | None = None) -> bool:
        """Starts a connection; its request is sent in the turn that sees the handshake.

        Args:
            due_ns: None is now.

        Returns:
            False where our own side had no means left: the row then has ended as FAILED.
        """
        now = time.monotonic_ns()
        columns = self._columns
        columns.due[row] = now if due_ns is None else due_ns
        columns.opened[row] = now
        try:
            sock = self._socket()
        except OSError as error:
            self._own_failure(row, error)
            return False
        connection = Connection(sock, row)
        self._by_row[row] = connection
        self._by_fd[sock.fileno()] = connection
        self.connecting += 1
        try:
            source = self._connect(sock)
        except OSError as error:
            event = event_of_errno(error.errno or 0)
            if event is Event.OWN_LIMIT:
                self.failure = self.failure or _failure(error)
            self._move(connection, event)
            return event is not Event.OWN_LIMIT
        local_address, local_port = sock.getsockname()[:2]
        if not self._bound and not self.sources:
            self.sources.append(local_address)
        columns.source[row] = source
        columns.local_port[row] = local_port
        self._epoll.register(sock, _WATCHED)
        return True

    def turn(self, timeout_ns: int) -> int:
        """Waits at most `timeout_ns` for events, carries out all that are there, and counts them."""
        events = self._wait(timeout_ns)
        for fd, mask in events:
            connection = self._by_fd.get(fd)
            if connection is None:
                continue
            if connection.state is State.CONNECTING:
                self._decided(connection)
            elif connection.unsent and mask & select.EPOLLOUT:
                self._send(connection)
            if mask & (select.EPOLLIN | _END_SIGNS):
                self._receive(connection, to_the_end=bool(mask & _END_SIGNS))
        return len(events)

    def pending(self) -> list[int]:
        """Rows that have not ended, in the order in which they were opened."""
        return list(self._by_row)

    def give_up(self, rows: Iterable[int], *, reset: bool = False) -> None:
        """Closes our end of these rows, by FIN or by RST; rows that have ended are left as they are."""
        for row in rows:
            connection = self._by_row.get(row)
            if connection is None:
                continue
            if reset:
                connection.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
            self._move(connection, Event.GIVE_UP)

    def expire(self, row: int) -> None:
        """This row's time is over; nothing happens if it has ended."""
        connection = self._by_row.get(row)
        if connection is not None:
            self._move(connection, Event.DEADLINE)

    def close(self) -> None:
        """Closes every socket; rows that have not ended stay PENDING."""
        for connection in self._by_row.values():
            connection.sock.close()
        self._by_row.clear()
        self._by_fd.clear()
        self._epoll.close()

    def _wait(self, timeout_ns: int) -> list[tuple[int, int]]:
        if timeout_ns > 0:
            if self._selectable:
                if not select.select([self._epoll], [], [], timeout_ns / NS_PER_S)[0]:
                    return []
            else:
                return self._epoll.poll(timeout_ns / NS_PER_S, MAX_EVENTS)
        return self._epoll.poll(0, MAX_EVENTS)

    def _socket(self) -> socket.socket:
        sock = socket.socket(self._family, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
        if sock.fileno() >= self._descriptors:
            sock.close()
            raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return sock

    def _connect(self, sock: socket.socket) -> int:
        """Starts the handshake; returns the index of the source address that was used."""
        if not self._bound:
            _start_handshake(sock, self._peer)
            return 0
        sock.setsockopt(socket.IPPROTO_IP, _BIND_ADDRESS_NO_PORT, 1)
        count = len(self.sources)
        index = self._turn_of_source % count
        self._turn_of_source += 1
        sock.bind((self.sources[index], 0))
        _start_handshake(sock, self._peer)
        return index

    def _decided(self, connection: Connection) -> None:
        number = connection.sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if number:
            self._move(connection, event_of_errno(number))
            return
        self._columns.connected[connection.row] = time.monotonic_ns()
        self._move(connection, Event.CONNECTED)
        connection.unsent = self._head_of(connection.row)
        self._columns.sent[connection.row] = time.monotonic_ns()
        self._send(connection)

    def _send(self, connection: Connection) -> None:
        try:
            while connection.unsent:
                count = connection.sock.send(connection.unsent)
                connection.unsent = connection.unsent[count:]
        except BlockingIOError:
            return
        except OSError as error:
            connection.unsent = b""
            event = event_of_errno(error.errno or 0)
            self._move(connection, Event.BROKEN if event is Event.RST else event)
            if connection.state is not State.ENDED:
                self._receive(connection, to_the_end=True)
            return
        if connection.state is State.SENDING:
            self._move(connection, Event.SENT)

    def _receive(self, connection: Connection, *, to_the_end: bool) -> None:
        while connection.state is not State.ENDED:
            try:
                data = connection.sock.recv(RECEIVE_BYTES)
            except BlockingIOError:
                return
            except OSError as error:
                self._move(connection, event_of_errno(error.errno or 0))
                return
            self._move(connection, self._heard(connection, data))
            if len(data) < RECEIVE_BYTES and not to_the_end:
                return

    def _heard(self, connection: Connection, data: bytes) -> Event:
        """What these bytes, or with none the peer's FIN, mean for the exchange."""
        reader = connection.reader
        if reader is None:
            reader = connection.reader = ReplyReader()
        try:
            if data:
                reader.feed(data)
            else:
                reader.eof()
        except ProtocolError as error:
            self.malformed = self.malformed or str(error)
            return Event.NOT_HTTP
        self._columns.status[connection.row] = reader.status
        if not reader.complete:
            return Event.BYTES if data else Event.EOF
        self.excess += reader.excess
        return Event.REPLY if reader.status < FIRST_ERROR_STATUS else Event.ERROR_REPLY

    def _move(self, connection: Connection, event: Event) -> None:
        before = connection.state
        connection.state, outcome = after(before, event)
        if before is State.CONNECTING and connection.state is not State.CONNECTING:
            self.connecting -= 1
            self.established += 1
        if connection.state is not State.ENDED:
            return
        self.established -= 1
        self.ended += 1
        row = connection.row
        self._columns.done[row] = time.monotonic_ns()
        self._columns.outcome[row] = outcome
        self.ended_rows.append(row)
        del self._by_row[row]
        del self._by_fd[connection.sock.fileno()]
        connection.reader = None
        connection.sock.close()

    def _own_failure(self, row: int, error: OSError) -> None:
        self.failure = self.failure or _failure(error)
        self.ended += 1
        self._columns.done[row] = time.monotonic_ns()
        self._columns.outcome[row] = Outcome.FAILED
        self.ended_rows.append(row)


def raise_descriptor_limit() -> int:
    """Raises this process's soft RLIMIT_NOFILE to the hard one; returns the soft one from before."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        # Infinity, where the kernel's fs.nr_open is lower: then the soft limit stays.
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return soft


def restore_descriptor_limit(soft: int) -> None:
    """Undoes `raise_descriptor_limit`, so that processes started later do not inherit its effect."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def _descriptors_for_load() -> int:
    soft = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    return soft - min(RESERVE, soft // 4)


def _resolve(address: str, port: int) -> tuple[int, _Peer]:
    try:
        family, _, _, _, peer = socket.getaddrinfo(address, port, type=socket.SOCK_STREAM)[0]
    except OSError as error:
        raise EnvironmentFailure(
            f"The address {address!r} could not be looked up.", str(error), "Check its spelling, or give a number."
        ) from error
    return family, peer


def _start_handshake(sock: socket.socket, peer: _Peer) -> None:
    number = sock.connect_ex(peer)
    if number not in (0, errno.EINPROGRESS):
        raise OSError(number, os.strerror(number))


def _failure(error: OSError) -> tuple[int, str]:
    number = error.errno or 0
    words = {
        errno.EMFILE: "no descriptor is left for the load (RLIMIT_NOFILE of holdfast's own process)",
        errno.ENFILE: "no descriptor is left in the whole system (fs.file-max)",
        errno.EADDRNOTAVAIL: "no source port is left for the load (net.ipv4.ip_local_port_range)",
    }.get(number, "the load could not open a connection")
    return number, f"{words}: {os.strerror(number)}"
