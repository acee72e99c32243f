"""The two interfaces over which the kernel shows sockets: netlink's sock_diag, and `/proc/net/tcp`.

`KernelView` says what their methods mean.
"""

from __future__ import annotations

import socket
from collections.abc import Iterable, Iterator
from errno import ENOENT
from itertools import chain
from struct import pack
from typing import Literal

from holdfast.model.accept_queue import AcceptQueue
from holdfast.model.timeline import ServerSocket
from holdfast.observe import sock_diag, socket_tables
from holdfast.observe.sock_diag import UnixListener
from holdfast.observe.tcp import AF_INET, AF_INET6, TcpRecord, TcpVolume, summed
from holdfast.procfs.parse import ProtocolError

Source = Literal["sock_diag", "/proc/net/tcp"]

NETLINK_SOCK_DIAG = 4
_FAMILIES = (AF_INET, AF_INET6)
_TABLES = {AF_INET: "/proc/net/tcp", AF_INET6: "/proc/net/tcp6"}
# More than a part of a dump ever is (32 KiB, net/netlink/af_netlink.c netlink_dump).
_PART = 1 << 16
# A dump is made while it is read, so it never keeps a reader waiting; if it does, this is not netlink.
_PATIENCE_S = 2


class _SockDiag:
    """Dumps over one netlink socket.

    The socket carries at most one dump at a time: one that was not read to its end (Ctrl-C in
    between) would answer the next request with EBUSY, so then the socket is closed and the next
    dump opens another.
    """

    source: Source = "sock_diag"

    def __init__(self) -> None:
        """Raises OSError or ProtocolError where the kernel has no sock_diag for TCP."""
        self._buffer = bytearray(_PART)
        self._view = memoryview(self._buffer)
        self._sequence = 0
        self._socket: socket.socket | None = None
        self._families: tuple[int, ...] = _FAMILIES
        try:
            self._families = tuple(self._known_families())
        except BaseException:
            self.close()
            raise

    def _known_families(self) -> Iterator[int]:
        for family in _FAMILIES:
            try:
                self._dump(family, sock_diag.LISTENING, 0)
            except sock_diag.KernelRefusal as refusal:
                # net/core/sock_diag.c answers ENOENT for a family without sockets to show.
                if family == AF_INET or refusal.errno != ENOENT:
                    raise
            else:
                yield family

    def close(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def listening(self, port: int) -> Iterator[TcpRecord]:
        dumps = (self._dump(family, sock_diag.LISTENING, port) for family in self._families)
        return chain.from_iterable(map(sock_diag.tcp_records, dumps))

    def dual_stack(self) -> Iterator[int]:
        dumps = (self._dump(family, sock_diag.LISTENING, 0) for family in self._families if family == AF_INET6)
        return chain.from_iterable(map(sock_diag.dual_stack, dumps))

    def accept_queue(self, port: int) -> AcceptQueue:
        count = depth = limit = 0
        for family in self._families:
            of_family = sock_diag.queue_sums(self._dump(family, sock_diag.LISTENING, port))
            count, depth, limit = count + of_family[0], depth + of_family[1], limit + of_family[2]
        return AcceptQueue(depth, limit + count - 1) if count else AcceptQueue()

    def connections(self, port: int) -> tuple[ServerSocket, ...]:
        dumps = (self._dump(family, sock_diag.CONNECTED, port) for family in self._families)
        return _sockets(map(sock_diag.connections, dumps))

    def connected(self, port: int) -> Iterator[TcpRecord]:
        dumps = (self._dump(family, sock_diag.CONNECTED, port) for family in self._families)
        return chain.from_iterable(map(sock_diag.tcp_records, dumps))

    def volumes(self) -> Iterator[TcpVolume]:
        dumps = (self._dump(family, sock_diag.CONNECTED, 0, volumes=True) for family in self._families)
        return chain.from_iterable(map(sock_diag.tcp_volumes, dumps))

    def syn_sent(self) -> Iterator[TcpRecord]:
        dumps = (self._dump(family, sock_diag.SYN_SENT, 0) for family in self._families)
        return chain.from_iterable(map(sock_diag.tcp_records, dumps))

    def unix_listeners(self, *, files: bool = True, waiting: bool = False) -> tuple[UnixListener, ...] | None:
        self._sequence += 1
        request = sock_diag.unix_request(self._sequence, files=files, waiting=waiting)
        try:
            return tuple(sock_diag.unix_listeners(self._ask(request, self._sequence)))
        except sock_diag.KernelRefusal as refusal:
            if refusal.errno == ENOENT:  # no module unix_diag
                return None
            raise

    def unix_sockets(self, listener: UnixListener) -> tuple[ServerSocket, ...]:
        self._sequence += 1
        answer = self._ask(sock_diag.unix_connected_request(self._sequence), self._sequence)
        return tuple(sock_diag.unix_sockets(answer, listener))

    def unix_inodes(self, listener: UnixListener) -> frozenset[int]:
        self._sequence += 1
        answer = self._ask(sock_diag.unix_connected_request(self._sequence), self._sequence)
        return frozenset(sock_diag.unix_inodes(answer, listener))

    def _dump(self, family: int, states: int, port: int, *, volumes: bool = False) -> sock_diag.Answer:
        self._sequence += 1
        return self._ask(sock_diag.tcp_request(family, states, port, self._sequence, volumes=volumes), self._sequence)

    def _ask(self, request: bytes, sequence: int) -> sock_diag.Answer:
        if self._socket is None:
            self._socket = _netlink()
        answer = sock_diag.Answer(sequence)
        try:
            self._socket.send(request)
            while not answer.done:
                size = self._socket.recv_into(self._buffer)
                answer.feed(self._view[:size])
                if answer.pending or not size:
                    raise ProtocolError("a netlink datagram that ends inside a message")
        except sock_diag.KernelRefusal:
            raise
        except BaseException:
            self.close()
            raise
        return answer


def _netlink() -> socket.socket:
    channel = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, NETLINK_SOCK_DIAG)
    # The kernel's own timeout: settimeout() would cost a poll() before each recv().
    channel.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, pack("@ll", _PATIENCE_S, 0))
    return channel


