"""The offset of another host's clock from ours, and how well it is known; pure.

A question is sent at our time `asked`, the host reads its clock as `there`, and the reply arrives at `back`. The host
read its clock between the two, so it is ahead of ours by something between `there - back` and `there - asked`. The two
directions are not assumed to take equally long.

Source: F. Cristian, Probabilistic clock synchronization (1989): the quickest round trip gives the best bounds.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple


class Trip(NamedTuple):
    """One question for the time; `asked_ns` and `back_ns` by our clock, `there_ns` by the host's."""

    asked_ns: int
    there_ns: int
    back_ns: int


class Offset(NamedTuple):
    """A host's clock is ahead of ours by at least `least_ns` and at most `most_ns`."""

    least_ns: int
    most_ns: int

    @property
    def ns(self) -> int:
        """The middle of the two bounds."""
        return (self.least_ns + self.most_ns) // 2

    @property
    def uncertainty_ns(self) -> int:
        """How far the middle may be off in either direction."""
        return -(-(self.most_ns - self.least_ns) // 2)


SAME = Offset(0, 0)
"""One clock."""


def offset(trips: Sequence[Trip]) -> Offset:
    """The offset by the quickest of several round trips.

    Args:
        trips: at least one.
    """
    best = min(trips, key=lambda trip: trip.back_ns - trip.asked_ns)
    return Offset(best.there_ns - best.back_ns, best.there_ns - best.asked_ns)


def over_run(before: Offset, after: Offset | None) -> Offset:
    """The offset for the whole time between two measurements, if the clock drifted evenly in between.

    Args:
        after: None if it was measured only once.
    """
    if after is None:
        return before
    return Offset(min(before.least_ns, after.least_ns), max(before.most_ns, after.most_ns))
