"""The phases in which clients leave: of requests that are in service, and of requests that wait.

Whether a handler goes on although its client has left, and whether its place is free all the same, shows in
what follows: the handler ends although nobody released it, or another one starts beside as many as there were.
That *nothing* follows cannot be waited for; the server is watched for a time in which it was free to act. All
that act on a lost client by themselves were seen to do so within a few ms: the kernel wakes whoever waits for
the connection, and whoever does not wait for it learns of it when the handler has ended.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from typing import Literal

from holdfast.load.columns import requests
from holdfast.load.prober import Prober
from holdfast.model.address import is_unix
from holdfast.model.phase import Phase
from holdfast.model.places import Outcome
from holdfast.model.timeline import NEVER, Leaving, Request
from holdfast.probe.bench import (
    ANSWER_S,
    ASK_MANY,
    STILL_S,
    Bench,
    threads_that_hold,
    turn_until,
    turn_until_still,
    watch,
)

Way = Literal["fin", "rst"]

_LEAVE_AT_MOST = 50
_WATCHED_NS = 120_000_000
_WAYS: tuple[Way, ...] = ("fin", "rst")


def leave_in_service(bench: Bench, prober: Prober) -> tuple[tuple[Leaving, ...], tuple[Request, ...]]:
    """Lets the client of one held request leave by FIN, and that of another one by RST, where there is such a thing.

    Returns:
        Who left, and further requests that were sent to see whether a place had become free. A way of leaving
        for which no request in service was left is missing.
    """
    # A Unix socket is closed, and that is all there is to it (unix(7)).
    ways = _WAYS[:1] if is_unix(bench.address) else _WAYS
    together = _leave_together(bench, prober) if len(ways) > 1 else ()
    if together and together[0].until_ns != NEVER:
        return together, ()
    gone: list[Leaving] = []
    sent: list[Request] = []
    for number, how in enumerate(ways):
        there = _in_service(bench, prober)
        if not there and gone:
            there = _next_in_service(bench, prober, gone[-1].id)
        if not there or bench.interrupts.asked:
            break
        leaving, newcomer = _leave(bench, prober, there[0], how, bench.newcomer_slot + number)
        gone.append(leaving)
        sent += newcomer
    return (*gone, *(each for each in together if each.how not in {one.how for one in gone})), tuple(sent)


def _leave_together(bench: Bench, prober: Prober) -> tuple[Leaving, ...]:
    """One client leaves by FIN and one by RST at the same time, which takes half as long.

    Returns:
        Empty where that cannot be; watched until NEVER where what followed does not say of each what became of it.
    """
    pair = _in_service(bench, prober)[:2]
    if len(pair) < 2 or _others_are_turned_away(bench, prober):
        return ()
    recording, offered = bench.recording, prober.offered
    holding = threads_that_hold(recording.entries(0, offered))
    at_ns, entered = bench.now_ns(), recording.entered(0, offered)

    def left() -> int:
        return sum(map(recording.is_left, pair))

    for id, how in zip(pair, _WAYS, strict=True):
        prober.give_up([id], reset=how == "rst")
    free = watch(bench, prober, holding, lambda: left() > 0 or recording.entered(0, offered) > entered, _WATCHED_NS)
    turn_until_still(bench, prober, STILL_S)
    nothing = left() == 0 and recording.entered(0, offered) == entered
    until_ns = bench.now_ns() if free and (nothing or left() == len(pair)) else NEVER
    return tuple(Leaving(id, how, at_ns, until_ns) for id, how in zip(pair, _WAYS, strict=True))


def _leave(bench: Bench, prober: Prober, id: int, how: Way, slot: int) -> tuple[Leaving, list[Request]]:
    """One client leaves; `slot` is for a request that is sent after it if nobody else waits for a place."""
    recording, offered = bench.recording, prober.offered
    holding = threads_that_hold(recording.entries(0, offered))
    at_ns, entered = bench.now_ns(), recording.entered(0, offered)

    def shown() -> bool:
        return recording.is_left(id) or recording.entered(0, offered) > entered

    prober.give_up([id], reset=how == "rst")
    free = watch(bench, prober, holding, shown, _WATCHED_NS)
    turn_until_still(bench, prober, STILL_S)
    sent: list[Request] = []
    if free and not shown() and _others_are_turned_away(bench, prober):
        # Where several processes accept, who asks may be turned away by another one than has the place.
        for _ in range(ASK_MANY if len(bench.accepting) > 1 else 1):
            free, sent = _ask(bench, slot, holding)
            if not free or recording.is_entered(slot) or sent[0].outcome is Outcome.PENDING:
                break
    return Leaving(id, how, at_ns, bench.now_ns() if free else NEVER), sent


def _ask(bench: Bench, slot: int, holding: Collection[int]) -> tuple[bool, list[Request]]:
    """Sends one request to see whether there is a place for it; if there is, it is let go.

    Returns:
        Whether the server could show what it does with it, and the request.
    """
    recording = bench.recording
    with Prober(bench.address, bench.port, lambda _id: bench.head_of(slot), 1) as newcomer:
        newcomer.open(1)
        free = watch(bench, newcomer, holding, lambda: newcomer.ended == 1 or recording.is_entered(slot), _WATCHED_NS)
        recording.release(slot)
        if recording.is_entered(slot):
            turn_until(bench, newcomer, lambda: newcomer.ended == 1, ANSWER_S)
        sent = requests(newcomer.columns, [0], lambda _id: Phase.FREED_PLACE, newcomer.sources)
    return free, [replace(each, id=slot) for each in sent]


def abandon(bench: Bench, prober: Prober) -> tuple[int, ...]:
    """Lets the clients of old queued requests leave.

    Old ones, because they come to the handlers first: whether they are run is known soon. The very
    oldest stay, as many as are held: a server at its limit of descriptors accepts as soon as one is
    free, and while handlers end, who is accepted may fail for want of the others that a handler needs,
    whether the client has left or not.

    Returns:
        Ids of the requests whose clients left before any handler was entered for them.
    """
    connected = prober.columns.connected
    queued = [each for each in prober.pending() if connected[each] != NEVER and not bench.recording.is_entered(each)]
    held = bench.recording.in_service(0, prober.offered)
    staying = max(0, min(held, len(queued) - _LEAVE_AT_MOST))
    left = sorted(queued)[staying:][:_LEAVE_AT_MOST]
    prober.give_up(left)
    # A server that minds its clients learns of it before any handler becomes free.
    turn_until_still(bench, prober, STILL_S)
    return tuple(each for each in left if not bench.recording.is_entered(each))


def _in_service(bench: Bench, prober: Prober) -> list[int]:
    """The requests in service whose clients are still there, the latest first."""
    there = set(prober.pending())
    held = [each for each in bench.recording.entries(0, prober.offered) if each.left_ns == NEVER and each.id in there]
    return [each.id for each in sorted(held, key=lambda entry: entry.entered_ns, reverse=True)]


def _next_in_service(bench: Bench, prober: Prober, before: int) -> list[int]:
    """Releases a request whose client has left, so that one that waits takes its place."""
    bench.recording.release(before)
    turn_until(bench, prober, lambda: bench.recording.is_left(before), ANSWER_S)
    if prober.pending():
        turn_until(bench, prober, lambda: bool(_in_service(bench, prober)), STILL_S)
    return _in_service(bench, prober)


def _others_are_turned_away(bench: Bench, prober: Prober) -> bool:
    """Nobody waits for a place, and the server did not let in everybody either."""
    if any(not bench.recording.is_entered(each) for each in prober.pending()):
        return False
    return bool(prober.outcome_counts().keys() - {Outcome.PENDING, Outcome.GIVEN_UP})
