"""The phases in which a probe releases the held requests, and sees which threads and processes serve again."""

from __future__ import annotations

from holdfast.engine.prober import Prober
from holdfast.errors import InconclusiveError
from holdfast.infer.signals import reuse_seen
from holdfast.model.address import is_unix
from holdfast.model.live import LivePhase
from holdfast.model.phase import Phase
from holdfast.model.places import Outcome
from holdfast.model.timeline import NEVER, Entry, Outlived, Request
from holdfast.model.units import NS_PER_S
from holdfast.probing import live_look
from holdfast.probing.guards import check_held_requests
from holdfast.probing.ramp_pace import LONG_WAY_NS
from holdfast.probing.readiness import log_ends_with
from holdfast.probing.session import Session, batch
from holdfast.probing.slots import EXACT_PLACES, FREED_PLACE_REQUESTS, REUSE_REQUESTS
from holdfast.probing.waits import (
    ANSWER_S,
    AT_REST_S,
    OPEN_STATES,
    progress,
    turn_until,
    turn_until_at_rest,
    with_the_way_ns,
)

LONGEST_WAY_NS = 2 * NS_PER_S
"""Where a request takes longer to its view and a pool has no end, no single ones are sent to see what serves again."""

_RELEASED_S = 5.0
# Exact load comes next and needs every place free; each place that became free too early was taken by one more request.
_FREE_ALL = EXACT_PLACES + FREED_PLACE_REQUESTS


def release_held(session: Session, prober: Prober, abandoned: tuple[int, ...]) -> bool:
    """Releases held requests and those that wait, until the server has dealt with the abandoned ones.

    Of many held requests only some are released, a few of each process: the queue needs no more places to advance
    into, and a thousand handlers that all end at once fight for the GIL for ten seconds (measured with Flask's async
    views: 9.7 s instead of 0.1 s).

    An abandoned request is dealt with when its handler was entered, or when the server has closed its end of the
    connection and come to rest: a router closes it long before the worker behind it takes the request out of a queue
    between the two.

    Returns:
        Whether all of that happened, with no pause longer than the limit.

    Raises:
        InconclusiveError: requests were in service, and not one of those released was answered.
    """
    live_look.begin(session, LivePhase.RELEASING, prober)
    entries = session.recording.entries(0, prober.offered)
    freed = [each.id for each in some_of_each_process([each for each in entries if each.left_ns == NEVER])]
    outcomes = prober.columns.outcome
    entered = {each.id for each in entries}
    waiting = (each for each in range(session.slots.before_exact_load) if each not in entered)
    for slot in (*freed, *waiting):
        session.recording.release(slot)
    turn_until(session, prober, lambda: all(outcomes[each] != Outcome.PENDING for each in freed), ANSWER_S)
    # A request whose client has disconnected says nothing about answers.
    awaited = [each for each in freed if outcomes[each] != Outcome.GIVEN_UP]
    if awaited and all(outcomes[each] == Outcome.PENDING for each in awaited):
        if session.interrupts.asked:
            return False
        check_held_requests(session)
        raise InconclusiveError(
            "The server stopped answering: no request in service was answered after it was released.",
            log_ends_with(session.server).strip(),
            "Look at the server's own message, and probe again.",
        )
    return _turn_until_worked_off(session, prober, abandoned)


