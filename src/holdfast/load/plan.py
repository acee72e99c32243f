"""What a scheduled load run is to do, and how it is shared out among load processes; pure."""

from __future__ import annotations

import ipaddress
from array import array
from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import IntEnum
from itertools import pairwise

from holdfast.load.acceptance import Acceptance
from holdfast.load.endpoint import Tls
from holdfast.model.load import MIN_ENDED, StopRule
from holdfast.model.scenario import Pause
from holdfast.model.units import NS_PER_S

TIME_WAIT_S = 60.0
FIRST_LOOPBACK = ipaddress.IPv4Address("127.0.0.1")
MOST_SOURCES = 256
"""So many a row can tell apart."""


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
class Sessions:
    """Clients that pass through several steps, pause, or come one after the other.

    Client c's k-th iteration has the index k * n + c with n clients, and its step s the row index * steps + s.

    Attributes:
        start_ns: when each client comes, ns from the start.
        iterations: most passes through the steps of one client.
        last_index: no iteration has this index or a higher one; None sets no bound.
        pauses: before each step, the first one included.
        seconds: no request is begun after so long; None sets no bound.
        on_failure: as in the model's `Group`.
        seed: of pauses by chance.
    """

    start_ns: array[int]
    iterations: int
    pauses: tuple[Pause, ...]
    last_index: int | None = None
    seconds: float | None = None
    on_failure: str = "continue"
    seed: int = 0

    @property
    def clients(self) -> int:
        """How many."""
        return len(self.start_ns)


@dataclass(frozen=True, slots=True)
class Plan:
    """The load of one group.

    Attributes:
        address, port: where to; the address is IPv4, IPv6, a name or a Unix socket (`model.address`).
        request: the bytes of every request; or row -> its bytes, HEAD for all rows or for none.
        shape: when requests are begun.
        patience_s: time from its begin after which an unanswered request is ended; None waits for ever.
        sources: our own addresses; None takes as many of 127.0.0.1, 127.0.0.2, ... as are needed towards a
            loopback address, and otherwise leaves the choice to the kernel.
        processes: load processes; None takes as many as descriptors make necessary.
        tls: None speaks plain HTTP.
        acceptances: for each step, what counts as an answer; row r is of step r % their number.
        connect_s, first_byte_s: further times to wait: for the connection, and from sent to the reply's first byte.
        keep_alive: a connection is used for further requests; None does so in the closed model alone.
    """

    address: str
    port: int
    request: bytes | Callable[[int], bytes]
    shape: Open | Closed | Sessions
    patience_s: float | None = None
    sources: tuple[str, ...] | None = None
    processes: int | None = None
    tls: Tls | None = None
    acceptances: tuple[Acceptance, ...] = (Acceptance(),)
    connect_s: float | None = None
    first_byte_s: float | None = None
    keep_alive: bool | None = None

    @property
    def head_of(self) -> Callable[[int], bytes]:
        """Row -> its request's bytes."""
        request = self.request
        return (lambda _row: request) if isinstance(request, bytes) else request

    @property
    def requests(self) -> int:
        """Rows that the run needs."""
        shape = self.shape
        if isinstance(shape, Open):
            return len(shape.due_ns)
        if isinstance(shape, Closed):
            return shape.requests
        most = shape.iterations * shape.clients
        return len(self.acceptances) * (most if shape.last_index is None else min(most, shape.last_index))

    @property
    def connections(self) -> int:
        """Most connections that can be open at once, also where the load is as late as its patience is long."""
        return self.opened_within(None if self.patience_s is None else 2 * self.patience_s)

    @property
    def ports(self) -> int:
        """Most source ports that are taken at once: each for a minute more than its connection (tcp(7), TIME_WAIT)."""
        return self.opened_within(None if self.patience_s is None else 2 * self.patience_s + TIME_WAIT_S)

    def opened_within(self, seconds: float | None) -> int:
        """As many connections at least as are opened within any such time; None is the whole run."""
        shape = self.shape
        if isinstance(shape, Open):
            return most_within(shape.due_ns, None if seconds is None else round(seconds * NS_PER_S))
        return shape.connections if isinstance(shape, Closed) else shape.clients

    @property
    def keeps(self) -> bool:
        """Whether connections are used for further requests."""
        return not isinstance(self.shape, Open) if self.keep_alive is None else self.keep_alive


