"""Requests that never came to their view: those that did say nothing of how many could be there at once."""

from __future__ import annotations

from holdfast.errors import InconclusiveError
from holdfast.infer.ceiling import offered_in, turned_away
from holdfast.infer.census import entries_by_id, offered_requests
from holdfast.model.places import Outcome, Place
from holdfast.model.ramp import Ramp
from holdfast.model.timeline import NEVER, Timeline
from holdfast.model.units import NS_PER_S
from holdfast.model.verdict import Places

_LONG_NS = NS_PER_S // 10


def check_reached(timeline: Timeline, ramp: Ramp, places: Places) -> None:
    """Checks that some of the offered requests were in service when the places were counted, and none went past them.

    Raises:
        InconclusiveError: none was, or others were answered without their view, although the run was not interrupted.
    """
    offered = offered_in(places)
    if not offered or ramp.reason == "interrupted":
        return
    if places.in_service:
        _check_none_passed(timeline, offered, places)
        return
    entries = entries_by_id(timeline)
    if again := sum(each.id in entries and entries[each.id].entries > 1 for each in offered_requests(timeline)):
        raise InconclusiveError(
            f"{again} of the {offered} requests were handed to the application more than once, and of each only the "
            "last time is known, which came too late, so no ceiling was seen.",
            "Something in front of the server sends a request again that is not answered in time (nginx: "
            "proxy_next_upstream), or the server does.",
            "Take that away for the probe, or raise its time limit.",
        )
    away = turned_away(places)
    if away:
        raise InconclusiveError(
            f"None of the {offered} requests reached its view: {away} were turned away, so no ceiling was seen.",
            f"{_of_the_first(timeline)} A limit on requests for a time (a rate limiter) or something in front of the "
            "view turned away those that followed.",
            "Take that away for the probe, or choose another --path.",
        )
    if places.answered:
        raise InconclusiveError(
            f"None of the {offered} requests reached its view: {places.answered} were answered without it, so no "
            "ceiling was seen.",
            f"{_of_the_first(timeline)} Something in front of the view answered those that followed: a cache that had "
            "kept the first answer, or a rule; or their view ran on a thread or in a task of the application's own, to "
            "which a request cannot be followed.",
            "Turn that off for the probe, choose a --path that is answered anew each time, or measure the running "
            "server from outside (holdfast attach).",
        )
    waited_ns = timeline.placed.ended_ns - ramp.plateau_ns if timeline.placed and ramp.plateau_ns != NEVER else 0
    within = f" within {waited_ns / NS_PER_S:.1f} s" if waited_ns > 0 else ""
    where = Place.USERSPACE_QUEUE if places.userspace_queue else Place.ACCEPT_QUEUE
    held_up = {
        Place.USERSPACE_QUEUE: f"The server had taken {places.userspace_queue} of them; they waited before their view.",
        Place.ACCEPT_QUEUE: "The server accepted none of them.",
    }[where]
    raise InconclusiveError(
        f"None of the {offered} requests reached its view{within}, so no ceiling was seen.",
        f"{_of_the_first(timeline)} {held_up}",
        "Look at what runs before the view (authentication, a dependency, middleware), or choose another --path.",
    )


def _check_none_passed(timeline: Timeline, offered: int, places: Places) -> None:
    # One that was entered and answered at once was cancelled, or its process ended: that says something of the server.
    entries, until_ns = entries_by_id(timeline), timeline.placed.ended_ns if timeline.placed else NEVER
    passed = [
        each
        for each in offered_requests(timeline)
        if each.outcome is Outcome.ANSWERED
        and NEVER < each.done_ns <= until_ns
        and (each.id not in entries or entries[each.id].entered_ns == NEVER)
    ]
    if not passed:
        return
    held = f"{places.in_service} {'was' if places.in_service == 1 else 'were'}"
    raise InconclusiveError(
        f"{len(passed)} of the {offered} requests were answered without their view, so how many run there at once is "
        "not known.",
        f"{_of_the_first(timeline)} {held} in service, and those others got HTTP {passed[0].status}: "
        "from a cache, from something that turns requests away with an ordinary answer, or from another function in "
        "the view's place, as where each thread makes its own.",
        "Turn that off for the probe, choose another --path, or measure the running server from outside (holdfast "
        "attach).",
    )


def _of_the_first(timeline: Timeline) -> str:
    ways_ns = timeline.first_request.ways_ns if timeline.first_request is not None else ()
    if ways_ns and ways_ns[0] >= _LONG_NS:
        return f"The first request, sent alone, took {ways_ns[0] / NS_PER_S:.1f} s to its view."
    return "The first request, sent alone, reached it."
