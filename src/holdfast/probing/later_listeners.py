"""Whether another port was opened while one was measured, so that it is not known which of them is meant.

What listens first need not be the server: a helper with an application of its own looks as much like one, as long as
the server sleeps. So a look at the end, at ports that were not there when the one to probe was picked.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import replace

from holdfast.errors import InconclusiveError
from holdfast.model.frozen import frozen
from holdfast.model.places import REPLIED
from holdfast.model.timeline import NEVER, FirstRequest, Listener
from holdfast.model.units import NS_PER_S
from holdfast.observe.processes import read_descendants
from holdfast.observe.record_reader import HeldIn
from holdfast.observe.routes import Route, routes_to
from holdfast.probing.first_request import send_into_view
from holdfast.probing.pick_port import IN_A_VIEW, program_at
from holdfast.probing.readiness import Ready, listeners_now
from holdfast.probing.session import Session
from holdfast.probing.start import Running
from holdfast.probing.waits import STILL_S
from holdfast.probing.yet_to_listen import WOKEN_NS, FirstSleeps, sleeps, sleeps_beside

_LOOK_S = 0.02
_ANSWER_S = 2.0
_MOST = 4
# As long as what answers for the start alone is given, from when the command had come to rest.
_WAIT_NS = 10 * NS_PER_S


@frozen
class Later:
    """What a look at the end has shown.

    Attributes:
        notes: what listens beside the port that was measured, in words.
        unsure: why it is not known whether that was the right port; None where nothing speaks against it.
    """

    notes: tuple[str, ...] = ()
    unsure: InconclusiveError | None = None


def look_for_later(running: Running, session: Session, measured: FirstRequest) -> Later:
    """Sends a request to each port that a person's own command has opened since the one to probe was picked.

    Where a part of the command sleeps that may be about to listen, it is waited for, until 10 s after the command had
    come to rest at most.

    Args:
        session: of the measurement.
        measured: what the requests to the port that was measured came to.
    """
    spec = running.prepared.spec
    if not spec.own or spec.listen_address is not None:
        return Later()
    listeners, notes = _when_awake(running, session, measured), []
    for route, slot in zip(_new(session, listeners), reversed(session.slots.listeners), strict=False):
        at = replace(running, ready=Ready(listeners, ())).session_at(route)
        reply = send_into_view(at, slot, _ANSWER_S, STILL_S)
        held = session.recording.held_in(slot)
        if held is not None and (held.via in IN_A_VIEW or measured.via not in IN_A_VIEW):
            return Later((), _unsure(session, measured, route, held))
        if reply.request.outcome in REPLIED:
            notes.append(_beside(session, route))
    return Later(tuple(notes))


def _new(session: Session, listeners: Iterable[Listener]) -> list[Route]:
    known = {session.port, *session.inner_ports}
    found = [each for each in listeners if each.port not in known]
    routes = routes_to(found, session.kernel.dual_stack()) if found else ()
    return [each for each in routes if each.port][:_MOST]


def _when_awake(running: Running, session: Session, measured: FirstRequest) -> tuple[Listener, ...]:
    """What listens once nothing sleeps any more that may be about to open another port, or one was opened."""
    until_ns = running.ready_ns + _WAIT_NS
    first, slept_ns = FirstSleeps(read_descendants(*session.server.roots())), NEVER
    while True:
        listeners, now_ns = listeners_now(session.server, session.kernel), time.monotonic_ns()
        ended = session.interrupts.asked or session.server.exit_status() is not None
        if ended or session.experiment.brief or now_ns > until_ns or _new(session, listeners):
            return listeners
        tree = read_descendants(*session.server.roots())
        # Where the path has no view, what was measured is less likely to be what is meant.
        loops = measured.via not in IN_A_VIEW and any(sleeps(pid, ()) for pid in tree)
        if loops or sleeps_beside(tree, listeners):
            slept_ns = now_ns
        if not first.last(now_ns) and (slept_ns == NEVER or now_ns - slept_ns > WOKEN_NS):
            return listeners
        time.sleep(_LOOK_S)


def _beside(session: Session, route: Route) -> str:
    return (
        f"While {session.reached_at} was measured, {program_at(route)} began to listen on port {route.port}. That was "
        "not measured, and no view was entered through it. --port says which one is meant."
    )


def _unsure(session: Session, measured: FirstRequest, route: Route, held: HeldIn) -> InconclusiveError:
    return InconclusiveError(
        f"The command began to listen on port {route.port} while {session.reached_at} was measured.",
        f"What was measured leads to {measured.held_in}. Port {route.port}, on which {program_at(route)} listens, "
        f"leads to {held.held_in}.",
        f"Say with --port which one is meant: --port {route.port} waits for it.",
    )
