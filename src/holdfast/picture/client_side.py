"""The client side of a run, request by request, whatever kind of run it is; pure."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Sequence

from holdfast.model.frozen import frozen
from holdfast.model.outside import OutsideTimeline
from holdfast.model.places import Outcome, Place
from holdfast.model.printable import printable
from holdfast.model.rows import Rows
from holdfast.model.timeline import Request
from holdfast.picture.areas import Areas, areas_of
from holdfast.picture.rows import FreeRows

SENT = "sent"
_ENDS = tuple(each.label for each in Outcome if each is not Outcome.PENDING)
INSTANTS = ("due_ns", "opened_ns", "connected_ns", "sent_ns", "first_byte_ns", "done_ns")


@frozen
class ClientSide:
    """All requests of a run; columns of the same length, an instant is 0 where it did not come.

    Attributes:
        track: what each request was sent for, in words.
        instants: the columns of INSTANTS.
    """

    id: Sequence[int]
    track: Sequence[str]
    outcome: Sequence[str]
    status: Sequence[int]
    local_port: Sequence[int]
    instants: tuple[Sequence[int], ...]

    def spans(self) -> tuple[array[int], array[int]]:
        """When each request began (was due, opened, or sent) and ended.

        Where one has not ended, that is the last instant of all.
        """
        *before, done = self.instants
        begun = array("q", (next(filter(None, each), 0) for each in zip(*before, strict=True)))
        last = max(map(max, filter(len, self.instants)), default=0)
        return begun, array("q", (max(first, end or last) for first, end in zip(begun, done, strict=True)))

    def areas(self) -> Areas:
        """How many requests were connecting, sent, or ended in each way, at each instant."""
        begun, _ = self.spans()
        chains = (
            [
                (at, Place.SYN.value if opened and connected != opened else SENT),
                *([(connected, SENT)] if opened and connected else []),
                *([(done, outcome)] if done else []),
            ]
            for at, (_, opened, connected, *_, done), outcome in zip(
                begun, zip(*self.instants, strict=True), self.outcome, strict=True
            )
        )
        return areas_of(chains, (Place.SYN.value, SENT, *_ENDS))

    def in_order(self, begun: Sequence[int], ended: Sequence[int]) -> Iterable[tuple[int, int]]:
        """(index, row on its track) of each request, in the order in which they began."""
        rows: dict[str, FreeRows] = {}
        for index in sorted(range(len(begun)), key=begun.__getitem__):
            free = rows.setdefault(self.track[index], FreeRows())
            yield index, free.take(begun[index], ended[index])


def client_side_of(requests: Sequence[Request], track_of: Callable[[Request], str]) -> ClientSide:
    """The client side of a run of which each request is a record of its own.

    Args:
        track_of: what a request was sent for, in words.
    """
    columns = [array("q", (getattr(each, name, 0) for each in requests)) for name in INSTANTS]
    return ClientSide(
        id=array("q", (each.id for each in requests)),
        track=[track_of(each) for each in requests],
        outcome=[each.outcome.label for each in requests],
        status=array("l", (each.status for each in requests)),
        local_port=array("q", (each.local_port for each in requests)),
        instants=tuple(columns),
    )


def track_of_rounds(timeline: OutsideTimeline) -> Callable[[Request], str]:
    """Says for each request of a look from outside in which round it was: "3: burst of 16"."""
    kinds = ((at, each) for at, each in enumerate(timeline.rounds, 1))
    said = {
        id_: f"{at}: {each.kind}" + (f" of {each.clients}" if each.clients > 1 else "")
        for at, each in kinds
        for id_ in range(each.first, each.last)
    }
    return lambda request: said.get(request.id, request.phase.value)


def client_side_of_load(chunks: Iterable[Rows]) -> ClientSide:
    """The client side of a load run."""
    numbers = {name: array("q") for name in ("id", "status", "local_port", *INSTANTS)}
    tracks: list[str] = []
    outcomes: list[str] = []
    groups: set[str] = set()
    for rows in chunks:
        for name, column in numbers.items():
            column.extend(getattr(rows, name))
        groups.update(rows.group)
        tracks += [f"{group}: {label}" for group, label in zip(rows.group, rows.label, strict=True)]
        outcomes += rows.outcome
    said = {each: printable(each if len(groups) > 1 else each.partition(": ")[2]) for each in set(tracks)}
    return ClientSide(
        id=numbers["id"],
        track=[said[each] for each in tracks],
        outcome=outcomes,
        status=numbers["status"],
        local_port=numbers["local_port"],
        instants=tuple(numbers[name] for name in INSTANTS),
    )
