"""What becomes of requests whose clients leave: of those in a queue, and of those in service."""

from __future__ import annotations

from collections.abc import Mapping

from holdfast.infer.census import entries_by_id
from holdfast.infer.server_ended import cut_later
from holdfast.model.address import is_unix
from holdfast.model.timeline import NEVER, Entry, Leaving, Timeline
from holdfast.model.verdict import Abandoned, ClientGone, Fate

_NOT_SO_FAR = "the run did not come so far"
_CUT = "the server ended other held requests meanwhile, by a time limit, so what ended or freed this one is not known"
_MAY_WAIT = "some had not come to a handler, and the server had connections in which they may wait when the run ended"
_NO_RST = "a client of a Unix socket can only close it"


def abandoned_of(timeline: Timeline) -> tuple[Abandoned, dict[str, str]]:
    """What became of all whose clients left, and for each field that is None the reason."""
    in_service, unknown = client_gone(timeline)
    left = len(timeline.abandoned)
    if left == 0:
        reason = "no request waited with a connection that its client could leave"
        if timeline.marks.abandoned_ns == NEVER:
            reason = _NOT_SO_FAR
        unknown |= {"abandoned.left": reason, "abandoned.run_anyway": reason}
        return Abandoned(None, None, in_service), unknown
    if timeline.marks.quiet_ns == NEVER:
        unknown["abandoned.run_anyway"] = _MAY_WAIT
        return Abandoned(left, None, in_service), unknown
    entries = entries_by_id(timeline)
    return Abandoned(left, sum(each in entries for each in timeline.abandoned), in_service), unknown


def client_gone(timeline: Timeline) -> tuple[ClientGone, dict[str, str]]:
    """What becomes of a handler whose client leaves, for each way of leaving, and the reasons for None."""
    entries = entries_by_id(timeline)
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
            fates[how] = fate_of(leaving, entries)
            if fates[how] != "finishes" and cut_later(timeline) is not None:
                fates[how], unknown[f"abandoned.in_service.{how}"] = None, _CUT
    return ClientGone(fates["fin"], fates["rst"]), unknown


def fate_of(leaving: Leaving, entries: Mapping[int, Entry]) -> Fate:
    """What became of one handler while the server was watched after its client had left.

    Its place is free although it goes on if another handler began then: before, none did although
    requests waited at the server, or one was offered for the purpose.
    """
    left_ns = entries[leaving.id].left_ns
    if leaving.at_ns < left_ns <= leaving.until_ns:
        return "cancelled"
    if any(leaving.at_ns < entry.entered_ns <= leaving.until_ns for entry in entries.values()):
        return "place freed, handler goes on"
    return "finishes"


def _why_not(timeline: Timeline, leaving: Leaving | None) -> str:
    if timeline.marks.abandoned_ns == NEVER:
        return _NOT_SO_FAR
    if leaving is not None:
        return "what followed does not tell: the server hardly got a core, or one of two who left made a difference"
    return "no request was in service that its client could leave"
