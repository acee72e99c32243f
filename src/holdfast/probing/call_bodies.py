"""The last phase of a probe, if it is asked for: the bodies of views are run for real.

Everything else has been measured by then, with requests whose bodies did not run. The requests here are further ones:
one alone, which shows how long a body takes when nothing else runs, then as many together as are allowed. They are held
in their views first, so that all that have a place begin at the same instant; the others run when a place becomes free.
How many bodies run is a promise: a body runs only if this phase releases its request so, and that is withdrawn from
those whose bodies have not begun when the time is over.
"""

from __future__ import annotations

from typing import NamedTuple

from holdfast.engine.prober import Prober
from holdfast.errors import InconclusiveError
from holdfast.model.call import Call
from holdfast.model.live import LivePhase
from holdfast.model.phase import Phase
from holdfast.model.places import REPLIED, Outcome
from holdfast.model.timeline import NEVER, Request
from holdfast.model.units import NS_PER_S
from holdfast.probing import live_look
from holdfast.probing.asking import NOTHING_TOLD, Lookout, Told
from holdfast.probing.release import clear_server
from holdfast.probing.session import Session, batch
from holdfast.probing.waits import REST_NS, STILL_S, look_interval_ns, progress, turn_until, turn_until_still

_WAKING_NS = 100_000_000
"""In addition to the look interval: how long a busy machine may take to wake those that wait for the common start."""

_NOT_CLEARED = (
    "Not all earlier requests had left the server when bodies were called, so some of its places may have been taken."
)


class Called(NamedTuple):
    """What came of it.

    Attributes:
        requests: those that were sent for it.
        calls: the bodies that began.
        notes: doubts, in words.
        told: what the processes told when most of those that ran together waited.
    """

    requests: tuple[Request, ...]
    calls: tuple[Call, ...]
    notes: tuple[str, ...]
    told: Told = NOTHING_TOLD


def call_bodies(session: Session) -> Called:
    """Runs bodies: one, and if that one finished, many together."""
    live_look.begin(session, LivePhase.CALLING)
    slots = session.slots.called
    alone = _call(session, slots[:1], Phase.CALLED_ALONE)
    went_wrong = set(alone.notes) - {_NOT_CLEARED}
    if not alone.calls or alone.calls[0].ended_ns == NEVER or went_wrong or session.interrupts.asked:
        return alone
    together = _call(session, slots[1:], Phase.CALLED_TOGETHER)
    notes = tuple(dict.fromkeys(alone.notes + together.notes))
    return Called(alone.requests + together.requests, alone.calls + together.calls, notes, together.told)


def _call(session: Session, slots: range, phase: Phase) -> Called:
    recording, notes = session.recording, list[str]()
    lookout = Lookout(session, slots)
    # The thread for it would take the place of one that a body needs, or its room.
    unlimited = session.experiment.nproc is None and session.experiment.address_space is None
    looks = phase is Phase.CALLED_TOGETHER and unlimited
    recording.questions.let_bodies_be_asked(allowed=looks)
    for slot in slots:
        recording.hold(slot)
    with batch(session, slots, phase) as sent:
        prober = sent.prober
        try:
            if not clear_server(session, prober):
                notes.append(_NOT_CLEARED)
            recording.set_look_interval(look_interval_ns(len(slots)))
            _fill(session, prober, slots.start)
            recording.call(slots, session.now_ns() + look_interval_ns(len(slots)) + _WAKING_NS)

            def is_over() -> bool:
                if looks:
                    lookout.look()
                return _is_over(session, prober, slots)

            turn_until(session, prober, is_over, session.experiment.call_timeout_s)
            _withdraw(session, slots)
            # Those that were released without their bodies are soon gone; bodies that still run are not waited for.
            turn_until(session, prober, lambda: prober.ended == prober.offered, STILL_S)
            if prober.outcome_counts().keys() & {Outcome.CLOSED, Outcome.RESET}:
                # A process that dies closes its connections a little before it is dead.
                turn_until(session, prober, lambda: False, REST_NS / NS_PER_S)
        except InconclusiveError as error:
            # The ceiling has been measured; what kills the server is the body.
            notes.append(f"While bodies ran: {error.what} {error.why}")
        finally:
            _withdraw(session, slots)
            recording.questions.let_bodies_be_asked(allowed=False)
        calls = recording.calls(slots.start, slots.stop, phase)
        return Called(sent.requests(), calls, tuple(notes), lookout.best)


def _is_over(session: Session, prober: Prober, slots: range) -> bool:
    """Whether every request has ended, and with its answer its body, which may continue for a while after that."""
    if prober.ended < prober.offered:
        return False
    bodies = session.recording.calls(slots.start, slots.stop, Phase.CALLED_TOGETHER)
    # A body whose request got no answer may never end.
    return not prober.outcome_counts().keys() <= REPLIED or all(each.ended_ns != NEVER for each in bodies)


def _withdraw(session: Session, slots: range) -> None:
    """Releases these requests without their bodies: from now on, no further body begins."""
    for slot in slots:
        session.recording.release(slot)


def _fill(session: Session, prober: Prober, first: int) -> None:
    """Opens the requests: one by one while they find a place, then as many as the accept queue takes."""
    entered, rest_s = session.recording.entered, REST_NS / NS_PER_S

    def moving() -> object:
        return entered(first, first + prober.offered), progress(session, prober)

    def queued_safely() -> bool:
        return prober.connecting == 0 and session.kernel.accept_queue(session.listen_address).spare != 0

    def in_place() -> bool:
        return entered(first, first + prober.offered) == prober.offered

    found_place = True
    while prober.offered < prober.columns.capacity and not prober.ended and not session.interrupts.asked:
        found_place = found_place and turn_until(session, prober, in_place, rest_s, moving)
        if not found_place and not turn_until(session, prober, queued_safely, rest_s, moving):
            break
        prober.open(1)

    turn_until_still(session, prober, STILL_S)
