"""Where requests go that find no free handler, and what the last of them sees."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from holdfast.infer.known import Known
from holdfast.model.places import PLACE_OF, QUEUES, REPLIED, TURNED_AWAY_PLACES, Place
from holdfast.model.timeline import Request
from holdfast.model.verdict import Overflow


def order_of(counts: Mapping[Place, int]) -> tuple[str, ...]:
    """The places that requests overflow into, from the handler outwards.

    A queue nearer to the handler fills first: an unaccepted connection cannot overtake an accepted one, nor a SYN an
    established connection.

    Args:
        counts: how many requests are in each place.
    """
    return tuple(place.value for place in (*QUEUES, *TURNED_AWAY_PLACES) if counts.get(place))


def client_sees(
    counts: Mapping[Place, int],
    requests: Mapping[int, Request],
    placed: Mapping[int, Place],
    *,
    syn_lost: bool,
    queue_full: bool = False,
    of_waiting: str | None = None,
) -> str | None:
    """What the first request beyond every queue gets; None where there is no such request.

    Args:
        counts: how many requests are in each place.
        requests, placed: of these, by request id.
        syn_lost: a SYN stayed unanswered because the accept queue was full.
        queue_full: the accept queue was full, so that the next request would not wait in it as those did.
        of_waiting: what became of requests that waited, while all places were taken; None where they waited on.
    """
    if counts.get(Place.SYN) and syn_lost:
        return "connect-timeout"
    if any(counts.get(place) for place in TURNED_AWAY_PLACES):
        return _usual_fate(requests, placed)
    return of_waiting or "waits" if any(counts.get(place) for place in QUEUES) and not queue_full else None


def overflow_of(order: Sequence[str], sees: str | None) -> Known[Overflow]:
    """The overflow, from its two parts."""
    unknown: dict[str, str] = {}
    if not order:
        unknown["overflow.first"] = "every offered request was being handled: nothing overflowed"
    if sees is None:
        unknown["overflow.client_sees"] = "no request went beyond every queue"
    return Known(Overflow(order[0] if order else None, tuple(order[1:]), sees), unknown)


def fate_of(ended: Sequence[Request]) -> str:
    """The commonest end of requests that came to no handler, the earlier one of two: an HTTP status, or a place."""
    return Counter(map(_fate, ended)).most_common(1)[0][0]


def _usual_fate(requests: Mapping[int, Request], placed: Mapping[int, Place]) -> str:
    """The fate of those turned away beyond the last that was let in."""
    gone = sorted(each for each, place in placed.items() if place in TURNED_AWAY_PLACES)
    last_in = max((each for each, place in placed.items() if place is Place.IN_SERVICE), default=-1)
    beyond = [each for each in gone if each > last_in] or gone
    return fate_of([requests[each] for each in beyond])


def _fate(request: Request) -> str:
    if request.outcome in REPLIED and request.status:
        return str(request.status)
    return PLACE_OF[request.outcome].value
