"""The search for the highest rate that holds: the loads so far -> the next one, or the end; pure.

The rule
--------
At an even rate r and a service that takes c a second at most, a load of T seconds above the edge builds up a delay of
T * (r / c - 1). A latency threshold alone would let a short load hold far above c, and the result would depend on T.
Therefore a rate holds only if every threshold holds *and* no queue grows (`grows`): then the edge is c itself, for any
T, as long as latencies are met below it. Where a threshold is met before (random arrivals, a service time that varies,
a bound near the service time), the threshold decides.

Decisions
---------
* A rate is doubled until it does not hold. What was answered then says where the edge is; the next two rates are
  a little below and a little above that. Otherwise the interval is halved, by ratio.
* Both ends are repeated until each has two more loads for its side than against it, or was tried MOST_TRIES times.
* A load that its own limits decided, or other programs, says nothing. If that is so three times at a rate, it is taken
  for a rate that was not tried: one that is a little higher may surely not hold, since others decide less the further
  it is from the edge. Only if that cannot be tried either the search stays below; if nothing holds and it is so at two
  rates, it ends.
* A higher rate that held does not outweigh a lower one that did not: both are repeated.
* A server that becomes slower has no rate: the search ends once that is sure (`gets_slower`, `slowed`).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from statistics import median

from holdfast.infer.capacity_drift import slowed
from holdfast.model.capacity import AtRate, CapacityAsked, Interval
from holdfast.model.frozen import frozen

RATIO = 1.05
"""Of the ends of an interval that is narrow enough."""
LIMITED_RATIO = 1.25
"""The same, where the upper end is the load's own limit."""
GROWS = 0.01
"""A queue that grows by so much, s/s, is not a queue that varies."""
LEAST_REQUESTS = 100
LONGEST_RUN_S = 20.0
SHORTEST_RUN_S = 2.0
LOWEST_PER_S = 0.5
MOST_PER_S = 200_000.0
MOST_TRIES = 5
MOST_LOADS = 36
_FEW_REQUESTS = 40
_BELOW, _ABOVE = 0.98, 1.02
_APART = 1.01
_STEP = 2.0
_AGREE = 2
_LIMITED_TRIES = 3
_LIMITED_RATES = 2
_BEYOND = 1.1
_LEAST_GAP = 1.02
_FIRST_SHARE = 0.5
_FIRST_MOST_PER_S = 500.0
_SLOWER = 1.2
_SLOWER_MS = 2.0
_ENOUGH_SINGLES = 6


@frozen
class NextLoad:
    """A load that is to be run.

    Attributes:
        why: in a few words.
    """

    rate_per_s: float
    seconds: float
    why: str


@frozen
class _Votes:
    """What the loads at one rate said.

    Attributes:
        held, failed: loads that did, and that did not hold.
        sure: of these, the first minus the second of loads that were long enough.
        long: how many were long enough.
        limited: loads that say nothing.
    """

    rate_per_s: float
    held: int
    failed: int
    sure: int
    long: int
    limited: int

    @property
    def holds(self) -> bool | None:
        """Whether the rate holds; None where nearly all loads say nothing."""
        if self.held + self.failed and (self.held > self.failed or self.surely_failed):
            return self.held > self.failed
        return None

    @property
    def surely_failed(self) -> bool:
        """Whether loads that say something outweigh those that do not."""
        return self.failed > 0 and (self.limited < _LIMITED_TRIES or self.sure <= -_AGREE)

    @property
    def open(self) -> bool:
        """Whether further loads at this rate would make it surer."""
        return abs(self.sure) < _AGREE and self.long < MOST_TRIES


def next_load(asked: CapacityAsked, loads: Sequence[AtRate], alone_ms: float | None) -> NextLoad | None:
    """The next load of the search; None at its end.

    Args:
        loads: so far.
        alone_ms: how long a single request takes; None where none was answered.
    """
    if len(loads) >= MOST_LOADS or gets_slower(loads) or slowed(asked, loads) is not None:
        return None
    votes = _votes(asked, loads)
    low, high = _ends(votes)
    if (again := _again(asked, votes)) is not None:
        return again
    if high is None:
        return _higher(asked, low, alone_ms)
    if low is None:
        ours = sum(each.holds is None for each in votes)
        return _lower(asked, high, loads) if ours < _LIMITED_RATES else None
    return _nearer(asked, votes, loads)


def _again(asked: CapacityAsked, votes: Sequence[_Votes]) -> NextLoad | None:
    """A load that is repeated before anything else, because what is known contradicts itself or says nothing."""
    if (
        limited := next((each for each in votes if each.holds is None and each.limited < _LIMITED_TRIES), None)
    ) is not None:
        return _long(asked, limited.rate_per_s, "again, as the load itself was the limit")
    if (doubted := _contradicting(votes)) is not None:
        return _long(asked, doubted.rate_per_s, "again, as a higher rate held")
    return None


