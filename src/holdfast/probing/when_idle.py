"""Whether a front turns requests away although nothing is in service: then it is not for want of a place.

Facts
-----
* A front that has a limit on requests for a time (nginx's limit_req) turns away as many as come too soon, whatever
  becomes of those that it has handed on. So does one that asks the server whether it is well, and takes it for out of
  order while all its places are held.
* While requests wait in the server, that looks like a queue which is full.

Decisions
---------
* Once all have been let go, and the server has worked off what waited, which on a busy machine takes seconds, requests
  are sent one by one: ENOUGH that are turned away show it. A limit that lets in MOST of them as quickly as they come is
  one that the ramp has seen. Where as many as ENOUGH are kept waiting, more would only wait longer.
"""

from __future__ import annotations

from holdfast.engine.prober import Prober
from holdfast.model.phase import Phase
from holdfast.model.places import TURNED_AWAY
from holdfast.model.timeline import Request
from holdfast.probing.measured import Measured
from holdfast.probing.session import Session, batch
from holdfast.probing.slots import EXACT_PLACES
from holdfast.probing.waits import ANSWER_S, turn_until

ENOUGH = 3
MOST = 40
_ENDS_S = 0.2


def may_turn_away_by_time(seen: Measured, held: int) -> bool:
    """Whether a front turned requests away, and others wait behind it where more would have had room.

    Args:
        held: how many were in service when the places were counted; of more than EXACT_PLACES not all are let go.
    """
    if seen.session.experiment.over_s is not None or seen.ramp is None or seen.placed is None or held > EXACT_PLACES:
        return False
    away = any(each.outcome in TURNED_AWAY for each in seen.requests)
    ended = away and seen.ramp.reason in {"turned away", "max-offered"}
    return ended and seen.placed.front is not None and seen.placed.front.some_wait_behind(held)


def ask_when_idle(session: Session) -> tuple[Request, ...]:
    """Sends requests one by one until enough were turned away; none where some stay in service, or on their way."""
    recording, slots = session.recording, session.slots

    def idle() -> bool:
        behind = 0 if session.front is None else session.front.depth
        return not behind and recording.in_service(0, slots.recorded) == 0

    with batch(session, slots.reuse[-MOST:], Phase.REUSE) as sent:
        prober = sent.prober
        came = turn_until(session, prober, idle, ANSWER_S, lambda: recording.entered(0, slots.recorded))
        if not came or session.interrupts.asked:
            return ()
        while prober.offered < MOST and max(_away(prober), len(prober.pending())) < ENOUGH:
            prober.open(1)
            turn_until(session, prober, lambda: prober.ended == prober.offered, _ENDS_S)
        return sent.requests()


def _away(prober: Prober) -> int:
    return sum(number for outcome, number in prober.outcome_counts().items() if outcome in TURNED_AWAY)
