"""Where a load's connections go, over TCP or to a Unix socket, and our own end of each.

Facts
-----
* A source port is unique only together with both addresses, but bind(2) with port 0 reserves one
  for the source address alone; IP_BIND_ADDRESS_NO_PORT (ip(7), Linux 4.2) leaves the choice to
  connect(2), so that one source has its whole ephemeral range towards each destination.
* A Unix socket has no handshake: connect(2) puts the connection into the listener's queue itself and returns
  when it is there, so it is established before anybody accepts it. The queue takes backlog + 1, as TCP's does
  (net/unix/af_unix.c unix_recvq_full(), a `>`; measured with 0, 1, 7, 16 and 128 on Linux 6.18: 1, 2, 8, 17, 129).
* Into a full queue a blocking connect(2) waits for room, for as long as SO_SNDTIMEO says; one that does not
  block fails at once with EAGAIN (unix_stream_connect(), `if (!timeo)`), and nothing of it is left: no
  socket on the server's side, no place in a queue. A blocked client is woken when the server accepts.
* A client's end has no name. What the kernel tells it by is the inode of its socket (unix_diag).
* A client that will write at once need not acknowledge the SYN-ACK by a packet of its own: with TCP_QUICKACK off before
  connect(2), the request carries that ACK (tcp_rcv_synsent_state_process(), inet_csk_in_pingpong_mode()). One packet
  and one wake of the server less.
* Small packets wait only for other small ones that were not acknowledged yet (tcp_nagle_check(), Minshall's variant).
  A request of one segment on a connection whose replies have all come has none before it: it needs no TCP_NODELAY.
* A path has at most 107 bytes (sun_path), a relative one is looked up from the working directory.

Decisions
---------
* The load is a client that does not block, as nginx is: beyond a full queue it is turned away, NO_ROOM, and not
  left without an answer. Waiting like one that blocks would need a thread for each connection.
* A load whose requests are all SMALL connects so: 1.7 us less of 26 for socket, handshake and send, both ends of the
  kernel's work included (measured). All others set TCP_NODELAY, for a second small packet after an early reply.
* Our own end is called by its port over TCP, and by its inode over Unix sockets.
"""

from __future__ import annotations

import _socket as socket  # `socket` itself takes 0.4 MB more: enums of all constants, and `selectors`
import errno
import os
from collections.abc import Sequence
from typing import Protocol

from holdfast.engine.exchange import Event, event_of_errno
from holdfast.errors import EnvironmentFailure
from holdfast.model.address import is_unix
from holdfast.model.frozen import frozen

NO_TLS = "no TLS connection came about"
"""The finding of a load whose TLS handshakes all failed."""

_Peer = tuple[str, int] | tuple[str, int, int, int] | tuple[int, bytes]

_BIND_ADDRESS_NO_PORT = getattr(socket, "IP_BIND_ADDRESS_NO_PORT", 24)
_LONGEST_PATH = 107
SMALL = 1000
"""Bytes of a request that one segment holds on any path (1,220 over IPv6's least MTU: RFC 8200, 5)."""
_STREAM = socket.SOCK_STREAM | socket.SOCK_NONBLOCK
_WHAT_THE_PEER_DID = {
    errno.EAGAIN: Event.NO_ROOM,
    # The socket's file is gone, so nothing can be listening there.
    errno.ENOENT: Event.REFUSED,
}


@frozen
class Tls:
    """How to speak TLS.

    Attributes:
        host: the name that the certificate must be for, also sent as SNI unless it is an IP address (RFC 6066, 3).
        verify: False takes any certificate.
    """

    host: str
    verify: bool = True


class Endpoint(Protocol):
    """Where connections go.

    Attributes:
        sources: our own addresses, as the results of `connect` count them.
    """

    sources: list[str]

    def open(self) -> socket.SocketType:
        """A fresh one that does not block. Raises OSError."""
        ...

    def connect(self, sock: socket.SocketType) -> tuple[int, int]:
        """Starts the connection; returns the index of our address and our port or inode. Raises OSError."""
        ...

    def event(self, number: int) -> Event:
        """What an errno of `connect` means."""
        ...

    def expect_small(self) -> None:
        """From now on, each connection is for requests of at most SMALL bytes, the first of them sent at once."""
        ...


