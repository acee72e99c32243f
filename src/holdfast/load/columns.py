"""The load's record: one column for each fact of a request, one row for each request.

This file knows rows and bytes; it does not know what a connection is.
"""

from __future__ import annotations

import mmap
from collections.abc import Callable, Iterable, Sequence

from holdfast.model.places import Outcome
from holdfast.model.timeline import Request

INSTANT_BYTES = 8
# The inode by which the kernel calls a nameless Unix socket has 32 bits (unix_diag.h).
PORT_BYTES = 4
STATUS_BYTES = 2
INSTANTS = 5
ROW_BYTES = INSTANTS * INSTANT_BYTES + PORT_BYTES + STATUS_BYTES + 2


class Columns:
    """Preallocated columns on one anonymous shared mapping.

    Shared, so that load processes forked from this one write into the same rows; each row has
    one writer, so there is no lock. A page is only paid for when a row on it is written.

    Attributes:
        due, opened, connected, sent, done: CLOCK_MONOTONIC ns, 0 where it has not happened; shape
            (capacity,). `opened` is our SYN, or on a kept connection the same as `sent`.
        outcome: `Outcome` values.
        status: HTTP status, 0 before the head of a reply.
        local_port: our port, or to a Unix socket the inode of our end; 0 where the connection never got one.
        source: index into the load's source addresses.
    """

    __slots__ = (
        "_map",
        "capacity",
        "connected",
        "done",
        "due",
        "local_port",
        "opened",
        "outcome",
        "sent",
        "source",
        "status",
    )

    def __init__(self, capacity: int) -> None:
        """Maps the memory; `capacity` rows have the ids 0..capacity-1."""
        self.capacity = capacity
        rows = max(capacity, 1)
        self._map = mmap.mmap(-1, rows * ROW_BYTES, mmap.MAP_SHARED | mmap.MAP_ANONYMOUS)
        whole = memoryview(self._map)
        instants = whole[: rows * INSTANTS * INSTANT_BYTES].cast("q")
        self.due, self.opened, self.connected, self.sent, self.done = (
            instants[column * rows : (column + 1) * rows] for column in range(INSTANTS)
        )
        at = rows * INSTANTS * INSTANT_BYTES
        self.local_port = whole[at : at + rows * PORT_BYTES].cast("I")
        at += rows * PORT_BYTES
        self.status = whole[at : at + rows * STATUS_BYTES].cast("H")
        octets = whole[at + rows * STATUS_BYTES :]
        self.outcome = octets[:rows]
        self.source = octets[rows:]


def requests(
    columns: Columns, ids: Iterable[int], wave_of: Callable[[int], int], sources: Sequence[str]
) -> tuple[Request, ...]:
    """Rows as records of the timeline.

    Args:
        ids: the rows wanted, in the order wanted.
        wave_of: id -> wave.
        sources: the load's source addresses, in the order that `columns.source` counts them.
    """
    return tuple(
        Request(
            id=id_,
            wave=wave_of(id_),
            due_ns=columns.due[id_],
            sent_ns=columns.opened[id_],
            connected_ns=columns.connected[id_],
            done_ns=columns.done[id_],
            outcome=Outcome(columns.outcome[id_]),
            status=columns.status[id_],
            local_address=sources[columns.source[id_]],
            local_port=columns.local_port[id_],
            written_ns=columns.sent[id_],
        )
        for id_ in ids
    )
