"""Percentiles of counted times, beside those of the times themselves."""

from __future__ import annotations

import math
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from holdfast.engine.buckets import EDGES_NS, Buckets, Recent, counted, lag_us, latency_ms
from holdfast.engine.live_counts import BOUNDS_S

US, MS, S = 1_000, 1_000_000, 1_000_000_000
times_ns = st.lists(st.integers(0, 2000 * S), min_size=1, max_size=200).map(sorted)


def made(times: list[int]) -> Buckets:
    buckets = Buckets()
    buckets.add(counted(times), sum(times), times[-1])
    return buckets


def nearest_rank(times: list[int], per_mille: int) -> int:
    return times[max(1, math.ceil(len(times) * per_mille / 1000)) - 1]


@given(times_ns, st.integers(1, 1000))
def test_a_percentile_is_the_true_one_or_at_most_a_hundredth_more(times, per_mille):
    (found,) = made(times).percentiles((per_mille,))

    true = nearest_rank(times, per_mille)
    assert true <= found <= max(1.01 * true, US) or (true > EDGES_NS[-1] and found == times[-1])


@given(times_ns)
def test_every_time_is_in_one_bucket_and_none_is_too_long_for_its_bound(times):
    told = made(times).times(BOUNDS_S)

    assert (told.count, told.sum_s) == (len(times), sum(times) / S)
    assert [count for _, count in told.counts] == [sum(each <= bound * S for each in times) for bound in BOUNDS_S]


def test_edges_rise_by_at_most_a_hundredth_and_the_bounds_that_others_see_are_among_them():
    assert all(low < high <= low * 1.01 for low, high in pairwise(EDGES_NS))
    assert {round(bound * S) for bound in BOUNDS_S} <= set(EDGES_NS)


def test_of_no_times_there_is_nothing_to_say():
    assert latency_ms(Buckets()).max is None
    assert lag_us(Buckets()) is None


def test_latencies_are_told_in_ms_to_a_microsecond():
    assert latency_ms(made([1_234_567])).max == 1.235


def test_the_last_seconds_let_go_of_what_is_older():
    recent = Recent(5 * S)
    recent.add(10 * S, counted([900 * MS]), 900 * MS)
    recent.add(12 * S, counted([2 * MS, 3 * MS]), 3 * MS)
    before = recent.latency_ms()

    recent.add(15 * S, counted([]), 0)
    after = recent.latency_ms()
    recent.add(60 * S, counted([]), 0)

    assert (before.p50, before.max) == (3.0, 900.0)
    assert (after.p50, after.max) == (2.0, 3.0)
    assert recent.latency_ms().max is None
