"""The phase in which exactly as many requests are offered as there are places: are all of them filled?

The ramp finds how many places there are by offering more and more. A server that gives each request to a
worker before it knows whether that one is free may leave places empty while requests wait behind busy workers;
with more requests than places that does not show. Requests come at once here, as fast as the accept queue lets
them be opened without the loss of a SYN, since order and pauses are what such a server's choice depends on; so
it is repeated.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import replace
from itertools import pairwise

from holdfast.load.columns import requests
from holdfast.load.prober import Prober
from holdfast.model.address import is_unix
from holdfast.model.phase import Phase
from holdfast.model.timeline import Entry, ExactLoad, Repeat, Request
from holdfast.observe.processes import core_use, process_tree
from holdfast.probe.bench import (
    ANSWER_S,
    AT_WORK_S,
    EXACT_PASSES,
    EXACT_PLACES,
    EXACT_REPEATS,
    OPEN_STATES,
    REST_NS,
    TURN_NS,
    Bench,
    at_work,
    look_interval_ns,
    threads_that_hold,
    turn_until,
    watch,
)

_BUDGET_NS = 800_000_000
_SLOWEST_NS = 250_000_000
_AT_LEAST = 2
_BESIDE_NS = 2_000_000_000
_UNDISTURBED_MS = 200  # the rest before a repeat, ten to a hundred handlers that start, and their answers
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
    slot, most = bench.exact_slot, places * EXACT_REPEATS * EXACT_PASSES
    bench.recording.set_look_interval(look_interval_ns(places))
    with Prober(bench.address, bench.port, lambda row: bench.head_of(slot + row), most) as prober:
        tried = _beside(bench, prober, places, replied) or _alone(bench, prober, places, replied)
        sent = requests(prober.columns, range(prober.offered), lambda _row: Phase.EXACT_LOAD, prober.sources)
    return tried, tuple(replace(each, id=slot + each.id) for each in sent)


def _beside(bench: Bench, prober: Prober, places: int, replied: Collection[int]) -> ExactLoad | None:
    """The repeats that can be made while requests of before are left which no handler can get at.

    A router that connects to a worker for each request loses SYNs when the worker's queue is full, and the kernel
    sends them again a second later; so thousands take seconds, in which every handler is free most of the time. And a
    server may keep its end of a connection although it has replied; on a Unix socket nothing shows of an end whose
    client is gone whether it had its reply. Such are no witnesses for places that stay empty, though: it is only
    believed that all were filled, and only while none of before came in.

    Returns:
        None where none are left like this, or where it does not tell.
    """
    # Of bodies that run nobody of before may be beside.
    if bench.experiment.call or not (bench.inner_ports or is_unix(bench.address)):
        return None
    recording, began, repeats = bench.recording, bench.now_ns(), list[Repeat]()
    for tried in range(EXACT_REPEATS):
        if repeats[_AT_LEAST - 1 :] and _over_budget(bench, began, tried):
            break
        limit_s = (_BESIDE_NS - (bench.now_ns() - began)) / 1e9
        if not _worked_off(bench, prober, replied, limit_s, beside=True):
            return None
        before = recording.entered(0, bench.exact_slot)
        repeat = _repeat(bench, prober, places)
        filled = repeat is not None and recording.entered(repeat.first, repeat.last) == places
        if not _let_go(bench, prober):
            return None
        # Of those that were let go before, one may have come in their way.
        disturbed = recording.entered(0, bench.exact_slot) != before
        if repeat is not None and filled and not disturbed:
            repeats.append(repeat)
        elif not disturbed:
            return None
    return ExactLoad(tuple(repeats)) if len(repeats) >= _AT_LEAST else None


def _alone(bench: Bench, prober: Prober, places: int, replied: Collection[int]) -> ExactLoad:
    """The repeats when no request of before is left anywhere in the server."""
    why_not, repeats = "", list[Repeat]()
    if not _worked_off(bench, prober, replied):
        why_not = f"{_WORKED_OFF_S:g} s after the release the server still had connections in which requests may wait"
    began = bench.now_ns()
    while not why_not and len(repeats) < EXACT_REPEATS:
        if len(repeats) >= _AT_LEAST and _over_budget(bench, began, len(repeats)):
            break
        if repeat := _repeat(bench, prober, places):
            repeats.append(repeat)
            if not _let_go(bench, prober) or not _worked_off(bench, prober, replied):
                why_not = "not all of the requests were answered after their release"
                if bench.interrupts.asked:
                    why_not = "it was interrupted"
        else:
            why_not = "it was interrupted, the server hardly got a core, or its accept queue did not take them all"
    return ExactLoad(tuple(repeats), why_not)


def _over_budget(bench: Bench, began_ns: int, tried: int) -> bool:
    """Whether one more repeat would take longer than may be, if it takes as long as those that were made."""
    spent = bench.now_ns() - began_ns
    return spent + spent // tried > _BUDGET_NS


def _usual_gap_ns(entries: Iterable[Entry]) -> int:
    """The median time between the starts of two handlers, of which the ramp let one start after the other."""
    starts = sorted(entry.entered_ns for entry in entries)
    gaps = sorted(after - before for before, after in pairwise(starts))
    return gaps[len(gaps) // 2] if gaps else 0


def _worked_off(
    bench: Bench, prober: Prober, replied: Collection[int], limit_s: float = _WORKED_OFF_S, *, beside: bool = False
) -> bool:
    """Whether no request of before is left anywhere in the server.

    Args:
        beside: such are no matter that wait for a handshake between the server's own processes, or whose clients
            are gone from a Unix socket; and nothing else is left.
    """
    recording, slots = bench.recording, bench.slots
    no_matter = {*replied, 0} if beside and is_unix(bench.address) else replied
    seen = -1

    def nothing_left() -> bool:
        nonlocal seen
        # A look at five thousand sockets takes 15 ms of a core that the server needs. As long as handlers start,
        # something is left (gunicorn with two workers, on two cores: 0.5 to 0.7 s instead of 0.8 to 1.1).
        if (entered := recording.entered(0, slots)) != seen:
            seen = entered
            return False
        if recording.in_service(0, slots) or any(bench.kernel.accept_queue(port).depth for port in bench.inner_ports):
            return False
        knocking, again_ms = bench.kernel.without_handshake(bench.inner_ports)
        if knocking and (not beside or (again_ms is not None and again_ms < _UNDISTURBED_MS)):
            return False
        if beside and bench.kernel.accept_queue(bench.listen_address).depth:
            return False
        ends = bench.kernel.server_sockets(bench.listen_address)
        return sum(end.state in OPEN_STATES and end.peer_port not in no_matter for end in ends) <= knocking

    deadline = bench.now_ns() + int(limit_s * 1e9)
    while turn_until(bench, prober, nothing_left, max(0.0, (deadline - bench.now_ns()) / 1e9)):
        # Where a router stands in front, what it has handed on may still be on its way to a handler.
        rests = _rests(bench, prober, (), lambda: recording.entered(0, slots), REST_NS)
        if rests is not False:
            return rests is True
    return False


def _rests(
    bench: Bench, prober: Prober, holding: Collection[int], entered: Callable[[], int], for_ns: int
) -> bool | None:
    """Whether no further handler starts for so long while no thread of the server is at work.

    A loop that clears up after five thousand clients takes no request meanwhile: with FastAPI, Python's collector
    alone takes a quarter of a second when the next requests come (measured).

    Args:
        holding: native ids of threads that do nothing but hold one request.
        entered: how many have started.

    Returns:
        None where the server hardly got a core.
    """
    at_first, since = entered(), bench.now_ns()
    while True:
        before, began = core_use(process_tree(*bench.server.roots()), holding), bench.now_ns()
        if not watch(bench, prober, holding, lambda: entered() > at_first, for_ns):
            return None
        if entered() > at_first:
            return False
        after = core_use(process_tree(*bench.server.roots()), holding)
        now = bench.now_ns()
        # Who works for so long and shows nothing of it is taken for one that turns in a circle.
        if not at_work(before, after, now - began) or now - since >= AT_WORK_S * 1e9:
            return True


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
    while recording.entered(first, last) < places:
        holding = threads_that_hold(recording.entries(first, last))
        rests = _rests(bench, prober, holding, lambda: recording.entered(first, last), _PLATEAU_NS)
        if rests is None:
            return None
        if rests:
            break
    return Repeat(first, last, bench.now_ns())


def _room(bench: Bench, prober: Prober, places: int) -> int:
    """How many connections may be opened now so that no SYN is lost."""
    queue = bench.kernel.accept_queue(bench.listen_address)
    if queue.spare is None:
        return places
    # One at a time may use the whole queue; of several at once all must arrive, so they stay below half of it.
    one = int(prober.connecting == 0 and not queue.full)
    return max(one, queue.spare - 1 - prober.connecting)


def _let_go(bench: Bench, prober: Prober) -> bool:
    """Lets all go that were offered; whether they came to their end."""
    for slot in range(bench.exact_slot, bench.exact_slot + prober.offered):
        bench.recording.release(slot)
    return turn_until(bench, prober, lambda: prober.ended == prober.offered, ANSWER_S)
