"""By how much figures differ between two runs of the same server: what is noise.

Figures that are counted inside the server do not differ at all between two runs: of 6 runs each of six servers with
other work on both cores, every ceiling, place, model and overflow was the same. What did differ gave the bounds below.
"""

from __future__ import annotations

from math import sqrt

from holdfast.model.difference import Interval

_TIME_FACTOR = 3.0
_TIME_S = 1.0
"""A server started in 0.8 s and in 1.8 s, and a probe took 0.5 s and 0.9 s: three times, or a second."""
_MEMORY_SHARE = 0.1
_MEMORY_BYTES = 16384
"""What a request costs differed by 1 KiB and by 0.7 %; a thread's first touch of a few more pages is still noise."""
_COST = 0.1
"""Of descriptors, threads and processes, of which a request takes a whole number: what it costs is rounded to 0.01, and
the server's own few may come and go."""
_LATENCY_MS = 5.0
_LATENCY_FACTORS = {"p50": 1.25, "p90": 1.6, "p95": 2.0, "p99": 4.0, "p999": 6.0}
_RATE_FACTOR = 1.25
"""Six loads of one server with other work on both cores (15 processes in the queue): medians lay between 22 and 26 ms,
90th percentiles between 27 and 40, 95th between 30 and 55, 99th between 34 and 141; closed loads reached 147 to 177
requests a second. The 99.9th were not measured: they are taken to lie half as far apart again as the 99th."""
_BEYOND = 10
"""Requests that must lie beyond a percentile: with fewer, single requests decide where it is."""
_SURE = 2.576
"""Of 100 intervals of a share, 99 hold it (the normal distribution's quantile)."""


def overlap(one: Interval, other: Interval) -> bool:
    """Whether both may be the same figure."""
    (low, high), (other_low, other_high) = one, other
    return (other_high is None or low <= other_high) and (high is None or other_low <= high)


def is_same_time(one_s: float, other_s: float) -> bool:
    """Whether two durations of single steps may be the same but for what else the machine did."""
    less, more = sorted((one_s, other_s))
    return more - less <= _TIME_S or more <= _TIME_FACTOR * less


def is_same_memory(one: float, other: float) -> bool:
    """Whether two costs of a request may be the same, in bytes."""
    return abs(one - other) <= max(_MEMORY_BYTES, _MEMORY_SHARE * max(one, other))


def is_same_cost(one: float, other: float) -> bool:
    """The same of descriptors, threads and processes."""
    return abs(one - other) <= _COST


def latency_interval(ms: float, percentile: str) -> Interval:
    """What a percentile of response times may be in another run of the same load, in ms.

    Args:
        percentile: "p50", "p90", ...; how far they spread differs.
    """
    root = sqrt(_LATENCY_FACTORS[percentile])
    return max(0.0, min(ms / root, ms - _LATENCY_MS / 2)), max(ms * root, ms + _LATENCY_MS / 2)


def rate_interval(per_s: float) -> Interval:
    """What a rate may be in another run of the same load."""
    root = sqrt(_RATE_FACTOR)
    return per_s / root, per_s * root


def share_interval(count: int, of: int) -> Interval:
    """What a share may be in the long run, where so many of so many were counted.

    Source: E. B. Wilson, Probable inference, the law of succession, and statistical inference, JASA 22 (1927).
    """
    if not of:
        return 0.0, 1.0
    share, square = count / of, _SURE * _SURE
    middle = (share + square / (2 * of)) / (1 + square / of)
    half = _SURE / (1 + square / of) * sqrt(share * (1 - share) / of + square / (4 * of * of))
    return max(0.0, middle - half), min(1.0, middle + half)


def is_decided_by_few(percent: float, of: int) -> bool:
    """Whether so few of these requests lie beyond a percentile that single ones decide where it is."""
    return of * (100 - percent) / 100 < _BEYOND
