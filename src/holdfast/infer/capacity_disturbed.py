"""Which times of a load say nothing of the server, because it or the load had no core meanwhile; pure.

Averages hide this: one stall of 0.1 s makes a queue of four places overflow, and the client repeats its SYN a second
later (RFC 6298, 2.1), although for each of a thousand requests it is 0.1 ms.
"""

from __future__ import annotations

from collections.abc import Sequence

from holdfast.model.frozen import frozen
from holdfast.model.units import MS, NS_PER_S

LEAST_OTHERS = 0.2
"""Cores: what others take less is not what disturbs."""
_LEAST_NS = 10 * MS
_AFTER_NS = 200 * MS
"""For so long afterwards, what had to wait is worked off."""
MOST_SHARE = 0.5
"""Of a load's requests; with more of them disturbed, too few are left to say anything."""
LEAST_TAKEN = 0.01
"""Of the time. Near its edge a server works off for long what piled up: at 98 % of what it can do, 50 times as long."""


@frozen
class Window:
    """The time between two looks.

    Attributes:
        from_ns, to_ns: CLOCK_MONOTONIC.
        starved_ns: the most by which the server or the load was delayed for want of a core.
        others: cores that neither of them used; None is not known.
    """

    from_ns: int
    to_ns: int
    starved_ns: int
    others: float | None

    @property
    def taken_ns(self) -> int:
        """The part of the delay that other programs caused: one cannot have taken more than it used."""
        if self.others is None or self.others < LEAST_OTHERS:
            return 0
        return min(self.starved_ns, round(self.others * (self.to_ns - self.from_ns)))


def disturbed(windows: Sequence[Window], begun: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Times whose requests say nothing of the server, ascending, without overlaps; CLOCK_MONOTONIC ns.

    Args:
        windows: in order.
        begun: for each request, when it was due and when it began.
    """
    found = [(each.from_ns, each.to_ns + _AFTER_NS) for each in windows if each.taken_ns >= _LEAST_NS]
    found += [(due, began + _AFTER_NS) for due, began in begun if began - due >= _LEAST_NS]
    merged: list[tuple[int, int]] = []
    for start, end in sorted(found):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


def undisturbed(due_ns: Sequence[int], times: Sequence[tuple[int, int]]) -> list[int]:
    """The places in `due_ns`, ascending, of what was due at none of these times."""
    left, at = [], 0
    for place in sorted(range(len(due_ns)), key=due_ns.__getitem__):
        while at < len(times) and times[at][1] < due_ns[place]:
            at += 1
        if at == len(times) or due_ns[place] < times[at][0]:
            left.append(place)
    return sorted(left)


def taken_share(windows: Sequence[Window]) -> float:
    """Share of the time for which other programs kept the server or the load from a core."""
    whole = sum(each.to_ns - each.from_ns for each in windows)
    return sum(each.taken_ns for each in windows) / whole if whole else 0.0


def longest_taken_s(windows: Sequence[Window], begun: Sequence[tuple[int, int]]) -> float:
    """The longest that a request began late, or that others kept the server or the load from a core within a look."""
    late = max((began - due for due, began in begun), default=0)
    return max([late, *(each.taken_ns for each in windows)]) / NS_PER_S
