"""TCP socket records as the kernel gives them, whichever interface they came from.

Rules of this file: no I/O, no clock; addresses are text in the form that `getpeername` uses;
an IPv4 peer of a dual-stack listener keeps its `::ffff:` form in a `TcpRecord` and loses it
in a `ServerSocket`, where it is compared with what the client calls its own address.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from ipaddress import IPv6Address

from holdfast.model.frozen import frozen
from holdfast.model.timeline import Listener
from holdfast.procfs.parse import ProtocolError

AF_UNIX = 1
AF_INET = 2
AF_INET6 = 10

# include/net/tcp_states.h. 12 is a request socket: a handshake whose last ACK has not come (or
# was ignored because the accept queue was full); the interfaces print it as SYN_RECV too.
STATES = {
    1: "ESTABLISHED",
    2: "SYN_SENT",
    3: "SYN_RECV",
    4: "FIN_WAIT1",
    5: "FIN_WAIT2",
    6: "TIME_WAIT",
    7: "CLOSE",
    8: "CLOSE_WAIT",
    9: "LAST_ACK",
    10: "LISTEN",
    11: "CLOSING",
    12: "SYN_RECV",
    13: "BOUND_INACTIVE",
}
LISTEN = 10

# A child gets its `struct socket`, and with it an inode, in accept() (net/ipv4/af_inet.c
# __inet_accept -> sock_graft); before that sock_i_ino() is 0. It is 0 again once the server has
# closed (sock_orphan), but closing also moves the state on: ESTABLISHED -> FIN_WAIT1,
# CLOSE_WAIT -> LAST_ACK (net/ipv4/tcp.c new_state[]). So inode 0 means "not accepted" only in the
# states that a socket reaches without its server's doing.
_STATES_BEFORE_ACCEPT = frozenset({1, 3, 8, 12})

_MAPPED = b"\0" * 10 + b"\xff\xff"


@frozen
class TcpRecord:
    """One TCP socket of this network namespace.

    Attributes:
        family: AF_INET (2) or AF_INET6 (10).
        state: name in `STATES`.
        inode: of the socket; 0 where no process holds it.
        rqueue: LISTEN: established connections in the accept queue; otherwise unread bytes.
        wqueue: LISTEN: the backlog in force, None where the interface does not show it;
            otherwise unacknowledged bytes.
        timer_ms: when the kernel sends again what was not acknowledged, such as a SYN; 0 where nothing is to be sent,
            None where the interface is not read for it.
    """

    family: int
    state: str
    address: str
    port: int
    peer_address: str
    peer_port: int
    inode: int
    rqueue: int
    wqueue: int | None
    timer_ms: int | None = None


@frozen
class TcpVolume:
    """What one TCP socket has carried.

    Attributes:
        sent_bytes: acknowledged by the peer; the kernel counts one more of a connection that was opened at this end.
        received_bytes: that came in order.
        sent_last: data was sent from this end after the last that came.
    """

    inode: int
    port: int
    peer_address: str
    peer_port: int
    sent_bytes: int
    received_bytes: int
    sent_last: bool = False


def accepted(state: int, inode: int) -> bool:
    """Whether a server-side socket has left the accept queue.

    A socket that the server has closed already (FIN_WAIT1, LAST_ACK, TIME_WAIT, ...) counts as
    accepted: it is in no queue. A SYN_RECV socket does not.
    """
    return inode != 0 or state not in _STATES_BEFORE_ACCEPT


def state_name(code: int) -> str:
    """Name of a TCP state. Raises ProtocolError for a code that the kernel does not have."""
    try:
        return STATES[code]
    except KeyError:
        raise ProtocolError(f"TCP state {code} does not exist") from None


def dotted(packed: bytes) -> str:
    """Text of the first four bytes, an IPv4 address in network order."""
    return f"{packed[0]}.{packed[1]}.{packed[2]}.{packed[3]}"


# A table has thousands of rows and few addresses: 0.1 us from the cache, 4 us to format an IPv6 one.
@lru_cache(maxsize=4096)
def address_text(family: int, packed: bytes) -> str:
    """Text of an address.

    Args:
        family: AF_INET or AF_INET6.
        packed: network order, at least 4 (IPv4) or exactly 16 bytes (IPv6).
    """
    if family == AF_INET:
        return dotted(packed)
    if packed.startswith(_MAPPED):
        return f"::ffff:{dotted(packed[12:])}"
    return str(IPv6Address(packed))


@lru_cache(maxsize=4096)
def peer_text(family: int, packed: bytes) -> str:
    """Text of a peer's address; an IPv4 peer of a dual-stack listener is plain IPv4."""
    return address_text(family, packed).removeprefix("::ffff:")


def listeners_among(records: Iterable[TcpRecord]) -> tuple[Listener, ...]:
    """The records in state LISTEN, as listeners, in the same order."""
    return tuple(
        Listener(record.inode, record.address, record.port, record.rqueue, record.wqueue)
        for record in records
        if record.state == "LISTEN"
    )


def summed(values: Iterable[int | None]) -> int | None:
    """The sum; None without values, or if one of them is None."""
    total = None
    for value in values:
        if value is None:
            return None
        total = value if total is None else total + value
    return total
