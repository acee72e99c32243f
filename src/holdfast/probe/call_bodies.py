"""The last phase of a probe, where it is asked for: bodies of views are run for real.

Everything else has been measured by then, with requests whose bodies did not run. These here are further ones: one
alone, which shows how long a body takes when nothing is beside it, then as many together as may be. They are held in
their views first, so that all that have a place begin at the same instant; the others run when a place becomes free.
How many bodies run is a promise: only these requests' release says that they may, and it is taken back from those
whose bodies have not begun when the time is over.
"""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

from holdfast.errors import InconclusiveError
from holdfast.load.columns import requests
from holdfast.load.prober import Prober
from holdfast.model.experiment import Experiment
from holdfast.model.phase import Phase
from holdfast.model.places import Outcome
from holdfast.model.timeline import NEVER, Call, Request
from holdfast.probe.bench import REST_NS, STILL_S, Bench, counts_now, look_interval_ns, turn_until, turn_until_still
from holdfast.probe.release import turn_until_at_rest

_LET_GO_S = 5.0
_WAKING_NS = 100_000_000
"""Beyond the look interval: how long a busy machine may take to wake those that wait for the common start."""

_NOT_CLEARED = (
    "Not all requests of before had left the server when bodies were called, so some of its places may have been taken."
)


def slots(experiment: Experiment) -> int:
    """How many slots of the record this takes, at its end."""
    return experiment.max_called + 1 if experiment.call else 0


class Called(NamedTuple):
    """What came of it.

    Attributes:
        requests: with ids of their own.
        calls: the bodies that began.
        notes: doubts, in words.
    """

    requests: tuple[Request, ...]
    calls: tuple[Call, ...]
    notes: tuple[str, ...]


def call_bodies(bench: Bench) -> Called:
    """Runs bodies: one, and if that came to its end many together."""
    first = bench.recording.slots - slots(bench.experiment)
    alone = _called(bench, first, 1, Phase.CALLED_ALONE)
    went_wrong = set(alone.notes) - {_NOT_CLEARED}
    if not alone.calls or alone.calls[0].ended_ns == NEVER or went_wrong or bench.interrupts.asked:
        return alone
    together = _called(bench, first + 1, bench.experiment.max_called, Phase.CALLED_TOGETHER)
    notes = tuple(dict.fromkeys(alone.notes + together.notes))
    return Called(alone.requests + together.requests, alone.calls + together.calls, notes)


def _called(bench: Bench, first: int, count: int, phase: Phase) -> Called:
    recording, last = bench.recording, first + count
    notes: list[str] = []
    for slot in range(first, last):
        recording.hold(slot)
    with Prober(bench.address, bench.port, lambda each: bench.head_of(first + each), count) as prober:
        try:
            if not _clear(bench, prober):
                notes.append(_NOT_CLEARED)
            recording.set_look_interval(look_interval_ns(count))
            _fill(bench, prober, first)
            recording.call(range(first, last), bench.now_ns() + look_interval_ns(count) + _WAKING_NS)
            turn_until(bench, prober, lambda: prober.ended == prober.offered, bench.experiment.call_timeout_s)
            _take_back(bench, range(first, last))
            # Those that were let go without their bodies are soon gone; what has begun is not waited for any longer.
            turn_until(bench, prober, lambda: prober.ended == prober.offered, STILL_S)
            if prober.outcome_counts().keys() & {Outcome.CLOSED, Outcome.RESET}:
                # A process that dies closes its connections a little before it is dead.
                turn_until(bench, prober, lambda: False, REST_NS / 1e9)
        except InconclusiveError as error:
            # The ceiling has been measured; what kills the server is the body.
            notes.append(f"While bodies ran: {error.what} {error.why}")
        finally:
            _take_back(bench, range(first, last))
        sent = requests(prober.columns, range(prober.offered), lambda _id: phase, prober.sources)
    numbered = tuple(replace(each, id=first + each.id) for each in sent)
    return Called(numbered, recording.calls(first, last, phase), tuple(notes))


def _take_back(bench: Bench, ids: range) -> None:
    """From now on no further body of these begins."""
    for each in ids:
        bench.recording.release(each)


def _clear(bench: Bench, prober: Prober) -> bool:
    """Lets go whatever was left behind, what a server still has in a queue included; whether it is gone.

    Their look interval stays what it was: thousands that look every few milliseconds would leave nobody a core. And so
    they do not end at once, but as each comes to its next look.
    """
    recording = bench.recording

    def moving() -> object:
        return recording.in_service(0, bench.slots), counts_now(bench, prober)

    # A request of exact load that nobody waits for any more would be held for good when it comes to a handler now.
    for slot in range(bench.slots):
        recording.release(slot)
    turn_until(bench, prober, lambda: not bench.kernel.accept_queue(bench.listen_address).depth, _LET_GO_S, moving)
    turn_until(bench, prober, lambda: recording.in_service(0, bench.slots) == 0, _LET_GO_S, moving)
    turn_until_at_rest(bench, prober)
    return recording.in_service(0, bench.slots) == 0


def _fill(bench: Bench, prober: Prober, first: int) -> None:
    """Offers the requests: one by one while they find a place, the others as far as the accept queue takes them."""
    entered, rest_s = bench.recording.entered, REST_NS / 1e9

    def moving() -> object:
        return entered(first, first + prober.offered), counts_now(bench, prober)

    def queued_safely() -> bool:
        return prober.connecting == 0 and bench.kernel.accept_queue(bench.listen_address).spare != 0

    def in_place() -> bool:
        return entered(first, first + prober.offered) == prober.offered

    found_place = True
    while prober.offered < prober.columns.capacity and not prober.ended and not bench.interrupts.asked:
        found_place = found_place and turn_until(bench, prober, in_place, rest_s, moving)
        if not found_place and not turn_until(bench, prober, queued_safely, rest_s, moving):
            break
        prober.open(1)

    turn_until_still(bench, prober, STILL_S)
