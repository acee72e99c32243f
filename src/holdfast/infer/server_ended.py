"""Requests that the server ended while their handlers ran: a limit of time, and no limit of number.

A held request is released by nobody but holdfast. If it ends before, with an error, an answer or a closed
connection, the server has taken its handler away: a time-out of requests or responses, or one of workers, which
costs the whole process and every request in it. New requests then find places that would have been taken, and
those that were ended look like such as were turned away; so no number in service that is counted meanwhile is
the ceiling.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from holdfast.errors import InconclusiveError
from holdfast.infer.census import entries_by_id, offered_requests
from holdfast.model.places import Outcome
from holdfast.model.timeline import NEVER, Entry, Timeline
from holdfast.model.units import NS_PER_S

CUT_NS = 200_000_000
"""Who is ended sooner than this was not held: its handler failed at its start."""

_NOT_BY_THE_SERVER = frozenset({Outcome.PENDING, Outcome.GIVEN_UP, Outcome.FAILED})
_SEES = {
    Outcome.ANSWERED: "an answer",
    Outcome.RESET: "a reset connection",
    Outcome.CLOSED: "a closed connection",
}


@dataclass(frozen=True, slots=True)
class Cut:
    """What is known of the requests that were ended.

    Attributes:
        longest_ns: the longest time that one of them had been in service: about the limit.
        peak: most requests that were in service at once before the first was ended.
        seen: what their clients saw, in words, the commonest first.
    """

    number: int
    longest_ns: int
    peak: int
    seen: tuple[str, ...]


def is_cut(outcome: Outcome, entered_ns: int, done_ns: int) -> bool:
    """Whether a request that nobody has released was ended by the server while it was held.

    Args:
        entered_ns: when its handler was entered; NEVER if it was not.
        done_ns: when its client saw the end.
    """
    return outcome not in _NOT_BY_THE_SERVER and NEVER < entered_ns < done_ns - CUT_NS


def cut_of(timeline: Timeline) -> Cut | None:
    """The requests that were ended before any was released; None where there are none."""
    return _between(timeline, NEVER, timeline.marks.placed_ns or timeline.marks.ended_ns)


def cut_later(timeline: Timeline) -> Cut | None:
    """Those that were ended after the places had been counted, and still before any was released."""
    marks = timeline.marks
    return _between(timeline, marks.placed_ns, marks.released_ns) if marks.placed_ns else None


def _between(timeline: Timeline, after_ns: int, until_ns: int) -> Cut | None:
    entries = entries_by_id(timeline)
    cut = [
        (request, entries[request.id])
        for request in offered_requests(timeline)
        if request.id in entries
        and after_ns < request.done_ns <= until_ns
        and is_cut(request.outcome, entries[request.id].entered_ns, request.done_ns)
    ]
    if not cut:
        return None
    first_ns = min(request.done_ns for request, _ in cut)
    seen = Counter(
        f"HTTP {request.status}"
        if request.outcome is Outcome.REJECTED
        else _SEES.get(request.outcome, request.outcome.label)
        for request, _ in cut
    )
    return Cut(
        number=len(cut),
        longest_ns=max(request.done_ns - entry.entered_ns for request, entry in cut),
        peak=peak(entries.values(), first_ns),
        seen=tuple(words for words, _ in seen.most_common()),
    )


def check_uncut(timeline: Timeline) -> None:
    """Raises InconclusiveError, with the limit as what was found, where the server ended held requests."""
    cut = cut_of(timeline)
    if cut is None:
        return
    raise InconclusiveError(
        f"The server has a time limit for requests, of about {cut.longest_ns / NS_PER_S:.1f} s.",
        f"It ended {cut.number} that were held and that nobody had released; the client saw {' or '.join(cut.seen)}. "
        f"Before that, {cut.peak} were in service at once: at least so many, but that is not the ceiling.",
        "Raise that limit for the probe (a time-out of workers, requests or responses), "
        f"or offer fewer requests (--max-offered {max(1, cut.peak)}).",
    )


def peak(entries: Iterable[Entry], before_ns: int) -> int:
    """Most handlers that ran at once before an instant."""
    moves = sorted(
        move
        for entry in entries
        for move in ((entry.entered_ns, 1), (entry.left_ns, -1))
        if NEVER < move[0] < before_ns
    )
    most = running = 0
    for _, change in moves:
        running += change
        most = max(most, running)
    return most
