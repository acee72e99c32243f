"""The probe's ramp: how many connections to open next, decided from one look at both sides. Pure.

It takes a view and a state, and returns an action and a state. It knows no socket, no clock and no server's name.

Facts
-----
* A listening socket's accept queue holds limit + 1 connections. Only a SYN that meets a full queue is lost, and the
  kernel sends it again after about a second: a ramp that loses one needlessly waits for that second, or takes it for a
  ceiling.
* Requests that wait for a busy server are in the accept queue, in the server's own queue, or in both; only the accept
  queue's depth can be seen from outside.
* A handler starts 0.2 ms after its connection (a thread) or 15 ms after it (a fork). On a busy machine a server can
  stand still for a second (measured) because it gets no core.
* Requests that start together may keep each other out. Of 252 descriptors, each view that opens its own event loop
  takes four, one after another: the connection, an epoll, a pair of sockets. One by one, 63 get in and the 64th is not
  even accepted. If eight arrive at once with eight descriptors left, each gets some of them, all fail with HTTP 500,
  and what they took stays taken until Python's collector finds their tracebacks: 62 are in, sometimes 61, and nothing
  waits. Both results are true; only the first is the same every time.

Decisions
---------
* climb: open the next connection only when the handler of the last one has started, as long as that is quick. Only
  after ALONE_NS, not counting time without a core, open more at once: a sixteenth of those that are in, and at most
  half of the accept queue, so that every connection is taken. From SOME on, where no process is near its limit of
  descriptors, it is a quarter; near one, at most a quarter of those that fit. Requests that start together for lack of
  which none of them gets all that it needs may leave some taken for good (an event loop that could not be made).
  Handlers that each have a process of their own do not take from each other; of them, an eighth may start at once. As
  many as were seen to start together before, each time that it was tried, may do so again.
* A plateau: nothing has entered while requests waited, for several times the longest pause between entries so far, and
  the queue has not become shorter. Time in which the server was kept from running does not count. What the first
  requests needed from the server to the view (authentication, a dependency, middleware), and a pause that was seen to
  end, must fit into it, and half as much again (`ramp_pace`).
* A pool may grow: some servers add a thread or a process every second or every few while all are busy. Any plateau
  lets the ramp fill the queues, but it ends only on one that was longer than any step so far, and half as much again,
  and where the pool may grow, as long as that may need (`growth_look_ns`). A new worker that has run nothing yet is a
  step too, since it may need long to load the application.
* A pool that never stops growing, or starts one handler after another so slowly that it looks like that, is left after
  `growth_most_ns` of such steps, with what is in service by then.
* Asleep: a server of which no thread has run for a while, and none could run, has done with what it was sent all that
  it will do. Then no plateau, and no pause that only gives it time, needs to last longer. It does not count where the
  way to the view takes long, since a request may then wait for something outside the server, and where pools grow.
* Where that way takes long, to start them one by one would take as many times as long. Then half as many as are in may
  be on their way, and of many, as many as are in, however short the accept queue: what has been accepted takes no room
  there. What they need on their way may be what handlers hold (threads of one
  pool, for a dependency and for the view): then they pass in as many turns as that is short of, and a plateau allows
  for LONG_WAY_TURNS of these.
* fill: only then fill the queues, with one more connection at first, then four times as many each time and at most
  half of what is free. The depth confirms each batch before the next one; where the server accepts the batch, it is
  given time to start. Open three connections beyond a full queue only if it stays full: a server that accepts
  everything, but one after another, has a full queue too when it pauses (40 ms seen: one thread accepts and reads
  while twenty hold requests).
* A front answers with an error where the queue of a Unix socket behind it is full. So at most half of what is free
  there is opened at once too, with the time to arrive. Beyond a full one, one at first; if it waits, twice as many.
* An unanswered SYN is a place, because a client waits there: the kernel has dropped its SYN at a full accept queue, no
  process of the server knows of it, and the client tries again after 1, 3 and 7 s. It is how the last queue ends, so it
  is counted, not assumed. BEYOND = 3 of them: one alone could have met the queue in the instant before the server
  accepted from it; none of three is let in for BEYOND_NS only where the queue is full and stays so. More would show
  nothing new, and each costs the kernel and the client a repeated SYN.
* Of several processes that accept, one that is full may accept each single connection before another one, which has
  room, has woken up (four gunicorn workers with a thread each: one or two of them in one run out of two had run nothing
  after sixty requests). Once, and again when a worker has come, those that are full are stopped for a moment
  (`dealing`); then, as long as there are such, a few for each are opened at once.
* single: once requests are turned away, offer one at a time, each after the last one has been gone for a while in which
  the server had a core, because a thread or process that is ending still counts for a moment. Only requests offered
  like this count: of a batch that is on its way together, some servers turn away more than they have no place for (a
  limit on connections may include those that are about to be turned away). Where several processes accept, a full one
  turns requests away while another has room, so many must be tried, and more where one has started fewer than another.
  What a server turns away only after it has let it wait (a front that waits for a connection) has tried for a place all
  that time. So once one alone took SLOW_NS for it, the rest is offered side by side, when all others are gone; and one
  that waits is no sign of a queue with room before it has waited for longer than the last that was turned away. Where
  more are turned away than were offered last, requests that waited have been, so the count begins anew.
* Where one is turned away and a later one is let in, again and again while no place is given back, what turns them away
  counts requests over a time, and no more of them would fill anything (`ramp_let_in`).
* Any new entry puts the ramp back to climb. Requests that still wait then are stuck, and do not count as on their way:
  a server may give a request to a busy worker while another worker is idle.
* Once a request that was sent later has overtaken those that wait, each further one that does not start at once is
  stuck behind the same worker: OVERTAKEN_NS is enough to offer the next. It still takes a plateau to conclude that
  nothing enters any more.

Costs
-----
* 1 ms for each handler, where bursts of 64 took 0.7 ms (a server with a thread for each of 1,000).
* Several listeners on one port (SO_REUSEPORT) fill unevenly, and the kernel sends a lost SYN to the same full listener
  again. So connections are opened until each queue is full, or until as many SYNs are lost as the queues hold together:
  a worker whose queue is full has no free place left, and before that, that is unknown. Of two queues of 129, the last
  one is full when some 13 SYNs are lost (the spread of 258 coin tosses).
* Where it is not known whether a queue is full, a SYN that has outlived its first repetition counts as beyond it: 1.2 s
  instead of 50 ms.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from holdfast.model.places import TURNED_AWAY, Outcome
from holdfast.model.ramp import RampReason
from holdfast.model.timeline import NEVER
from holdfast.model.units import MS, NS_PER_S
from holdfast.probing.ramp_let_in import is_by_time, with_one_let_in, with_the_last_entered
from holdfast.probing.ramp_pace import (
    LONG_WAY_NS,
    brought_about_ns,
    grown_ns,
    is_final,
    let_wait_ns,
    may_deal,
    on_plateau,
    on_their_way,
    step_ns,
    stuck_too,
    through,
    varied,
    waited_ns,
)
from holdfast.probing.ramp_state import Action, Deal, Done, Open, Stage, State, View, Wait

MAX_BATCH = 64
ALONE_NS = 2 * NS_PER_S
TOGETHER = 16
LONG_WAY_TURNS = 6
SOME = 32
QUARTER = 4
MANY = 64
APART = 8
TO_EACH = 16
BEYOND = 3
BEYOND_NS = 50 * MS
CONFIRM_NS = 20 * MS
RID_NS = 5 * MS
TAKES_IN_NS = 250 * MS
SYN_REPEATED_NS = 1200 * MS
LONGEST_WAIT_NS = 15 * NS_PER_S
LOOK_NS = 1 * MS
QUICK_LOOK_NS = MS // 5
QUICK_NS = 5 * MS


def decide(view: View, state: State) -> tuple[Action, State]:
    """The ramp's next step.

    Args:
        view: one look, taken after the last action was carried out.
        state: what the last call returned; `State()` at first.
    """
    state = _updated(view, state)
    if view.ended.get(Outcome.FAILED, 0):
        return _done("our side", state), state
    if view.cut:
        # Places become free again by themselves, so there is no ceiling to find.
        return _done("ended by the server", state), state
    if state.stalled_since_ns != NEVER and state.grew_ns >= view.growth_most_ns:
        return _done("growing", state), state
    if is_by_time(view, state):
        return _done("let in later", state), state
    if state.stage in ("climb", "fill") and view.offered >= view.max_offered:
        return _all_offered(view, state)
    return _STEPS[state.stage](view, state)


def _updated(view: View, state: State) -> State:
    """The state brought up to date with what has moved since the last look."""
    depth = view.depth or 0
    turned_away = sum(view.ended.get(outcome, 0) for outcome in TURNED_AWAY)
    waiting = on_their_way(view)
    waits, stuck = waiting > 0, min(state.stuck, waiting)
    since, longest, stage = state.stalled_since_ns, state.longest_stall_ns, state.stage
    turned_away_ns, singles_from, crowd = state.turned_away_ns, state.singles_from, state.crowd
    overtaken, singly, let_in = state.overtaken, state.singly, state.let_in
    taken, stall_ns, moved_ns = max(state.taken, view.established - depth), 0, 0
    if view.entered > state.entered:
        if since != NEVER:
            stall_ns = view.last_entry_ns - max(since, view.last_entry_sent_ns, brought_about_ns(view))
            moved_ns = step_ns(view, state, stall_ns)
            overtaken |= waits and stage == "fill" and view.last_entry_sent_ns > since
        since = view.last_entry_ns
        if stage == "fill":
            stage, stuck = "climb", waiting
        singles_from = turned_away
        let_in = with_the_last_entered(view, state)
    elif view.born_ns > state.born_ns and since != NEVER:
        stall_ns = view.born_ns - since
        moved_ns, since = step_ns(view, state, stall_ns), view.born_ns
    elif depth < state.depth:
        since = view.now_ns
    if not waits:
        since = NEVER
    elif since == NEVER:
        since = view.now_ns
    if turned_away > state.turned_away:
        turned_away_ns = view.now_ns
        crowd = max(crowd, state.together)
        if stage != "single" or turned_away - state.answered_for > state.asked:
            stage, singly = "single", False
    return replace(
        state,
        stage=stage,
        began_ns=state.began_ns or view.now_ns,
        entered=view.entered,
        depth=depth,
        taken=taken,
        taken_ns=view.now_ns if taken > state.taken else state.taken_ns,
        turned_away=turned_away,
        turned_away_ns=turned_away_ns,
        turned_away_free_ns=state.turned_away_free_ns if turned_away_ns == state.turned_away_ns else view.free_ns or 0,
        stalled_since_ns=since,
        longest_stall_ns=max(longest, moved_ns),
        grew_ns=state.grew_ns + grown_ns(view, stall_ns, moved_ns),
        born_ns=max(state.born_ns, view.born_ns),
        stalled_free_ns=state.stalled_free_ns if since == state.stalled_since_ns else view.free_ns or 0,
        stuck=stuck,
        overtaken=overtaken and stuck > 0,
        singly=singly,
        singles_from=singles_from,
        crowd=crowd,
        let_in=let_in,
    )


def _done(reason: RampReason, state: State) -> Done:
    return Done(reason, state.stalled_since_ns, state.crowd, state.longest_stall_ns)


def _uneven(view: View) -> bool:
    """One of several queues is full, another not, and too few SYNs were lost to take it for unreachable."""
    return view.one_full and not view.queue.full and view.connecting < max(MAX_BATCH, view.limit or 0)


def _stays_full(view: View, state: State) -> bool:
    """Whether an accept queue is full, and not just because the server was busy with something else for a moment."""
    if not (view.queue.full or view.one_full):
        return False
    pauses = state.taken > state.filled_from and view.now_ns - state.taken_ns < TAKES_IN_NS
    return view.sleeps or (not pauses and waited_ns(view, view.last_sent_ns, state.opened_free_ns) >= CONFIRM_NS)


def _open(count: int, view: View, state: State, together: int = 1) -> tuple[Action, State]:
    return Open(count), replace(
        state,
        together=together,
        batch=min(4 * state.batch, MAX_BATCH),
        asked=count,
        expected_depth=(view.depth or 0) + count,
        answered_for=state.turned_away,
        opened_free_ns=view.free_ns or 0,
    )


def _together(view: View, state: State) -> int:
    """How many requests may be on their way to a handler at once."""
    if view.way_ns >= LONG_WAY_NS:
        most = max(min(2, view.entered + 1), view.entered if view.entered >= MANY else view.entered // 2)
    elif _apart(view):
        most = max(1, view.entered // APART)
    elif view.entered < state.known:
        most = state.known - view.entered
    elif view.roomy and view.entered >= SOME:
        most = view.entered // QUARTER
    elif view.now_ns - state.began_ns >= ALONE_NS * view.slowed:
        most = max(1, view.entered // TOGETHER)
    else:
        return 1
    # What has been accepted takes no room in the accept queue, however long it is on its way.
    limit = None if view.way_ns >= LONG_WAY_NS else view.limit
    rooms = [each // 2 for each in (limit, view.room_behind) if each is not None]
    if view.fits is not None and view.entered >= state.known:
        rooms.append(view.fits // QUARTER)
    return min(most, max(1, min(rooms, default=most)))


def _apart(view: View) -> bool:
    """Whether each handler has a process of its own, so that none takes what another needs."""
    return view.processes == view.entered > APART


def _unhindered(view: View) -> bool:
    """Whether requests that start together do not keep each other out for good: only descriptors may stay taken."""
    return view.roomy and view.way_ns < LONG_WAY_NS


def _climb(view: View, state: State) -> tuple[Action, State]:
    starting = on_their_way(view) - state.stuck
    count = min(_together(view, state) - starting, view.max_offered - view.offered)
    if view.way_ns >= LONG_WAY_NS and view.queue.room is not None:
        count = min(count, max(0 if view.depth else 1, view.queue.room // 2))
    if count > 0:
        return _open(count, view, state, 1 if _apart(view) or _unhindered(view) else starting + count)
    turns = max(1, min(starting, LONG_WAY_TURNS)) if view.way_ns >= LONG_WAY_NS else 1
    if on_plateau(view, state, turns) or stuck_too(view, state):
        batch = max(1, TO_EACH * view.untried)
        return _deal_or_fill(view, replace(state, stage="fill", batch=batch, filled_from=state.taken))
    return Wait(QUICK_LOOK_NS if view.now_ns - view.last_sent_ns < QUICK_NS else LOOK_NS), state


def _deal_or_fill(view: View, state: State) -> tuple[Action, State]:
    if may_deal(view, state):
        return Deal(view.max_offered - view.offered), replace(state, dealt=view.takers)
    return _fill(view, state)


def _fill(view: View, state: State) -> tuple[Action, State]:
    if view.connecting:
        return _beyond(view, state)
    most = view.max_offered - view.offered
    if view.room_behind is not None:
        if view.now_ns - view.last_sent_ns < CONFIRM_NS:
            return Wait(LOOK_NS), state
        pressed = 0 if view.room_behind else max(1, 2 * state.pressed)
        state, most = replace(state, pressed=pressed), min(most, pressed or max(1, view.room_behind // 2))
    if view.queue.full:
        return _open(min(BEYOND, most), view, state) if _stays_full(view, state) else (Wait(LOOK_NS), state)
    taken_in = view.depth is None or view.depth < state.expected_depth
    # An accepted request may be about to start. A server that accepted four times as many each time accepts everything.
    may_start = waited_ns(view, view.last_sent_ns, state.opened_free_ns) < CONFIRM_NS and not through(view)
    if taken_in and state.batch < MAX_BATCH and may_start:
        return Wait(LOOK_NS), state
    room = view.queue.room
    if room is None:
        return _open(min(state.batch, most), view, state)
    return _open(min(state.batch, max(1, room // 2), most), view, state)


def _beyond(view: View, state: State) -> tuple[Action, State]:
    """The next step while SYNs are unanswered: is it because no queue takes them any more?"""
    since_last_ns = view.now_ns - view.last_sent_ns
    beyond = _stays_full(view, state) or since_last_ns >= SYN_REPEATED_NS
    if beyond and _uneven(view):
        most = min(MAX_BATCH, view.max_offered - view.offered)
        return _open(min(max(BEYOND, (view.queue.room or 0) // 4), most), view, state)
    if beyond and view.connecting < BEYOND:
        return _open(min(BEYOND - view.connecting, view.max_offered - view.offered), view, state)
    since_opened_ns = waited_ns(view, view.last_sent_ns, state.opened_free_ns)
    if beyond and (view.sleeps or since_opened_ns >= BEYOND_NS) and is_final(view, state):
        return _done("syn", state), state
    return Wait(LOOK_NS), state


def _single(view: View, state: State) -> tuple[Action, State]:
    missing = view.turned_away_enough - (state.turned_away - state.singles_from)
    enough = state.singly and missing <= 0
    if enough and is_final(view, state):
        return _done("turned away", state), state
    if enough or not _gone_for_a_while(view, state):
        return Wait(LOOK_NS), state
    if view.offered >= view.max_offered:
        return _all_offered(view, state)
    count, under_way = _to_ask(view, state, missing)
    if count > 0 and view.connecting == 0:
        if not state.singly:
            state = replace(state, singly=True, singles_from=state.turned_away)
        action, opened = _open(count, view, state)
        return action, replace(opened, asked=under_way + count)
    if on_plateau(view, state) and view.now_ns - view.last_sent_ns >= min(varied(let_wait_ns(view)), LONGEST_WAIT_NS):
        # It waits, so there is a queue after all, and bursts do no harm.
        let_in = with_one_let_in(view, state)
        return _fill(view, replace(state, stage="fill", batch=1, filled_from=state.taken, let_in=let_in))
    return Wait(LOOK_NS), state


def _to_ask(view: View, state: State, missing: int) -> tuple[int, int]:
    """How many requests to offer to see them turned away, and how many such are under way."""
    none_left = view.established <= view.in_service
    if not state.singly:
        return int(state.turned_away > state.answered_for or none_left), 0
    under_way = 0 if none_left else max(0, state.asked - (state.turned_away - state.answered_for))
    if not let_wait_ns(view) or state.turned_away == state.singles_from:
        return int(not under_way), 0
    rooms = [(each + 1) // 2 for each in (view.queue.room, view.room_behind) if each is not None]
    return min(missing - under_way, view.max_offered - view.offered, *rooms), under_way


def _gone_for_a_while(view: View, state: State) -> bool:
    """Whether the server has had time to finish with the last request it turned away, thread or process included.

    Where requests wait before they are turned away, others that came after it may follow.
    """
    gone_ns = view.now_ns - state.turned_away_ns
    if waits_ns := let_wait_ns(view):
        return gone_ns >= waits_ns // 4
    free_ns = gone_ns if view.free_ns is None else view.free_ns - state.turned_away_free_ns
    return through(view) or (gone_ns >= CONFIRM_NS and free_ns >= RID_NS)


def _all_offered(view: View, state: State) -> tuple[Action, State]:
    full = view.queue.full or view.one_full
    undecided = view.connecting > 0 and not full and view.now_ns - view.last_sent_ns < SYN_REPEATED_NS
    settled = on_plateau(view, state) and is_final(view, state) and not undecided
    if state.stalled_since_ns == NEVER or settled:
        lost = view.connecting > 0 and full
        return _done("syn" if lost else "max-offered", state), state
    return Wait(LOOK_NS), state


_STEPS: Mapping[Stage, Callable[[View, State], tuple[Action, State]]] = {
    "climb": _climb,
    "fill": _deal_or_fill,
    "single": _single,
}
