"""Where requests go that find no free handler, and what the last of them sees."""

from __future__ import annotations

from collections.abc import Mapping

from holdfast.infer.ceiling import TURNED_AWAY, turned_away, waiting
from holdfast.model.places import QUEUES, Outcome, Place
from holdfast.model.timeline import Ramp, Request
from holdfast.model.verdict import Overflow, Places


def overflow_of(
    places: Places, ramp: Ramp, requests: Mapping[int, Request], placed: Mapping[int, Place]
) -> tuple[Overflow, dict[str, str]]:
    """The order of overflow, from the handler outwards, and for each field that is None the reason."""
    # A queue that stands nearer to the handler fills first: an unaccepted connection cannot
    # overtake an accepted one, nor a SYN an established connection.
    order = [place.value for place in (*QUEUES, *TURNED_AWAY) if getattr(places, place.value) > 0]
    unknown: dict[str, str] = {}
    first = order[0] if order else None
    if first is None:
        unknown["overflow.first"] = "every offered request was being handled: nothing overflowed"
    sees: str | None
    if places.syn and ramp.reason == "syn":
        sees = "connect-timeout"
    elif turned_away(places):
        last = max(request_id for request_id, place in placed.items() if place in TURNED_AWAY)
        sees = _fate(requests[last], placed[last])
    elif waiting(places):
        sees = "waits"
    else:
        sees = None
        unknown["overflow.client_sees"] = "no request went beyond every queue"
    return Overflow(first, tuple(order[1:]), sees), unknown


def _fate(request: Request, place: Place) -> str:
    if request.outcome == Outcome.REJECTED and request.status:
        return str(request.status)
    return place.value
