"""Requests that were let in after others had been turned away, while no place was given back: a rate decides there.

What has no place for a request lets one in again when a handler ends, and none did. So whether the next one is turned
away, or waits, depends on how quickly they come.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from itertools import pairwise

from holdfast.infer.census import offered_requests
from holdfast.infer.overflow import fate_of
from holdfast.infer.waited_too_long import waited_before
from holdfast.model.frozen import frozen
from holdfast.model.places import QUEUES, TURNED_AWAY_PLACES, Place
from holdfast.model.timeline import NEVER, Request, Timeline
from holdfast.model.units import NS_PER_S

_EXACTLY = 10.0
ENOUGH_LATER = 4
"""That many are also what shows that no place is left, where all of them are turned away."""
_MANY = 8
"""Of a few processes with queues of their own, one that has room takes one of so many requests."""


@frozen
class LetInLater:
    """What was let in between the first request that was turned away and the last.

    Attributes:
        number: of those that were let in.
        within_s: the time between the two.
        fate: what those got that were turned away, as `fate_of`.
        enters: those that are let in come into service; else they wait behind as many as there can be.
    """

    number: int
    within_s: float
    fate: str
    enters: bool

    @property
    def per_s(self) -> str:
        """How many were let in for each second, as a person writes it."""
        rate = self.number / self.within_s
        return f"{rate:.0f}" if rate >= _EXACTLY else f"{rate:.2g}"

    @property
    def why_no_queue(self) -> str:
        """Why what waits is no bound of a queue."""
        return (
            f"a rate turned requests away, not a full queue: {self.number} more were let in within "
            f"{self.within_s:.1f} s while no place was given back"
        )

    @property
    def why_no_fate(self) -> str:
        """Why it is not known what the next request gets."""
        return f"whether it waits or {self._got} depends on a rate, of about {self.per_s} a second"

    @property
    def _got(self) -> str:
        return f"gets HTTP {self.fate}" if self.fate.isdecimal() else f"is {self.fate}"

    def reason(self, in_service: int) -> str:
        """What it means, in sentences."""
        limits = "a limit on requests for a time (a rate limiter)"
        # Whether it is the pool that grows shows only at its end.
        limits += ", or a pool that grows," if self.enters else ""
        said = (
            f"After requests had been turned away, {self.number} more were let in within {self.within_s:.1f} s "
            f"although no place was given back: {limits} lets in about {self.per_s} a second, so whether a request "
            f"waits or {self._got} depends on that rate."
        )
        if self.enters:
            said += (
                f" The {in_service} in service are what had been let in by then. Take a limit away to see the ceiling."
            )
        return said


def let_in_later(timeline: Timeline, placed: Mapping[int, Place]) -> LetInLater | None:
    """What the ramp saw of a rate; None where it did not end by one.

    Args:
        placed: the place of each offered request, by its id.
    """
    if timeline.ramp is None or timeline.ramp.reason != "let in later":
        return None
    offered = offered_requests(timeline)
    away = [each for each in offered if placed.get(each.id) in TURNED_AWAY_PLACES]
    if not away:
        return None
    first_ns, last_ns = min(map(_done_ns, away)), max(map(_done_ns, away))
    later = [each for each in offered if each.opened_ns > first_ns and placed.get(each.id) not in TURNED_AWAY_PLACES]
    between = sum(each.opened_ns < last_ns for each in later)
    if not between:
        return None
    return LetInLater(between, (last_ns - first_ns) / NS_PER_S, fate_of(away), not _on_plateau(timeline, placed))


@frozen
class TurnedAwayBefore:
    """Requests that were turned away although others were let in that wait, or at once with others that wait.

    Attributes:
        number: of those that were turned away.
        later: of those that were let in after the first of these; 0 where all were under way before it had been.
        fate: as of `LetInLater`.
    """

    number: int
    later: int
    fate: str

    @property
    def reason(self) -> str:
        """Why it is no bound of a queue, and what the next request gets is not known."""
        got = f"got HTTP {self.fate}" if self.fate.isdecimal() else f"ended as {self.fate}"
        if not self.later:
            return (
                f"{self.number} of the requests {got}, and all were under way before the first of these had it, so "
                "nothing shows that those which wait fill a queue: offer more (--max-offered)"
            )
        later = "another was let in that waits" if self.later == 1 else f"{self.later} others were let in that wait"
        return (
            f"{self.number} of the requests {got}, and after the first of them {later}, while no place was given "
            "back, which no single full queue does"
        )


def turned_away_before(timeline: Timeline, placed: Mapping[int, Place]) -> TurnedAwayBefore | None:
    """What was turned away for another reason than that all was full; None where nothing shows that.

    Args:
        placed: the place of each offered request, by its id.
    """
    if timeline.ramp is None or timeline.ramp.reason != "max-offered" or timeline.placed is None:
        return None
    offered, counted_ns = offered_requests(timeline), timeline.placed.ended_ns
    away = [each for each in offered if placed.get(each.id) in TURNED_AWAY_PLACES]
    first_ns = min(map(_done_ns, away), default=NEVER)
    waits = [each.opened_ns for each in offered if placed.get(each.id) is Place.USERSPACE_QUEUE]
    # A queue that was full has what came first, and turned away what came after all of it.
    mixed = bool(away and waits) and max(waits) > min(each.opened_ns for each in away)
    if mixed and all(each.opened_ns <= first_ns for each in offered):
        return TurnedAwayBefore(len(away), 0, fate_of(away))
    later = [each.opened_ns for each in offered if each.opened_ns > first_ns and placed.get(each.id) in QUEUES]
    given_back = any(NEVER < each.left_ns <= counted_ns for each in timeline.entries if each.id in placed)
    enough = len(later) >= ENOUGH_LATER or _come_after_many(later, [_done_ns(each) for each in away])
    if not away or given_back or not enough or waited_before(timeline, placed):
        return None
    return TurnedAwayBefore(len(away), len(later), fate_of(away))


def _come_after_many(let_in_ns: Sequence[int], away_ns: Sequence[int]) -> bool:
    """Whether one was let in when many had been turned away in a row."""
    away_ns = sorted(away_ns)
    before = [bisect_left(away_ns, each) for each in sorted(let_in_ns)]
    return any(number - earlier >= _MANY for earlier, number in pairwise([0, *before]))


def _on_plateau(timeline: Timeline, placed: Mapping[int, Place]) -> bool:
    """Whether requests waited for longer than any did before the last handler started."""
    ramp, snapshot = timeline.ramp, timeline.placed
    if ramp is None or snapshot is None or ramp.plateau_ns == NEVER or not set(QUEUES) & set(placed.values()):
        return False
    started_ns = (each.entered_ns for each in timeline.entries if each.id in placed)
    latest_ns = max((each for each in started_ns if each <= snapshot.ended_ns), default=NEVER)
    return snapshot.began_ns - latest_ns > max(ramp.step_ns, NS_PER_S)


def _done_ns(request: Request) -> int:
    return request.done_ns
