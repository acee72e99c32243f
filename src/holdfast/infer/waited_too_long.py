"""Requests that waited and were turned away later: a limit of the time that one may wait.

What is turned away because a queue is full is turned away at once. A limit of time strikes while every place is still
taken, whatever the reply is; or it shows only when one's turn comes, and then the reply must say that it was the time.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from holdfast.infer.census import entries_by_id, offered_requests
from holdfast.infer.overflow import fate_of
from holdfast.model.places import QUEUES, TURNED_AWAY, Outcome, Place
from holdfast.model.timeline import NEVER, Request, Timeline
from holdfast.model.units import MS, NS_PER_S

# RFC 9110, 15.5.9, 15.6.4, 15.6.5. Another error says that something failed when their turn came, such as an event loop
# for which no descriptor was left.
_OF_TIME = frozenset({408, 503, 504})
# The quickest of many that are turned away at once takes some milliseconds, on a busy machine too.
_WAITED_NS = 50 * MS
# Of all that were turned away the quickest, where none is left to compare with that still waits.
_AT_ONCE_NS = 80 * MS
_ENOUGH = 3
# A queue that is full turns nothing away so late, unless the machine is so busy that nothing can be said of it.
_LONG_NS = NS_PER_S
_AS_LONG = 2
"""A time limit lets each wait about as long; a busy machine holds up some of those that are turned away at once."""


def waited_too_long(timeline: Timeline, placed: Mapping[int, Place]) -> str | None:
    """What became of requests that waited for a time and ended without a handler.

    Args:
        placed: the place of each offered request, by its id.

    Returns:
        A sentence; None where there are none.
    """
    while_full = _while_full(timeline, placed) or waited_before(timeline, placed)
    seen = while_full or _late(timeline, placed)
    if not seen:
        return None
    waited_s = min(map(_took_ns, seen)) / NS_PER_S
    got = fate_of(seen)
    requests = "request" if len(seen) == 1 else "requests"
    handed = {each.id for each in timeline.handed or ()}
    whose = "application" if all(each.id in handed for each in seen) else "server"
    ended = (
        f"The {whose} has a time limit for waiting: {len(seen)} {requests} that had waited for {waited_s:.1f} s or "
        f"more {f'got HTTP {got}' if got.isdecimal() else f'ended as {got}'}"
    )
    if while_full:
        return f"{ended} while all places were taken."
    also = " Abandoned requests that were not run may have met it too." if timeline.abandoned else ""
    return f"{ended} when their turn came, and no handler ran.{also}"


def fate_of_waiting(timeline: Timeline, placed: Mapping[int, Place]) -> str | None:
    """What requests got that waited when the places were counted and ended while all places were taken.

    Args:
        placed: the place of each offered request, by its id.

    Returns:
        As `fate_of`; None where there are none.
    """
    found = _while_full(timeline, placed)
    return fate_of(found) if found else None


def why_no_queue(timeline: Timeline, placed: Mapping[int, Place]) -> str | None:
    """Why what waits in the server does not show its queue's bound though others were turned away; None if it does.

    Where each that was turned away had waited first, a time decides, and how many waited when the places were counted
    is what had come within that time. Where some had, they may have made room for those that waited then.

    Args:
        placed: the place of each offered request, by its id.
    """
    away = _rejected(timeline, placed)
    waited = _while_full(timeline, placed) or _late(timeline, placed)
    by_time = bool(away and waited) and min(map(_took_ns, away)) >= _WAITED_NS
    number = sum(place is Place.USERSPACE_QUEUE for place in placed.values())
    if by_time or waited_before(timeline, placed):
        return f"a time limit for waiting turned requests away, however many waited; {number} did at that moment"
    late = _after_waiting(timeline, placed, away)
    if not late:
        return None
    return (
        f"{len(late)} of those that were turned away had waited before, the longest for "
        f"{max(map(_took_ns, late)) / NS_PER_S:.1f} s, and may have made room for those {number} that waited then"
    )


def waited_before(timeline: Timeline, placed: Mapping[int, Place]) -> list[Request]:
    """Requests that had waited and been turned away when the places were counted; none if a queue may have been full.

    Args:
        placed: the place of each offered request, by its id.
    """
    away = _rejected(timeline, placed)
    took_ns = sorted(map(_took_ns, away))
    if len(away) < _ENOUGH or took_ns[0] < _at_once_ns(timeline):
        return []
    as_long = took_ns[0] >= _LONG_NS or took_ns[len(away) // 2] <= _AS_LONG * took_ns[0]
    return away if as_long else []


def had_waited(timeline: Timeline, request: Request) -> bool:
    """Whether a request that was turned away had waited before: what is full turns away sooner."""
    return _took_ns(request) >= _at_once_ns(timeline)


def _after_waiting(timeline: Timeline, placed: Mapping[int, Place], away: Iterable[Request]) -> list[Request]:
    """Those that were turned away so late that they had waited, or before one came that waits: the queue was not full.

    Args:
        away: requests that were turned away.
    """
    opened_ns = [each.opened_ns for each in offered_requests(timeline) if placed.get(each.id) is Place.USERSPACE_QUEUE]
    last_ns, at_once_ns = max(opened_ns, default=NEVER), _at_once_ns(timeline)
    return [
        each for each in away if _took_ns(each) >= (at_once_ns if each.done_ns < last_ns else max(_LONG_NS, at_once_ns))
    ]


def _at_once_ns(timeline: Timeline) -> int:
    ways_ns = timeline.first_request.ways_ns if timeline.first_request is not None else ()
    return _AT_ONCE_NS + max(ways_ns, default=0) * 3 // 2


def _rejected(timeline: Timeline, placed: Mapping[int, Place]) -> list[Request]:
    return [each for each in offered_requests(timeline) if placed.get(each.id) is Place.REJECTED]


def _while_full(timeline: Timeline, placed: Mapping[int, Place]) -> list[Request]:
    """Requests that waited when the places were counted, and were ended before a place may have become free."""
    left = (each.left_ns for each in timeline.entries)
    disconnected = (each.at_ns for each in timeline.left_in_service)
    freed = (*left, *disconnected, timeline.marks.released_ns)
    freed_ns = min((each for each in freed if each > timeline.marks.placed_ns), default=NEVER)
    return [each for each in _ended_later(timeline, placed) if each.done_ns < freed_ns]


def _late(timeline: Timeline, placed: Mapping[int, Place]) -> list[Request]:
    """Requests that waited when the places were counted, and got an error of time later."""
    return [each for each in _ended_later(timeline, placed) if each.status in _OF_TIME]


def _ended_later(timeline: Timeline, placed: Mapping[int, Place]) -> list[Request]:
    entries = entries_by_id(timeline)
    return [
        each
        for each in offered_requests(timeline)
        if each.outcome in (*TURNED_AWAY, Outcome.ANSWERED)
        and each.id not in entries
        and placed.get(each.id) in QUEUES
        and NEVER < timeline.marks.placed_ns < each.done_ns
    ]


def _took_ns(request: Request) -> int:
    return request.done_ns - (request.sent_ns or request.opened_ns)
