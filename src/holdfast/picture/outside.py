"""Where the requests of a look from outside were at each instant, and how long they took.

From outside it shows when a request was connected and when it was answered. Whether it was in service or waited in
between does not.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from holdfast.model.frozen import frozen
from holdfast.model.outside import OutsideTimeline
from holdfast.model.places import PLACE_OF, REPLIED, Place
from holdfast.model.timeline import NEVER, Request
from holdfast.picture.areas import Areas, Leg, areas_of
from holdfast.picture.percentiles import Curve, curve_of
from holdfast.picture.probe import LEFT, ORDER, UNPLACED

_ROUNDS = {"single": "one at a time", "steady": "a steady number", "burst": "all at once"}
"""Those whose times are the server's own; of the watched ones they may be those of the look."""


@frozen
class OutsidePicture:
    """What became of the requests over time; how long they took, from the first byte sent, one curve for each kind."""

    areas: Areas
    curves: tuple[Curve, ...]


def picture_of_outside(timeline: OutsideTimeline) -> OutsidePicture:
    """The picture of all rounds."""
    by_id = {request.id: request for request in timeline.requests}
    durations: dict[str, list[int]] = {name: [] for name in _ROUNDS.values()}
    for each in timeline.rounds:
        name = _ROUNDS.get(each.kind)
        if name is not None:
            requests = (by_id[id] for id in range(each.first, each.last) if id in by_id)
            durations[name] += [request.done_ns - _sent(request) for request in requests if request.outcome in REPLIED]
    areas = areas_of(map(_legs, timeline.requests), ORDER)
    return OutsidePicture(areas, tuple(curve_of(name, found) for name, found in durations.items()))


def _sent(request: Request) -> int:
    return request.sent_ns or request.opened_ns or request.due_ns


def _legs(request: Request) -> Sequence[Leg]:
    return sorted(_instants(request), key=lambda leg: leg[0])


def _instants(request: Request) -> Iterator[Leg]:
    yield request.opened_ns or _sent(request), Place.SYN.value if request.opened_ns else UNPLACED
    ended = request.done_ns != NEVER
    if request.connected_ns != NEVER and not (ended and request.connected_ns >= request.done_ns):
        yield request.connected_ns, UNPLACED
    if ended:
        yield request.done_ns, PLACE_OF[request.outcome].value if request.outcome in PLACE_OF else LEFT
