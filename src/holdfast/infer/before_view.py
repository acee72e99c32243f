"""Requests that the server has handed to the application and that something in it keeps from their view.

That may be middleware, a dependency, a semaphore, a pool of threads or connections. They are among those in the
server's own queue, which is everything that was accepted and has not reached its view.
"""

from __future__ import annotations

from collections.abc import Mapping

from holdfast.infer.at_entry import is_at_entry, why_at_entry
from holdfast.infer.census import entries_by_id
from holdfast.infer.known import Known, because
from holdfast.model.places import Place
from holdfast.model.timeline import NEVER, FirstRequest, Snapshot, Timeline

FIELD = "places.before_view"
NOT_KEPT = "the run was saved before holdfast kept when the server hands a request to the application"
_UNSEEN = (
    "the server's own call of the application was not seen, so what waits in something around the framework cannot be "
    "told from what waits in the server"
)


def before_view_of(
    timeline: Timeline, snapshot: Snapshot, placed: Mapping[int, Place], first_request: FirstRequest
) -> Known[int | None]:
    """How many requests waited between the server and the view when the places were counted.

    Args:
        placed: the place of each offered request, by its id.
    """
    waiting = {id for id, place in placed.items() if place is Place.USERSPACE_QUEUE}
    if not waiting:
        return Known(0)
    if timeline.handed is None:
        return Known(None, because(NOT_KEPT, (FIELD,)))
    if is_at_entry(first_request):
        return Known(None, because(why_at_entry(first_request), (FIELD,)))
    entries = entries_by_id(timeline)
    at_ns = snapshot.ended_ns
    entered = {id for id in waiting if id in entries and NEVER < entries[id].entered_ns <= at_ns}
    handed = sum(each.handed_ns <= at_ns for each in timeline.handed if each.id in waiting - entered)
    unseen = any(not each.by_server for each in timeline.handed if each.id in placed)
    # Where the framework was called with each of them, the server had called what is around it.
    if unseen and handed < len(waiting):
        return Known(None, because(_UNSEEN, (FIELD,)))
    return Known(handed)
