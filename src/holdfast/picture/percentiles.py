"""How long requests took, as the curve of all percentiles."""

from __future__ import annotations

import math
from collections.abc import Iterable

from holdfast.model.frozen import frozen

_PER_DECADE = 24


@frozen
class Curve:
    """The percentiles of some durations, by nearest rank.

    Attributes:
        name: what they are, as "from due".
        number: how many durations there are.
        share: of all durations, those that are at most as long as `at_ns`; ascending, the last is 1.
    """

    name: str
    number: int
    share: tuple[float, ...]
    at_ns: tuple[int, ...]


def curve_of(name: str, durations: Iterable[int]) -> Curve:
    """Points that lie evenly on an axis on which each further nine (90 %, 99 %, 99.9 %) takes the same room.

    Source: the axis of HdrHistogram's percentile plots.
    """
    ordered = sorted(durations)
    number = len(ordered)
    if not number:
        return Curve(name, 0, (), ())
    steps = math.ceil(math.log10(number) * _PER_DECADE)
    ranks = {max(1, math.ceil(number * (1 - 10 ** (-step / _PER_DECADE)))) for step in range(steps + 1)}
    kept = sorted(ranks | {number})
    return Curve(name, number, tuple(rank / number for rank in kept), tuple(ordered[rank - 1] for rank in kept))
