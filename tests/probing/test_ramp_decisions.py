"""What the ramp decides on one view of a server, and what it never does whatever the view is."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from simulated_server import Simulated, climb

from holdfast.model.places import Outcome
from holdfast.model.units import MS
from holdfast.model.units import NS_PER_S as S
from holdfast.probing.ramp import decide
from holdfast.probing.ramp_pace import grown_ns, growth_needed_ns, plateau_needed_ns
from holdfast.probing.ramp_state import Done, Open, State, View, Wait


@pytest.mark.parametrize("enough", [4, 32])
def test_no_place_is_left_only_when_as_many_were_turned_away_as_there_is_need_to_ask(enough):
    view = View(
        now_ns=10 * S,
        offered=4 + enough,
        connecting=0,
        established=4,
        entered=4,
        in_service=4,
        last_entry_ns=5 * S,
        last_sent_ns=10 * S - 30 * MS,
        max_offered=100,
        depth=0,
        limit=127,
        ended={Outcome.REJECTED: enough},
        turned_away_enough=enough,
    )
    state = State(stage="single", entered=4, turned_away=enough, turned_away_ns=10 * S - 25 * MS, singly=True)

    one_less, _ = decide(replace(view, turned_away_enough=enough + 1), state)
    done, _ = decide(view, state)

    assert one_less == Open(1)
    assert isinstance(done, Done)


def test_one_more_is_offered_only_when_the_server_could_be_rid_of_the_last_it_turned_away():
    view = View(
        now_ns=10 * S,
        offered=5,
        connecting=0,
        established=4,
        entered=4,
        in_service=4,
        last_entry_ns=5 * S,
        last_sent_ns=9 * S,
        max_offered=100,
        free_ns=3 * S,
        ended={Outcome.REJECTED: 1},
    )
    turned_away = State(stage="single", entered=4, turned_away=1, turned_away_ns=9 * S, turned_away_free_ns=3 * S)

    kept_from_running, state = decide(view, turned_away)
    free_since, _ = decide(replace(view, now_ns=10 * S + MS, free_ns=3 * S + 5 * MS), state)

    assert isinstance(kept_from_running, Wait)
    assert free_since == Open(1)


@pytest.mark.parametrize(("depth", "opens"), [(6, 3), (3, 1)])
def test_an_accept_queue_is_given_time_in_which_the_server_had_a_core(depth, opens):
    """Into a queue that is full for want of a core, a client of a Unix socket is refused (unix(7), EAGAIN)."""
    view = growing_view(connecting=0, depth=depth, limit=5, established=3 + depth, offered=3 + depth, free_ns=3 * S)
    # Of the last ones that were opened it has taken one.
    fills = State(stage="fill", entered=3, depth=depth, taken=3, filled_from=3, stalled_since_ns=6 * S)
    fills = replace(fills, batch=4, expected_depth=depth + 1, opened_free_ns=3 * S)

    kept_from_running, state = decide(view, fills)
    had_a_core, _ = decide(replace(view, free_ns=3 * S + 20 * MS), state)

    assert isinstance(kept_from_running, Wait)
    assert had_a_core == Open(opens)


@pytest.mark.parametrize("entered", [0, 3])
def test_a_plateau_lasts_longer_than_a_request_takes_to_its_view(entered):
    view = View(
        now_ns=10 * S,
        offered=5,
        connecting=0,
        established=5,
        entered=entered,
        in_service=entered,
        last_entry_ns=8 * S,
        last_sent_ns=8 * S,
        max_offered=100,
        way_ns=2 * S,
    )

    assert plateau_needed_ns(view, State(longest_stall_ns=5 * MS)) > 2 * S
    assert plateau_needed_ns(replace(view, way_ns=0), State(longest_stall_ns=5 * MS)) <= S


def test_a_plateau_lasts_as_many_ways_as_may_follow_one_another_and_half_as_many_more():
    view = growing_view(entered=38, in_service=38, offered=44, established=44, way_ns=400 * MS, growth_look_ns=0)
    state = State(longest_stall_ns=400 * MS)

    # Six that wait for the two threads that are left, to pass the way and to run: 6 x 0.4 s, and half as much again.
    assert plateau_needed_ns(view, state, turns=6) == 3600 * MS
    # One alone: the second that a plateau after such pauses lasts anyway.
    assert plateau_needed_ns(view, state) == S


@pytest.mark.parametrize(
    ("changed", "opens"),
    [
        ({}, 3),
        # Time without a core does not count.
        ({"slowed": 2.5}, 1),
        # Near the limit of descriptors, a quarter of those that fit.
        ({"fits": 40}, 3),
        ({"fits": 11}, 2),
        ({"fits": 3}, 1),
        ({"fits": 0}, 1),
    ],
)
def test_a_climb_one_by_one_may_end_where_that_keeps_no_request_out(changed, opens):
    """48 are in after 4 s, none on its way; a sixteenth of them may be opened at once after 2 s with a core."""
    view = growing_view(
        now_ns=14 * S, entered=48, in_service=48, offered=48, established=48, connecting=0, depth=0, limit=127
    )

    action, _ = decide(replace(view, **changed), State(began_ns=10 * S, entered=48))

    assert action == Open(opens)


def growing_view(**changed):
    plain = View(
        now_ns=10 * S,
        offered=8,
        connecting=3,
        established=5,
        entered=3,
        in_service=3,
        last_entry_ns=8 * S,
        last_sent_ns=8 * S,
        max_offered=100,
        depth=2,
        limit=1,
    )
    return replace(plain, **changed)


def test_a_pool_that_may_grow_is_given_its_time_and_longer_than_each_step_so_far():
    view = growing_view(growth_look_ns=6 * S)

    # uWSGI adds a worker every one to four seconds.
    assert growth_needed_ns(view, State()) == 6 * S
    assert growth_needed_ns(view, State(longest_stall_ns=6 * S)) > 6 * S


@pytest.mark.parametrize(("look_ns", "waited_ns", "ends"), [(0, 2 * S, True), (6 * S, 2 * S, False), (S, 2 * S, True)])
def test_a_plateau_with_full_queues_is_final_only_once_the_pool_has_had_time_to_grow(look_ns, waited_ns, ends):
    now_ns = 8 * S + waited_ns
    view = growing_view(growth_look_ns=look_ns, now_ns=now_ns)
    state = State(stage="fill", entered=3, depth=2, taken=3, stalled_since_ns=8 * S)

    action, _ = decide(view, state)

    assert isinstance(action, Done) == ends


def test_a_new_worker_that_has_run_nothing_yet_is_a_step_of_growth():
    view = growing_view(born_ns=int(9.9 * S))
    state = State(stage="fill", entered=3, depth=2, taken=3, stalled_since_ns=8 * S)

    action, state = decide(view, state)

    assert not isinstance(action, Done)
    assert (state.stalled_since_ns, state.longest_stall_ns) == (view.born_ns, view.born_ns - 8 * S)
    # Had it come at the pace of what came before, the next one would be there by then.
    assert growth_needed_ns(view, state) > state.longest_stall_ns


@pytest.mark.parametrize("way_ns", [0, 180 * MS])
@pytest.mark.parametrize("step_ns", [50 * MS, 200 * MS, S])
def test_a_pool_that_never_stops_growing_is_left_after_a_while(step_ns, way_ns):
    server = Simulated(pool=10**6, limit=20, entry_ns=step_ns, growth_look_ns=2 * S, way_ns=way_ns)
    began_ns = server.now_ns

    done = climb(server)

    assert done.reason == "growing"
    assert server.now_ns - began_ns < 60 * S
    assert done.step_ns >= step_ns * 9 // 10


@pytest.mark.parametrize(("took_ns", "counts_ns"), [(S, S // 8), (2 * S, S)])
def test_what_took_longer_than_its_way_has_waited_for_others_and_counts_as_growth(took_ns, counts_ns):
    view = growing_view(way_ns=S, last_entry_ns=9 * S, last_entry_sent_ns=9 * S - took_ns)

    assert grown_ns(view, stall_ns=S, moved_ns=S) == counts_ns


def test_behind_a_worker_that_was_overtaken_no_plateau_is_waited_for():
    """The first of two workers is busy; what comes to the second starts at once."""
    view = View(
        now_ns=10 * S,
        offered=6,
        connecting=0,
        established=6,
        entered=5,
        in_service=5,
        last_entry_ns=10 * S - MS,
        last_entry_sent_ns=10 * S - 2 * MS,
        last_sent_ns=10 * S - 2 * MS,
        max_offered=100,
        max_entry_gap_ns=500 * MS,
        depth=0,
        limit=127,
    )
    state = State(stage="fill", entered=4, batch=2, taken=5, stalled_since_ns=9 * S, longest_stall_ns=500 * MS)

    at_once, state = decide(view, state)
    also_stuck = replace(view, offered=7, established=7, last_sent_ns=10 * S)
    soon, state = decide(replace(also_stuck, now_ns=10 * S + 10 * MS), state)
    later, state = decide(replace(also_stuck, now_ns=10 * S + 25 * MS), state)

    assert at_once == Open(1)
    assert isinstance(soon, Wait)
    assert later == Open(1)


def test_our_own_failure_ends_the_ramp():
    server = Simulated(pool=5, limit=8)
    server.open(2)
    view = server.view(100)

    done, _ = decide(replace(view, ended={Outcome.FAILED: 1}), State())

    assert isinstance(done, Done)
    assert done.reason == "our side"


QUEUED = View(
    now_ns=10 * S,
    offered=101,
    connecting=1,
    established=100,
    entered=4,
    in_service=4,
    last_entry_ns=5 * S,
    last_sent_ns=10 * S - 60 * MS,
    max_offered=1000,
    depth=96,
    limit=127,
)


def test_unequally_filled_listeners_count_what_outlives_the_first_repetition_as_syn():
    # Room in the sum, none where these SYNs were sent: the depth never reaches the limit.
    view = replace(QUEUED, offered=103, connecting=3, last_sent_ns=10 * S - 500 * MS, limit=128)
    state = State(stage="fill", entered=4, depth=96, stalled_since_ns=5 * S)

    early, _ = decide(view, state)
    late, _ = decide(replace(view, now_ns=11 * S), state)

    assert isinstance(early, Wait)
    assert late == Done("syn", 5 * S)


def test_where_one_listener_of_several_is_full_the_others_are_filled_too():
    view = replace(QUEUED, one_full=True)
    state = State(stage="fill", entered=4, depth=96, taken=4, filled_from=4, stalled_since_ns=5 * S)

    unconfirmed, _ = decide(replace(view, last_sent_ns=10 * S - 10 * MS), state)
    more, _ = decide(view, state)
    nearly, _ = decide(replace(view, depth=127, established=131, connecting=20, offered=151), state)
    all_full, _ = decide(replace(view, depth=128, established=132, connecting=20, offered=152), state)
    no_end, _ = decide(replace(view, connecting=127, offered=227), state)

    assert isinstance(unconfirmed, Wait)
    assert (more, nearly) == (Open(8), Open(3))
    assert all_full == no_end == Done("syn", 5 * S)


def test_a_syn_lost_to_a_full_queue_counts_also_when_no_more_may_be_offered():
    view = replace(QUEUED, max_offered=101, limit=95)
    state = State(stage="fill", entered=4, depth=96, taken=4, filled_from=4, stalled_since_ns=5 * S)

    done, _ = decide(view, state)

    assert done == Done("syn", 5 * S)


@given(
    pool=st.integers(1, 100),
    limit=st.integers(0, 150),
    userspace=st.none() | st.integers(0, 100),
    entry_ns=st.integers(10_000, 20 * MS),
    beyond=st.sampled_from(["wait", "reject"]),
    known=st.booleans(),
    max_offered=st.integers(1, 400),
)
@settings(max_examples=150, deadline=None)
def test_the_ramp_ends_at_the_exact_ceiling_and_loses_no_syn_on_the_way(
    pool, limit, userspace, entry_ns, beyond, known, max_offered
):
    server = Simulated(pool, limit, userspace, entry_ns, beyond, known)

    done = climb(server, max_offered)

    assert server.entered == min(pool, server.offered)
    if known:
        assert server.lost_with_room_behind == 0
    if done.reason == "max-offered":
        assert server.offered == max_offered
    elif done.reason == "syn":
        assert server.depth == limit + 1
        assert userspace == server.accepted
        beyond_all = min(3, max_offered - (pool + userspace + limit + 1))
        # Unseen, a queue is overrun by as many as were sent before the first went unanswered.
        assert len(server.unanswered) == beyond_all if known else len(server.unanswered) >= beyond_all
    else:
        assert beyond == "reject"
        assert userspace is not None
        assert server.accepted == userspace


@given(
    st.builds(
        View,
        now_ns=st.integers(0, 100 * S),
        offered=st.integers(0, 200),
        connecting=st.integers(0, 200),
        established=st.integers(0, 200),
        entered=st.integers(0, 200),
        in_service=st.integers(0, 200),
        last_entry_ns=st.integers(0, 100 * S),
        last_sent_ns=st.integers(0, 100 * S),
        max_offered=st.just(200),
        max_entry_gap_ns=st.integers(0, S),
        depth=st.none() | st.integers(0, 300),
        limit=st.none() | st.integers(0, 300),
        ended=st.dictionaries(st.sampled_from(Outcome), st.integers(0, 10)),
    ),
    st.sampled_from(["climb", "fill", "single"]),
    st.integers(0, 100 * S),
)
def test_whatever_the_view_is_no_more_is_opened_than_may_be_offered(view, stage, since):
    action, _ = decide(view, State(stage=stage, stalled_since_ns=since))

    if isinstance(action, Open):
        assert 0 < action.count <= view.max_offered - view.offered


BEHIND = View(
    now_ns=10 * S,
    offered=20,
    connecting=0,
    established=20,
    entered=4,
    in_service=4,
    last_entry_ns=5 * S,
    last_sent_ns=9 * S,
    max_offered=500,
    depth=0,
    limit=511,
    room_behind=17,
)
FILLS = State(stage="fill", batch=64, entered=4, taken=20, stalled_since_ns=6 * S)


def test_what_is_opened_at_once_is_half_of_what_the_queue_behind_a_front_has_room_for():
    action, _ = decide(BEHIND, FILLS)

    assert action == Open(8)


def test_into_a_full_queue_behind_a_front_one_is_sent_to_see_what_it_gets():
    full = replace(BEHIND, room_behind=0)
    action, state = decide(full, FILLS)

    assert action == Open(1)
    # It waits in the front, so more of them do no harm.
    for offered, count in ((21, 2), (23, 4)):
        action, state = decide(replace(full, offered=offered, established=offered), state)
        assert action == Open(count)


def test_what_was_opened_last_may_come_through_a_front_before_more_is_opened():
    action, _ = decide(replace(BEHIND, last_sent_ns=10 * S - 5 * MS), FILLS)

    assert isinstance(action, Wait)
