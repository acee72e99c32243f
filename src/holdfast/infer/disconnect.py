"""What becomes of requests whose clients leave: of those in a queue, and of those in service."""

from __future__ import annotations

from collections.abc import Mapping

from holdfast.infer.census import entries_by_id
from holdfast.infer.known import NOT_SO_FAR, Known
from holdfast.infer.server_ended import ended_later
from holdfast.model.address import is_unix
from holdfast.model.timeline import NEVER, Entry, Leaving, Timeline
from holdfast.model.verdict import Abandoned, ClientGone, Fate

_TIME_LIMIT = "the server's time limit ended other held requests meanwhile, so what ended or freed this one is unclear"
_MAY_WAIT = "some had not reached a handler, and may have been waiting in connections the server had when the run ended"
_MAY_WAIT_INSIDE = "some had been handed to the application, and had not reached their view when the run ended"
_GROWING = "the server's pool was still growing, so what a free place would show could not be told from that"
LET_IN_LATER = "a rate lets in requests, so what a free place would show could not be told from that"
_ENDLESS = {"growing": _GROWING, "let in later": LET_IN_LATER}
_BY_TIME = (
    "what turns requests away counts them over a time, so what a free place would show could not be told from that"
)
_NO_RST = "a client of a Unix socket can only close it"


def abandoned_of(timeline: Timeline, *, by_time: bool = False) -> Known[Abandoned]:
    """What became of all whose clients left.

    Args:
        by_time: what turned requests away counts them over a time, and none waited for a place.
    """
    in_service, reasons = client_gone(timeline, by_time=by_time)
    unknown = dict(reasons)
    left = len(timeline.abandoned)
    if left == 0:
        reason = "no queued request had a connection that its client could leave"
        if timeline.marks.abandoned_ns == NEVER:
            reason = why_not_tried(timeline)
        unknown |= {"abandoned.left": reason, "abandoned.run_anyway": reason}
        return Known(Abandoned(None, None, in_service), unknown)
    entries = entries_by_id(timeline)
    if timeline.marks.quiet_ns == NEVER:
        handed = {each.id for each in timeline.handed or ()}
        inside = any(each in handed and each not in entries for each in timeline.abandoned)
        unknown["abandoned.run_anyway"] = _MAY_WAIT_INSIDE if inside else _MAY_WAIT
        return Known(Abandoned(left, None, in_service), unknown)
    return Known(Abandoned(left, sum(each in entries for each in timeline.abandoned), in_service), unknown)


def why_not_tried(timeline: Timeline) -> str:
    """Why nothing was tried with the counted places."""
    return _ENDLESS.get(timeline.ramp.reason, NOT_SO_FAR) if timeline.ramp is not None else NOT_SO_FAR


def client_gone(timeline: Timeline, *, by_time: bool = False) -> Known[ClientGone]:
    """What becomes of a handler whose client leaves, for each way of leaving.

    Args:
        by_time: as of `abandoned_of`. Whether the next request is let in then shows no place.
    """
    entries = entries_by_id(timeline)
    # What a new worker runs has not needed the place of a handler whose client has left.
    standing = {id: entry for id, entry in entries.items() if entry.pid not in timeline.came_later}
    ways: dict[str, Leaving] = {leaving.how: leaving for leaving in timeline.left_in_service}
    fates: dict[str, Fate | None] = {}
    unknown = {}
    for how in ("fin", "rst"):
        leaving = ways.get(how)
        if leaving is None or leaving.until_ns == NEVER:
            fates[how] = None
            no_such_way = how == "rst" and is_unix(timeline.server.address)
            unknown[f"abandoned.in_service.{how}"] = _NO_RST if no_such_way else _why_not(timeline, leaving)
        else:
            fates[how] = fate_of(leaving, {**standing, leaving.id: entries[leaving.id]})
            if fates[how] != "finishes" and ended_later(timeline) is not None:
                fates[how], unknown[f"abandoned.in_service.{how}"] = None, _TIME_LIMIT
            elif fates[how] != "cancelled" and by_time:
                fates[how], unknown[f"abandoned.in_service.{how}"] = None, _BY_TIME
    return Known(ClientGone(fates["fin"], fates["rst"]), unknown)


def fate_of(leaving: Leaving, entries: Mapping[int, Entry]) -> Fate:
    """What became of one handler while the server was watched after its client had left.

    Its place is free although the handler continues if another handler began then: before, none did although
    requests were waiting, or one was offered for this purpose.
    """
    left_ns = entries[leaving.id].left_ns
    if leaving.at_ns < left_ns <= leaving.until_ns:
        return "cancelled"
    if any(leaving.at_ns < entry.entered_ns <= leaving.until_ns for entry in entries.values()):
        return "place freed, handler goes on"
    return "finishes"


def _why_not(timeline: Timeline, leaving: Leaving | None) -> str:
    if timeline.marks.abandoned_ns == NEVER:
        return why_not_tried(timeline)
    if leaving is not None:
        return (
            "what followed does not show it: the server hardly got a core, or two clients left at once and only one of "
            "them made a difference"
        )
    return "no request was in service that its client could leave"
