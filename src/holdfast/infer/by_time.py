"""Requests that were turned away although nothing was in service: a limit on requests for a time, not on places.

What turns a request away because every place is taken lets one in when they are free again. So where exactly as many
requests were offered as had been in service, to a server that had answered all others, and it turned all of them away,
the number in service is only what had come in before: a rate limiter does that, and so do places that the application
does not get back.

Several processes with places of their own may share out such requests unevenly, but even one process lets some in.

Single requests, sent where exact load is not offered, show the same. A limit for a second may let requests in again
while the ramp climbs: then one process turned requests away, each of them alone on its way, with fewer in service than
later. And of exact load, one process lets as many in as had come before if places are what it counts.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

from holdfast.infer.ceiling import turned_away
from holdfast.infer.census import entries_by_id, in_service_at, offered_requests
from holdfast.model.phase import Phase
from holdfast.model.places import PLACE_OF, TURNED_AWAY_PLACES, Outcome
from holdfast.model.timeline import NEVER, Entry, Request, Timeline
from holdfast.model.verdict import Places

_ENOUGH = 3
"""One alone may have come before the server had noted that the last one was gone."""
_MANY = 10


def why_by_time(timeline: Timeline, places: Places) -> str | None:
    """Why the number in service is not a bound although requests were turned away; None where it may be one."""
    if not turned_away(places) or why_no_queue_by_time(timeline, places):
        return None
    seen = _by_an_empty_server(timeline) or _with_fewer_in_service(timeline, places)
    if not seen:
        return None
    return (
        f"Requests were turned away although {seen}. So what turns them away counts requests over a time (a rate "
        f"limiter), or does not get its places back, and {places.in_service} is no more than what had come in by then. "
        "Take that away for the probe to see the ceiling."
    )


def why_no_queue_by_time(timeline: Timeline, places: Places) -> str:
    """Why what waits behind a front bounds no queue although the front turned others away; "" where it may be one.

    The number in service is one nevertheless, since others wait for a place in the server.
    """
    front = None if timeline.placed is None else timeline.placed.front
    if not turned_away(places) or front is None or not front.some_wait_behind(places.in_service):
        return ""
    entries = entries_by_id(timeline)
    alone = [each for each in timeline.requests if each.phase is Phase.REUSE]
    away = sum(_is_away(each, entries) for each in alone)
    seen = f"{away} of {len(alone)} requests were turned away alone when nothing was in service any more"
    if away < _ENOUGH:
        seen = f"requests were turned away although {empty}" if (empty := _by_an_empty_server(timeline)) else ""
    if not seen:
        return ""
    return (
        f"{seen}: a rate turned requests away, or {front.program} takes the server for out of order then; no full "
        "queue did"
    )


def _by_an_empty_server(timeline: Timeline) -> str:
    entries, repeats = entries_by_id(timeline), () if timeline.exact is None else timeline.exact.repeats
    groups = [[each for each in timeline.requests if one.first <= each.id < one.last] for one in repeats]
    if not groups:
        groups = [[each for each in timeline.requests if each.phase is Phase.REUSE]]
    away = [sum(_is_away(each, entries) for each in group) for group in groups]
    offered = [len(group) for group in groups]
    whole = any(each == all_ for each, all_ in zip(away, offered, strict=True))
    if whole and sum(away) >= _ENOUGH and 2 * sum(away) > sum(offered):
        return (
            f"nothing was in service: {sum(away)} of {sum(offered)} that came when all earlier ones had been answered"
        )
    if _of_one_process(timeline) and all(away) and sum(away) >= max(_MANY, sum(offered) / 3):
        return (
            f"fewer were in service than before: {sum(away)} of {sum(offered)} that came when all earlier ones had "
            "been answered"
        )
    return ""


def _with_fewer_in_service(timeline: Timeline, places: Places) -> str:
    entries, ramp = entries_by_id(timeline), offered_requests(timeline)
    if not _of_one_process(timeline) or timeline.placed is None:
        return ""
    counted_ns = timeline.placed.ended_ns
    away = [each for each in ramp if _is_away(each, entries) and NEVER < each.done_ns < counted_ns]
    running = [
        sum(in_service_at(entries.get(other.id), each.done_ns) for other in ramp)
        for each in away
        if each.outcome is Outcome.REJECTED and _came_alone(each, ramp, entries)
    ]
    fewer = [each for each in running if each < places.in_service]
    if len(fewer) < _ENOUGH:
        return ""
    return f"fewer were in service than could be: one with {min(fewer)}, beside which others were let in later"


def _of_one_process(timeline: Timeline) -> bool:
    return len({each.pid for each in timeline.entries}) == 1


def _came_alone(request: Request, ramp: Iterable[Request], entries: Mapping[int, Entry]) -> bool:
    """Whether no other one was on its way then: of several, some servers turn away more than they have no place for."""
    return not any(
        other.opened_ns < request.done_ns and _arrived_ns(other, entries.get(other.id)) > request.opened_ns
        for other in ramp
        if other is not request
    )


def _arrived_ns(request: Request, entry: Entry | None) -> float:
    """When it was in service or had ended; infinite where it was still on its way at the end."""
    arrived_ns = request.done_ns if entry is None else entry.entered_ns
    return math.inf if arrived_ns == NEVER else arrived_ns


def _is_away(request: Request, entries: Mapping[int, Entry]) -> bool:
    return request.id not in entries and PLACE_OF.get(request.outcome) in TURNED_AWAY_PLACES
