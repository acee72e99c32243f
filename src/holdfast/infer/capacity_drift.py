"""Whether a server has become slower while it was searched, by the loads alone; pure.

Single requests show a service that takes longer and longer. They do not show places that are lost one after another,
and hardly a service of a millisecond that takes two. Then a rate that held at first does not hold later, nor do lower
ones; a search would follow the edge down, and give the rate at which it happened to end.
"""

from __future__ import annotations

from collections.abc import Sequence

from holdfast.model.capacity import AtRate, CapacityAsked
from holdfast.model.frozen import frozen

_ENOUGH = 3
"""Loads that did not hold: one or two can be a moment's trouble."""
_BY_CHANCE = 1.25
"""So far beyond the edge a short load may hold, where service times vary."""
_BY_CHANCE_AT_RANDOM = 1.5
"""The same, where requests come at random instants."""
_SINGLES = 8
_RISE = 1.05
_RISING = 0.9


@frozen
class Slowed:
    """A rate that held, and a lower one that later did not; requests per second."""

    held: float
    not_held: float


def slowed(asked: CapacityAsked, loads: Sequence[AtRate]) -> Slowed | None:
    """The highest rate that held before far lower ones did not; None where none was.

    Loads that their own limits decided, or other programs, say nothing.
    """
    known = [each for each in loads if not each.limited]
    margin = _BY_CHANCE_AT_RANDOM if asked.poisson else _BY_CHANCE
    for held in sorted({each.rate_per_s for each in known if each.held}, reverse=True):
        near = held / margin
        last = max(at for at, each in enumerate(known) if each.held and each.rate_per_s > near)
        broken = [rate for rate in _broken_for_good(known[last + 1 :]) if rate <= near]
        if len(broken) >= _ENOUGH:
            return Slowed(held, min(broken))
    return None


def _broken_for_good(loads: Sequence[AtRate]) -> list[float]:
    """The rates that did not hold, and none so high later: an edge that is not sharp has both.

    Without those that errors alone broke, which may be chance.
    """
    return [
        each.rate_per_s
        for at, each in enumerate(loads)
        if not each.held
        and not only_errors(each)
        and not any(later.held and later.rate_per_s >= each.rate_per_s for later in loads[at + 1 :])
    ]


def singles_rise(loads: Sequence[AtRate]) -> tuple[float, float] | None:
    """What a single request took at first and at last, ms, if it took a little longer each time; None if not."""
    singles = [each.alone_ms for each in loads if each.alone_ms is not None]
    if len(singles) < _SINGLES:
        return None
    pairs = [(a, b) for at, a in enumerate(singles) for b in singles[at + 1 :]]
    rising = sum(b > a for a, b in pairs) / len(pairs)
    first, last = singles[0], singles[-1]
    return (first, last) if rising >= _RISING and last >= first * _RISE else None


def only_errors(load: AtRate) -> bool:
    """Whether errors are all that was not as it should be: no latency, and no queue that grew."""
    broken = [each.text for each in load.thresholds if each.held is False]
    return load.why.count(";") == len(broken) - 1 and all(each.lstrip().startswith("errors") for each in broken)
