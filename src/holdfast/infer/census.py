"""Who was where when every place was full.

The place of a request is taken from three witnesses, in this order, none of which can see the
whole: the client (it has ended, or its handshake is not complete), the recorder inside the
server (its handler has been entered and not left), and the kernel (a process has accepted its
connection, or none has). The client's port is what they have in common.

A connection in the accept queue has no socket file, so the kernel reports inode 0 for it;
accept() gives it one (net/ipv4/inet_diag.c, sk_ident and sock_i_ino(); net/socket.c). That one
bit tells a request in the kernel's queue from one in the server's own.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING

from holdfast.errors import InconclusiveError
from holdfast.model.phase import Phase
from holdfast.model.places import PLACE_OF, TURNED_AWAY_PLACES, Place
from holdfast.model.timeline import NEVER, Entry, Request, ServerSocket, Snapshot, Timeline
from holdfast.model.verdict import Places

if TYPE_CHECKING:
    from holdfast.model.outside import OutsideTimeline  # of attach alone


def in_service_at(entry: Entry | None, at_ns: int) -> bool:
    """Whether this handler was running at that instant; half-open, [entered, left)."""
    if entry is None or entry.entered_ns == NEVER or entry.entered_ns > at_ns:
        return False
    return entry.left_ns == NEVER or entry.left_ns > at_ns


def place_of(request: Request, entry: Entry | None, socket: ServerSocket | None, at_ns: int) -> Place:
    """The one place of a request at one instant.

    Args:
        entry: its handler run; None where no handler was entered.
        socket: the server's end of its connection; None where the kernel has none.
        at_ns: CLOCK_MONOTONIC ns, at which `socket` was looked up.
    """
    ended = request.done_ns != NEVER and request.done_ns <= at_ns
    if ended and request.outcome in PLACE_OF:
        return PLACE_OF[request.outcome]
    if in_service_at(entry, at_ns):
        return Place.IN_SERVICE
    if request.connected_ns == NEVER or request.connected_ns > at_ns:
        return Place.SYN
    if socket is None or socket.state == "SYN_RECV":
        # The client takes itself for connected, the server's kernel has dropped the last step of
        # the handshake because its queue was full (tcp_check_req()), and will ask for it again.
        return Place.SYN
    return Place.USERSPACE_QUEUE if socket.accepted else Place.ACCEPT_QUEUE


def offered_requests(record: Timeline | OutsideTimeline) -> tuple[Request, ...]:
    """The requests whose places are counted; those of other phases are not part of the census."""
    return tuple(request for request in record.requests if request.phase is Phase.RAMP)


def entries_by_id(timeline: Timeline) -> dict[int, Entry]:
    """Handler runs by request id."""
    return {entry.id: entry for entry in timeline.entries}


def placed_requests(record: Timeline | OutsideTimeline, snapshot: Snapshot) -> dict[int, Place]:
    """The place of every offered request at the snapshot, by request id.

    Seen from outside no request is in service: what the server has taken in is in its own queue.
    """
    sockets = _by_peer(snapshot)
    entries = entries_by_id(record) if isinstance(record, Timeline) else {}
    return {
        request.id: place_of(
            request,
            entries.get(request.id),
            sockets.get((request.local_address, request.local_port)),
            snapshot.ended_ns,
        )
        for request in offered_requests(record)
    }


def running_on(timeline: Timeline, placed: Mapping[int, Place]) -> tuple[Entry, ...]:
    """Handlers that ran when the places were counted although their clients had been turned away: they take places.

    A front that loses its connection to the server answers the requests on it with an error, and they run on.

    Args:
        placed: the place of each offered request, by its id.
    """
    if timeline.placed is None:
        return ()
    at_ns = timeline.placed.ended_ns
    return tuple(
        each
        for each in timeline.entries
        if placed.get(each.id) in TURNED_AWAY_PLACES and each.pid not in timeline.gone and in_service_at(each, at_ns)
    )


def count_places(placed: Mapping[int, Place]) -> Places:
    """How many requests are in each place.

    Raises:
        InconclusiveError: they do not add up to the number offered (never seen; always checked).
    """
    counts = Counter(placed.values())
    places = Places(**{place.value: counts[place] for place in Place})
    total = sum(getattr(places, place.value) for place in Place)
    if total != len(placed):
        raise InconclusiveError(
            f"The places add up to {total} requests, but {len(placed)} were offered.",
            "The records contradict each other.",
            "Please report this as a bug, with the saved run (holdfast runs).",
        )
    return places


def before_handshake(timeline: Timeline, snapshot: Snapshot, placed: Mapping[int, Place]) -> int:
    """Requests in the server's own queue whose TLS handshake was not over at the snapshot of a run over TLS."""
    return sum(
        placed[each.id] is Place.USERSPACE_QUEUE and not NEVER < each.sent_ns <= snapshot.ended_ns
        for each in offered_requests(timeline)
    )


def established_at(record: Timeline | OutsideTimeline, snapshot: Snapshot) -> int:
    """Offered requests whose connection was established at both ends at the snapshot."""
    sockets = _by_peer(snapshot)
    count = 0
    for request in offered_requests(record):
        socket = sockets.get((request.local_address, request.local_port))
        ended = request.done_ns != NEVER and request.done_ns <= snapshot.ended_ns
        count += not ended and socket is not None and socket.state == "ESTABLISHED"
    return count


def _by_peer(snapshot: Snapshot) -> dict[tuple[str, int], ServerSocket]:
    return {(socket.peer_address, socket.peer_port): socket for socket in snapshot.sockets}
