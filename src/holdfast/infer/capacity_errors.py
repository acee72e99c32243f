"""Whether errors that ended a search for a rate come at lower rates as well; pure.

A threshold on errors is met by chance: of a server that fails one request in a hundred at any rate, some short loads
have no error, and the search would take the rate of one of them for the edge. Errors of a server that has too much to
do are there beyond the edge alone, or far more often there.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import comb, inf

from holdfast.infer.capacity_drift import only_errors
from holdfast.infer.capacity_search import LIMITED_RATIO
from holdfast.model.capacity import AtRate, Interval
from holdfast.model.frozen import frozen

_ANSWERED = "answered"
_BY_CHANCE = 0.01
"""Less probable than this is not taken for chance: that so many of all errors are beyond the edge."""


@frozen
class ErrorsAtAnyRate:
    """Errors below the edge and beyond it, of so many requests."""

    below: int
    of_below: int
    beyond: int
    of_beyond: int


def errors_at_any_rate(loads: Sequence[AtRate], interval: Interval) -> ErrorsAtAnyRate | None:
    """The errors, where nothing but a threshold on them is not held beyond the edge, and they are no fewer below it.

    None where the rate may decide.
    """
    found = _by_chance(loads, interval, LIMITED_RATIO)
    return found if found is not None and found.below else None


def too_few_errors(loads: Sequence[AtRate], interval: Interval) -> ErrorsAtAnyRate | None:
    """All errors beyond the edge, where they alone make it and chance may have kept so few of them from below it.

    None where the rate decides.
    """
    found = _by_chance(loads, interval, inf)
    return None if found is None or found.below else found


def _by_chance(loads: Sequence[AtRate], interval: Interval, ratio: float) -> ErrorsAtAnyRate | None:
    """The errors below the edge, and beyond it up to so many times its rate."""
    low, high = interval.low, interval.high
    if low is None or high is None:
        return None
    beyond = [each for each in loads if high <= each.rate_per_s <= high * ratio]
    broken = [each for each in beyond if not each.held and not each.limited]
    if not broken or not all(map(only_errors, broken)):
        return None
    found = ErrorsAtAnyRate(
        *_errors(each for each in loads if each.rate_per_s <= low),
        *_errors(beyond),
    )
    return found if _chance(found) > _BY_CHANCE else None


def _errors(loads: Iterable[AtRate]) -> tuple[int, int]:
    counted = [(each.offered - each.outcomes.get(_ANSWERED, 0), each.offered) for each in loads]
    return sum(errors for errors, _ in counted), sum(offered for _, offered in counted)


def _chance(found: ErrorsAtAnyRate) -> float:
    """How probable at least so many errors are beyond the edge, were each request as likely to fail as any other.

    Source: R. A. Fisher's exact test, one-sided: the hypergeometric distribution.
    """
    errors, requests = found.below + found.beyond, found.of_below + found.of_beyond
    most = min(errors, found.of_beyond)
    ways = sum(comb(errors, k) * comb(requests - errors, found.of_beyond - k) for k in range(found.beyond, most + 1))
    return ways / comb(requests, found.of_beyond)
