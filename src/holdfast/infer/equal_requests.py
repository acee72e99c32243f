"""A number in service that is only of equal requests: others came in beside them while equal ones waited.

What treats equal requests as one (a cache that lets one of them through, a lock for each URL) may do so for a limited
time. So it counts only where the number in service is still what it was then, or a front still keeps back all others.
"""

from __future__ import annotations

from holdfast.infer.front import front_of
from holdfast.model.ramp import Ramp
from holdfast.model.timeline import Snapshot
from holdfast.model.verdict import Places


def why_more_for_one(ramp: Ramp, snapshot: Snapshot, places: Places) -> str:
    """Why the number in service is not a bound, where more came in for one that was let go; "" where that was not so.

    A front that keeps back all others may let through more the more of them there are, and look at that only then.
    """
    seen, front = ramp.given_back, front_of(snapshot, places).value
    if seen is None or seen.let_in <= 1 or front is None:
        return ""
    return (
        f"When one of the {places.in_service} in service was let go, {seen.let_in} of those that waited in "
        f"{front.program} came in: what it lets through at once depends on how many it has, and it looks at that when "
        f"one ends. {seen.in_service} were in service then, and the ceiling is at least that. Under a steady load it "
        "is what the front allows at most, or the server's own."
    )


def why_equal_ones_wait(ramp: Ramp, snapshot: Snapshot, places: Places) -> str:
    """Why the number in service is not a bound of the server, as a sentence; "" where it may be one."""
    seen, front = ramp.equals, front_of(snapshot, places).value
    kept_back = front is not None and front.accept_queue == front.in_server == 0
    if seen is None or (places.in_service != seen.in_service and not kept_back):
        return ""
    where = "before their view" if front is None else f"in {front.program}"
    who, what = ("the application", "the server") if front is None else (front.program, "the server behind it")
    return (
        f"While equal requests waited {where}, each of {seen.others} requests with a query string of its own came into "
        f"service at once, and none of the equal ones did: {places.in_service} is how many equal requests {who} lets "
        f"through at a time (a cache that waits for the first answer, a lock for each URL), and {what} takes more of "
        "others. Probe it without that, or at a path that is not treated so, to see the ceiling."
    )
