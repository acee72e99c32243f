"""The observers' own instants: irregular, repeatable, and honest about being late."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from support.waiting import until

from holdfast.model.samples import Sample
from holdfast.observe.sampler import MOST_ROWS, Instants, Sampler, thinned

MS = 1_000_000


def test_a_sample_holds_the_counts_the_depth_and_how_late_it_was(kernel, listen, connect):
    listener = listen()
    connect(listener)
    port = listener.getsockname()[1]
    until(lambda: kernel.accept_queue(port).depth == 1, "the connections in the queue")
    sampler = Sampler(kernel, port, 5 * MS)
    sampler.resume(1000 * MS)

    assert not sampler.due(999 * MS)
    assert sampler.due(1003 * MS)
    sample = sampler.look(1003 * MS, offered=9, established=8, entered=7)

    assert sample == Sample(1003 * MS, late_ns=3 * MS, depth=1, offered=9, established=8, entered=7)
    assert sampler.rows == [sample]
    assert not sampler.due(1003 * MS)


def test_a_new_sampler_is_due_at_once_and_not_late(sock_diag_view):
    sampler = Sampler(sock_diag_view, 1, 5 * MS)

    assert sampler.due(777 * MS)
    assert sampler.look(777 * MS, 0, 0, 0).late_ns == 0
    assert not sampler.due(777 * MS)


def test_the_sampler_does_not_make_up_for_a_look_that_it_missed():
    instants = Instants(MS, first_ns=100 * MS, seed=1)

    assert instants.take(900 * MS) == 800 * MS
    assert instants.next_ns > 900 * MS


@settings(deadline=None)  # a busy machine is no failure
@given(seed=st.integers(), interval_ns=st.integers(1000, 10**9))
def test_gaps_repeat_for_the_same_seed_and_never_leave_a_long_spell_unseen(seed, interval_ns):
    first, second = (Instants(interval_ns, first_ns=0, seed=seed) for _ in range(2))
    now_ns = 0
    for _ in range(50):
        first.take(now_ns)
        second.take(now_ns)
        assert first.next_ns == second.next_ns
        assert 1 <= first.next_ns - now_ns <= 4 * interval_ns
        now_ns = first.next_ns


def test_gaps_are_exponential_with_the_interval_as_mean():
    instants = Instants(10 * MS, first_ns=0, seed=7)
    gaps, now_ns = [], 0
    for _ in range(5000):
        instants.take(now_ns)
        gaps.append(instants.next_ns - now_ns)
        now_ns = instants.next_ns

    # Cut at 4 means, the mean is 1 - e^-4 = 0.982; a third of an exponential's gaps exceed its mean.
    assert 0.93 < sum(gaps) / len(gaps) / (10 * MS) < 1.03
    assert 0.34 < sum(gap > 10 * MS for gap in gaps) / len(gaps) < 0.40


def test_rows_stay_bounded_and_keep_the_first(sock_diag_view):
    sampler = Sampler(sock_diag_view, 1, MS)
    for look in range(2 * MOST_ROWS):
        sampler.look(look * MS, look, 0, 0)

    assert len(sampler.rows) <= MOST_ROWS
    assert sampler.rows[0].offered == 0
    assert [row.at_ns for row in sampler.rows] == sorted(row.at_ns for row in sampler.rows)


def test_the_interval_is_doubled_each_time_that_the_rows_become_too_many():
    instants = Instants(MS, first_ns=0, seed=1)
    rows = [Sample(look, 0, None, look, 0, 0) for look in range(MOST_ROWS)]

    assert thinned(rows, instants) == rows
    assert instants.interval_ns == MS
    assert thinned([*rows, rows[0]], instants) == [*rows, rows[0]][::2]
    assert instants.interval_ns == 2 * MS


def test_a_pause_in_which_no_look_was_intended_makes_the_next_one_no_later(sock_diag_view):
    sampler = Sampler(sock_diag_view, 1, MS)
    sampler.look(MS, 0, 0, 0)
    sampler.resume(1000 * MS)

    assert sampler.due(1000 * MS)
    assert sampler.look(1001 * MS, 0, 0, 0).late_ns == MS
