"""Whether requests are turned away by a rate and not for want of a place, by what is let in later. Pure.

Facts
-----
* What has no place for a request has none for the next one either until a handler ends, and the ramp holds all of them.
  What counts requests over a time lets one in again once the time has passed, into a handler or into a queue.
* Requests that arrive together may all be turned away although there is room for some of them. That happens a few times
  in a row, with ever fewer of them.
* Of several processes, one may be full while another has room: then lots decide what becomes of each request. If each
  has the same limit, the one that was full first had all that were in the server then, at most: so all of them have
  places for as many as that times the number of processes.
* Lots are not drawn for long: where one process of a few has room, it takes one of MANY. So where a front has room
  behind it, and again and again lets one wait after that many, it does so by a rate, however few wait.
* A request that was turned away only after it had waited has made room by that.

Decisions
---------
* With one process: AFTER_ONE times that one alone is turned away and the next one is let in, or AGAIN times after
  others. With several, each has to have run a handler, and more to be in the server than all may have places for, too;
  or, behind a front, AFTER_ONE have to wait after MANY.
* A new worker makes room: then the count begins anew.
* Where those that are let in wait, as many are in service as can be, once that is a plateau. Where they come into
  service, more may follow: the ramp goes on for ENTERS_NS, as what is let in then may fill all places.
"""

from __future__ import annotations

from dataclasses import replace

from holdfast.model.timeline import NEVER
from holdfast.model.units import MS, NS_PER_S
from holdfast.probing.ramp_pace import PLATEAU_MAX_NS, growth_needed_ns, varied
from holdfast.probing.ramp_state import LetIn, State, View

AFTER_ONE = 4
AGAIN = 8
MANY = 8
ENTERS_NS = 5 * NS_PER_S
AT_ONCE_NS = 80 * MS


def with_the_last_entered(view: View, state: State) -> LetIn:
    """What was let in so far, now that a handler has started: the latest request counts, if it is the one that did."""
    return with_one_let_in(view, state) if view.last_entry_sent_ns == view.last_sent_ns else state.let_in


def with_one_let_in(view: View, state: State) -> LetIn:
    """What was let in so far, now that the request which was offered last has been.

    Args:
        state: as it was before that was seen.
    """
    so_far = state.let_in if state.let_in.born_ns == view.born_ns else LetIn()
    away = state.turned_away
    if state.stage != "single" or away <= so_far.away or view.away_took_ns >= AT_ONCE_NS + varied(view.way_ns):
        return so_far
    first = so_far if so_far.times else replace(so_far, first_ns=view.now_ns, entered=state.entered, taken=state.taken)
    alone = state.singly and away > state.singles_from
    many = first.after_many + (away - so_far.away >= MANY and view.entered == state.entered)
    after = replace(first, after_one=first.after_one + alone, after_many=many)
    return replace(after, times=first.times + 1, away=away, born_ns=view.born_ns)


def is_by_time(view: View, state: State) -> bool:
    """Whether so many were let in again that what turns others away counts them over a time, and no more will show."""
    let_in = state.let_in
    if let_in.after_one < AFTER_ONE and let_in.times < AGAIN:
        return False
    by_lots = not (view.room_between and let_in.after_many >= AFTER_ONE)
    if view.takers > 1 and by_lots and (view.untried or view.established <= view.takers * let_in.taken):
        return False
    lasts_ns = view.now_ns - let_in.first_ns
    # Not since `stalled_since_ns`: each one that is let into a queue moves that.
    still_ns = view.now_ns - max(view.last_entry_ns, view.born_ns)
    needed_ns = view.slowed * max(PLATEAU_MAX_NS, growth_needed_ns(view, state))
    waits = state.stalled_since_ns != NEVER
    return (waits and still_ns > needed_ns) or (view.entered > let_in.entered and lasts_ns >= ENTERS_NS)
