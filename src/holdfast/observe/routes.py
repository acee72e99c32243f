"""Which address leads to which of a server's listening sockets, over TCP or to a Unix socket. Pure.

If several sockets listen on one port, the kernel prefers the one bound to the connection's destination address over
one bound to every address, and of the latter IPv4 over IPv6 (net/ipv4/inet_hashtables.c compute_score(),
__inet_lookup_listener()). Sockets bound to the same address share the port by SO_REUSEPORT, and each gets some of the
connections.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from ipaddress import ip_address

from holdfast.model.address import NO_PORT, is_unix
from holdfast.model.frozen import frozen
from holdfast.model.timeline import Listener

_LOOPBACKS = {4: "127.0.0.1", 6: "::1"}
_MAPPED = "::ffff:"


@frozen
class UnixListenAddress:
    """One listening Unix socket, by inode: its name may pass to another socket, or be relative to any directory."""

    inode: int


@frozen
class TcpListenAddress:
    """The listening sockets of a TCP port that are bound to one address, as the kernel writes it.

    A server that listens on a port for every IPv4 and for every IPv6 address has two queues, of which a client fills
    one.
    """

    port: int
    listens_on: str


ListenAddress = int | TcpListenAddress | UnixListenAddress
"""Where connections arrive: everything that listens on a TCP port, one address of it, or a Unix socket."""


@frozen
class Route:
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
    def listen_address(self) -> ListenAddress:
        """What the kernel's view is asked for."""
        if is_unix(self.address):
            return UnixListenAddress(self.listeners[0].inode)
        return TcpListenAddress(self.port, self.listens_on) if self.shares_port else self.port


def routes_to(listeners: Iterable[Listener], dual_stack: Collection[int]) -> tuple[Route, ...]:
    """One route to each port, ascending by port, then one to each Unix socket, by name.

    A port is reached over loopback where that is possible, best over IPv4: that is what applications and fronts expect
    as their own host, if they expect one.

    Args:
        dual_stack: inodes of those that listen on every IPv6 address, and take IPv4 too.
    """
    by_port: dict[int, list[Listener]] = {}
    by_name: dict[str, Listener] = {}
    for each in listeners:
        if is_unix(each.address):
            by_name[each.address] = each
        else:
            by_port.setdefault(each.port, []).append(each)
    return (
        *(_route_to(port, by_port[port], dual_stack) for port in sorted(by_port)),
        *(Route(name, NO_PORT, name, (by_name[name],)) for name in sorted(by_name)),
    )


def _route_to(port: int, listeners: list[Listener], dual_stack: Collection[int]) -> Route:
    destinations = (
        (_destination(each.address, takes_ipv4=each.inode in dual_stack), each.address) for each in listeners
    )
    address, listens_on = min(destinations, key=_preference)
    return Route(address, port, listens_on, tuple(each for each in listeners if each.address == listens_on))


def _destination(listens_on: str, *, takes_ipv4: bool) -> str:
    address = ip_address(listens_on.removeprefix(_MAPPED))
    if not address.is_unspecified:
        return str(address)
    return _LOOPBACKS[4 if takes_ipv4 else address.version]


def _preference(route: tuple[str, str]) -> tuple[bool, int, bool, str]:
    destination, listens_on = route
    address = ip_address(destination)
    # Of two sockets with the same destination, the one bound to it gets the connection.
    return not address.is_loopback, address.version, destination != listens_on, destination
