"""Which program is the front and which the server, and where requests wait that the front has accepted."""

from __future__ import annotations

from holdfast.infer.known import Known, because, missing
from holdfast.model.address import shown
from holdfast.model.front import Front, QueueBetween
from holdfast.model.timeline import Snapshot
from holdfast.model.verdict import Places

_NONE = "what accepts the requests is the server itself, or a part of it"
_NOT_FOUND = "the queue between the two was not found: no socket of the server had a connection that was held"
_NOT_SHOWN = "the kernel does not show it"
_UNCLEAR = (
    "the kernel does not show of connections over a Unix socket on which a request waits, and which the front keeps "
    "for later ones"
)
_MOVED = "requests moved between the two while they were counted"
_SHARED = (
    "the server has fewer connections than requests in service: several share one (HTTP/2), or they moved while they "
    "were counted"
)


def front_of(snapshot: Snapshot, places: Places) -> Known[Front | None]:
    """What there is to say of a front."""
    seen = snapshot.front
    if seen is None:
        return Known(None, {"front": _NONE})
    through = tuple(shown(each.address, each.port) for each in seen.queues)
    depth, limit, taken = _sums(seen.queues)
    in_server = None if taken is None else taken - places.in_service
    in_front = None if depth is None or in_server is None else places.userspace_queue - depth - in_server
    reason = _NOT_FOUND if not seen.queues else _NOT_SHOWN if depth is None else _UNCLEAR
    if in_front is not None and (in_front < 0 or (in_server or 0) < 0):
        reason = _SHARED if (in_server or 0) < 0 else _MOVED
        in_front = in_server = None
    front = Front(seen.program, seen.pids, seen.server, through, in_front, depth, limit, in_server)
    return Known(front, because(reason, missing("front", front)))


def _sums(queues: tuple[QueueBetween, ...]) -> tuple[int | None, int | None, int | None]:
    """Depth, limit and accepted connections of all of them; None where one is not known."""
    depths = [each.depth for each in queues if each.depth is not None]
    limits = {each.limit for each in queues}
    taken = [each.connections for each in queues if each.connections is not None]
    every = len(queues) or -1
    return (
        sum(depths) if len(depths) == every else None,
        limits.pop() if len(limits) == 1 else None,
        sum(taken) if len(taken) == every else None,
    )
