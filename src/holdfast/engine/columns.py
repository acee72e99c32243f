"""The load's record: one column for each fact of a request, one row for each request.

This file knows rows and bytes; it does not know what a connection is.
"""

from __future__ import annotations

import mmap
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

from holdfast.errors import EnvironmentFailure
from holdfast.model.phase import Phase
from holdfast.model.places import Outcome

if TYPE_CHECKING:
    from holdfast.model.timeline import Request  # the models of a probe take a tenth of a load's start

INSTANT_BYTES = 8
# The inode by which the kernel calls a nameless Unix socket has 32 bits (unix_diag.h).
PORT_BYTES = 4
RECEIVED_BYTES = 4
STATUS_BYTES = 2
INSTANTS = 6
ROW_BYTES = INSTANTS * INSTANT_BYTES + PORT_BYTES + RECEIVED_BYTES + STATUS_BYTES + 3
MOST_RECEIVED = 2 ** (8 * RECEIVED_BYTES) - 1


class Columns:
    """Preallocated columns on one anonymous shared mapping.

    Shared, so that load processes forked from this one write into the same rows; each row has
    one writer, so no lock is needed. A page takes memory only once a row on it is written.

    Attributes:
        due, opened, connected, sent, first, done: CLOCK_MONOTONIC ns, 0 where it has not happened; shape
            (capacity,). `opened` is our SYN, 0 on a kept connection. `first` is the first byte of a reply that
            came in more than one piece, 0 where the first byte came with the last.
        received: bytes of the reply, head and body, at most MOST_RECEIVED.
        outcome: `Outcome` values.
        status: HTTP status, 0 before the head of a reply.
        local_port: our port, or to a Unix socket the inode of our end; 0 where the connection never got one.
        source: index into the load's source addresses.
        resent: 1 where the request was sent again on a new connection, which the instants are then of; otherwise 0.
    """

    __slots__ = (
        "capacity",
        "connected",
        "done",
        "due",
        "first",
        "local_port",
        "opened",
        "outcome",
        "received",
        "resent",
        "sent",
        "source",
        "status",
    )

    def __init__(self, capacity: int) -> None:
        """Maps the memory; `capacity` rows have the ids 0..capacity-1.

        Raises:
            EnvironmentFailure: there is not enough memory.
        """
        self.capacity = capacity
        rows = max(capacity, 1)
        try:
            whole = memoryview(mmap.mmap(-1, rows * ROW_BYTES, mmap.MAP_SHARED | mmap.MAP_ANONYMOUS))
        except OSError as error:
            raise EnvironmentFailure(
                f"There is not enough memory for the rows of {rows:,} requests.",
                f"They may take {rows * ROW_BYTES / 1e9:.1f} GB: {error.strerror}.",
                "Ask for fewer requests or a shorter time, or raise the limit (`ulimit -v`, vm.overcommit_memory).",
            ) from error
        instants = whole[: rows * INSTANTS * INSTANT_BYTES].cast("q")
        self.due, self.opened, self.connected, self.sent, self.first, self.done = (
            instants[column * rows : (column + 1) * rows] for column in range(INSTANTS)
        )
        at = rows * INSTANTS * INSTANT_BYTES
        self.local_port = whole[at : at + rows * PORT_BYTES].cast("I")
        at += rows * PORT_BYTES
        self.received = whole[at : at + rows * RECEIVED_BYTES].cast("I")
        at += rows * RECEIVED_BYTES
        self.status = whole[at : at + rows * STATUS_BYTES].cast("H")
        octets = whole[at + rows * STATUS_BYTES :]
        self.outcome = octets[:rows]
        self.source = octets[rows : 2 * rows]
        self.resent = octets[2 * rows :]

    def part(self, rows: range) -> Columns:
        """These rows, without gaps, as columns of their own on the same memory."""
        part = object.__new__(Columns)
        part.capacity = len(rows)
        for name in self.__slots__[1:]:
            setattr(part, name, getattr(self, name)[rows.start : rows.stop])
        return part


class Tally:
    """What each load process has counted so far, in memory that all of them share.

    Each part has one writer, so no lock is needed.

    Attributes:
        begun, ended, unanswered: requests of each part; of those that ended, the ones that were not answered.
        own_since: CLOCK_MONOTONIC ns at which a function of a person's own began that runs in the part's process
            (`stuck`); 0 where none runs.
        reached: every row that the part has begun has a lower number in its plan; rows from there on must not be read,
            because reading a page of such memory allocates it.
    """

    __slots__ = ("begun", "ended", "own_since", "reached", "unanswered")

    def __init__(self, parts: int) -> None:
        memory = memoryview(mmap.mmap(-1, 5 * 8 * parts, mmap.MAP_SHARED | mmap.MAP_ANONYMOUS)).cast("q")
        self.begun, self.ended, self.unanswered, self.reached, self.own_since = (
            memory[parts * at : parts * (at + 1)] for at in range(5)
        )


def requests(
    columns: Columns, ids: Iterable[int], phase_of: Callable[[int], Phase], sources: Sequence[str]
) -> tuple[Request, ...]:
    """Rows as records of the timeline.

    Args:
        ids: the rows wanted, in the order wanted.
        phase_of: id -> what it was sent for.
        sources: the load's source addresses, in the order that `columns.source` counts them.
    """
    from holdfast.model.timeline import Request  # noqa: PLC0415 - see above

    return tuple(
        Request(
            id=id_,
            phase=phase_of(id_),
            due_ns=columns.due[id_],
            opened_ns=columns.opened[id_],
            connected_ns=columns.connected[id_],
            done_ns=columns.done[id_],
            outcome=Outcome(columns.outcome[id_]),
            status=columns.status[id_],
            local_address=sources[columns.source[id_]],
            local_port=columns.local_port[id_],
            sent_ns=columns.sent[id_],
        )
        for id_ in ids
    )