class _ProcNetTcp:
    """The same from `/proc/net/tcp` and `tcp6`: every look reads both whole tables."""

    source: Source = "/proc/net/tcp"

    def __init__(self) -> None:
        """Raises OSError if the table does not exist."""
        self._read(AF_INET)

    def close(self) -> None:
        pass

    def listening(self, port: int) -> Iterator[TcpRecord]:
        rows = (socket_tables.tcp_rows(self._read(family), family, port) for family in _FAMILIES)
        return (record for record in chain.from_iterable(rows) if record.state == "LISTEN")

    def connected(self, port: int) -> Iterator[TcpRecord]:
        rows = (socket_tables.tcp_rows(self._read(family), family, port) for family in _FAMILIES)
        return (record for record in chain.from_iterable(rows) if record.state != "LISTEN")

    def volumes(self) -> Iterator[TcpVolume]:
        return iter(())

    def syn_sent(self) -> Iterator[TcpRecord]:
        rows = (socket_tables.tcp_rows(self._read(family), family) for family in _FAMILIES)
        return (record for record in chain.from_iterable(rows) if record.state == "SYN_SENT")

    def dual_stack(self) -> Iterator[int]:
        return iter(())

    def accept_queue(self, port: int) -> AcceptQueue:
        return AcceptQueue(summed(record.rqueue for record in self.listening(port)))

    def connections(self, port: int) -> tuple[ServerSocket, ...]:
        return _sockets(socket_tables.tcp_connections(self._read(family), family, port) for family in _FAMILIES)

    def unix_listeners(self, *, files: bool = True, waiting: bool = False) -> None:  # noqa: ARG002 - as of _SockDiag
        return None

    def unix_sockets(self, _listener: UnixListener) -> tuple[ServerSocket, ...]:
        return ()

    def unix_inodes(self, _listener: UnixListener) -> None:
        return None

    def _read(self, family: int) -> bytes:
        try:
            with open(_TABLES[family], "rb", buffering=0) as table:
                return table.read()
        except FileNotFoundError:
            # A kernel without IPv6 has no tcp6; every Linux has tcp.
            if family == AF_INET:
                raise
            return b""


def _sockets(found: Iterable[dict[bytes, ServerSocket]]) -> tuple[ServerSocket, ...]:
    return tuple(chain.from_iterable(of_family.values() for of_family in found))


def open_interface(source: Source | None) -> _SockDiag | _ProcNetTcp:
    """The one that is asked for; None takes sock_diag where the kernel offers it. Raises OSError, ProtocolError."""
    if source != "/proc/net/tcp":
        try:
            return _SockDiag()
        except (OSError, ProtocolError):
            if source is not None:
                raise
    return _ProcNetTcp()