@dataclass(frozen=True, slots=True)
class Part:
    """One load process's share.

    Attributes:
        rows: of the plan's columns; with sessions, the clients instead.
        connections: most that it has at once.
    """

    rows: range
    connections: int


def stop_reason(rule: StopRule, ended: int, unanswered: int) -> str | None:
    """Why a load is to be ended, in words; None where it may go on.

    Args:
        ended, unanswered: requests that have ended, and those among them that were not answered.
    """
    if rule.first_failure and unanswered:
        return "a request was not answered"
    if rule.error_share is None or ended < MIN_ENDED or unanswered <= rule.error_share * ended:
        return None
    return f"{unanswered:,} of {ended:,} requests were not answered ({unanswered / ended:.1%})"


def most_within(due_ns: Sequence[int], within_ns: int | None) -> int:
    """At least as many as are due within any stretch so long, and at most those within one longer by an eighth.

    Args:
        due_ns: ascending.
        within_ns: None is all of the time.
    """
    if within_ns is None or not due_ns or due_ns[-1] - due_ns[0] <= within_ns:
        return len(due_ns)
    step_ns = max(1, within_ns // 8)
    begins = range(due_ns[0], due_ns[-1] + 1, step_ns)
    edges = [bisect_left(due_ns, at) for at in begins] + [len(due_ns)] * (-(-within_ns // step_ns) + 1)
    reach = -(-within_ns // step_ns) + 1
    return max(last - first for first, last in zip(edges, edges[reach:], strict=False))


def processes_for(connections: int, descriptors: int) -> int:
    """Load processes that so many connections need; at least one.

    Args:
        descriptors: what one process has for its connections.
    """
    return max(1, -(-connections // max(1, descriptors)))


def sources_for(address: str, connections: int, ports: int) -> tuple[str, ...]:
    """Source addresses that so many connections to one address and port need.

    No source gets more than half of its ports. connect(2) looks for a free one among every second port first, from
    a random one on, and among the rest only when it has tried all of these in vain (net/ipv4/inet_hashtables.c
    __inet_hash_connect()): with 28,232 ports the first 14,000 connections took 20 us each, those after
    the 14,116th 780 us (measured), and 100,000 from four sources a minute instead of the 40 s that were asked.

    Args:
        ports: ephemeral ports of one source.

    Returns:
        Empty where the kernel's own choice is enough, or where none but it knows our addresses.
    """
    needed = min(MOST_SOURCES, -(-connections // max(1, ports // 2)))
    try:
        loopback = ipaddress.ip_address(address).is_loopback
    except ValueError:
        loopback = False
    if needed <= 1 or not loopback or ":" in address:
        return ()
    return tuple(str(FIRST_LOOPBACK + index) for index in range(needed))


def whole(plan: Plan) -> Part:
    """The plan in one part."""
    many = plan.shape.clients if isinstance(plan.shape, Sessions) else plan.requests
    return Part(range(many), plan.connections)


def share_out(plan: Plan, part: Part, processes: int) -> list[Part]:
    """A part in several, which together have each of its rows (or clients) and each connection once.

    In the open model each has every so many-th row, so that all keep the same pace, and with sessions every so
    many-th client; in the closed model a stretch without gaps, because rows are taken as they come.
    """
    if not isinstance(plan.shape, Closed):
        shared = [part.rows[process::processes] for process in range(processes)]
        most = -(-part.connections // processes)
        return [Part(rows, min(len(rows), most)) for rows in shared]
    # A process without a connection must have no row either: it could never send it.
    sending = max(1, min(processes, part.connections))
    edges = [min(process, sending) * len(part.rows) // sending for process in range(processes + 1)]
    return [
        Part(part.rows[first:last], len(range(process, part.connections, sending)) if process < sending else 0)
        for process, (first, last) in enumerate(pairwise(edges))
    ]
