"""Requests that waited and were turned away when their turn came: a limit of the time that one may wait."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from holdfast.infer.census import entries_by_id, offered_requests
from holdfast.model.places import QUEUES, Outcome, Place
from holdfast.model.timeline import NEVER, Request, Timeline
from holdfast.model.units import MS, NS_PER_S

# RFC 9110, 15.5.9, 15.6.4, 15.6.5. Another error says that something failed when their turn came, such as an event loop
# for which no descriptor was left.
_OF_TIME = frozenset({408, 503, 504})
# The quickest of many that are turned away at once takes some milliseconds, on a busy machine too.
_WAITED_NS = 50 * MS


def waited_too_long(timeline: Timeline, placed: Mapping[int, Place]) -> str | None:
    """What became of requests that waited when the places were counted and got an error later, without a handler.

    Args:
        placed: the place of each offered request, by its id.

    Returns:
        A sentence; None where there are none.
    """
    late = _late(timeline, placed)
    if not late:
        return None
    status = Counter(each.status for each in late).most_common(1)[0][0]
    waited_s = min(map(_took_ns, late)) / NS_PER_S
    also = " Abandoned requests that were not run may have met it too." if timeline.abandoned else ""
    requests = "request" if len(late) == 1 else "requests"
    return (
        f"The server has a time limit for waiting: {len(late)} {requests} that had waited for {waited_s:.1f} s or more "
        f"got HTTP {status} when their turn came, and no handler ran.{also}"
    )


def why_no_queue(timeline: Timeline, placed: Mapping[int, Place]) -> str | None:
    """Why what waits in the server does not show its queue's bound though others were turned away; None if it does.

    What is turned away because a queue is full is turned away at once. Where each had waited first, as those did that
    still waited when the places were counted, a time decides, and their number is what came within that time.

    Args:
        placed: the place of each offered request, by its id.
    """
    away = [each for each in offered_requests(timeline) if placed.get(each.id) is Place.REJECTED]
    if not away or min(map(_took_ns, away)) < _WAITED_NS or not (late := _late(timeline, placed)):
        return None
    return f"a time limit for waiting turned requests away, however many waited; {len(late)} did at that moment"


def _late(timeline: Timeline, placed: Mapping[int, Place]) -> list[Request]:
    """Requests that waited when the places were counted, and were turned away later without a handler."""
    entries = entries_by_id(timeline)
    return [
        each
        for each in offered_requests(timeline)
        if each.outcome is Outcome.REJECTED
        and each.status in _OF_TIME
        and each.id not in entries
        and placed.get(each.id) in QUEUES
        and NEVER < timeline.marks.placed_ns < each.done_ns
    ]


def _took_ns(request: Request) -> int:
    return request.done_ns - (request.sent_ns or request.opened_ns)
