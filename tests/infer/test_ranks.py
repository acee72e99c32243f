"""Percentiles by nearest rank."""

from __future__ import annotations

from fractions import Fraction
from math import ceil

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.model.ranks import MEDIAN, P99, nearest_rank, percentile

values = st.lists(st.integers(-(10**12), 10**12), min_size=1)


@given(values, st.integers(1, 1000))
def test_a_percentile_is_the_smallest_value_that_so_many_do_not_exceed(some, per_mille):
    found = percentile(some, per_mille)

    share = Fraction(per_mille, 1000) * len(some)
    assert sum(each <= found for each in some) >= share
    assert sum(each < found for each in some) < share


@pytest.mark.parametrize(("count", "per_mille", "rank"), [(1, 1, 0), (4, MEDIAN, 1), (5, MEDIAN, 2), (100, P99, 98)])
def test_ranks_count_from_zero(count, per_mille, rank):
    assert nearest_rank(count, per_mille) == rank == ceil(count * per_mille / 1000) - 1


def test_without_values_there_is_no_percentile():
    assert percentile([], P99) is None
