"""The ramp against a server that is a pure function model: every decision, no clock, no socket."""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass, field, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.model.places import Outcome
from holdfast.model.units import MS
from holdfast.model.units import NS_PER_S as S
from holdfast.probe.ramp import decide
from holdfast.probe.ramp_state import Done, Open, State, View, Wait

LONG_NS = 600 * S


@dataclass
class Simulated:
    """A server with a pool, a queue of its own, an accept queue, and time that only the ramp moves.

    Attributes:
        userspace: how many it accepts beyond its pool; None is without bound.
        entry_ns: from one handler's start to the next one's.
        accept_ns: from one connection that it takes in to the next one.
        beyond: what it does with connections that its own queue cannot take: leave them in the
            accept queue, or reject them.
        company: a handler starts only while so many wait for it.
        forks: each handler has a process of its own.
    """

    pool: int
    limit: int
    userspace: int | None = 0
    entry_ns: int = 200_000
    beyond: str = "wait"
    known: bool = True
    company: int = 1
    forks: bool = False
    accept_ns: int = 0

    now_ns: int = 10 * S
    offered: int = 0
    depth: int = 0
    accepted: int = 0
    entered: int = 0
    rejected: int = 0
    last_entry_ns: int = 0
    free_at_ns: int = 0
    accepts_at_ns: int = 0
    last_sent_ns: int = 0
    unanswered: deque[int] = field(default_factory=deque)
    lost_with_room_behind: int = 0
    repeated: int = 0

    def takes(self) -> bool:
        if self.beyond == "reject" or self.userspace is None:
            return True
        return self.accepted + self.entered < self.pool + self.userspace

    def open(self, count: int) -> None:
        self.offered += count
        self.last_sent_ns = self.now_ns
        for _ in range(count):
            self.arrive()

    def arrive(self) -> None:
        if self.depth > self.limit:
            self.lost_with_room_behind += self.entered < self.pool
            self.unanswered.append(self.now_ns + S)
            self.repeated += 1
        else:
            self.depth += 1

    def pass_time(self, duration_ns: int) -> None:
        end = self.now_ns + duration_ns
        while True:
            while self.depth and self.takes() and self.accepts_at_ns <= self.now_ns:
                self.depth -= 1
                self.accepts_at_ns = self.now_ns + self.accept_ns
                if self.userspace is not None and self.accepted + self.entered >= self.pool + self.userspace:
                    self.rejected += 1
                else:
                    self.accepted += 1
            starts = self.accepted >= self.company and self.entered < self.pool
            next_ns = max(self.now_ns, self.free_at_ns + self.entry_ns) if starts else end
            if self.unanswered:
                next_ns = min(next_ns, self.unanswered[0])
            if self.depth and self.takes():
                next_ns = min(next_ns, self.accepts_at_ns)
            if next_ns >= end:
                self.now_ns = end
                return
            self.now_ns = next_ns
            if self.unanswered and self.unanswered[0] <= next_ns:
                self.unanswered.popleft()
                self.arrive()
            elif starts and next_ns >= self.free_at_ns + self.entry_ns:
                self.accepted -= 1
                self.entered += 1
                self.free_at_ns = self.last_entry_ns = next_ns

    def view(self, max_offered: int) -> View:
        return View(
            now_ns=self.now_ns,
            offered=self.offered,
            connecting=len(self.unanswered),
            established=self.offered - len(self.unanswered) - self.rejected,
            entered=self.entered,
            processes=self.entered if self.forks else min(1, self.entered),
            in_service=self.entered,
            last_entry_ns=self.last_entry_ns,
            last_sent_ns=self.last_sent_ns,
            max_offered=max_offered,
            depth=self.depth if self.known else None,
            limit=self.limit if self.known else None,
            ended=Counter({Outcome.REJECTED: self.rejected}),
        )


@dataclass
class Watched(Simulated):
    """Notes the most requests that had been opened and neither entered nor been rejected."""

    most_on_their_way: int = 0

    def open(self, count: int) -> None:
        super().open(count)
        self.most_on_their_way = max(self.most_on_their_way, self.offered - self.entered - self.rejected)