def _nearer(asked: CapacityAsked, votes: Sequence[_Votes], loads: Sequence[AtRate]) -> NextLoad | None:
    """A load between the two ends, or another one at an end of the interval; None where both are sure."""
    low, high = _ends(votes)
    if low is None or high is None:
        return None
    limited = high.holds is None
    if limited and (rate := _past(asked, votes, low)) is not None:
        return _long(asked, rate, "elsewhere, as nothing is known of a rate between the two")
    if high.rate_per_s > low.rate_per_s * (LIMITED_RATIO if limited else RATIO):
        rate = _rounded(_between(low.rate_per_s, high, loads))
        if low.rate_per_s < rate < high.rate_per_s:
            return _long(asked, rate, "between the two")
    for each in sorted((low, high), key=lambda end: end.long):
        if each.holds is not None and each.open:
            return _long(asked, each.rate_per_s, "again, to be sure")
    return None


def interval_of(asked: CapacityAsked, loads: Sequence[AtRate]) -> tuple[Interval, bool]:
    """Where the edge lies, and whether the upper end is the server's and not the load's own limit."""
    low, high = _ends(_votes(asked, loads))
    found = Interval(None if low is None else low.rate_per_s, None if high is None else high.rate_per_s)
    return found, high is not None and high.holds is not None


def surely_broken(loads: Sequence[AtRate]) -> float | None:
    """The lowest rate that did not hold, and that for no reason of ours or of other programs; None without one."""
    broken = {each.rate_per_s for each in loads if not each.held and not each.limited}
    return min(broken - {each.rate_per_s for each in loads if each.held}, default=None)


def able_at_most(loads: Sequence[AtRate]) -> float | None:
    """What the server would answer, requests per second, with the processor time that others took.

    The middle of what the loads show that it did not hold; None where others took nothing.
    """
    shown = [able(each) for each in loads if each.taken and not each.held and each.answered_per_s]
    return median(shown) if shown else None


def contradicts(asked: CapacityAsked, loads: Sequence[AtRate]) -> bool:
    """Whether a rate did not hold although a higher one did, however often both were tried."""
    votes = _votes(asked, loads)
    failing = [each.rate_per_s for each in votes if each.holds is False]
    holding = [each.rate_per_s for each in votes if each.holds]
    return bool(failing and holding) and min(failing) * _APART < max(holding)


def is_sure(asked: CapacityAsked, loads: Sequence[AtRate]) -> bool:
    """Whether both ends of the interval were repeated until they were sure."""
    ends = [each for each in _ends(_votes(asked, loads)) if each is not None and each.holds is not None]
    return all(abs(each.sure) >= _AGREE for each in ends)


def gets_slower(loads: Sequence[AtRate]) -> bool:
    """Whether single requests between the loads took longer and longer, so that no rate is that of the server."""
    singles = [each.alone_ms for each in loads if each.alone_ms is not None]
    if len(singles) < _ENOUGH_SINGLES:
        return False
    third = len(singles) // 3
    before, after = max(singles[:third]), min(singles[-third:])
    pairs = [(a, b) for at, a in enumerate(singles) for b in singles[at + 1 :]]
    rising = sum(b > a for a, b in pairs) / len(pairs)
    return takes_longer(before, after) and rising > 0.8


def takes_longer(before_ms: float, after_ms: float) -> bool:
    """Whether a single request takes longer than another one by more than chance."""
    return after_ms > max(before_ms * _SLOWER, before_ms + _SLOWER_MS)


def run_seconds(asked: CapacityAsked, rate_per_s: float) -> float:
    """How long a load at this rate is, so that its percentiles are those of enough requests."""
    return max(asked.run_s, min(LONGEST_RUN_S, LEAST_REQUESTS / rate_per_s))


def first_rate(asked: CapacityAsked, alone_ms: float | None) -> float:
    """The rate that the search begins with."""
    if asked.from_per_s is not None:
        return asked.from_per_s
    alone = _FIRST_MOST_PER_S if not alone_ms else _FIRST_SHARE * 1000 / alone_ms
    first = min(_FIRST_MOST_PER_S, max(LOWEST_PER_S, alone))
    return _rounded(first if asked.up_to_per_s is None else min(first, asked.up_to_per_s))


def _votes(asked: CapacityAsked, loads: Sequence[AtRate]) -> list[_Votes]:
    """Of each rate, ascending."""
    found = []
    for rate in sorted({each.rate_per_s for each in loads}):
        own = [each for each in loads if each.rate_per_s == rate]
        known = [each for each in own if not each.limited]
        sure = [each.held for each in known if each.seconds >= run_seconds(asked, rate)]
        held = sum(each.held for each in known)
        signed = sum(1 if each else -1 for each in sure)
        found.append(_Votes(rate, held, len(known) - held, signed, len(sure), len(own) - len(known)))
    return found


