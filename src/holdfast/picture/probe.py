"""Where the requests of a probe were at each instant.

What the client and the recorder saw has its instants. Where a request waits between its connection and its handler is
known to the kernel alone: of each one at the snapshot, and as a number whenever the observers looked. Apart from that
it is drawn as waiting in a queue that is not known.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from holdfast.infer.census import entries_by_id, in_service_at, placed_requests
from holdfast.model.frozen import frozen
from holdfast.model.phase import Phase
from holdfast.model.places import PLACE_OF, Place
from holdfast.model.samples import Sample
from holdfast.model.timeline import NEVER, Entry, Request, Timeline
from holdfast.picture.areas import Area, Areas, Leg, areas_of

BEFORE_VIEW = "before_view"
UNPLACED = "unplaced"
REPLYING = "replying"
LEFT = "left"
ORDER: tuple[str, ...] = (
    Place.IN_SERVICE.value,
    BEFORE_VIEW,
    Place.USERSPACE_QUEUE.value,
    Place.ACCEPT_QUEUE.value,
    UNPLACED,
    Place.SYN.value,
    REPLYING,
    Place.ANSWERED.value,
    Place.REJECTED.value,
    Place.REFUSED.value,
    Place.RESET.value,
    Place.CLOSED.value,
    Place.FAILED.value,
    LEFT,
)
"""From the bottom up: those that the server works on, those that wait, those that have ended."""


@frozen
class _Kernel:
    """What the kernel said of the queues.

    Attributes:
        placed: the place of each offered request while nothing moved, [from_ns, until_ns).
    """

    placed: Mapping[int, Place]
    from_ns: int
    until_ns: int


def areas_of_probe(timeline: Timeline) -> Areas:
    """All requests of a run, of every phase."""
    kernel = _kernel(timeline)
    entries = entries_by_id(timeline)
    handed = {each.id: each.handed_ns for each in timeline.handed or ()}
    chains = (
        _legs(request, entries.get(request.id), handed.get(request.id, NEVER), kernel)
        for request in timeline.requests
        if request.phase is not Phase.STREAM
    )
    return _split(areas_of(chains, ORDER, looks=[each.at_ns for each in timeline.samples]), timeline.samples)


def _kernel(timeline: Timeline) -> _Kernel:
    """Nothing moves from the snapshot until clients leave or handlers are let go."""
    snapshot, marks = timeline.placed, timeline.marks
    if snapshot is None:
        return _Kernel({}, NEVER, NEVER)
    ends = (marks.abandoned_ns, marks.released_ns, marks.ended_ns)
    until_ns = min((at for at in ends if at > snapshot.ended_ns), default=snapshot.ended_ns)
    return _Kernel(placed_requests(timeline, snapshot), snapshot.ended_ns, until_ns)


def _legs(request: Request, entry: Entry | None, handed_ns: int, kernel: _Kernel) -> list[Leg]:
    begun_ns = request.opened_ns or request.sent_ns or request.due_ns
    instants = {begun_ns, request.connected_ns, request.done_ns, handed_ns, kernel.from_ns, kernel.until_ns}
    if entry is not None:
        instants |= {entry.entered_ns, entry.left_ns}
    return [(at, _place(request, entry, handed_ns, kernel, at)) for at in sorted(instants) if at >= begun_ns]


def _place(request: Request, entry: Entry | None, handed_ns: int, kernel: _Kernel, at_ns: int) -> str:
    """The place of a request that has been offered, at one instant."""
    ended = NEVER < request.done_ns <= at_ns
    if ended and request.outcome in PLACE_OF:
        return PLACE_OF[request.outcome].value
    if in_service_at(entry, at_ns):
        return Place.IN_SERVICE.value
    if ended:
        return LEFT
    if entry is not None and NEVER < entry.left_ns <= at_ns:
        return REPLYING
    return _queue(request, handed_ns, kernel, at_ns)


def _queue(request: Request, handed_ns: int, kernel: _Kernel, at_ns: int) -> str:
    """The same of one that waits."""
    known = kernel.placed.get(request.id) if kernel.from_ns <= at_ns < kernel.until_ns else None
    if known in {Place.ACCEPT_QUEUE, Place.SYN}:
        return known.value
    if known is None and not NEVER < request.connected_ns <= at_ns:
        return Place.SYN.value
    if NEVER < handed_ns <= at_ns:
        return BEFORE_VIEW
    return Place.USERSPACE_QUEUE.value if known is Place.USERSPACE_QUEUE else UNPLACED


def _split(areas: Areas, samples: Sequence[Sample]) -> Areas:
    """With those that wait shared out between the accept queue and the server's own, as far as looks tell.

    At a look the kernel's number is taken. Between two looks their shares of those that wait are.
    """
    by_place = {each.place: list(each.counts) for each in areas.areas}
    waiting = by_place.get(UNPLACED)
    if waiting is None:
        return areas
    looks = list(_shares(areas.at_ns, waiting, samples))
    if len(looks) < 2:
        return areas
    empty = [0] * len(waiting)
    queued = by_place.setdefault(Place.ACCEPT_QUEUE.value, list(empty))
    own = by_place.setdefault(Place.USERSPACE_QUEUE.value, list(empty))
    at_looks = [at for at, _ in looks]
    for number, at in enumerate(areas.at_ns):
        if waiting[number] and at_looks[0] <= at <= at_looks[-1]:
            in_queue = round(_between(looks, at_looks, at) * waiting[number])
            queued[number] += in_queue
            own[number] += waiting[number] - in_queue
            waiting[number] = 0
    kept = [Area(place, tuple(by_place[place])) for place in ORDER if any(by_place.get(place, ()))]
    return replace(areas, areas=tuple(kept))


def _shares(at_ns: Sequence[int], waiting: Sequence[int], samples: Sequence[Sample]) -> Iterator[tuple[int, float]]:
    """At each look, what share of those that waited was in the accept queue."""
    for sample in samples:
        number = bisect_right(at_ns, sample.at_ns) - 1
        if sample.depth is not None and number >= 0 and waiting[number]:
            yield sample.at_ns, min(1.0, sample.depth / waiting[number])


def _between(looks: Sequence[tuple[int, float]], at_looks: Sequence[int], at_ns: int) -> float:
    number = bisect_right(at_looks, at_ns)
    if number == len(looks):
        return looks[-1][1]
    (from_ns, before), (to_ns, after) = looks[number - 1], looks[number]
    return before + (after - before) * (at_ns - from_ns) / (to_ns - from_ns)
