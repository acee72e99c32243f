"""Percentiles by nearest rank: always a value that was measured, never one between two."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

MEDIAN = 500
P99 = 990


def nearest_rank(count: int, per_mille: int) -> int:
    """The index, in ascending order, of the smallest value that so many of all do not exceed.

    Args:
        count: of the values, at least 1.
        per_mille: 500 is the median (the lower of two), 990 the 99th percentile, 1000 the largest.
    """
    return max(0, -(-count * per_mille // 1000) - 1)


def percentile(values: Iterable[int], per_mille: int) -> int | None:
    """One percentile by nearest rank; None without values."""
    ordered: Sequence[int] = sorted(values)
    return ordered[nearest_rank(len(ordered), per_mille)] if ordered else None
