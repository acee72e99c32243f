"""The phase in which exactly as many requests are offered as there are places: are all of them filled?

The ramp finds how many places there are by offering more and more. A server that gives each request to a worker
before it knows whether that one is free may leave places empty while requests wait behind busy workers; with more
requests than places that does not show. Here requests come at once, as fast as the accept queue lets them be opened
without losing a SYN, since such a server's choice depends on order and pauses; so it is repeated.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from itertools import pairwise

from holdfast.engine.prober import Prober
from holdfast.model.address import is_unix
from holdfast.model.limits import LimitLook
from holdfast.model.live import LivePhase
from holdfast.model.phase import Phase
from holdfast.model.samples import Usage
from holdfast.model.timeline import Entry, ExactLoad, Repeat, Request
from holdfast.model.units import NS_PER_S
from holdfast.observe.processes import read_descendants
from holdfast.observe.starvation import share_with_a_core
from holdfast.probing import live_look
from holdfast.probing.allowance import Allowance
from holdfast.probing.ramp_pace import STARVED
from holdfast.probing.session import Session, batch
from holdfast.probing.slots import EXACT_PASSES, EXACT_PLACES, EXACT_REPEATS
from holdfast.probing.waits import (
    ANSWER_S,
    NOTHING_HELD,
    OPEN_STATES,
    REST_NS,
    TURN_NS,
    Watched,
    core_use_of,
    rests,
    soon_look_interval_ns,
    threads_that_hold,
    turn_until,
    turn_while_free,
    with_the_way_ns,
)
from holdfast.procfs.read import count_descriptors

_BUDGET_NS = 800_000_000
_SLOWEST_NS = 250_000_000
# One after another, each start waits for a handshake to and fro; of requests that come together, these overlap.
_SLOWEST_OVER_TLS_NS = 1_500_000_000
_AT_LEAST = 2
# Where one process takes all requests there is no choice that could come out otherwise: 0.2 s of a pool of 40 threads.
_WITHOUT_CHOICE = 3
_AMONG_NS = 2_000_000_000
_UNDISTURBED_MS = 200  # the rest before a repeat, the start of ten to a hundred handlers, and their answers
_WORKED_OFF_S = 6.0  # five thousand requests that waited in a router take 3 s (measured)
# Two thousand connections whose clients have gone take gunicorn 7 s: it loads its certificate for each (measured).
_WORKED_OFF_OVER_TLS_S = 10.0
# What is not given back within this is kept: a thread that gives it back needs a moment of a core, or one import.
_GIVES_BACK_S = 0.5
# A place that fills at all does so within this after the last one did: a fork takes 15 ms, a busy loop 100 ms.
_PLATEAU_NS = 250_000_000


def offer_exact_load(
    session: Session,
    slots: range,
    held: Sequence[Entry],
    replied: Collection[int],
    used: tuple[Sequence[Usage], Sequence[LimitLook]],
) -> tuple[ExactLoad, tuple[Request, ...]]:
    """Offers as many requests as there are places, several times, each time to a server at rest.

    Args:
        slots: those of `exact_load` or of `exact_again`.
        held: the handlers that ran at once when every place was full, at least one; all have been released.
        replied: our ports of requests that got their reply. A server may keep its end of such a connection open for as
            long as it likes (seen: after a 503, until Python's collector finds it); no request waits there.
        used: what the server used before and after its first request, and what of its limits when every place was full.

    Returns:
        What was tried, and its requests.
    """
    if why_not := why_not_offered(session, held):
        return ExactLoad(why_not=why_not), ()
    live_look.begin(session, LivePhase.EXACT_LOAD)
    places = len(held)
    session.recording.set_look_interval(soon_look_interval_ns(places))
    session = replace(session, slots=replace(session.slots, exact_load=slots))
    with batch(session, slots[: places * EXACT_REPEATS * EXACT_PASSES], Phase.EXACT_LOAD) as sent:
        tried = _repeat_among_leftovers(session, sent.prober, places, replied)
        tried = tried or _repeat_alone(session, sent.prober, places, replied, _descriptors_to_give_back(*used))
        return tried, sent.requests()


def always_filled(session: Session, exact: ExactLoad | None) -> int:
    """How many requests filled as many places each time that they were offered together; 0 where not all did.

    0 too where several processes accept: of requests that come together, one may take two while another idles.
    """
    repeats = () if exact is None or session.several else exact.repeats
    entered = [session.recording.entered(each.first, each.last) for each in repeats]
    filled = all(number == each.last - each.first for number, each in zip(entered, repeats, strict=True))
    return min(entered) if repeats and filled else 0


def why_not_offered(session: Session, held: Sequence[Entry]) -> str:
    """Why exact load is not to be offered where these handlers ran at once; "" if it is."""
    places = len(held)
    if places > EXACT_PLACES:
        return f"not tried with more than {EXACT_PLACES} places"
    slowest_ns = _SLOWEST_NS if session.tls is None else _SLOWEST_OVER_TLS_NS
    fills_in_ns = _with_a_core(session, places * _usual_gap_ns(held), slowest_ns)
    if fills_in_ns > slowest_ns:
        return f"not tried where {places} places take about {fills_in_ns / NS_PER_S:.1f} s to fill"
    # The processes that held them have imported all that a request needs.
    if _with_a_core(session, session.warm_way_ns, _SLOWEST_NS) > _SLOWEST_NS:
        # What it took, as the verdict says elsewhere: a way may be long because something in it sleeps.
        return f"not tried where a request takes about {session.warm_way_ns / NS_PER_S:.1f} s to its view"
    return ""


def _with_a_core(session: Session, wall_ns: int, limit_ns: int) -> int:
    """How long this takes without the time in which the server had no core; only looked at above the limit."""
    if wall_ns <= limit_ns:
        return wall_ns
    share = share_with_a_core(core_use_of(session, NOTHING_HELD.nothing_else))
    return int(wall_ns * max(share, 1 / STARVED))


def _repeat_among_leftovers(
    session: Session, prober: Prober, places: int, replied: Collection[int]
) -> ExactLoad | None:
    """The repeats that can be made while earlier requests are left that no handler can reach.

    A router that connects to a worker for each request loses SYNs when the worker's queue is full, and the kernel
    sends them again a second later; so thousands of them take seconds, in which every handler is free most of the
    time. And a server may keep its end of a connection although it has replied; on a Unix socket, an end whose client
    is gone does not show whether it had its reply. Such repeats do not prove that places stay empty, though: they
    count only if all places were filled and none of the earlier requests came in.

    Returns:
        None if none are left like this, or if it is inconclusive.
    """
    # Bodies that run must not share the server with earlier requests.
    if session.experiment.call or not (session.inner_ports or is_unix(session.address)):
        return None
    recording, began, repeats = session.recording, session.now_ns(), list[Repeat]()
    for tried in range(EXACT_REPEATS):
        if _enough(session, repeats, places) or (repeats[_AT_LEAST - 1 :] and _over_budget(session, began, tried)):
            break
        limit_s = (_AMONG_NS - (session.now_ns() - began)) / NS_PER_S
        if not _worked_off(session, prober, replied, limit_s, leftovers=True):
            return None
        before = recording.entered(0, session.slots.before_exact_load)
        repeat = _offer_once(session, prober, places)
        filled = repeat is not None and recording.entered(repeat.first, repeat.last) == places
        if not _release(session, prober):
            return None
        # One of the earlier requests may have come in between.
        disturbed = recording.entered(0, session.slots.before_exact_load) != before
        if repeat is not None and filled and not disturbed:
            repeats.append(repeat)
        elif not disturbed:
            return None
    return ExactLoad(tuple(repeats)) if len(repeats) >= _AT_LEAST else None


def _repeat_alone(
    session: Session, prober: Prober, places: int, replied: Collection[int], descriptors: int | None
) -> ExactLoad:
    """The repeats when no earlier request is left anywhere in the server."""
    why_not, repeats = "", list[Repeat]()
    limit_s = _WORKED_OFF_S if session.tls is None else _WORKED_OFF_OVER_TLS_S
    session.patience.begin(LivePhase.CLEARING)
    if not _worked_off(session, prober, replied, limit_s):
        why_not = (
            f"{limit_s:g} s after the release (without the time in which it had no core) the server still had "
            "connections in which requests may wait"
        )
    session.patience.begin(LivePhase.EXACT_LOAD)
    began = session.now_ns()
    while not why_not and len(repeats) < EXACT_REPEATS and not _enough(session, repeats, places):
        if len(repeats) >= _AT_LEAST and _over_budget(session, began, len(repeats)):
            break
        if prober.offered + places > places * EXACT_REPEATS * EXACT_PASSES:
            why_not = "" if len(repeats) >= _AT_LEAST else "the server kept descriptors that its places need"
            break
        kept = descriptors is not None and _keeps_descriptors(session, prober, descriptors)
        if repeat := _offer_once(session, prober, places):
            if _kept_from_their_views(session, prober, repeat):
                why_not = "requests let go before may still occupy what kept some of these from their view"
                _release(session, prober)
                break
            # Places for which it kept the descriptors could not be filled: that is not a choice of the server.
            if not kept or session.recording.entered(repeat.first, repeat.last) == places:
                repeats.append(repeat)
            if not _release(session, prober) or not _worked_off(session, prober, replied):
                why_not = "not all of the requests were answered after their release"
                if session.interrupts.asked:
                    why_not = "it was interrupted"
        else:
            why_not = "it was interrupted, the server hardly got a core, or its accept queue did not take them all"
            # What was offered may still come to a handler, and would stay there.
            _release(session, prober)
    return ExactLoad(tuple(repeats), why_not)


def _enough(session: Session, repeats: Sequence[Repeat], places: int) -> bool:
    """Whether one more repeat would show what these have shown: one process took all of them, and filled each place."""
    if session.several or len(repeats) < _WITHOUT_CHOICE:
        return False
    return all(session.recording.entered(each.first, each.last) == places for each in repeats)


def _over_budget(session: Session, began_ns: int, tried: int) -> bool:
    """Whether one more repeat would exceed the time for all of them, if it takes as long as those before it."""
    spent = session.now_ns() - began_ns
    return spent + spent // tried > _BUDGET_NS


def _usual_gap_ns(entries: Iterable[Entry]) -> int:
    """The time between the starts of two handlers, which the ramp let start one after the other.

    Nine in ten were further apart: other programs on the machine delay most of them, and none comes too soon.
    """
    starts = sorted(entry.entered_ns for entry in entries)
    gaps = sorted(after - before for before, after in pairwise(starts))
    return gaps[len(gaps) // 10] if gaps else 0


def _worked_off(
    session: Session,
    prober: Prober,
    replied: Collection[int],
    limit_s: float = _WORKED_OFF_S,
    *,
    leftovers: bool = False,
) -> bool:
    """Whether no earlier request is left anywhere in the server.

    Args:
        leftovers: ignores those that wait for a handshake between the server's own processes, or whose clients have
            disconnected from a Unix socket; but nothing else may be left.
    """
    recording, kernel, slots = session.recording, session.kernel, session.slots.recorded
    ignored = {*replied, 0} if leftovers and is_unix(session.address) else replied
    seen = -1

    def nothing_left() -> bool:
        nonlocal seen
        # A look at five thousand sockets takes 15 ms of a core that the server needs. While handlers still start,
        # something is left anyway (gunicorn with two workers, on two cores: 0.5 to 0.7 s instead of 0.8 to 1.1).
        if (entered := recording.entered(0, slots)) != seen:
            seen = entered
            return False
        if recording.in_service(0, slots) or any(kernel.accept_queue(port).depth for port in session.inner_ports):
            return False
        if session.front is not None and session.front.depth:
            return False
        knocking, again_ms = kernel.without_handshake(session.inner_ports)
        if knocking and (not leftovers or (again_ms is not None and again_ms < _UNDISTURBED_MS)):
            return False
        if leftovers and kernel.accept_queue(session.listen_address).depth:
            return False
        ends = kernel.server_sockets(session.listen_address)
        return sum(end.state in OPEN_STATES and end.peer_port not in ignored for end in ends) <= knocking

    # On a machine that is busy with other things, a hundred forks take ten seconds (measured).
    allowance = Allowance(session, limit_s)
    while allowance.turn_until(prober, nothing_left):
        # Behind a router, a request that it has passed on may still be on its way to a handler.
        at_rest = rests(session, prober, NOTHING_HELD, lambda: recording.entered(0, slots), REST_NS)
        if at_rest is not False:
            return at_rest is True
    return False


def _descriptors_to_give_back(usage: Sequence[Usage], looks: Sequence[LimitLook]) -> int | None:
    """How many the server had at rest, where one of its processes was short of them; None where none was.

    The fewer of before and after its first request, whose connection it may not have closed when it was looked at.
    """
    full = looks[-1].processes if looks else ()
    short = any(each.nofile is not None and (each.descriptors or 0) + 1 >= each.nofile for each in full)
    return min(each.descriptors for each in usage[:2]) if short and usage else None


def _keeps_descriptors(session: Session, prober: Prober, at_rest: int) -> bool:
    """Waits until the server has as few descriptors as at rest; whether it still has more, and gives none back.

    A thread that has replied may still have one that exact load needs, of a connection that the kernel no longer shows
    since its client has gone. werkzeug opens an epoll instance after each reply (serving.py, run_wsgi). Where its
    client has left by RST when it reads once more, it does not close that: the selector and its mapping refer to each
    other (selectors.py), and keep it until the interpreter next looks for garbage.
    """
    latest_ns = session.now_ns() + int(_WORKED_OFF_S * NS_PER_S)
    fewest = _descriptors(session)
    while fewest > at_rest and session.now_ns() < latest_ns:
        fewer = partial(_has_fewer_descriptors, session, fewest)
        if not Allowance(session, _GIVES_BACK_S).turn_until(prober, fewer):
            break
        fewest = _descriptors(session)
    return fewest > at_rest


def _has_fewer_descriptors(session: Session, than: int) -> bool:
    return _descriptors(session) < than


def _descriptors(session: Session) -> int:
    """How many descriptors the server has open; a process that has just ended, or may not be looked at, has none."""
    found = 0
    for pid in read_descendants(*session.server.roots()):
        with suppress(OSError):
            found += count_descriptors(pid)
    return found


def _offer_once(session: Session, prober: Prober, places: int) -> Repeat | None:
    """Offers them and waits until every place is filled or no more is; None if that could not be seen."""
    recording, began = session.recording, prober.offered
    first = session.slots.exact_load.start + began
    last = first + places
    while prober.offered < began + places:
        count = min(_room(session, prober, places), began + places - prober.offered)
        if count:
            prober.open(count)
            prober.turn(TURN_NS)
        elif _await_room(session, prober, places) == "had no core":
            return None
        elif not _room(session, prober, places):
            # The queue is full, so not all can be offered, and what is seen would not be exact load.
            return None
        if session.interrupts.asked or prober.failure:
            return None
    plateau_ns = with_the_way_ns(session, _PLATEAU_NS)
    while recording.entered(first, last) < places:
        holding = threads_that_hold(recording.entries(first, last))
        at_rest = rests(session, prober, holding, lambda: recording.entered(first, last), plateau_ns)
        if at_rest is None:
            return None
        if at_rest:
            break
    return Repeat(first, last, session.now_ns())


def _kept_from_their_views(session: Session, prober: Prober, repeat: Repeat) -> bool:
    """Whether places stayed empty that no choice of the server can have left empty.

    No server with free places lets none of these requests in, and in a single process those that the application was
    called with had nowhere else to go: something in it keeps them. (FastAPI, a pool of connections in a `def`
    dependency: hundreds that are let go at once hold all 40 threads, and those with a connection wait for a thread.)
    """
    recording, first, last = session.recording, repeat.first, repeat.last
    entered = recording.entered(first, last)
    begun = session.slots.exact_load.start
    waiting = [each for each in prober.pending() if each >= first - begun and not recording.is_entered(begun + each)]
    alone = session.takers <= 1 and len(recording.handed(first, last)) > entered
    return bool(waiting) and (entered == 0 or alone)


def _await_room(session: Session, prober: Prober, places: int) -> Watched:
    """Waits until more connections may be opened."""
    return turn_while_free(session, prober, NOTHING_HELD, lambda: _room(session, prober, places) > 0, _PLATEAU_NS)


def _room(session: Session, prober: Prober, places: int) -> int:
    """How many connections may be opened now so that no SYN is lost."""
    queue = session.kernel.accept_queue(session.listen_address)
    behind = None if session.front is None else session.front.room
    if queue.spare is None:
        return places if behind is None else behind // 2
    # One at a time may use the whole queue; of several at once all must arrive, so they stay below half of it.
    one = int(prober.connecting == 0 and not queue.full)
    room = max(one, queue.spare - 1 - prober.connecting)
    return room if behind is None else min(room, max(1, behind // 2))


def _release(session: Session, prober: Prober) -> bool:
    """Releases all that were offered; whether all of them ended."""
    for slot in session.slots.exact_load[: prober.offered]:
        session.recording.release(slot)
    return turn_until(session, prober, lambda: prober.ended == prober.offered, ANSWER_S)
