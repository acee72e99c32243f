"""Pools that grow while requests wait: when the number in service at the census is not their most."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise

from holdfast.infer.ceiling import turned_away
from holdfast.model.phase import Phase
from holdfast.model.ramp import Ramp
from holdfast.model.timeline import NEVER, Entry, Snapshot, Timeline
from holdfast.model.units import NS_PER_S
from holdfast.model.verdict import Places

_LATEST = 10
_FEW = 4
"""So few show a rate too if each came as long after the one before it."""
_ALIKE = 1.5


def why_growing(timeline: Timeline, ramp: Ramp, snapshot: Snapshot, held: Iterable[Entry]) -> str:
    """Why the pool may have been about to grow, as a sentence; "" where it had its size.

    A pool that grew has its size once it has not grown for longer than any step took; the ramp waits for that.

    Args:
        held: handlers in service at the census.
    """
    server = timeline.server
    if ramp.reason == "growing":
        return (
            f"The server still took in one more request after another while others waited, with up to "
            f"{_seconds(ramp.step_ns)} between two, when holdfast stopped waiting after "
            f"{_seconds(snapshot.began_ns - _first_ns(timeline))}{_rate(timeline, snapshot)}: its pool still grows, or "
            "a limit on requests for a time (a rate limiter) lets in one after another, and the ceiling is higher."
        )
    if timeline.came_later:
        pids = ", ".join(map(str, timeline.came_later))
        return (
            f"The server started {len(timeline.came_later)} more workers (pid {pids}) after the places had been "
            "counted, while requests waited: its pool still grew, and the ceiling may be higher."
        )
    if server.grows_by and {each.pid for each in held} <= set(server.pids):
        return (
            f"The server may add workers while requests wait ({server.grows_by}), and none came while it was watched: "
            "the ceiling may be higher. Growth that is slower than the probe is not seen."
        )
    return ""


def why_no_fate(ramp: Ramp, places: Places) -> str:
    """Why it is not known what the next request beyond all that wait gets; "" where that is known, or not asked."""
    if ramp.reason == "ended by the server":
        return "the server ended held requests before its queues were full (a time limit for requests)"
    if ramp.reason != "growing" or not turned_away(places):
        return ""
    return "some were turned away while others still came into service: which of the two depends on the moment"


def _rate(timeline: Timeline, snapshot: Snapshot) -> str:
    """How many handlers started for each second at last; "" where too few did, or at no steady pace."""
    started_ns = sorted(each.entered_ns for each in timeline.entries if NEVER < each.entered_ns <= snapshot.ended_ns)
    latest_ns = started_ns[-_LATEST:]
    if len(latest_ns) < _LATEST:
        latest_ns = latest_ns[-_FEW:]
        gaps = [after - before for before, after in pairwise(latest_ns)]
        if len(latest_ns) < _FEW or max(gaps) > _ALIKE * min(gaps):
            return ""
    if latest_ns[0] == latest_ns[-1]:
        return ""
    return f" (about {(len(latest_ns) - 1) * NS_PER_S / (latest_ns[-1] - latest_ns[0]):.2g} a second at last)"


def _first_ns(timeline: Timeline) -> int:
    return min(
        (each.sent_ns or each.opened_ns for each in timeline.requests if each.phase is Phase.RAMP), default=NEVER
    )


def _seconds(span_ns: int) -> str:
    return f"{span_ns / NS_PER_S:.1f} s"
