"""What a scheduled load run does, and how it is shared out among load processes; pure."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from enum import IntEnum
from typing import TYPE_CHECKING

from holdfast.engine.acceptance import Acceptance
from holdfast.engine.endpoint import Tls
from holdfast.engine.parts import Part, deal, split
from holdfast.engine.shapes import EngineShape
from holdfast.model.frozen import frozen
from holdfast.model.load import MIN_ENDED, StopRule
from holdfast.model.scenario import Timeouts

if TYPE_CHECKING:
    from holdfast.engine.journey_plan import Travel  # a load that is fixed beforehand does without
    from holdfast.engine.sender import Sender

TIME_WAIT_S = 60.0
FIRST_LOOPBACK = ipaddress.IPv4Address("127.0.0.1")
MOST_SOURCES = 256
"""As many as the column of sources can tell apart."""

NO_TIMEOUTS = Timeouts(whole_s=None)


class Stop(IntEnum):
    """How a running load is to end: not yet; without further requests; at once."""

    NOT = 0
    DRAIN = 1
    AT_ONCE = 2


@frozen
class Plan:
    """The load of one group.

    Attributes:
        address, port: where to; the address is IPv4, IPv6, a name or a Unix socket (`model.address`).
        request: the bytes of every request; or row -> its bytes, HEAD for all rows or for none.
        shape: when requests are begun.
        timeouts: when a request is given up.
        sources: our own addresses; None takes as many of 127.0.0.1, 127.0.0.2, ... as are needed towards a
            loopback address, and otherwise leaves the choice to the kernel.
        processes: load processes; None takes as many as descriptors require.
        tls: None speaks plain HTTP.
        acceptances: what counts as an answer, for each step; row r belongs to step r % their number.
        keep_alive: a connection is used for further requests; None does so only in the closed model.
        events: replies are streams of events.
        streams: most requests at once on a connection, over HTTP/2; None speaks HTTP/1.1.
        travel: journeys, which say what to send, to where, and how long to wait; None sends `request`.
    """

    address: str
    port: int
    request: bytes | Callable[[int], bytes]
    shape: EngineShape
    timeouts: Timeouts = NO_TIMEOUTS
    sources: tuple[str, ...] | None = None
    processes: int | None = None
    tls: Tls | None = None
    acceptances: tuple[Acceptance, ...] = (Acceptance(),)
    keep_alive: bool | None = None
    events: bool = False
    streams: int | None = None
    travel: Travel | None = None

    @property
    def head_of(self) -> Callable[[int], bytes]:
        """Row -> its request's bytes."""
        request = self.request
        return (lambda _row: request) if isinstance(request, bytes) else request

    @property
    def needs_a_process(self) -> bool:
        """Whether it can only be carried out in a process of its own, which may take any time for a pattern."""
        return self.travel is not None or any(each.has_patterns for each in self.acceptances)

    @property
    def requests(self) -> int:
        """Rows that the run needs."""
        return self.shape.rows

    @property
    def connections(self) -> int:
        """Most requests at once, even if the load is as late as its timeout is long; over HTTP/1.1 each has its own."""
        whole_s = self.timeouts.whole_s
        return self.shape.connections_within(None if whole_s is None else 2 * whole_s)

    @property
    def ports(self) -> int:
        """Most source ports taken at once: each one a minute longer than its connection (tcp(7), TIME_WAIT)."""
        whole_s = self.timeouts.whole_s
        needed = self.shape.connections_within(None if whole_s is None else 2 * whole_s + TIME_WAIT_S)
        return -(-needed // (self.streams or 1))

    @property
    def keeps(self) -> bool:
        """Whether connections are used for further requests."""
        return self.shape.waits_for_replies if self.keep_alive is None else self.keep_alive


def stop_reason(rule: StopRule, ended: int, unanswered: int) -> str | None:
    """Why a load must end early, in words; None if it may continue.

    Args:
        ended, unanswered: requests that have ended, and those of them that were not answered.
    """
    if rule.first_failure and unanswered:
        return "a request was not answered"
    if rule.error_share is None or ended < MIN_ENDED or unanswered <= rule.error_share * ended:
        return None
    return f"{unanswered:,} of {ended:,} requests were not answered ({unanswered / ended:.1%})"


def nothing_listens(sender: Sender, *, waits_for_replies: bool) -> str | None:
    """Why a load whose requests wait for replies can end early, in words; None if it cannot.

    A closed port refuses as fast as one can ask, so that such a load is nothing but refused requests. An open load has
    its schedule, whatever becomes of the requests, and the server may yet come.
    """
    if sender.hopeless:
        return "the server does not speak HTTP/2 there"
    if sender.reached or sender.refused < MIN_ENDED or not waits_for_replies:
        return None
    return f"the first {sender.refused} connections were refused, so nothing listens there"


def processes_for(connections: int, descriptors: int) -> int:
    """How many load processes the connections need; at least one.

    Args:
        descriptors: of one process, for its connections.
    """
    return max(1, -(-connections // max(1, descriptors)))


def sources_for(address: str, connections: int, ports: int) -> tuple[str, ...]:
    """Source addresses that these connections to one address and port need.

    No source uses more than half of its ports. connect(2) first tries every second port, from a random one on, and
    the others only when all of those are taken (net/ipv4/inet_hashtables.c, __inet_hash_connect()). With 28,232
    ports the first 14,000 connections took 20 us each, those after the 14,116th 780 us (measured), and 100,000 from
    four sources took a minute instead of 40 s.

    Args:
        ports: ephemeral ports of one source.

    Returns:
        Empty if the kernel's own choice is enough, or if only the kernel knows our addresses.
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
    return Part(plan.shape.shared_out, plan.connections)


def share_out(plan: Plan, part: Part, processes: int) -> list[Part]:
    """A part in several, which together have each of its rows (or clients) and each connection once."""
    shared = split if plan.shape.refills else deal
    return shared(part, processes, plan.streams or 1)
