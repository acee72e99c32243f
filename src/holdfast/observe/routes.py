"""Which address leads to which of a server's listening sockets, over TCP or to a Unix socket. Pure.

Of several sockets that listen on one port the kernel takes the one with the connection's own destination
address before one for every address, and of these an IPv4 one before an IPv6 one (net/ipv4/inet_hashtables.c
compute_score(), __inet_lookup_listener()). Sockets with the same address share the port by SO_REUSEPORT, and
each gets some of the connections.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import ip_address

from holdfast.model.address import NO_PORT, is_unix
from holdfast.model.timeline import Listener

_LOOPBACKS = {4: "127.0.0.1", 6: "::1"}
_MAPPED = "::ffff:"


@dataclass(frozen=True, slots=True)
class UnixDoor:
    """One listening Unix socket, by its inode: its name may be given to another, and be relative to anywhere."""

    inode: int


@dataclass(frozen=True, slots=True)
class TcpDoor:
    """The listening sockets of a TCP port that are bound to one address, as the kernel writes it.

    A server that listens on a port for every IPv4 and for every IPv6 address has two queues, of which a client fills
    one.
    """

    port: int
    listens_on: str


Door = int | TcpDoor | UnixDoor
"""Where connections arrive: everything that listens on a TCP port, one address of it, or a Unix socket."""


@dataclass(frozen=True, slots=True)
class WayIn:
    """An address to connect to, and where such a connection arrives.

    Attributes:
        address, port: as of `model.address`.
        listens_on: the address of the sockets that get it, as the kernel writes it.
        listeners: these sockets.
        shares_port: sockets with another address listen on the same port, and get none of these connections.
    """

    address: str
    port: int
    listens_on: str
    listeners: tuple[Listener, ...]
    shares_port: bool = False

    @property
    def door(self) -> Door:
        """What the kernel's view is asked for."""
        if is_unix(self.address):
            return UnixDoor(self.listeners[0].inode)
        return TcpDoor(self.port, self.listens_on) if self.shares_port else self.port


def ways_in(listeners: Iterable[Listener]) -> tuple[WayIn, ...]:
    """One way to each port, ascending by port, then one to each Unix socket, by name.

    A port is reached over loopback where that is possible, best over IPv4.
    """
    by_port: dict[int, list[Listener]] = {}
    by_name: dict[str, Listener] = {}
    for each in listeners:
        if is_unix(each.address):
            by_name[each.address] = each
        else:
            by_port.setdefault(each.port, []).append(each)
    return (
        *(_way_in(port, by_port[port]) for port in sorted(by_port)),
        *(WayIn(name, NO_PORT, name, (by_name[name],)) for name in sorted(by_name)),
    )


def _way_in(port: int, listeners: list[Listener]) -> WayIn:
    address, listens_on = min(((_destination(each.address), each.address) for each in listeners), key=_preference)
    return WayIn(address, port, listens_on, tuple(each for each in listeners if each.address == listens_on))


def _destination(listens_on: str) -> str:
    address = ip_address(listens_on.removeprefix(_MAPPED))
    return _LOOPBACKS[address.version] if address.is_unspecified else str(address)


def _preference(way: tuple[str, str]) -> tuple[bool, int, bool, str]:
    destination, listens_on = way
    address = ip_address(destination)
    # Of two sockets with the same destination the one that is bound to it gets the connection.
    return not address.is_loopback, address.version, destination != listens_on, destination
