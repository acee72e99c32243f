"""The records of a look from outside, as what the estimate is made of."""

from __future__ import annotations

from collections.abc import Mapping

from holdfast.infer.concurrency_estimate import Trip
from holdfast.model.places import Outcome
from holdfast.model.timeline import Request, Round, Timeline


def trip_of(request: Request) -> Trip:
    """One request as its client saw it."""
    answered = request.outcome == Outcome.ANSWERED
    return Trip(request.opened_ns, request.connected_ns, request.sent_ns, request.done_ns, answered)


def trips_of(requests: Mapping[int, Request], round_: Round) -> list[Trip]:
    """The requests of one round."""
    return [trip_of(requests[id_]) for id_ in range(round_.first, round_.last)]


def requests_by_id(timeline: Timeline) -> dict[int, Request]:
    """All requests of a run."""
    return {request.id: request for request in timeline.requests}
