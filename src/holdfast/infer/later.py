"""What came after the places had been counted and shows that the number in service then is not a bound."""

from __future__ import annotations

from collections.abc import Iterator

from holdfast.infer.census import entries_by_id, offered_requests
from holdfast.model.places import Outcome
from holdfast.model.timeline import NEVER, Request, Snapshot, Timeline

_ENOUGH = 3
"""One alone may have come before the server had noted that the last one was gone."""


def why_more_later(timeline: Timeline, snapshot: Snapshot, in_service: int) -> str:
    """Why it is not a bound that this many were in service at the snapshot, as a sentence; "" where it may be one."""
    return _more_at_once(timeline, snapshot, in_service) or _turned_away_by_an_empty_server(timeline, in_service)


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


def _turned_away_by_an_empty_server(timeline: Timeline, in_service: int) -> str:
    """Exact load comes to a server at rest. If not one of its requests gets in, no place was taken by another."""
    turned_away = [each for repeat in _repeats_without_entry(timeline) for each in repeat]
    if len(turned_away) < _ENOUGH:
        return ""
    status = turned_away[0].status
    return (
        f"Once nothing was in service any more, the server turned all requests away ({status}): it does not count "
        f"those in service. So {in_service} were in service at once, and how many can be was not shown. A limit on "
        "requests in a time does that (a rate limiter), or a pause after errors. Probe again without it."
    )


def _repeats_without_entry(timeline: Timeline) -> Iterator[list[Request]]:
    requests, entries = {each.id: each for each in timeline.requests}, entries_by_id(timeline)
    for repeat in timeline.exact.repeats if timeline.exact is not None else ():
        ids = range(repeat.first, repeat.last)
        sent = [requests[id] for id in ids if id in requests]
        if sent and all(each.outcome is Outcome.REJECTED and each.status and each.id not in entries for each in sent):
            yield sent
