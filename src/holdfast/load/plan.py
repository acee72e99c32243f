"""What a scheduled load run is to do, and how it is shared out among load processes; pure."""

from __future__ import annotations

import ipaddress
from array import array
from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum
from itertools import pairwise

from holdfast.load.tls import Tls

FIRST_LOOPBACK = ipaddress.IPv4Address("127.0.0.1")


class Stop(IntEnum):
    """How a run that goes on is to end: not yet; without further requests; at once."""

    NOT = 0
    DRAIN = 1
    AT_ONCE = 2


@dataclass(frozen=True, slots=True)
class Open:
    """Open model: each request when it is due, on a connection of its own.

    Attributes:
        due_ns: ns from the start, ascending.
    """

    due_ns: array[int]


@dataclass(frozen=True, slots=True)
class Closed:
    """Closed model: each connection sends its next request when its last is answered.

    Attributes:
        connections: how many at once.
        seconds: no request is begun after so long; None lets `requests` decide.
        requests: most requests in all; a row is kept for each.
    """

    connections: int
    requests: int
    seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """One load run.

    Attributes:
        address, port: where to; the address is IPv4, IPv6, a name or a Unix socket (`model.address`).
        request: the bytes of every request; or row -> its bytes, HEAD for all rows or for none.
        shape: when requests are begun.
        patience_s: time after which an unanswered request is ended; None waits for ever.
        sources: our own addresses; None takes as many of 127.0.0.1, 127.0.0.2, ... as are needed towards a
            loopback address, and otherwise leaves the choice to the kernel.
        processes: load processes; None takes as many as descriptors make necessary.
        tls: None speaks plain HTTP.
        expected: statuses that count as an answer; None are all below 400.
    """

    address: str
    port: int
    request: bytes | Callable[[int], bytes]
    shape: Open | Closed
    patience_s: float | None = None
    sources: tuple[str, ...] | None = None
    processes: int | None = None
    tls: Tls | None = None
    expected: frozenset[int] | None = None

    @property
    def head_of(self) -> Callable[[int], bytes]:
        """Row -> its request's bytes."""
        request = self.request
        return (lambda _row: request) if isinstance(request, bytes) else request

    @property
    def requests(self) -> int:
        """Rows that the run needs."""
        return len(self.shape.due_ns) if isinstance(self.shape, Open) else self.shape.requests

    @property
    def connections(self) -> int:
        """Most connections that can be open at once."""
        return len(self.shape.due_ns) if isinstance(self.shape, Open) else self.shape.connections


@dataclass(frozen=True, slots=True)
class Part:
    """One load process's share: its rows, and the most connections that it has at once."""

    rows: range
    connections: int


def processes_for(connections: int, descriptors: int) -> int:
    """Load processes that so many connections need; at least one.

    Args:
        descriptors: what one process has for its connections.
    """
    return max(1, -(-connections // max(1, descriptors)))


def sources_for(address: str, connections: int, ports: int) -> tuple[str, ...]:
    """Source addresses that so many connections to one address and port need.

    Args:
        ports: ephemeral ports of one source.

    Returns:
        Empty where the kernel's own choice is enough, or where none but it knows our addresses.
    """
    needed = -(-connections // max(1, ports))
    try:
        loopback = ipaddress.ip_address(address).is_loopback
    except ValueError:
        loopback = False
    if needed <= 1 or not loopback or ":" in address:
        return ()
    return tuple(str(FIRST_LOOPBACK + index) for index in range(needed))


def share_out(plan: Plan, processes: int) -> list[Part]:
    """The plan in as many parts, which together have each row and each connection once.

    In the open model a part has every so many-th row, so that all keep the same pace; in the closed
    model a stretch without gaps, because rows are taken as they come.
    """
    requests = plan.requests
    if isinstance(plan.shape, Open):
        shared = [range(process, requests, processes) for process in range(processes)]
        return [Part(rows, len(rows)) for rows in shared]
    edges = [process * requests // processes for process in range(processes + 1)]
    return [
        Part(range(first, last), len(range(process, plan.shape.connections, processes)))
        for process, (first, last) in enumerate(pairwise(edges))
    ]
