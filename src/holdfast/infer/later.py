"""What came after the places had been counted and shows that the number in service then is not a bound."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping

from holdfast.infer.census import entries_by_id, in_service_at, offered_requests
from holdfast.model.phase import Phase
from holdfast.model.places import Outcome
from holdfast.model.timeline import NEVER, Entry, Request, Snapshot, Timeline

# One may have come before the server had noted that the last one was gone.
_ENOUGH = 3
_A_PART = 3
_WHAT_ELSE = (
    "So {} were in service at once, and how many can be was not shown. A limit on requests in a time does that (a rate "
    "limiter), or a pause after errors. Probe again without it."
)


def why_more_later(timeline: Timeline, snapshot: Snapshot, in_service: int) -> str:
    """Why it is not a bound that this many were in service at the snapshot, as a sentence; "" where it may be one."""
    return (
        _more_at_once(timeline, snapshot, in_service)
        or _let_in_after_all(timeline, snapshot, in_service)
        or _turned_away_at_rest(timeline, in_service)
    )


def _more_at_once(timeline: Timeline, snapshot: Snapshot, in_service: int) -> str:
    until_ns = _undisturbed_until_ns(timeline, snapshot)
    offered = {each.id for each in offered_requests(timeline)}
    more = sum(each.id in offered and snapshot.ended_ns < each.entered_ns < until_ns for each in timeline.entries)
    if not more:
        return ""
    return (
        f"After the places had been counted, {more} more of the requests that waited came into service beside the "
        f"{in_service}: the server takes in more after a while, so the ceiling is higher. Growth that is slower than "
        "the probe is not seen."
    )


def _undisturbed_until_ns(timeline: Timeline, snapshot: Snapshot) -> int:
    """When the first handler was let go or the first client left; some applications then give a place back twice."""
    marks = timeline.marks
    instants = [
        *(each.done_ns for each in timeline.requests),
        *(each.left_ns for each in timeline.entries),
        *(each.at_ns for each in timeline.left_in_service),
        *(marks.abandoned_ns, marks.released_ns, marks.ended_ns),
    ]
    return min((each for each in instants if each > snapshot.ended_ns), default=NEVER)


def _let_in_after_all(timeline: Timeline, snapshot: Snapshot, in_service: int) -> str:
    """One process that turns a request away with so many in service, and lets another in beside them a little later."""
    if len({each.pid for each in timeline.entries}) != 1:
        return ""
    entries, ramp = entries_by_id(timeline), offered_requests(timeline)
    away = [each for each in ramp if _turned_away(each) and each.id not in entries and each.done_ns < snapshot.ended_ns]
    fewer = [
        (running, each)
        for each in away
        if _came_alone(each, ramp, entries)
        and (running := sum(in_service_at(entries.get(other.id), each.done_ns) for other in ramp)) < in_service
    ]
    if len(fewer) < _ENOUGH:
        return ""
    running, first = min(fewer, key=lambda each: each[0])
    return (
        f"The server turned a request away ({first.status}) with {running} in service, and later let others in beside "
        f"them: it does not count those in service. {_WHAT_ELSE.format(in_service)}"
    )


def _came_alone(request: Request, ramp: Iterable[Request], entries: Mapping[int, Entry]) -> bool:
    """Whether no other one was on its way then: of several, some servers turn away more than they have no place for."""
    return not any(
        other.opened_ns < request.done_ns and _arrived_ns(other, entries.get(other.id)) > request.opened_ns
        for other in ramp
        if other is not request
    )


def _arrived_ns(request: Request, entry: Entry | None) -> float:
    """When it was in service or had ended; infinite where it was still on its way at the end."""
    instants = [request.done_ns] if entry is None else [entry.entered_ns]
    return min((each for each in instants if each != NEVER), default=math.inf)


def _turned_away_at_rest(timeline: Timeline, in_service: int) -> str:
    """Later requests come to a server at rest, no more than there are places. So none is turned away for a place."""
    offered = [each for repeat in _telling_repeats(timeline) for each in repeat]
    entries = entries_by_id(timeline)
    away = [each for each in offered if _turned_away(each) and each.id not in entries]
    if len(away) < max(_ENOUGH, len(offered) / _A_PART):
        return ""
    return (
        f"Of {len(offered)} requests that came when nothing else was in service, at most {in_service} together, the "
        f"server turned {len(away)} away ({away[0].status}): it does not count those in service. "
        f"{_WHAT_ELSE.format(in_service)}"
    )


def _telling_repeats(timeline: Timeline) -> Iterator[list[Request]]:
    """Also those that were sent one after another, where none of them was let in.

    Of several processes one may have been given too many, so there only such repeats count.
    """
    requests, entries = {each.id: each for each in timeline.requests}, entries_by_id(timeline)
    alone = len({each.pid for each in timeline.entries}) == 1
    for repeat in timeline.exact.repeats if timeline.exact is not None else ():
        ids = range(repeat.first, repeat.last)
        if alone or not any(id in entries for id in ids):
            yield [requests[id] for id in ids if id in requests]
    singles = [each for each in timeline.requests if each.phase is Phase.REUSE]
    if not any(each.id in entries for each in singles):
        yield singles


def _turned_away(request: Request) -> bool:
    return request.outcome is Outcome.REJECTED and request.status > 0