def endpoint(address: str, port: int, sources: Sequence[str] = ()) -> Endpoint:
    """Where to connect to.

    Args:
        address: IPv4, IPv6 or a name, which is looked up once; or a Unix socket as `model.address` writes it.
        sources: our own addresses, used in turn; none leaves the choice to the kernel. Only of TCP.

    Raises:
        EnvironmentFailure: the name cannot be looked up, or the path is too long.
    """
    return _Unix(address) if is_unix(address) else _Tcp(address, port, sources)


def open_socket(to: Endpoint, descriptors: int) -> socket.SocketType:
    """A fresh one that is not connected; one beyond so many descriptors counts as none left, see `epoll`.

    Raises:
        OSError: our own side lacks the means.
    """
    sock = to.open()
    if sock.fileno() >= descriptors:
        sock.close()
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))
    return sock


class _Tcp:
    def __init__(self, address: str, port: int, sources: Sequence[str]) -> None:
        self._family, self._peer = resolve(address, port)
        self._bound = bool(sources)
        self._option = (socket.TCP_NODELAY, 1)
        self._turn = 0
        self.sources: list[str] = list(sources)

    def open(self) -> socket.SocketType:
        sock = socket.SocketType(self._family, _STREAM)
        sock.setsockopt(socket.IPPROTO_TCP, *self._option)
        return sock

    def expect_small(self) -> None:
        self._option = (socket.TCP_QUICKACK, 0)

    def connect(self, sock: socket.SocketType) -> tuple[int, int]:
        index = 0
        if self._bound:
            index = self._turn % len(self.sources)
            self._turn += 1
            sock.setsockopt(socket.IPPROTO_IP, _BIND_ADDRESS_NO_PORT, 1)
            sock.bind((self.sources[index], 0))
        number = sock.connect_ex(self._peer)
        if number and number != errno.EINPROGRESS:
            raise OSError(number, os.strerror(number))
        own = sock.getsockname()
        if not self.sources:
            self.sources.append(own[0])
        return index, own[1]

    def event(self, number: int) -> Event:
        return event_of_errno(number)


class _Unix:
    def __init__(self, address: str) -> None:
        self._path = _connectable(address)
        # Our ends have no name, and the kernel shows the server's ends as having nameless peers.
        self.sources: list[str] = [""]

    def open(self) -> socket.SocketType:
        return socket.SocketType(socket.AF_UNIX, _STREAM)

    def connect(self, sock: socket.SocketType) -> tuple[int, int]:
        number = sock.connect_ex(self._path)
        if number:
            raise OSError(number, os.strerror(number))
        return 0, os.fstat(sock.fileno()).st_ino

    def expect_small(self) -> None:
        """It has neither segments nor acknowledgements."""

    def event(self, number: int) -> Event:
        return _WHAT_THE_PEER_DID.get(number) or event_of_errno(number)


def _connectable(address: str) -> bytes:
    if address.startswith("@"):
        return b"\0" + os.fsencode(address[1:])
    path = min((os.fsencode(each) for each in (address, os.path.relpath(address))), key=len)
    if len(path) > _LONGEST_PATH:
        raise EnvironmentFailure(
            f"The path of the Unix socket is too long to connect to: {address}.",
            f"The kernel takes {_LONGEST_PATH} bytes, and it has {len(path)} (unix(7), sun_path).",
            "Run holdfast in the socket's directory, or let the server listen on a shorter path.",
        )
    return path


def resolve(address: str, port: int) -> tuple[int, _Peer]:
    """The family of an address or a name, and what connect(2) is given for it; raises EnvironmentFailure."""
    try:
        # As in `target`: bytes need no IDNA.
        family, _, _, _, peer = socket.getaddrinfo(address.encode(), port, type=socket.SOCK_STREAM)[0]
    except OSError as error:
        raise EnvironmentFailure(
            f"Cannot resolve the host {address!r}.", f"{error.strerror}.", "Check its spelling, or give its IP address."
        ) from error
    return family, peer
