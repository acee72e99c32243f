"""How another host's clock stands to ours, and how well that is known; pure.

A question is sent at our time `asked`, the host reads its clock as `there`, and the answer is here at `back`. The
host read it at some moment between the two, so its clock is ahead of ours by something between `there - back` and
`there - asked`, whatever the ways took: no way is assumed to take as long as the other.

Source: F. Cristian, Probabilistic clock synchronization (1989), of which the quickest round trip gives most.
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
        """The middle."""
        return (self.least_ns + self.most_ns) // 2

    @property
    def uncertainty_ns(self) -> int:
        """So far the middle may be wrong."""
        return -(-(self.most_ns - self.least_ns) // 2)


SAME = Offset(0, 0)
"""One clock."""


def offset(trips: Sequence[Trip]) -> Offset:
    """What the quickest of several round trips says; at least one is needed."""
    best = min(trips, key=lambda trip: trip.back_ns - trip.asked_ns)
    return Offset(best.there_ns - best.back_ns, best.there_ns - best.asked_ns)


def over_run(before: Offset, after: Offset | None) -> Offset:
    """What holds for the whole time between two measurements, however the clock drifted evenly meanwhile."""
    if after is None:
        return before
    return Offset(min(before.least_ns, after.least_ns), max(before.most_ns, after.most_ns))
