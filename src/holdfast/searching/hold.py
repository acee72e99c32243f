"""Holds a few more requests than ran at once, to see whether more could run."""

from __future__ import annotations

from dataclasses import replace

from holdfast.infer.capacity_place import EXTRA_HELD
from holdfast.model.capacity import WatchedLoad
from holdfast.model.phase import Phase
from holdfast.probing.session import batch
from holdfast.probing.waits import turn_until
from holdfast.searching.offer import SINGLES, Bench

_MOST_HELD = 512
_NEARLY = 0.6
_LEAST_S = 0.5
_TIMES = 5


def hold_more(bench: Bench, seen: WatchedLoad, alone_ms: float) -> WatchedLoad:
    """The same, with how many of a few more requests than ran at once do run when they are held.

    Only where about as many ran all the time: otherwise handlers were free.
    """
    session, handlers = bench.subject.session, seen.handlers
    if session is None or handlers is None or handlers.peak > _MOST_HELD or handlers.mean < _NEARLY * handlers.peak:
        return seen
    used = SINGLES + round(seen.load.rate_per_s * seen.load.seconds) + 1
    slots = session.slots.ramp[used : used + handlers.peak + EXTRA_HELD]
    if len(slots) < handlers.peak + EXTRA_HELD:
        return seen
    # One after another, a server that is slow to accept takes so long for all of them.
    per_s = seen.load.answered_per_s or 1.0
    within_s = _LEAST_S + _TIMES * (len(slots) / per_s + alone_ms / 1000)
    for slot in slots:
        session.recording.hold(slot)
    with batch(session, slots, Phase.RAMP) as held:
        prober = held.prober
        try:
            prober.open(len(slots))
            turn_until(
                session,
                prober,
                lambda: session.recording.entered(slots.start, slots.stop) == len(slots) or session.interrupts.asked,
                within_s,
            )
            entered = session.recording.in_service(slots.start, slots.stop)
        finally:
            for slot in slots:
                session.recording.release(slot)
        turn_until(session, prober, lambda: prober.ended == prober.offered, within_s)
    # A server that had no time for as many as ran before shows nothing.
    if session.interrupts.asked or entered < handlers.peak:
        return seen
    return replace(seen, handlers=replace(handlers, held=entered))
