"""Which clients of journeys come when: stages, crews one by one, and the stays of each crew; pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from holdfast.model.journey import Crew, Journeys, Stay

STAGES = ("before", "main", "after")


def batches(journeys: Journeys) -> Iterator[tuple[int, ...]]:
    """The crews that begin together, by their number, batch after batch; each waits for the end of the one before."""
    for stage in STAGES:
        places = tuple(place for place, crew in enumerate(journeys.crews) if crew.stage == stage)
        if journeys.one_by_one:
            yield from ((place,) for place in places)
        elif places:
            yield places


def dealt(journeys: Journeys, place: int, share: range) -> range:
    """The clients of a crew, from 0, that a share has: every n-th of the clients of all crews, one crew after another.

    Args:
        share: rows of a share (`parts.deal`), whose clients are dealt as its rows are.
    """
    before = sum(len(crew.stays) for crew in journeys.crews[:place])
    return range((share.start - before) % share.step, len(journeys.crews[place].stays), share.step)


class Arrivals:
    """The clients of one crew that are ours and have not come yet, in the order in which they come."""

    __slots__ = ("_next", "_order", "_stays", "begins_ns", "place")

    def __init__(self, crew: Crew, place: int, begins_ns: int, ours: range | None = None) -> None:
        """None has come yet.

        Args:
            place: the crew's number.
            begins_ns: when it begins, CLOCK_MONOTONIC.
            ours: of its clients, from 0; None is all.
        """
        self.place = place
        self.begins_ns = begins_ns
        self._stays = crew.stays
        # Those of a schedule are in order already, and may be a million.
        self._order: Sequence[int] = range(len(crew.stays)) if ours is None else ours
        if any(later.from_ns < stay.from_ns for stay, later in zip(crew.stays, crew.stays[1:], strict=False)):
            self._order = sorted(self._order, key=lambda at: crew.stays[at].from_ns)
        self._next = 0

    def due_ns(self) -> int | None:
        """When the next one comes; None if all have."""
        if self._next >= len(self._order):
            return None
        return self.begins_ns + self._stays[self._order[self._next]].from_ns

    def take(self) -> tuple[int, Stay]:
        """The number of the next one in its crew, from 1, and its stay."""
        at = self._order[self._next]
        self._next += 1
        return at + 1, self._stays[at]
