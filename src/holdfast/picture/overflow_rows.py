"""What the overflow got, request by request: those that were not in service when every place was full; pure."""

from __future__ import annotations

from holdfast.infer.census import placed_requests
from holdfast.model.frozen import frozen
from holdfast.model.outside import OutsideTimeline
from holdfast.model.places import Place
from holdfast.model.timeline import NEVER, Snapshot, Timeline


@frozen
class OverflowRow:
    """One request of the overflow.

    Attributes:
        place: where it was when the places were counted, as of `Place`.
        entered_ns: its handler was entered, which was later; NEVER where it never was, or that cannot be seen.
        outcome: how it ended in the end, by its label.
        status: HTTP status; 0 without a reply.
        left: its client left on purpose while it was queued.
    """

    id: int
    place: str
    begun_ns: int
    connected_ns: int
    sent_ns: int
    entered_ns: int
    done_ns: int
    outcome: str
    status: int
    left: bool


def overflow_rows(record: Timeline | OutsideTimeline) -> tuple[OverflowRow, ...]:
    """All of them, in the order in which they were begun; () where the places were not counted.

    Seen from outside, no request is known to be in service, so every one of the last burst is in it.
    """
    snapshot = _snapshot(record)
    if snapshot is None:
        return ()
    placed = placed_requests(record, snapshot)
    entered = {each.id: each.entered_ns for each in record.entries} if isinstance(record, Timeline) else {}
    left = frozenset(record.abandoned) if isinstance(record, Timeline) else frozenset()
    rows = [
        OverflowRow(
            id=each.id,
            place=placed[each.id].value,
            begun_ns=each.opened_ns or each.sent_ns or each.due_ns,
            connected_ns=each.connected_ns,
            sent_ns=each.sent_ns,
            entered_ns=entered.get(each.id, NEVER),
            done_ns=each.done_ns,
            outcome=each.outcome.label,
            status=each.status,
            left=each.id in left,
        )
        for each in record.requests
        if placed.get(each.id, Place.IN_SERVICE) is not Place.IN_SERVICE
    ]
    return tuple(sorted(rows, key=lambda each: (each.begun_ns, each.id)))


def _snapshot(record: Timeline | OutsideTimeline) -> Snapshot | None:
    if isinstance(record, Timeline):
        return record.placed
    return next((each.snapshot for each in reversed(record.rounds) if each.snapshot is not None), None)
