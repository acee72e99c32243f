r"""When each request is due: pure functions from a shape of load to instants.

    rate                       N(t) = integral of the rate from 0 to t, in requests
     |      ______
     |     /      \             request i (counted from 0) is due when N(t) = i
     |____/        \____
     +-------------------- t

So the first request is due at once, and a stage gives as many requests as its integral says,
rounded up by less than one; what a stage leaves of a request is carried into the next.

All instants are nanoseconds from the start, ascending; `array("q")`, 8 bytes for each request.
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Iterable, Iterator, Sequence

from holdfast.model.scenario import Phase
from holdfast.model.units import NS_PER_S

# An integral that misses a whole number by float rounding alone is that whole number.
ROUNDING = 1e-9


def burst(count: int) -> array[int]:
    """All at once.

    Raises:
        ValueError: a negative count.
    """
    _check("The number of requests", count)
    return array("q", [0]) * count


def spread(count: int, seconds: float) -> array[int]:
    """`count` requests evenly over `seconds`, the first at once: what JMeter calls a ramp-up period.

    Raises:
        ValueError: a negative count or time.
    """
    _check("The number of requests", count)
    _check("The time in seconds", seconds)
    over_ns = round(seconds * NS_PER_S)
    return array("q", (index * over_ns // count for index in range(count)))


def constant(rate_per_s: float, seconds: float) -> array[int]:
    """The same rate throughout.

    Raises:
        ValueError: a negative or infinite rate or time.
    """
    return steps([(rate_per_s, seconds)])


def linear(from_per_s: float, to_per_s: float, seconds: float) -> array[int]:
    """A rate that rises or falls evenly from one value to another.

    With a, b the rates at both ends in 1/s, T the time in s and k = (b - a) / T in 1/s^2:

        N(t) = a t + k t^2 / 2,  so  N(t) = i  at  t = 2 i / (a + sqrt(a^2 + 2 k i))

    the form of the root that neither divides by k nor subtracts near-equal numbers.

    Raises:
        ValueError: a negative or infinite rate or time.
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
    """Constant rates one after the other.

    Args:
        stages: rate in requests per second and time in seconds of each; a rate of 0 is a pause.

    Raises:
        ValueError: a negative or infinite rate or time.
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

    In the time that counts expected arrivals instead of seconds, their gaps are exponential with mean 1; each
    instant is the one at which the integral of the rate has come so far (time rescaling).

    Args:
        stages: as of `steps`.
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


def phases(parts: Iterable[Phase], lots: Iterator[float]) -> array[int]:
    """Parts of a schedule one after the other, each with the whole number of arrivals below its integral.

    An even part has its first arrival at its begin, and its n-th where the integral of its rate is n. In one by
    chance, as many instants as the lower rate gives are thrown evenly into its time, and the rest so that their
    density rises or falls from one end to the other: F(t) = (t / T)^2, so t = T sqrt(lot).

    Args:
        lots: numbers in [0, 1), endless.

    Raises:
        ValueError: a negative or infinite rate or time.
    """
    due = array("q")
    begin_s = 0.0
    for part in parts:
        _check("The rate in requests per second", part.from_per_s, part.to_per_s)
        _check("The time in seconds", part.for_s)
        within = _thrown(part, lots) if part.by_chance else _even(part)
        due.extend(round((begin_s + each) * NS_PER_S) for each in within)
        begin_s += part.for_s
    return due


# Ends that differ by less than this share of their mean are the same rate: the root below would divide by nothing.
_SAME_RATE = 0.0001


def _even(part: Phase) -> Iterator[float]:
    a, b, seconds = part.from_per_s, part.to_per_s, part.for_s
    mean = (a + b) / 2
    for index in range(int(mean * seconds)):
        if abs(b - a) < _SAME_RATE * mean:
            yield index / mean
        else:
            growth = (b - a) / seconds
            yield 2 * index / (a + math.sqrt(max(0.0, a**2 + 2 * growth * index))) if index else 0.0


def _thrown(part: Phase, lots: Iterator[float]) -> list[float]:
    a, b, seconds = part.from_per_s, part.to_per_s, part.for_s
    many, flat = int((a + b) / 2 * seconds), int(min(a, b) * seconds)
    within = [next(lots) * seconds for _ in range(flat)]
    for _ in range(many - flat):
        share = math.sqrt(next(lots))
        within.append((1 - share if a > b else share) * seconds)
    return sorted(within)


def offered_per_s(due_ns: Sequence[int]) -> float | None:
    """The mean rate that a schedule asks for; None where it has no two instants."""
    if len(due_ns) < 2 or due_ns[-1] == due_ns[0]:
        return None
    return (len(due_ns) - 1) * NS_PER_S / (due_ns[-1] - due_ns[0])


def _whole(requests: float) -> int:
    return math.ceil(requests - ROUNDING * max(1.0, requests))


def _check(name: str, *values: float) -> None:
    for value in values:
        if not 0 <= value < math.inf:
            raise ValueError(f"{name} must be 0 or more and finite, not {value}.")
