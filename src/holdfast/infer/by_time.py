"""Requests that were turned away although nothing was in service: a limit on requests for a time, not on places.

What turns a request away because every place is taken lets one in when they are free again. So where exactly as many
requests were offered as had been in service, to a server that had answered all others, and it turned all of them away,
the number in service is only what had come in before: a rate limiter does that, and so do places that the application
does not get back.

Several processes with places of their own may share out such requests unevenly, but even one process lets some in.
"""

from __future__ import annotations

from collections.abc import Mapping

from holdfast.infer.ceiling import turned_away
from holdfast.infer.census import entries_by_id
from holdfast.model.places import PLACE_OF, TURNED_AWAY_PLACES
from holdfast.model.timeline import Entry, Repeat, Request, Timeline
from holdfast.model.verdict import Places

_ENOUGH = 3
"""One alone may have come before the server had noted that the last one was gone."""


def why_by_time(timeline: Timeline, places: Places) -> str | None:
    """Why the number in service is no bound although requests were turned away; None where it may be one."""
    if timeline.exact is None or not turned_away(places):
        return None
    entries, requests = entries_by_id(timeline), {each.id: each for each in timeline.requests}
    away = [_away(each, entries, requests) for each in timeline.exact.repeats]
    offered = [each.last - each.first for each in timeline.exact.repeats]
    whole = any(each == all_ for each, all_ in zip(away, offered, strict=True))
    if not whole or sum(away) < _ENOUGH or 2 * sum(away) <= sum(offered):
        return None
    return (
        f"Requests were turned away although nothing was in service: {sum(away)} of {sum(offered)} that came when all "
        "earlier ones had been answered. So what turns them away counts requests over a time (a rate limiter), or does "
        f"not get its places back, and {places.in_service} is no more than what had come in by then. Take that away "
        "for the probe to see the ceiling."
    )


def _away(repeat: Repeat, entries: Mapping[int, Entry], requests: Mapping[int, Request]) -> int:
    """How many requests of one repeat were turned away before any handler."""
    sent = [requests[id] for id in range(repeat.first, repeat.last) if id in requests and id not in entries]
    return sum(PLACE_OF.get(each.outcome) in TURNED_AWAY_PLACES for each in sent)
