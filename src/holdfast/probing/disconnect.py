"""The phases in which clients disconnect: from requests that are in service, and from requests that wait.

Whether a handler keeps running although its client has disconnected, and whether its place is free nevertheless,
shows in what follows: the handler ends although it was not released, or another one starts in addition to as many as
there were. That *nothing* follows cannot be waited for; the server is watched for a time in which it was free to act.
Every server that acts on a lost client by itself was seen to do so within a few ms: the kernel wakes a thread that
waits for the connection, and a handler that does not wait for it learns of it only when it has ended.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from holdfast.engine.prober import Prober
from holdfast.model.address import is_unix
from holdfast.model.live import LivePhase
from holdfast.model.phase import Phase
from holdfast.model.places import Outcome
from holdfast.model.timeline import NEVER, Leaving, Request
from holdfast.observe.asleep import Holding
from holdfast.probing import live_look
from holdfast.probing.session import Session, batch
from holdfast.probing.waits import (
    ANSWER_S,
    STILL_S,
    threads_that_hold,
    turn_until,
    turn_until_still,
    turn_while_free,
    with_the_way_ns,
)

How = Literal["fin", "rst"]

ASK_MANY = 32
"""How often the probe asks for a free place where several processes accept, each with its own places.

Each request is dealt to one of them. That a full process accepts it 32 times in a row, while another has room, has one
chance in four thousand million where there are two and the kernel chooses fairly.
"""

_DISCONNECT_AT_MOST = 50
_WATCHED_NS = 120_000_000
_BOTH: tuple[How, ...] = ("fin", "rst")


def disconnect_in_service(session: Session, prober: Prober) -> tuple[tuple[Leaving, ...], tuple[Request, ...]]:
    """Disconnects the client of one held request with FIN, and where that exists, that of another one with RST.

    Returns:
        Who disconnected, and further requests that were sent to see whether a place had become free. A way of
        disconnecting for which no request in service was left is missing.
    """
    live_look.begin(session, LivePhase.LEAVING, prober)
    # A Unix socket is closed in one way only (unix(7)).
    ways = _BOTH[:1] if is_unix(session.address) else _BOTH
    together = _disconnect_pair(session, prober) if len(ways) > 1 else ()
    if together and together[0].until_ns != NEVER:
        return together, ()
    gone: list[Leaving] = []
    sent: tuple[Request, ...] = ()
    for slot, how in zip(session.slots.freed_place, ways, strict=False):
        there = _in_service(session, prober)
        if not there and gone:
            there = _next_in_service(session, prober, gone[-1].id)
        if not there or session.interrupts.asked:
            break
        leaving, newcomer = _disconnect_one(session, prober, there[0], how, slot)
        gone.append(leaving)
        sent += newcomer
    return (*gone, *(each for each in together if each.how not in {one.how for one in gone})), sent


def _disconnect_pair(session: Session, prober: Prober) -> tuple[Leaving, ...]:
    """Disconnects one client with FIN and one with RST at the same time, which takes half as long.

    Returns:
        Empty where that is not possible; watched until NEVER where what followed does not tell which of the two
        caused it.
    """
    pair = _in_service(session, prober)[:2]
    if len(pair) < 2 or _others_are_turned_away(session, prober):
        return ()
    recording, offered = session.recording, prober.offered
    holding = threads_that_hold(recording.entries(0, offered))
    at_ns, entered = session.now_ns(), recording.entered(0, offered)

    def left() -> int:
        return sum(map(recording.is_left, pair))

    def followed() -> bool:
        return left() > 0 or recording.entered(0, offered) > entered

    for id, how in zip(pair, _BOTH, strict=True):
        prober.give_up([id], reset=how == "rst")
    free = _watch(session, prober, holding, followed)
    nothing = left() == 0 and recording.entered(0, offered) == entered
    until_ns = session.now_ns() if free and (nothing or left() == len(pair)) else NEVER
    return tuple(Leaving(id, how, at_ns, until_ns) for id, how in zip(pair, _BOTH, strict=True))


def _disconnect_one(
    session: Session, prober: Prober, id: int, how: How, slot: int
) -> tuple[Leaving, tuple[Request, ...]]:
    """Disconnects one client.

    Args:
        slot: for a request that is sent afterwards if no other waits for a place.
    """
    recording, offered = session.recording, prober.offered
    holding = threads_that_hold(recording.entries(0, offered))
    at_ns, entered = session.now_ns(), recording.entered(0, offered)

    def followed() -> bool:
        return recording.is_left(id) or recording.entered(0, offered) > entered

    prober.give_up([id], reset=how == "rst")
    free = _watch(session, prober, holding, followed)
    sent: tuple[Request, ...] = ()
    if free and not followed() and _others_are_turned_away(session, prober):
        # Where several processes accept, a request may be turned away by another one than the one with the free place.
        for _ in range(ASK_MANY if session.several else 1):
            free, sent = _ask_for_place(session, slot, holding)
            if not free or recording.is_entered(slot) or sent[0].outcome is Outcome.PENDING:
                break
    return Leaving(id, how, at_ns, session.now_ns() if free else NEVER), sent


def _watch(session: Session, prober: Prober, holding: Holding, followed: Callable[[], bool]) -> bool:
    """Waits for what follows a disconnect, until all of it has; whether the server had the time to show it."""
    watched = turn_while_free(session, prober, holding, followed, with_the_way_ns(session, _WATCHED_NS))
    if watched != "sleeps":
        turn_until_still(session, prober, STILL_S)
    return watched != "had no core"


def _ask_for_place(session: Session, slot: int, holding: Holding) -> tuple[bool, tuple[Request, ...]]:
    """Sends one request to see whether there is a place for it; if there is, it is released.

    Returns:
        Whether the server had the time to show what it does with it, and the request.
    """
    recording = session.recording
    with batch(session, (slot,), Phase.FREED_PLACE) as sent:
        prober = sent.prober

        def decided() -> bool:
            return prober.ended == 1 or recording.is_entered(slot)

        prober.open(1)
        watched = turn_while_free(session, prober, holding, decided, with_the_way_ns(session, _WATCHED_NS))
        recording.release(slot)
        if recording.is_entered(slot):
            turn_until(session, prober, lambda: prober.ended == 1, ANSWER_S)
        return watched != "had no core", sent.requests()


def disconnect_queued(session: Session, prober: Prober) -> tuple[int, ...]:
    """Disconnects the clients of old queued requests.

    Old ones, because they reach the handlers first, so that it is soon known whether they are run. The very oldest
    stay, as many as are held: a server at its limit of descriptors accepts as soon as one is free, and while handlers
    end, an accepted request may fail for want of the other descriptors that a handler needs, whether its client has
    disconnected or not.

    Returns:
        Ids of the requests whose clients disconnected before any handler was entered for them.
    """
    connected = prober.columns.connected
    queued = [each for each in prober.pending() if connected[each] != NEVER and not session.recording.is_entered(each)]
    held = session.recording.in_service(0, prober.offered)
    staying = max(0, min(held, len(queued) - _DISCONNECT_AT_MOST))
    left = sorted(queued)[staying:][:_DISCONNECT_AT_MOST]
    prober.give_up(left)
    # A server that notices disconnects does so before any handler becomes free.
    turn_until_still(session, prober, STILL_S)
    return tuple(each for each in left if not session.recording.is_entered(each))


def _in_service(session: Session, prober: Prober) -> list[int]:
    """The requests in service whose clients are still connected, the latest first."""
    there = set(prober.pending())
    held = [each for each in session.recording.entries(0, prober.offered) if each.left_ns == NEVER and each.id in there]
    return [each.id for each in sorted(held, key=lambda entry: entry.entered_ns, reverse=True)]


def _next_in_service(session: Session, prober: Prober, before: int) -> list[int]:
    """Releases a request whose client has disconnected, so that one that waits takes its place."""
    session.recording.release(before)
    turn_until(session, prober, lambda: session.recording.is_left(before), ANSWER_S)
    if prober.pending():
        turn_until(session, prober, lambda: bool(_in_service(session, prober)), STILL_S)
    return _in_service(session, prober)


def _others_are_turned_away(session: Session, prober: Prober) -> bool:
    """Whether no request waits for a place, although the server has not let in all of them."""
    if any(not session.recording.is_entered(each) for each in prober.pending()):
        return False
    return bool(prober.outcome_counts().keys() - {Outcome.PENDING, Outcome.GIVEN_UP})
