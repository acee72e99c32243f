"""The kernel's own view of listening sockets and connections: netlink's sock_diag, or `/proc/net/tcp` without it.

Both show every user the whole network namespace of this process, whichever user owns the sockets.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import NamedTuple, Self

from holdfast.errors import EnvironmentFailure
from holdfast.model.accept_queue import AcceptQueue
from holdfast.model.address import NO_PORT
from holdfast.model.timeline import Listener, ServerSocket
from holdfast.observe import sock_diag
from holdfast.observe.routes import ListenAddress, TcpListenAddress, UnixListenAddress
from holdfast.observe.sock_diag import UnixListener
from holdfast.observe.socket_interfaces import Source, open_interface
from holdfast.observe.tcp import (
    TcpVolume,
    listeners_among,
    summed,
)
from holdfast.procfs.parse import ProtocolError


class UnansweredSyns(NamedTuple):
    """Connections whose handshake has not been completed.

    Attributes:
        again_ms: when the kernel sends the first of their SYNs again; None where that is not known.
    """

    number: int
    again_ms: int | None


class KernelView:
    """What the kernel says about sockets of this network namespace.

    Of a Unix socket only sock_diag tells anything.

    Every look is made of one dump for each address family; while connections come and go it is
    not one instant, and a caller that needs one looks until nothing has moved.
    """

    def __init__(self, source: Source | None = None) -> None:
        """Opens the interface.

        Args:
            source: None takes sock_diag where the kernel offers it.

        Raises:
            EnvironmentFailure: this system has neither.
        """
        with _words_for_failure():
            self._interface = open_interface(source)

    @property
    def source(self) -> Source:
        """The interface in use; "/proc/net/tcp" shows no limits and takes two hundred times as long."""
        return self._interface.source

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Closes the netlink socket; a later look would open another."""
        self._interface.close()

    def listeners(self, address: ListenAddress) -> tuple[Listener, ...]:
        """The listening sockets at one address: several with SO_REUSEPORT, or with several addresses."""
        if isinstance(address, UnixListenAddress):
            unix = self._unix_listener(address)
            return () if unix is None else (_as_listener(unix),)
        port, only = (address.port, address.listens_on) if isinstance(address, TcpListenAddress) else (address, None)
        with _words_for_failure():
            found = listeners_among(self._interface.listening(port))
        return found if only is None else tuple(each for each in found if each.address == only)

    def listening_inodes(self) -> dict[int, Listener]:
        """Every listening TCP socket, by inode."""
        with _words_for_failure():
            found = listeners_among(self._interface.listening(0))
        return {listener.inode: listener for listener in found}

    def dual_stack(self) -> frozenset[int]:
        """Inodes of the listening IPv6 sockets that take IPv4 connections too, as far as the interface shows that."""
        with _words_for_failure():
            return frozenset(self._interface.dual_stack())

    def accept_queue(self, address: ListenAddress) -> AcceptQueue:
        """The accept queues at one address, counted as one.

        Over sock_diag it takes 40 us however many connections there are; over /proc/net/tcp 7 ms,
        and 55 ms with 10,000 other sockets.

        A queue counts what accept() would return, including connections that the client has since reset; those are
        no longer among the `server_sockets`.

        Returns:
            Without a depth where nothing listens, without a limit where the interface does not show it. Several
            queues counted as one are full when each of them is.
        """
        if isinstance(address, UnixListenAddress):
            one = self._unix_listener(address, files=False)
            return AcceptQueue() if one is None else AcceptQueue(one.depth, one.limit)
        if isinstance(address, TcpListenAddress):
            found = self.listeners(address)
            limit = summed(each.limit for each in found)
            return AcceptQueue(summed(each.depth for each in found), None if limit is None else limit + len(found) - 1)
        with _words_for_failure():
            return self._interface.accept_queue(address)

    def waiting_for(self, ports: Collection[int]) -> int:
        """Connections on their way into these ports: in an accept queue, or without a completed handshake.

        The latter count wherever in this network namespace they come from.
        """
        return sum(self.accept_queue(port).depth or 0 for port in ports) + self.without_handshake(ports).number

    def without_handshake(self, ports: Collection[int]) -> UnansweredSyns:
        """Connections into these ports whose SYN has not been answered yet, from anywhere in this namespace."""
        with _words_for_failure():
            timers = [record.timer_ms for record in self._interface.syn_sent() if record.peer_port in ports]
        return UnansweredSyns(len(timers), min((timer for timer in timers if timer is not None), default=None))

    def server_sockets(self, address: ListenAddress) -> tuple[ServerSocket, ...]:
        """The server's ends of all connections to one address, each connection once.

        Of a TCP port these are always the connections to all of its addresses.
        SYN_RECV and TIME_WAIT are included. An IPv4 peer of an IPv6 listener has its IPv4 address. Of a Unix socket,
        the ends that wait to be accepted are known by the clients in the listener's queue.

        Over sock_diag 5,000 sockets take 12-15 ms, of which the kernel's part is 5 ms.
        """
        if isinstance(address, UnixListenAddress):
            return self._unix_sockets(address)
        with _words_for_failure():
            return self._interface.connections(address.port if isinstance(address, TcpListenAddress) else address)

    def connection_inodes(self, address: ListenAddress) -> frozenset[int] | None:
        """Inodes of the address's connections that a process has accepted; None where the interface shows none."""
        if isinstance(address, UnixListenAddress):
            listener = self._unix_listener(address)
            with _words_for_failure():
                return None if listener is None else self._interface.unix_inodes(listener)
        port = address.port if isinstance(address, TcpListenAddress) else address
        with _words_for_failure():
            return frozenset(each.inode for each in self._interface.connected(port) if each.inode)

    def volumes(self) -> tuple[TcpVolume, ...]:
        """What every connected TCP socket of this network namespace has carried; () where that is not shown."""
        with _words_for_failure():
            return tuple(self._interface.volumes())

    def _unix_sockets(self, address: UnixListenAddress) -> tuple[ServerSocket, ...]:
        listener = self._unix_listener(address, waiting=True)
        if listener is None:
            return ()
        with _words_for_failure():
            taken = self._interface.unix_sockets(listener)
        # The queue was read first, so a connection accepted meanwhile is in both.
        inodes = {each.peer_port for each in taken} - {0}
        queued = (sock_diag.unix_socket(each, accepted=False) for each in listener.waiting if each not in inodes)
        return (*taken, *queued)

    def _unix_listener(
        self, address: UnixListenAddress, *, files: bool = True, waiting: bool = False
    ) -> UnixListener | None:
        with _words_for_failure():
            found = self._interface.unix_listeners(files=files, waiting=waiting) or ()
        return next((each for each in found if each.inode == address.inode), None)

    def unix_listeners(self) -> tuple[UnixListener, ...] | None:
        """Every listening Unix socket; None where the interface does not show their queues."""
        with _words_for_failure():
            return self._interface.unix_listeners()


@contextmanager
def _words_for_failure() -> Iterator[None]:
    try:
        yield
    except (OSError, ProtocolError) as error:
        raise EnvironmentFailure(
            "The kernel's socket tables cannot be read.",
            f"They say where connections wait. Reading them (netlink's sock_diag, or /proc/net/tcp) failed: {error}.",
            "holdfast needs Linux with /proc mounted, and a sandbox that lets it read its own network namespace.",
        ) from error


def _as_listener(unix: UnixListener) -> Listener:
    return Listener(unix.inode, unix.path or "", NO_PORT, unix.depth, unix.limit)
