"""Which address leads to which of a server's listening sockets. Pure.

Of several sockets that listen on one port the kernel takes the one with the connection's own destination
address before one for every address, and of these an IPv4 one before an IPv6 one (net/ipv4/inet_hashtables.c
compute_score(), __inet_lookup_listener()). Sockets with the same address share the port by SO_REUSEPORT, and
each gets some of the connections.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import ip_address

from holdfast.model.timeline import Listener

_LOOPBACKS = {4: "127.0.0.1", 6: "::1"}
_MAPPED = "::ffff:"


@dataclass(frozen=True, slots=True)
class WayIn:
    """An address to connect to, and where such a connection arrives.

    Attributes:
        listens_on: the address of the sockets that get it, as the kernel writes it.
        listeners: these sockets.
    """

    address: str
    port: int
    listens_on: str
    listeners: tuple[Listener, ...]


def ways_in(listeners: Iterable[Listener]) -> tuple[WayIn, ...]:
    """One way to each port, ascending by port: over loopback where the port can be reached so, best over IPv4."""
    by_port: dict[int, list[Listener]] = {}
    for each in listeners:
        by_port.setdefault(each.port, []).append(each)
    return tuple(_way_in(port, by_port[port]) for port in sorted(by_port))


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
