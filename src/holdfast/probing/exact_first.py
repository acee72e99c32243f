"""Exact load in the middle of the ramp: at its first plateau, before it fills the queues.

Facts
-----
* After the ramp, exact load has to wait until the server has worked off what waited: with two thousand requests in
  gunicorn's accept queue that takes a second, and with five hundred forks three (measured).
* At the first plateau one request waits, or a few.
* A worker may end after a number of requests, of which a hundred is a small one; what exact load takes of them is
  missing when the places are counted.
* A server at its limit of descriptors may lose some of them for good when many requests come at once (see `ramp`).

Decisions
---------
* A ramp that comes to a plateau with few places, and would continue and fill queues, is broken off there. What it holds
  is released, exact load is offered, and it begins anew.
* Where several processes accept, the first plateau may be one of some of them: there, it is broken off only when so
  many wait that each has some, or the accept queue is full.
* It takes at most MOST_OF_EACH requests of each process that accepts.
* If it then comes to another number of places, exact load is offered again at its end, with that number.
* Not where a limit of descriptors or processes may be the bound: exact load might change it.
"""

from __future__ import annotations

from holdfast.engine.prober import Prober
from holdfast.errors import InconclusiveError
from holdfast.model.live import LivePhase
from holdfast.model.phase import Phase
from holdfast.model.places import Outcome
from holdfast.model.timeline import Entry
from holdfast.observe.limits import read_limits
from holdfast.probing import live_look
from holdfast.probing.exact_load import why_not_offered
from holdfast.probing.guards import check_held_requests, check_none_lost, check_processes
from holdfast.probing.ramp import TO_EACH
from holdfast.probing.ramp_pace import LONG_WAY_NS
from holdfast.probing.ramp_state import State, View
from holdfast.probing.ramp_up import Climb, told_by_held_requests
from holdfast.probing.ramp_view import used_of
from holdfast.probing.session import Session, batch
from holdfast.probing.slots import EXACT_PLACES, EXACT_REPEATS, FIRST_CLIMB
from holdfast.probing.waits import ANSWER_S, turn_until

# With fewer, what waits at the ramp's end is worked off as soon as the ramp has come here a second time.
_FOR_EACH = 2
_WORTH_IT = 16
_NEAR = 0.5
MOST_OF_EACH = 50


def places_at_first_plateau(session: Session, prober: Prober, climb: Climb) -> tuple[Entry, ...]:
    """The handlers that run at the ramp's first plateau, where it can be broken off there; () where it continues.

    Raises:
        InconclusiveError: as of `Climb.go_on` and `check_held_requests`.
    """
    if not _may_break_off(session):
        return ()
    reached, several = False, session.takers if session.takers > 1 else 0

    def plateau(view: View, state: State) -> bool:
        nonlocal reached
        waiting = view.offered - view.in_service
        enough = waiting >= min(TO_EACH * several, FIRST_CLIMB - EXACT_PLACES) or view.queue.full
        reached = state.stage == "fill" and enough and _few(view) and _spares(view, session)
        ends = state.stage == "single" or view.offered > FIRST_CLIMB or (state.stage == "fill" and not several)
        return reached or ends or view.entered > EXACT_PLACES

    with told_by_held_requests(session, prober):
        climb.go_on(plateau)
    if not reached or session.interrupts.asked or _near_its_limit(session):
        return ()
    check_held_requests(session, prober)
    held = session.recording.entries(0, prober.offered)
    return () if why_not_offered(session, held) else held


def release_all(session: Session, prober: Prober) -> None:
    """Releases every request of a ramp that was broken off, and gives them time to be answered."""
    live_look.begin(session, LivePhase.RELEASING, prober)
    for id in range(prober.offered):
        session.recording.release(id)
    turn_until(session, prober, lambda: prober.ended == prober.offered, ANSWER_S)


def check_empty(session: Session) -> None:
    """Checks that no handler runs any more, so that the ramp can begin anew.

    Raises:
        InconclusiveError: one still runs, and takes a place that would be missing; or the server was stopped, or has
            ended, or a process of it has.
    """

    def empty() -> bool:
        return session.recording.in_service(0, session.slots.recorded) == 0

    with batch(session, session.slots.exact_load[:0], Phase.EXACT_LOAD) as nothing:
        if not turn_until(session, nothing.prober, empty, ANSWER_S) and not session.interrupts.asked:
            check_processes(session)
            check_held_requests(session)
            check_none_lost(session)
            raise InconclusiveError(
                "Requests that were let go did not leave the server.",
                f"{ANSWER_S:g} s after their release, some of their handlers still run, and what they take is missing "
                "among the places.",
                "Probe again when the machine has less to do.",
            )


def _may_break_off(session: Session) -> bool:
    experiment = session.experiment
    if experiment.brief:
        return False
    limited = any(each is not None for each in (experiment.nofile, experiment.nproc, experiment.address_space))
    return experiment.over_s is None and not limited and not session.growth.look_ns and session.way_ns < LONG_WAY_NS


def _few(view: View) -> bool:
    there = 0 < view.entered == view.in_service <= EXACT_PLACES and view.offered <= FIRST_CLIMB
    untouched = not view.ended.keys() - {Outcome.PENDING} and not view.untried
    return there and untouched and _to_work_off(view) >= _FOR_EACH * view.in_service + _WORTH_IT


def _spares(view: View, session: Session) -> bool:
    """Whether exact load takes few of the requests after which a process may be replaced."""
    return (1 + EXACT_REPEATS) * view.in_service <= MOST_OF_EACH * max(1, session.takers)


def _to_work_off(view: View) -> int:
    """How many requests will wait at the end of the whole ramp, at most."""
    offered = view.max_offered - view.in_service
    none_accepted = view.depth is not None and view.depth >= view.offered - view.in_service - view.connecting
    return min(offered, view.limit + 1) if none_accepted and view.limit is not None else offered


def _near_its_limit(session: Session) -> bool:
    """Whether a process that takes requests has used a good part of its descriptors, or it cannot be seen."""
    return any(used_of(pid, read_limits(pid).nofile) > _NEAR for pid in session.accepting)
