"""Where requests go that find no free handler, and what the last of them sees."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from holdfast.infer.ceiling import turned_away, waiting
from holdfast.model.places import QUEUES, TURNED_AWAY_PLACES, Outcome, Place
from holdfast.model.timeline import Ramp, Request
from holdfast.model.verdict import Overflow, Places


def overflow_of(
    places: Places, ramp: Ramp, requests: Mapping[int, Request], placed: Mapping[int, Place]
) -> tuple[Overflow, dict[str, str]]:
    """The order of overflow, from the handler outwards, and for each field that is None the reason."""
    # A queue that stands nearer to the handler fills first: an unaccepted connection cannot
    # overtake an accepted one, nor a SYN an established connection.
    order = [place.value for place in (*QUEUES, *TURNED_AWAY_PLACES) if getattr(places, place.value) > 0]
    unknown: dict[str, str] = {}
    first = order[0] if order else None
    if first is None:
        unknown["overflow.first"] = "every offered request was being handled: nothing overflowed"
    sees: str | None
    if places.syn and ramp.reason == "syn":
        sees = "connect-timeout"
    elif turned_away(places):
        sees = _usual_fate(requests, placed)
    elif waiting(places):
        sees = "waits"
    else:
        sees = None
        unknown["overflow.client_sees"] = "no request went beyond every queue"
    return Overflow(first, tuple(order[1:]), sees), unknown


def _usual_fate(requests: Mapping[int, Request], placed: Mapping[int, Place]) -> str:
    """The commonest end of those turned away beyond the last that was let in; the earlier one of two."""
    gone = sorted(each for each, place in placed.items() if place in TURNED_AWAY_PLACES)
    last_in = max((each for each, place in placed.items() if place is Place.IN_SERVICE), default=-1)
    beyond = [each for each in gone if each > last_in] or gone
    return Counter(_fate(requests[each], placed[each]) for each in beyond).most_common(1)[0][0]


def _fate(request: Request, place: Place) -> str:
    if request.outcome == Outcome.REJECTED and request.status:
        return str(request.status)
    return place.value
