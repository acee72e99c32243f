"""Whether a front hands on more for one place that is given back: then what it hands on depends on how many wait.

Facts
-----
* A front may let a server have more requests at once the more of them it has itself (haproxy's `minconn`, `maxconn` and
  `fullconn`), and look at that only when one ends. While all are held, none ends, and it stays at what it was when the
  first one had to wait.

Decisions
---------
* Where a front keeps back all that wait, one that is held is let go, once the places have been counted. Its client
  leaves first, so that nothing that follows looks like an answer of the server's.
"""

from __future__ import annotations

from holdfast.engine.prober import Prober
from holdfast.model.address import is_unix
from holdfast.model.ramp import GivenBack
from holdfast.model.timeline import NEVER
from holdfast.probing.session import Session
from holdfast.probing.waits import (
    ANSWER_S,
    STILL_S,
    threads_that_hold,
    turn_until,
    turn_until_still,
    turn_while_free,
    with_the_way_ns,
)

_TAKES_NS = 120_000_000


def give_one_back(session: Session, prober: Prober) -> GivenBack | None:
    """Lets one request go that is held behind a front which keeps back all that wait, and sees what comes in.

    Returns:
        None where there is no such front, or what followed was not seen.
    """
    recording, offered = session.recording, prober.offered
    in_service, pending = recording.in_service(0, offered), set(prober.pending())
    if session.front is None or in_service >= len(pending) or not session.front.keeps_back(in_service):
        return None
    held = [each for each in recording.entries(0, offered) if each.left_ns == NEVER]
    there = [each.id for each in held if each.id in pending]
    if not there or session.interrupts.asked:
        return None
    before = recording.entered(0, offered)
    prober.give_up(there[:1], reset=not is_unix(session.address))
    recording.release(there[0])
    if not turn_until(session, prober, lambda: recording.is_left(there[0]), ANSWER_S):
        return None
    holding = threads_that_hold(recording.entries(0, offered))
    watched = turn_while_free(
        session, prober, holding, lambda: recording.entered(0, offered) > before, with_the_way_ns(session, _TAKES_NS)
    )
    if watched != "reached":
        return None
    turn_until_still(session, prober, STILL_S)
    return GivenBack(recording.entered(0, offered) - before, recording.in_service(0, offered))
