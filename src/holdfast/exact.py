"""The phase in which exactly as many requests are offered as there are places: are all of them filled?

The ramp finds how many places there are by offering more and more. A server that gives each request to a
worker before it knows whether that one is free may leave places empty while requests wait behind busy workers;
with more requests than places that does not show. Requests come at once here, as fast as the accept queue lets
them be opened without the loss of a SYN, since order and pauses are what such a server's choice depends on; so
it is repeated.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from itertools import pairwise

from holdfast.bench import (
    ANSWER_S,
    EXACT_PLACES,
    EXACT_REPEATS,
    OPEN_STATES,
    REST_NS,
    TURN_NS,
    Bench,
    look_interval_ns,
    threads_that_hold,
    turn_until,
    watch,
)
from holdfast.load.columns import requests
from holdfast.load.prober import Prober
from holdfast.model.timeline import Entry, ExactLoad, Repeat, Request

_WAVE = 3
_BUDGET_NS = 800_000_000
_SLOWEST_NS = 250_000_000
_AT_LEAST = 2
_WORKED_OFF_S = 6.0  # five thousand that waited in a router take 3 s (measured)
# What fills at all fills within this after the last place did: a fork takes 15 ms, a busy loop 100 ms.
_PLATEAU_NS = 250_000_000


def exactly(bench: Bench, held: Sequence[Entry], replied: Collection[int]) -> tuple[ExactLoad, tuple[Request, ...]]:
    """Offers as many requests as there are places, several times, each time to a server at rest.

    Args:
        held: the handlers that ran at once when every place was full, at least one; all have been released.
        replied: our ports of requests that had their reply. A server may keep its end of such a connection for as
            long as it likes (seen: after a 503, until Python's collector finds it); nobody waits there.

    Returns:
        What was tried, and its requests.
    """
    places = len(held)
    if places > EXACT_PLACES:
        return ExactLoad(why_not=f"not tried with more than {EXACT_PLACES} places"), ()
    fills_in_ns = places * _usual_gap_ns(held)
    if fills_in_ns > _SLOWEST_NS:
        return ExactLoad(why_not=f"not tried where {places} places take about {fills_in_ns / 1e9:.1f} s to fill"), ()
    repeats: list[Repeat] = []
    slot = bench.exact_slot
    with Prober(bench.address, bench.port, lambda row: bench.head_of(slot + row), places * EXACT_REPEATS) as prober:
        why_not = ""
        if not _worked_off(bench, prober, replied):
            why_not = f"the server had not worked off its queue {_WORKED_OFF_S:g} s after the release"
        bench.recording.set_look_interval(look_interval_ns(places))
        began = before = bench.now_ns()
        while not why_not and len(repeats) < EXACT_REPEATS:
            last_ns, before = bench.now_ns() - before, bench.now_ns()
            if len(repeats) >= _AT_LEAST and before + last_ns - began > _BUDGET_NS:
                break
            if repeat := _repeat(bench, prober, places):
                repeats.append(repeat)
                if not _released(bench, prober, repeat, replied):
                    why_not = "not all of the requests were answered after their release"
                    if bench.interrupts.asked:
                        why_not = "it was interrupted"
            else:
                why_not = "it was interrupted, the server hardly got a core, or its accept queue did not take them all"
        sent = requests(prober.columns, range(prober.offered), lambda _row: _WAVE, prober.sources)
    return ExactLoad(tuple(repeats), why_not), tuple(replace(each, id=slot + each.id) for each in sent)


def _usual_gap_ns(entries: Iterable[Entry]) -> int:
    """The median time between the starts of two handlers, of which the ramp let one start after the other."""
    starts = sorted(entry.entered_ns for entry in entries)
    gaps = sorted(after - before for before, after in pairwise(starts))
    return gaps[len(gaps) // 2] if gaps else 0


def _worked_off(bench: Bench, prober: Prober, replied: Collection[int]) -> bool:
    """Whether no request of before is left anywhere in the server."""
    recording, slots = bench.recording, bench.slots

    def nothing_left() -> bool:
        if recording.in_service(0, slots) or bench.kernel.waiting_for(bench.inner_ports):
            return False
        ends = bench.kernel.server_sockets(bench.door)
        return not any(end.state in OPEN_STATES and end.peer_port not in replied for end in ends)

    deadline = bench.now_ns() + int(_WORKED_OFF_S * 1e9)
    while turn_until(bench, prober, nothing_left, max(0.0, (deadline - bench.now_ns()) / 1e9)):
        entered = recording.entered(0, slots)
        # Where a router stands in front, what it has handed on may still be on its way to a handler.
        if not watch(bench, prober, (), lambda before=entered: recording.entered(0, slots) > before, REST_NS):  # type: ignore[misc]
            return False
        if recording.entered(0, slots) == entered:
            return True
    return False


def _repeat(bench: Bench, prober: Prober, places: int) -> Repeat | None:
    """Offers them and waits until every place is filled or nothing more fills; None where that could not be seen."""
    recording, began = bench.recording, prober.offered
    first, last = bench.exact_slot + began, bench.exact_slot + began + places
    while prober.offered < began + places:
        count = min(_room(bench, prober, places), began + places - prober.offered)
        if count:
            prober.open(count)
            prober.turn(TURN_NS)
        elif not watch(bench, prober, (), lambda: _room(bench, prober, places) > 0, _PLATEAU_NS):
            return None
        elif not _room(bench, prober, places):
            # The queue is full, so not all can be offered: what is seen would not be exact load.
            return None
        if bench.interrupts.asked or prober.failure:
            return None
    entered = -1
    while entered < (now := recording.entered(first, last)) < places:
        entered = now
        holding = threads_that_hold(recording.entries(first, last))

        def one_more(before: int = entered) -> bool:
            return recording.entered(first, last) > before

        if not watch(bench, prober, holding, one_more, _PLATEAU_NS):
            return None
    return Repeat(first, last, bench.now_ns())


def _room(bench: Bench, prober: Prober, places: int) -> int:
    """How many connections may be opened now so that no SYN is lost."""
    depth, limit = bench.kernel.depth(bench.door)
    if depth is None or limit is None:
        return places
    # A queue holds limit + 1; half of it is left to whoever comes while the server is busy.
    one = int(prober.connecting == 0 and depth <= limit)
    return max(one, limit // 2 - depth - prober.connecting)


def _released(bench: Bench, prober: Prober, repeat: Repeat, replied: Collection[int]) -> bool:
    """Lets them go; whether all came to their end."""
    for slot in range(repeat.first, repeat.last):
        bench.recording.release(slot)
    answered = turn_until(bench, prober, lambda: prober.ended == prober.offered, ANSWER_S)
    return answered and _worked_off(bench, prober, replied)
