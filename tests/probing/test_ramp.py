"""The ramp against a server that is a pure function model: every decision, no clock, no socket."""

from __future__ import annotations

from dataclasses import replace

import pytest
from simulated_server import Simulated, Watched, climb

from holdfast.model.places import Outcome
from holdfast.model.units import MS
from holdfast.model.units import NS_PER_S as S
from holdfast.probing.ramp import decide
from holdfast.probing.ramp_state import Done, Open, State, View, Wait


def test_a_server_that_accepts_everything_one_by_one_loses_no_syn_to_its_short_queue():
    server = Simulated(pool=10, limit=5, userspace=None, accept_ns=MS // 3)

    done = climb(server, max_offered=500)

    assert done.reason == "max-offered"
    assert not server.unanswered
    assert server.repeated == 0


def test_a_pool_of_ten_and_a_queue_of_129_end_in_syn_within_a_quarter_of_a_second():
    server = Simulated(pool=10, limit=128)
    begin = server.now_ns

    done = climb(server)

    assert done.reason == "syn"
    assert (server.entered, server.depth, len(server.unanswered)) == (10, 129, 3)
    assert server.now_ns - begin < 250 * MS


def test_a_thousand_threads_with_no_bound_met_are_all_in_service():
    server = Simulated(pool=10**6, limit=128)
    begin = server.now_ns

    done = climb(server, max_offered=1000)

    assert (done.reason, done.plateau_ns, server.entered) == ("max-offered", 0, 1000)
    assert server.now_ns - begin < 1500 * MS


def test_an_unbounded_queue_in_the_server_is_fed_up_to_the_most_that_may_be_offered():
    server = Simulated(pool=40, limit=2048, userspace=None)
    begin = server.now_ns

    done = climb(server)

    assert (done.reason, server.entered, server.offered, server.depth) == ("max-offered", 40, 5000, 0)
    assert server.now_ns - begin < 500 * MS


def test_a_bounded_queue_in_the_server_is_passed_and_the_accept_queue_behind_it_filled():
    server = Simulated(pool=4, limit=1024, userspace=96)

    done = climb(server)

    assert done.reason == "syn"
    assert (server.entered, server.accepted, server.depth) == (4, 96, 1025)


def test_a_server_that_forks_slowly_is_not_outrun():
    server = Simulated(pool=100, limit=16, entry_ns=15 * MS)

    done = climb(server)

    assert (done.reason, server.entered, server.lost_with_room_behind) == ("syn", 100, 0)


def test_a_server_that_rejects_what_it_cannot_take_is_turned_away_from():
    server = Simulated(pool=10, limit=2048, beyond="reject")

    done = climb(server)

    assert (done.reason, server.entered) == ("turned away", 10)


def test_requests_are_offered_one_by_one_where_handlers_start_quickly():
    server = Watched(pool=200, limit=128, beyond="reject")

    done = climb(server)

    assert (done.reason, done.crowd, server.entered) == ("turned away", 1, 200)
    assert server.most_on_their_way == 1


def test_where_handlers_start_slowly_several_are_offered_at_once_and_the_ramp_says_so():
    server = Watched(pool=500, limit=128, entry_ns=20 * MS, beyond="reject")

    done = climb(server)

    assert (done.reason, server.entered) == ("turned away", 500)
    assert 1 < done.crowd <= server.most_on_their_way <= 64


def test_handlers_in_own_processes_start_several_at_once_and_are_still_counted_exactly():
    server = Watched(pool=100, limit=128, entry_ns=8 * MS, beyond="reject", forks=True)

    done = climb(server)

    assert (done.reason, done.crowd, server.entered) == ("turned away", 1, 100)
    assert 2 < server.most_on_their_way <= 12


def test_requests_that_are_stuck_behind_a_busy_worker_do_not_slow_the_ramp():
    server = Simulated(pool=50, limit=128, userspace=8, company=4)
    begin = server.now_ns

    done = climb(server)

    assert (done.reason, server.entered, server.accepted, server.depth) == ("syn", 50, 8, 129)
    assert server.now_ns - begin < 4 * S


def test_a_queue_that_cannot_be_seen_still_gives_ceiling_and_syn():
    server = Simulated(pool=10, limit=16, known=False)

    done = climb(server)

    assert done.reason == "syn"
    assert (server.entered, server.depth) == (10, 17)


@pytest.mark.parametrize("limit", [0, 1, 2, 3, 7, 4096])
def test_every_size_of_accept_queue_is_filled_to_one_more_than_its_limit(limit):
    server = Simulated(pool=3, limit=limit)

    done = climb(server)

    assert (done.reason, server.entered, server.depth) == ("syn", 3, limit + 1)


def test_a_slot_that_is_entered_while_the_queue_is_filled_sends_the_ramp_back():
    server = Simulated(pool=5, limit=8)
    state = State()
    while state.stage != "fill":
        action, state = decide(server.view(100), state)
        if isinstance(action, Open):
            server.open(action.count)
        server.pass_time(MS)

    server.pool += 1
    server.pass_time(5 * MS)
    _, state = decide(server.view(100), state)

    assert state.stage == "climb"


def test_of_a_batch_that_was_turned_away_together_the_last_place_is_looked_for_one_by_one():
    """Ten places and a bound of ten on connections, those included that are about to be turned away."""
    view = View(
        now_ns=10 * S,
        offered=16,
        connecting=0,
        established=9,
        entered=4,
        in_service=4,
        last_entry_ns=5 * S,
        last_sent_ns=10 * S - MS,
        max_offered=100,
        depth=0,
        limit=127,
        ended={Outcome.REJECTED: 7},
    )
    state = State(stage="fill", entered=4, batch=8, taken=9, stalled_since_ns=5 * S)

    _, state = decide(replace(view, established=15, ended={Outcome.REJECTED: 1}), state)
    _, state = decide(view, state)
    one_more, state = decide(replace(view, now_ns=10 * S + 30 * MS), state)
    waits = replace(view, offered=17, established=10, last_sent_ns=10 * S + 30 * MS, now_ns=10 * S + 40 * MS)
    _, state = decide(waits, state)
    on_plateau, state = decide(replace(waits, now_ns=11 * S + 50 * MS), state)

    assert one_more == Open(1)
    assert on_plateau == Open(1)

    for turned_away in range(8, 12):
        now = 12 * S + turned_away * 100 * MS
        gone = replace(waits, now_ns=now, offered=10 + turned_away, ended={Outcome.REJECTED: turned_away})
        just_gone, state = decide(gone, state)
        next_one, state = decide(replace(gone, now_ns=now + 30 * MS), state)
        assert (type(just_gone), next_one) == (Wait, Open(1))
    done, _ = decide(replace(gone, now_ns=14 * S, offered=22, ended={Outcome.REJECTED: 12}), state)
    assert done == Done("turned away", 5 * S)


@pytest.mark.parametrize("beyond", ["wait", "reject"])
def test_with_many_descriptors_left_hundreds_start_together_and_the_last_place_is_still_found(beyond):
    alone, together = (Watched(pool=500, limit=2048, beyond=beyond, roomy=roomy) for roomy in (False, True))

    slow, quick = climb(alone), climb(together)

    assert (together.entered, quick.reason, quick.crowd) == (500, slow.reason, 1)
    assert alone.most_on_their_way < 16 < together.most_on_their_way or beyond == "wait"
    assert together.now_ns < alone.now_ns


@pytest.mark.parametrize("userspace", [0, 3, None])
@pytest.mark.parametrize("beyond", ["wait", "reject"])
def test_a_server_that_is_seen_to_sleep_gives_the_same_answer_sooner(userspace, beyond):
    if beyond == "reject" and userspace is None:
        pytest.skip("a queue without a bound turns nothing away")
    watched, slept = (Simulated(pool=4, limit=16, userspace=userspace, beyond=beyond, sleeps=is_) for is_ in (0, 1))

    long, short = climb(watched, max_offered=300), climb(slept, max_offered=300)

    assert (slept.entered, short.reason) == (watched.entered, long.reason) == (4, long.reason)
    assert slept.depth == watched.depth
    assert slept.lost_with_room_behind == 0
    assert slept.now_ns - 10 * S < (watched.now_ns - 10 * S) * 0.7
