"""What came after the places had been counted and shows that the number in service then is not a bound."""

from __future__ import annotations

from holdfast.infer.census import offered_requests
from holdfast.infer.pacing import seconds
from holdfast.infer.waited_too_long import had_waited
from holdfast.model.places import TURNED_AWAY
from holdfast.model.timeline import NEVER, Snapshot, Timeline


def why_more_later(timeline: Timeline, snapshot: Snapshot, in_service: int) -> str:
    """Why it is not a bound that this many were in service at the snapshot, as a sentence; "" where it may be one."""
    until_ns = undisturbed_until_ns(timeline, snapshot)
    offered = {each.id for each in offered_requests(timeline)}
    more = sum(each.id in offered and snapshot.ended_ns < each.entered_ns < until_ns for each in timeline.entries)
    if not more:
        return ""
    return (
        f"After the places had been counted, {more} more of the requests that waited came into service beside the "
        f"{in_service}: the server takes in more after a while, so the ceiling is higher. Growth that is slower than "
        "the probe is not seen."
    )


def watched_s(timeline: Timeline) -> float | None:
    """For how long requests waited without any change; None where none waited, or the places were not counted."""
    snapshot, ramp = timeline.placed, timeline.ramp
    if snapshot is None or ramp is None or ramp.plateau_ns == NEVER:
        return None
    gone_ns = (
        each.done_ns
        for each in offered_requests(timeline)
        if each.outcome in TURNED_AWAY and each.done_ns <= snapshot.ended_ns and had_waited(timeline, each)
    )
    return seconds(max((ramp.plateau_ns, *gone_ns)), undisturbed_until_ns(timeline, snapshot))


def undisturbed_until_ns(timeline: Timeline, snapshot: Snapshot) -> int:
    """When the first handler was let go or the first client left; some applications then give a place back twice."""
    marks = timeline.marks
    instants = [
        *(each.done_ns for each in timeline.requests),
        *(each.left_ns for each in timeline.entries),
        *(each.at_ns for each in timeline.left_in_service),
        *(marks.abandoned_ns, marks.released_ns, marks.ended_ns),
    ]
    return min((each for each in instants if each > snapshot.ended_ns), default=NEVER)
