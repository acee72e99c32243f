"""How long the ramp waits before it believes that nothing more enters, by the pauses seen so far. Pure.

The reasons are at the top of `ramp`.
"""

from __future__ import annotations

from holdfast.model.timeline import NEVER
from holdfast.model.units import MS, NS_PER_S
from holdfast.probing.ramp_state import State, View

PLATEAU_GAPS = 8
PLATEAU_MIN_NS = 60 * MS
PLATEAU_MAX_NS = 1 * NS_PER_S
OVERTAKEN_NS = 20 * MS
# So long asleep, and the server is through with what it was sent last.
DONE_NS = 5 * MS
# Of each stall, what the view's `free_ns` may leave out: the time before the first look and after the last.
UNSEEN_NS = 30 * MS
LONG_WAY_NS = 250 * MS
# One alone that took so long to be turned away has waited for a place meanwhile.
SLOW_NS = 500 * MS
# To start some thousands takes twenty turns of such a way, half as many more in each.
A_LONG_WAY = 8
# At most so many times as long may the same take on a machine that is busy with other things.
STARVED = 4


def on_their_way(view: View) -> int:
    """Requests that are offered and have neither ended nor reached a handler."""
    # The accept queue may hold others' connections too.
    return view.connecting + max(view.established - view.in_service, view.depth or 0)


def plateau_needed_ns(view: View, state: State, turns: int = 1) -> int:
    """How long nothing must have entered for it to count as a plateau.

    Args:
        turns: in how many those that wait may come to the view, each of which takes as long as its way.
    """
    if not view.entered:
        return turns * max(PLATEAU_MAX_NS, varied(view.way_ns))
    # The recorder's longest gap includes pauses in which nothing waited, ours includes the time until we looked: the
    # smaller one is closer to what this server needs.
    gap = state.longest_stall_ns
    if view.max_entry_gap_ns:
        gap = min(gap, view.max_entry_gap_ns)
    return max(min(max(PLATEAU_GAPS * gap, PLATEAU_MIN_NS), PLATEAU_MAX_NS), turns * varied(max(gap, view.way_ns)))


def growth_needed_ns(view: View, state: State) -> int:
    """How long nothing must have entered for the number in service to be final."""
    return max(plateau_needed_ns(view, state), view.growth_look_ns, varied(state.longest_stall_ns))


def varied(once_ns: int) -> int:
    """The most that may take next time what took this long."""
    return once_ns * 3 // 2


def brought_about_ns(view: View) -> int:
    """When the request was sent that made the last handler start; NEVER if that was not so.

    It found a place that requests behind a busy worker cannot have, or the server adds a thread when a request comes:
    the stall was our own pause, and says nothing about how handlers start.
    """
    return view.last_sent_ns if 0 <= view.last_entry_ns - view.last_sent_ns < OVERTAKEN_NS else NEVER


def step_ns(view: View, state: State, stall_ns: int) -> int:
    """How long requests had waited when something moved, not counting the time in which the server could not run."""
    if view.free_ns is None:
        return stall_ns
    return min(stall_ns, view.free_ns - state.stalled_free_ns + UNSEEN_NS)


def grown_ns(view: View, stall_ns: int, moved_ns: int) -> int:
    """How much of a step counts as growth: nothing where handlers start at once, little where each needs as long.

    Args:
        stall_ns: how long requests had waited.
        moved_ns: the same as `step_ns` has it. New workers can need all cores to start, and so keep each other from
            running; then all of the time counts.
    """
    if view.born_ns != NEVER:
        return stall_ns if stall_ns > OVERTAKEN_NS else 0
    if moved_ns <= OVERTAKEN_NS:
        return 0
    # One that took longer itself has waited for others: what lets in one after another has no room for those beside it.
    took_ns = moved_ns if view.last_entry_sent_ns == NEVER else view.last_entry_ns - view.last_entry_sent_ns
    of_the_way = view.way_ns >= LONG_WAY_NS and max(moved_ns, took_ns) <= varied(view.way_ns)
    return max(moved_ns, stall_ns // STARVED) // (A_LONG_WAY if of_the_way else 1)


def waited_ns(view: View, since_ns: int, free_ns: int) -> int:
    """How long the server has let requests wait, not counting the time in which it was kept from running.

    Args:
        free_ns: the view's `free_ns` at `since_ns`.
    """
    wall_ns = view.now_ns - since_ns
    return wall_ns if view.free_ns is None else min(wall_ns, view.free_ns - free_ns)


def let_wait_ns(view: View) -> int:
    """How long a request waits before it is turned away; 0 where that is at once, or none has been."""
    return view.away_took_ns if view.away_took_ns >= SLOW_NS else 0


def on_plateau(view: View, state: State, turns: int = 1) -> bool:
    """Whether nothing has entered for long enough.

    Args:
        turns: in how many those that wait may pass.
    """
    if state.stalled_since_ns == NEVER:
        return False
    if view.sleeps and view.entered:
        return True
    since_ns = max(state.stalled_since_ns, view.last_sent_ns)
    free_ns = max(state.stalled_free_ns, state.opened_free_ns)
    return waited_ns(view, since_ns, free_ns) >= plateau_needed_ns(view, state, turns)


def may_deal(view: View, state: State) -> bool:
    """Whether a process runs fewer than another does and was not dealt any, although none waits for all of them."""
    waits_for_all = view.connecting or view.depth
    return view.offered < view.max_offered and view.uneven and state.dealt < view.takers and not waits_for_all


def stuck_too(view: View, state: State) -> bool:
    """Whether the last request has not started at once, as it would on a worker without stuck requests."""
    if not state.overtaken:
        return False
    return through(view) or waited_ns(view, view.last_sent_ns, state.opened_free_ns) >= max(
        OVERTAKEN_NS, varied(view.way_ns)
    )


def through(view: View) -> bool:
    """Whether the server is through with the last request, so that the next one meets nothing of it on its way."""
    return view.asleep_ns >= DONE_NS


def is_final(view: View, state: State) -> bool:
    """Whether it is a plateau even though connections were opened during it, and the pool has had time to grow."""
    if view.now_ns - max(view.last_entry_ns, state.born_ns, state.began_ns) < view.watch_ns:
        return False
    if state.stalled_since_ns == NEVER:
        # None waits, so the time since the last handler started tells.
        idle_ns = view.now_ns - max(view.last_entry_ns, state.born_ns)
        return not view.growth_look_ns or idle_ns >= growth_needed_ns(view, state)
    if view.sleeps and view.entered and not state.grew_ns:
        return True
    return waited_ns(view, state.stalled_since_ns, state.stalled_free_ns) >= growth_needed_ns(view, state)