def _turn_until_worked_off(session: Session, prober: Prober, abandoned: tuple[int, ...]) -> bool:
    ports, sent_ns = prober.columns.local_port, prober.columns.sent

    def left_in_queue() -> set[int]:
        # Over TLS, a client that left before its handshake has sent no request that could be run.
        return {ports[each] for each in abandoned if sent_ns[each] and not session.recording.is_entered(each)}

    def dealt_with() -> bool:
        waiting = left_in_queue()
        if not waiting:
            return True
        ends = session.kernel.server_sockets(session.listen_address)
        # On a Unix socket, a client that has disconnected is unknown, and any end without a client may be one of these.
        if is_unix(session.address):
            waiting = {0}
        return not any(end.peer_port in waiting and end.state in OPEN_STATES for end in ends)

    def none_on_the_way() -> bool:
        behind = 0 if session.front is None else session.front.depth
        return not left_in_queue() or session.kernel.waiting_for(session.inner_ports) + behind == 0

    def moving() -> object:
        return progress(session, prober)

    # On a busy machine fifty forks take longer than any limit for one.
    limit_s = with_the_way_ns(session, int(AT_REST_S * NS_PER_S)) / NS_PER_S
    closed = all(turn_until(session, prober, reached, limit_s, moving) for reached in (dealt_with, none_on_the_way))
    if not closed or (left_in_queue() and not turn_until_at_rest(session, prober)):
        return False
    # At rest, although others that stayed have not reached their view either: these have not had their turn.
    if left_in_queue() and _some_wait_before_their_view(session, prober):
        return False
    # A server whose requests wait before their view is at rest too: only what was entered has been dealt with there.
    if session.way_ns < LONG_WAY_NS:
        return True
    return turn_until(session, prober, lambda: not left_in_queue(), limit_s, moving)


def _some_wait_before_their_view(session: Session, prober: Prober) -> bool:
    """Whether the application has been given a request whose client still waits, and has not brought it to its view."""
    handed = {each.id for each in session.recording.handed(0, prober.offered)}
    return any(each in handed and not session.recording.is_entered(each) for each in prober.pending())


def some_of_each_process(held: list[Entry]) -> list[Entry]:
    """Held requests to release: all if they are few; if they are many, the first ones of each process."""
    if len(held) <= _FREE_ALL:
        return held
    by_process: dict[int, list[Entry]] = {}
    for entry in held:
        by_process.setdefault(entry.pid, []).append(entry)
    each = max(1, _FREE_ALL // len(by_process))
    return [entry for of_one in by_process.values() for entry in of_one[:each]]


def send_reuse_requests(session: Session, outlived: Outlived | None) -> tuple[Request, ...]:
    """Sends requests one after another, none of them held, to see which threads and processes serve again.

    They are few, unless what ran the first request lives on: then it may have its turn behind many others.
    """
    live_look.begin(session, LivePhase.REUSE)
    first = session.slots.reuse.start

    def seen_enough(offered: int) -> bool:
        """Whether the last few have shown it, or came to no handler."""
        if offered % REUSE_REQUESTS or not offered:
            return False
        if not session.recording.entered(first + offered - REUSE_REQUESTS, first + offered):
            return True
        return reuse_seen(session.recording.entries(0, session.slots.recorded), outlived)

    with batch(session, session.slots.reuse, Phase.REUSE) as sent:
        prober = sent.prober
        while prober.offered < prober.columns.capacity and not seen_enough(prober.offered):
            prober.open(1)
            if not turn_until(session, prober, lambda: prober.ended == prober.offered, ANSWER_S):
                break
        return sent.requests()


def clear_server(session: Session, prober: Prober) -> bool:
    """Releases every earlier request, also those that the server still has in a queue; whether all are gone.

    Their look interval stays what it was, since thousands that look every few milliseconds would leave no core to
    anything else. So they do not end at once, but each at its next look.
    """
    recording, slots = session.recording, session.slots.recorded

    def moving() -> object:
        return recording.in_service(0, slots), progress(session, prober)

    # A request of exact load that was given up would be held for good if it reached a handler now.
    for slot in range(slots):
        recording.release(slot)
    turn_until(
        session, prober, lambda: not session.kernel.accept_queue(session.listen_address).depth, _RELEASED_S, moving
    )
    turn_until(session, prober, lambda: recording.in_service(0, slots) == 0, _RELEASED_S, moving)
    turn_until_at_rest(session, prober)
    return recording.in_service(0, slots) == 0