def climb(server: Simulated, max_offered: int = 5000) -> Done:
    """Drives the ramp to its end as the probe does: one turn of half a millisecond after each batch."""
    state = State()
    begin = server.now_ns
    while True:
        action, state = decide(server.view(max_offered), state)
        match action:
            case Open(count):
                assert count > 0
                assert server.offered + count <= max_offered
                server.open(count)
                server.pass_time(MS // 2)
            case Wait(timeout_ns):
                assert timeout_ns > 0
                server.pass_time(timeout_ns)
            case Done():
                return action
        assert server.now_ns - begin < LONG_NS, "the ramp does not end"


def test_a_server_that_takes_in_everything_but_one_after_another_loses_no_syn_to_its_short_queue():
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


def test_handlers_in_processes_of_their_own_start_several_at_once_and_are_exact_all_the_same():
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
    while state.phase != "fill":
        action, state = decide(server.view(100), state)
        if isinstance(action, Open):
            server.open(action.count)
        server.pass_time(MS)

    server.pool += 1
    server.pass_time(5 * MS)
    _, state = decide(server.view(100), state)

    assert state.phase == "climb"


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
    state = State(phase="fill", entered=4, batch=8, taken=9, stalled_since_ns=5 * S)

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
    state = State(phase="single", entered=4, turned_away=enough, turned_away_ns=10 * S - 25 * MS, singly=True)

    one_less, _ = decide(replace(view, turned_away_enough=enough + 1), state)
    done, _ = decide(view, state)

    assert one_less == Open(1)
    assert isinstance(done, Done)


def test_one_more_is_not_offered_before_the_server_could_be_rid_of_the_last_that_it_turned_away():
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
    turned_away = State(phase="single", entered=4, turned_away=1, turned_away_ns=9 * S, turned_away_free_ns=3 * S)

    kept_from_running, state = decide(view, turned_away)
    free_since, _ = decide(replace(view, now_ns=10 * S + MS, free_ns=3 * S + 5 * MS), state)

    assert isinstance(kept_from_running, Wait)
    assert free_since == Open(1)


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
    state = State(phase="fill", entered=4, batch=2, taken=5, stalled_since_ns=9 * S, longest_stall_ns=500 * MS)

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


def test_unequally_filled_listeners_count_what_outlives_the_first_repetition_as_syn():
    # Room in the sum, none where these SYNs were sent: the depth never reaches the limit.
    view = View(
        now_ns=10 * S,
        offered=103,
        connecting=3,
        established=100,
        entered=4,
        in_service=4,
        last_entry_ns=5 * S,
        last_sent_ns=10 * S - 500 * MS,
        max_offered=1000,
        depth=96,
        limit=128,
    )
    state = State(phase="fill", entered=4, depth=96, stalled_since_ns=5 * S)

    early, _ = decide(view, state)
    late, _ = decide(replace(view, now_ns=11 * S), state)

    assert isinstance(early, Wait)
    assert late == Done("syn", 5 * S)


def test_where_one_listener_of_several_is_full_the_others_are_filled_too():
    view = View(
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
        one_full=True,
    )
    state = State(phase="fill", entered=4, depth=96, taken=4, filled_from=4, stalled_since_ns=5 * S)

    unconfirmed, _ = decide(replace(view, last_sent_ns=10 * S - 10 * MS), state)
    more, _ = decide(view, state)
    nearly, _ = decide(replace(view, depth=127, established=131, connecting=20, offered=151), state)
    all_full, _ = decide(replace(view, depth=128, established=132, connecting=20, offered=152), state)
    no_end, _ = decide(replace(view, connecting=127, offered=227), state)

    assert isinstance(unconfirmed, Wait)
    assert (more, nearly) == (Open(8), Open(3))
    assert all_full == no_end == Done("syn", 5 * S)


def test_a_syn_lost_to_a_full_queue_counts_also_when_no_more_may_be_offered():
    view = View(
        now_ns=10 * S,
        offered=101,
        connecting=1,
        established=100,
        entered=4,
        in_service=4,
        last_entry_ns=5 * S,
        last_sent_ns=10 * S - 60 * MS,
        max_offered=101,
        depth=96,
        limit=95,
    )
    state = State(phase="fill", entered=4, depth=96, taken=4, filled_from=4, stalled_since_ns=5 * S)

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
def test_whatever_the_view_is_no_more_is_opened_than_may_be_offered(view, phase, since):
    action, _ = decide(view, State(phase=phase, stalled_since_ns=since))

    if isinstance(action, Open):
        assert 0 < action.count <= view.max_offered - view.offered
