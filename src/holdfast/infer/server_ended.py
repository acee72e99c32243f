"""Requests that the server ended while their handlers ran: a limit of time, not of number.

Only holdfast releases a held request. If one ends before that, with an error, an answer or a closed connection, the
server has taken its handler away: by a timeout of requests or responses, or by one of workers, which costs the whole
process and every request in it. New requests then find places that would have been taken, and those that were ended
look like requests that were turned away; so no number in service that is counted meanwhile is the ceiling.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from holdfast.errors import InconclusiveError
from holdfast.infer.census import entries_by_id, offered_requests
from holdfast.infer.signals import ended_by_server, peak
from holdfast.model.frozen import frozen
from holdfast.model.places import Outcome
from holdfast.model.timeline import NEVER, Entry, Request, Timeline
from holdfast.model.units import MS, NS_PER_S

_SAME_MOMENT_NS = 50 * MS
_DIFFERENT_NS = 250 * MS
"""Between the times of requests of one process: a limit of each request's time would have ended one after the other."""
_SEES = {
    Outcome.ANSWERED: "an answer",
    Outcome.RESET: "a reset connection",
    Outcome.CLOSED: "a closed connection",
}


@frozen
class ServerEnded:
    """What is known of the requests that the server ended.

    Attributes:
        number: of these requests.
        longest_ns: the longest time that one of them had been in service: about the limit.
        peak: most requests that were in service at once before the first was ended.
        seen: what their clients saw, in words, the commonest first.
        with_process: those of one process ended at the same moment after different times, so that it was the process
            that ended, and these times are not a limit.
    """

    number: int
    longest_ns: int
    peak: int
    seen: tuple[str, ...]
    with_process: bool = False


def ended_before(timeline: Timeline) -> ServerEnded | None:
    """The requests that were ended before the places had been counted; None where there are none."""
    return _between(timeline, NEVER, timeline.marks.placed_ns or timeline.marks.ended_ns)


def ended_later(timeline: Timeline) -> ServerEnded | None:
    """Those that were ended between the count of the places and the release; None where there were none."""
    marks = timeline.marks
    return _between(timeline, marks.placed_ns, marks.released_ns) if marks.placed_ns else None


def _between(timeline: Timeline, after_ns: int, until_ns: int) -> ServerEnded | None:
    entries = entries_by_id(timeline)
    ended = [
        (request, entries[request.id])
        for request in offered_requests(timeline)
        if request.id in entries
        and after_ns < request.done_ns <= until_ns
        and ended_by_server(request.outcome, entries[request.id].entered_ns, request.done_ns)
    ]
    if not ended:
        return None
    first_ns = min(request.done_ns for request, _ in ended)
    seen = Counter(
        f"HTTP {request.status}"
        if request.outcome is Outcome.REJECTED
        else _SEES.get(request.outcome, request.outcome.label)
        for request, _ in ended
    )
    return ServerEnded(
        number=len(ended),
        longest_ns=max(request.done_ns - entry.entered_ns for request, entry in ended),
        peak=peak(entries.values(), first_ns),
        seen=tuple(words for words, _ in seen.most_common()),
        with_process=_with_process(ended),
    )


def _with_process(ended: Sequence[tuple[Request, Entry]]) -> bool:
    for pid in {entry.pid for _, entry in ended}:
        done = [request.done_ns for request, entry in ended if entry.pid == pid]
        ages = [request.done_ns - entry.entered_ns for request, entry in ended if entry.pid == pid]
        if max(done) - min(done) <= _SAME_MOMENT_NS and max(ages) - min(ages) > _DIFFERENT_NS:
            return True
    return False


def check_none_ended(timeline: Timeline) -> None:
    """Raises InconclusiveError, which says what the limit is, where the server ended held requests."""
    ended = ended_before(timeline)
    if ended is None:
        return
    if ended.with_process:
        raise InconclusiveError(
            f"A process of the server ended with {ended.number} requests that it held.",
            f"Their clients saw {' or '.join(ended.seen)}, the oldest after {ended.longest_ns / NS_PER_S:.1f} s. "
            f"Before that, {ended.peak} were in service at once. The ceiling is at least that. A master ends a worker "
            "that does not report to it in time (a heartbeat, which a busy machine delays), or of which one request "
            "takes too long.",
            "Raise its timeout of workers, or of requests, and let the machine rest; otherwise find out what ended the "
            "process.",
        )
    raise InconclusiveError(
        f"The server has a time limit for requests, of about {ended.longest_ns / NS_PER_S:.1f} s.",
        f"It ended {ended.number} held requests before holdfast released them; the client saw "
        f"{' or '.join(ended.seen)}. Before that, {ended.peak} were in service at once. The ceiling is at least that.",
        "Raise that limit for the probe (a timeout of workers, requests or responses), "
        f"or offer fewer requests (--max-offered {max(1, ended.peak)}).",
    )
