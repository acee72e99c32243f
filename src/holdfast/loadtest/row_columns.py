"""Columns of a load -> those of its rows; pure."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Sequence
from typing import Any

from holdfast.engine.columns import Columns
from holdfast.engine.packing import taken
from holdfast.model.frozen import frozen
from holdfast.model.places import Outcome

AT_ONCE = 10_000

_NAMES = {each.value: each.label for each in Outcome}


def instants_of(columns: Columns, ids: Sequence[int]) -> dict[str, Any]:
    """What the engine itself has recorded of these rows, by the names of `Rows`."""
    opened, sent, done = taken(columns.opened, ids), taken(columns.sent, ids), taken(columns.done, ids)
    received = taken(columns.received, ids)
    return {
        "due_ns": taken(columns.due, ids),
        "begun_ns": [at or sent_ns for at, sent_ns in zip(opened, sent, strict=True)],
        "connected_ns": taken(columns.connected, ids),
        "done_ns": done,
        "outcome": [_NAMES[value] for value in taken(columns.outcome, ids)],
        "status": taken(columns.status, ids),
        "opened_ns": opened,
        "sent_ns": sent,
        # If the first byte came with the last, the engine records only that.
        "first_byte_ns": [
            at or (end if many else 0) for at, end, many in zip(taken(columns.first, ids), done, received, strict=True)
        ],
        "received_bytes": received,
        "local_port": taken(columns.local_port, ids),
    }


@frozen
class Flight:
    """When requests began and ended, both ascending."""

    begun: array[int]
    ended: array[int]

    def at(self, instants: Sequence[int]) -> list[int]:
        """How many were in flight just before each of these ends; at least the one that ended."""
        begun, ended = self.begun, self.ended
        # On a kept connection the next one begins in the instant in which the last has ended.
        return [max(1, bisect_left(begun, at) - bisect_left(ended, at)) for at in instants]


def flight(columns: Columns, ids: Sequence[int]) -> Flight:
    """Of these rows."""
    opened, sent, due, done = columns.opened, columns.sent, columns.due, columns.done
    begun = array("q", sorted(opened[id_] or sent[id_] or due[id_] for id_ in ids))
    return Flight(begun, array("q", sorted(done[id_] for id_ in ids)))
