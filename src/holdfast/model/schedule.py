r"""When each request is due: pure functions from a shape of load to instants.

    rate                       N(t) = integral of the rate from 0 to t, in requests
     |      ______
     |     /      \             request i (counted from 0) is due when N(t) = i
     |____/        \____
     +-------------------- t

So the first request is due at once. A stage has as many requests as its integral, rounded up; the fraction that a
stage leaves over is carried into the next one.

All instants are nanoseconds from the start, ascending; `array("q")`, 8 bytes for each request.
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Iterable, Iterator, Sequence

from holdfast.model.frozen import frozen
from holdfast.model.units import NS_PER_S

# An integral that misses a whole number only by float rounding counts as that whole number.
ROUNDING = 1e-9


@frozen
class Segment:
    """A part of a schedule whose rate changes evenly; equal ends are a constant rate, and 0 is a pause.

    Attributes:
        by_chance: the arrivals fall at random instants; their number is the same.
    """

    from_per_s: float
    to_per_s: float
    for_s: float
    by_chance: bool = False


def burst(count: int) -> array[int]:
    """All requests at once.

    Raises:
        ValueError: the count is negative.
    """
    _check("The number of requests", count)
    return array("q", [0]) * count


def spread(count: int, seconds: float) -> array[int]:
    """`count` requests evenly over `seconds`, the first at once; JMeter calls it a ramp-up period.

    Raises:
        ValueError: the count or the time is negative.
    """
    _check("The number of requests", count)
    _check("The time in seconds", seconds)
    over_ns = round(seconds * NS_PER_S)
    return array("q", (index * over_ns // count for index in range(count)))


def linear(from_per_s: float, to_per_s: float, seconds: float) -> array[int]:
    """A rate that rises or falls linearly.

    With a, b the rates at both ends in 1/s, T the time in s and k = (b - a) / T in 1/s^2:

        N(t) = a t + k t^2 / 2,  so  N(t) = i  at  t = 2 i / (a + sqrt(a^2 + 2 k i))

    This form of the root neither divides by k nor subtracts near-equal numbers.

    Raises:
        ValueError: a rate or time is negative or infinite.
    """
    _check("The rate in requests per second", from_per_s, to_per_s)
    _check("The time in seconds", seconds)
    if seconds == 0:
        return array("q")
    growth = (to_per_s - from_per_s) / seconds
    # The root's argument may fall below 0 by rounding, at the very end of a fall to rate 0.
    return array(
        "q",
        (
            round(2 * index / (from_per_s + math.sqrt(max(0.0, from_per_s**2 + 2 * growth * index))) * NS_PER_S)
            if index
            else 0
            for index in range(_whole((from_per_s + to_per_s) / 2 * seconds))
        ),
    )


def steps(stages: Iterable[tuple[float, float]]) -> array[int]:
    """Constant rates, one after the other.

    Args:
        stages: requests per second and seconds of each; a rate of 0 is a pause.

    Raises:
        ValueError: a rate or time is negative or infinite.
    """
    due = array("q")
    begin_s = 0.0
    before = 0.0
    for rate_per_s, seconds in stages:
        _check("The rate in requests per second", rate_per_s)
        _check("The time in seconds", seconds)
        after = before + rate_per_s * seconds
        due.extend(
            round((begin_s + max(0.0, index - before) / rate_per_s) * NS_PER_S)
            for index in range(len(due), _whole(after))
        )
        begin_s += seconds
        before = after
    return due


def by_chance(stages: Iterable[tuple[float, float]], gaps: Iterator[float]) -> array[int]:
    """Arrivals of a Poisson process with these rates, one stage after the other.

    Time rescaling: measured in expected arrivals instead of seconds, the gaps are exponential with mean 1. Each
    arrival is due when the integral of the rate reaches the sum of the gaps before it.

    Args:
        stages: as in `steps`.
        gaps: exponential with mean 1, endless.
    """
    due = array("q")
    begin_s = before = 0.0
    arrival = next(gaps)
    for rate_per_s, seconds in stages:
        _check("The rate in requests per second", rate_per_s)
        _check("The time in seconds", seconds)
        after = before + rate_per_s * seconds
        while arrival < after:
            due.append(round((begin_s + (arrival - before) / rate_per_s) * NS_PER_S))
            arrival += next(gaps)
        begin_s += seconds
        before = after
    return due


def phases(parts: Iterable[Segment], draws: Iterator[float]) -> array[int]:
    """Segments one after the other, each with its integral rounded down as its number of arrivals.

    In an even segment the first arrival is at its start, and arrival n where the integral of the rate is n. In a
    random one, as many arrivals as the lower rate gives are drawn uniformly over its time. The density of the others
    rises or falls linearly from one end to the other: F(t) = (t / T)^2, so t = T sqrt(draw).

    Args:
        draws: numbers in [0, 1), endless.

    Raises:
        ValueError: a rate or time is negative or infinite.
    """
    due = array("q")
    begin_s = 0.0
    for part in parts:
        _check("The rate in requests per second", part.from_per_s, part.to_per_s)
        _check("The time in seconds", part.for_s)
        within = _drawn(part, draws) if part.by_chance else _even(part)
        due.extend(round((begin_s + each) * NS_PER_S) for each in within)
        begin_s += part.for_s
    return due


# Ends that differ by less than this share of their mean count as equal: the root below would divide by zero.
_SAME_RATE = 0.0001


def _even(part: Segment) -> Iterator[float]:
    a, b, seconds = part.from_per_s, part.to_per_s, part.for_s
    mean = (a + b) / 2
    for index in range(int(mean * seconds)):
        if abs(b - a) < _SAME_RATE * mean:
            yield index / mean
        else:
            growth = (b - a) / seconds
            yield 2 * index / (a + math.sqrt(max(0.0, a**2 + 2 * growth * index))) if index else 0.0


def _drawn(part: Segment, draws: Iterator[float]) -> list[float]:
    a, b, seconds = part.from_per_s, part.to_per_s, part.for_s
    many, flat = int((a + b) / 2 * seconds), int(min(a, b) * seconds)
    within = [next(draws) * seconds for _ in range(flat)]
    for _ in range(many - flat):
        share = math.sqrt(next(draws))
        within.append((1 - share if a > b else share) * seconds)
    return sorted(within)


def offered_per_s(due_ns: Sequence[int]) -> float | None:
    """The mean rate that a schedule asks for in requests per second; None if it has no two different instants."""
    if len(due_ns) < 2 or due_ns[-1] == due_ns[0]:
        return None
    return (len(due_ns) - 1) * NS_PER_S / (due_ns[-1] - due_ns[0])


def _whole(requests: float) -> int:
    return math.ceil(requests - ROUNDING * max(1.0, requests))


def _check(name: str, *values: float) -> None:
    for value in values:
        if not 0 <= value < math.inf:
            raise ValueError(f"{name} must be 0 or more and finite, not {value}.")