def _ends(votes: Sequence[_Votes]) -> tuple[_Votes | None, _Votes | None]:
    """The lowest rate that did not hold, or of which nothing is known, and the highest below it that did.

    A rate of which nothing is known does not count within an interval that is narrow enough without it.
    """
    high = next((each for each in votes if not each.holds), None)
    holding = [each for each in votes if each.holds and (high is None or each.rate_per_s < high.rate_per_s)]
    low = holding[-1] if holding else None
    if low is None or high is None or high.holds is False:
        return low, high
    near = (each for each in votes if each.holds is False and each.rate_per_s <= low.rate_per_s * RATIO)
    return low, next(near, high)


def _past(asked: CapacityAsked, votes: Sequence[_Votes], low: _Votes) -> float | None:
    """A rate above `low` that passes by those of which nothing is known; None where enough of them were tried."""
    above = [each for each in votes if each.rate_per_s > low.rate_per_s]
    broken = next((each for each in above if each.holds is False), None)
    nothing = [each.rate_per_s for each in above if each.holds is None]
    if broken is None:
        beyond = _rounded(nothing[0] * _BEYOND)
        return beyond if len(nothing) == 1 and beyond <= _most(asked) else None
    passed = [low.rate_per_s, *(each for each in nothing if each < broken.rate_per_s), broken.rate_per_s]
    if len(passed) > 2 + _LIMITED_TRIES:
        return None
    wide = max(pairwise(passed), key=lambda gap: gap[1] / gap[0])
    return _rounded(math.sqrt(wide[0] * wide[1])) if wide[1] > wide[0] * _LEAST_GAP else None


def _contradicting(votes: Sequence[_Votes]) -> _Votes | None:
    """A rate to be tried again: one that did not hold although a higher one did, or that one."""
    failing = next((each for each in votes if each.holds is False), None)
    if failing is None:
        return None
    above = [each for each in votes if each.holds and each.rate_per_s > failing.rate_per_s * _APART]
    return next((each for each in (failing, *above) if above and each.open), None)


def _most(asked: CapacityAsked) -> float:
    return MOST_PER_S if asked.up_to_per_s is None else asked.up_to_per_s


def _higher(asked: CapacityAsked, low: _Votes | None, alone_ms: float | None) -> NextLoad | None:
    if low is None:
        return _short(asked, first_rate(asked, alone_ms), "the first")
    most = _most(asked)
    if low.rate_per_s < most:
        return _short(asked, min(most, _rounded(low.rate_per_s * _STEP)), "twice as many")
    return _long(asked, low.rate_per_s, "again, to be sure") if low.open else None


def _lower(asked: CapacityAsked, high: _Votes, loads: Sequence[AtRate]) -> NextLoad | None:
    if high.rate_per_s <= LOWEST_PER_S:
        return _long(asked, high.rate_per_s, "again, to be sure") if high.holds is False and high.open else None
    guess = _answered(high, loads) * _BELOW
    rate = guess if high.rate_per_s / _STEP**3 < guess < high.rate_per_s / _APART else high.rate_per_s / _STEP
    return _short(asked, max(LOWEST_PER_S, _rounded(rate)), "fewer")


def _between(low: float, high: _Votes, loads: Sequence[AtRate]) -> float:
    """A rate a little below or above the edge, as far as what was answered beyond it shows where it is."""
    edge = _answered(high, loads) if high.holds is False else 0.0
    for guess in (edge * _BELOW, edge * _ABOVE):
        if low * _APART < guess < high.rate_per_s / _APART:
            return guess
    return math.sqrt(low * high.rate_per_s)


def _answered(high: _Votes, loads: Sequence[AtRate]) -> float:
    """What would be answered beyond the edge, requests per second, with what other programs took; 0 is not known."""
    own = [each for each in loads if each.rate_per_s == high.rate_per_s and not each.limited and not each.held]
    return next((able(each) for each in reversed(own) if each.answered_per_s), 0.0)


def able(load: AtRate) -> float:
    """What the server would have answered, requests per second, with the processor time that others took."""
    return (load.answered_per_s or 0.0) / max(0.1, 1 - load.taken)


def _long(asked: CapacityAsked, rate: float, why: str) -> NextLoad:
    return NextLoad(rate, run_seconds(asked, rate), why)


def _short(asked: CapacityAsked, rate: float, why: str) -> NextLoad:
    """A load of the climb: it need only tell by how much a rate is too high."""
    seconds = min(run_seconds(asked, rate), max(SHORTEST_RUN_S, _FEW_REQUESTS / rate))
    return NextLoad(rate, seconds, why)


def _rounded(rate: float) -> float:
    """The rate with four digits, so that a person can read it."""
    return float(f"{rate:.4g}")
