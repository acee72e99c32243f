"""Whether requests wait only because others like them are under way: one with a query string of its own shows it.

Facts
-----
* A cache may hand on one request for a page, and let all equal ones wait for its answer (request coalescing). An
  application may have a lock or a cache for each URL. What is equal is told by the whole target, as a rule.
* The requests of a ramp are equal, so both look like a place that only one of them gets.

Decisions
---------
* It is tried at the end of a probe, when the server is at rest: a request more would take a place in a queue while the
  places are counted, and a thread that waits for a lock takes no other request. And only where a few were in service,
  and requests waited in a front that kept back all of them, or in the application before its view.
* Equal requests are offered until one waits. Then one with a query string of its own, an equal one, and one with its
  own again. Only if each with its own comes to its view while no equal one does, it is shown. Where several processes
  take requests, chance decides which of them gets one, so as many equal ones as before have to be in service, and there
  are more turns. One with its own is released at once.
"""

from __future__ import annotations

from collections.abc import Sequence

from holdfast.engine.prober import Prober
from holdfast.model.phase import Phase
from holdfast.model.ramp import EqualRequests
from holdfast.model.timeline import Request
from holdfast.probing.release import clear_server
from holdfast.probing.session import Session, batch
from holdfast.probing.waits import ANSWER_S, threads_that_hold, turn_until, turn_while_free, with_the_way_ns

TAKES_NS = 120_000_000
_TURNS, _MORE_TURNS = 1, 3
_FEW = 8


def with_own_query(head: bytes, own: int) -> bytes:
    """The head of a request for the same path, with a query string that no other one has."""
    line, _, rest = head.partition(b"\r\n")
    method, target, version = line.split(b" ")
    return b"%b %b%bholdfast=%d %b\r\n%b" % (method, target, b"&" if b"?" in target else b"?", own, version, rest)


def may_wait_for_equal_ones(session: Session, prober: Prober) -> bool:
    """Whether a few requests are in service, and others wait where equal ones may keep them back."""
    recording = session.recording
    in_service = recording.in_service(0, prober.offered)
    if session.experiment.http2 or not 0 < in_service <= min(_FEW, prober.offered - prober.ended - 1):
        return False
    if session.front is not None:
        return session.front.keeps_back(in_service)
    return any(not recording.is_entered(each.id) for each in recording.handed(0, prober.offered))


def compare(session: Session, held: int) -> tuple[EqualRequests | None, tuple[Request, ...]]:
    """Offers equal requests until one waits, and then such with query strings of their own in turn with equal ones.

    Args:
        held: how many equal ones were in service when the places were counted.

    Returns:
        What was seen; None where it does not show that equal requests keep each other back. And all that were offered.
    """
    turns, began_ns, own = _MORE_TURNS if session.takers > 1 else _TURNS, session.now_ns(), set[int]()

    def head_of(slot: int) -> bytes:
        head = session.head_of(slot)
        return with_own_query(head, began_ns + slot) if slot in own else head

    with batch(session, session.slots.equal[: _FEW + 2 * turns + 2], Phase.EQUAL, head_of) as sent:
        prober, slots = sent.prober, sent.slots
        alone = clear_server(session, prober)
        for slot in slots:
            session.recording.hold(slot)
        in_service, waits = 0, False
        while alone and prober.offered <= _FEW and (in_service < held or not waits):
            waits = not _comes_in(session, prober, slots)
            in_service += not waits
        shown = waits and in_service == held
        for turn in range(2 * turns + 1):
            if not shown:
                break
            # Equal ones come in between.
            own.update([] if turn % 2 else [slots[prober.offered]])
            shown = _comes_in(session, prober, slots) is not bool(turn % 2)
            for slot in own:
                session.recording.release(slot)
            shown = shown and turn_until(session, prober, lambda: all(map(session.recording.is_left, own)), ANSWER_S)
        shown = shown and session.recording.in_service(slots[0], slots[-1] + 1) == in_service
        for slot in slots:
            session.recording.release(slot)
        turn_until(session, prober, lambda: prober.ended == prober.offered, ANSWER_S)
        return EqualRequests(in_service, turns + 1) if shown else None, sent.requests()


def _comes_in(session: Session, prober: Prober, slots: Sequence[int]) -> bool:
    """Offers the next one; whether it comes to its view while the server is free to bring it there."""
    slot, recording = slots[prober.offered], session.recording
    holding = threads_that_hold(recording.entries(0, session.slots.recorded))

    def decided() -> bool:
        return recording.is_entered(slot) or prober.ended == prober.offered

    prober.open(1)
    turn_while_free(session, prober, holding, decided, with_the_way_ns(session, TAKES_NS))
    return recording.is_entered(slot)
