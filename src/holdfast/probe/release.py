"""The phases in which a probe lets go: held requests are released, and who serves again."""

from __future__ import annotations

from dataclasses import replace

from holdfast.errors import InconclusiveError
from holdfast.load.columns import requests
from holdfast.load.prober import Prober
from holdfast.model.address import is_unix
from holdfast.model.phase import Phase
from holdfast.model.places import Outcome
from holdfast.model.timeline import NEVER, Entry, Request
from holdfast.observe.activity import settled
from holdfast.observe.processes import activity, process_tree
from holdfast.probe.bench import (
    ANSWER_S,
    EXACT_PLACES,
    NEWCOMERS,
    OPEN_STATES,
    WAVE,
    Bench,
    check_running,
    counts_now,
    turn_until,
    turn_until_still,
)
from holdfast.probe.readiness import last_lines

_DEALT_WITH_S = 3.0
# Exact load comes next, and wants every place free; a place that was freed too early has been taken by one more.
_FREE_ALL = EXACT_PLACES + NEWCOMERS


def let_go(bench: Bench, prober: Prober, abandoned: tuple[int, ...]) -> bool:
    """Releases held requests and whoever waits, until the abandoned ones were dealt with.

    Of many held requests only some are released, of each process: the queue needs no more places to
    move up into, and a thousand handlers that all end at once fight for the GIL for ten seconds
    (measured with Flask's async views: 9.7 s instead of 0.1 s).

    An abandoned request is dealt with when its handler was entered, or when the server has closed
    its end of the connection and come to rest: a router closes it long before the worker behind it
    takes the request out of a queue of their own.

    Returns:
        Whether all that came to pass, with no pause longer than the limit.

    Raises:
        InconclusiveError: requests were in service, and not one of the released was answered.
    """
    entries = bench.recording.entries(0, prober.offered)
    freed = [each.id for each in some_of_each_process([each for each in entries if each.left_ns == NEVER])]
    outcomes = prober.columns.outcome
    entered = {each.id for each in entries}
    for slot in (*freed, *(each for each in range(bench.exact_slot) if each not in entered)):
        bench.recording.release(slot)
    turn_until(bench, prober, lambda: all(outcomes[each] != Outcome.PENDING for each in freed), ANSWER_S)
    # Whose client has left says nothing of answers.
    awaited = [each for each in freed if outcomes[each] != Outcome.GIVEN_UP]
    if awaited and all(outcomes[each] == Outcome.PENDING for each in awaited):
        if bench.interrupts.asked:
            return False
        check_running(bench)
        raise InconclusiveError(
            "The server stopped answering: no request in service was answered after it was released.",
            f"Its log ends with:\n{last_lines(bench.server)}",
            "Look at the server's own message, and probe again.",
        )
    return _turn_until_worked_off(bench, prober, abandoned)


def _turn_until_worked_off(bench: Bench, prober: Prober, abandoned: tuple[int, ...]) -> bool:
    ports = prober.columns.local_port

    def left_in_queue() -> set[int]:
        return {ports[each] for each in abandoned if not bench.recording.is_entered(each)}

    def dealt_with() -> bool:
        waiting = left_in_queue()
        if not waiting:
            return True
        ends = bench.kernel.server_sockets(bench.listen_address)
        # On a Unix socket, who has left is nobody any more, and every end that nobody is at may be one of these.
        if is_unix(bench.address):
            waiting = {0}
        return not any(end.peer_port in waiting and end.state in OPEN_STATES for end in ends)

    def none_on_the_way() -> bool:
        return not left_in_queue() or bench.kernel.waiting_for(bench.inner_ports) == 0

    def moving() -> object:
        return counts_now(bench, prober)

    # On a busy machine fifty forks take longer than any limit for one.
    if not turn_until(bench, prober, dealt_with, _DEALT_WITH_S, moving):
        return False
    if not turn_until(bench, prober, none_on_the_way, _DEALT_WITH_S, moving):
        return False
    return not left_in_queue() or turn_until_at_rest(bench, prober)


def some_of_each_process(held: list[Entry]) -> list[Entry]:
    """Held requests to release: all of few; of many, the first ones of each process."""
    if len(held) <= _FREE_ALL:
        return held
    by_process: dict[int, list[Entry]] = {}
    for entry in held:
        by_process.setdefault(entry.pid, []).append(entry)
    each = max(1, _FREE_ALL // len(by_process))
    return [entry for of_one in by_process.values() for entry in of_one[:each]]


def send_wave(bench: Bench) -> tuple[Request, ...]:
    """A few requests, one after another, that are let through at once: who serves again?"""
    first = bench.wave_slot
    with Prober(bench.address, bench.port, lambda each: bench.head_of(first + each), WAVE) as prober:
        for sent in range(1, WAVE + 1):
            prober.open(1)
            if not turn_until(bench, prober, lambda sent=sent: prober.ended == sent, ANSWER_S):  # type: ignore[misc]
                break
        sent_requests = requests(prober.columns, range(prober.offered), lambda _id: Phase.REUSE, prober.sources)
    return tuple(replace(request, id=first + request.id) for request in sent_requests)


def turn_until_at_rest(bench: Bench, prober: Prober) -> bool:
    """Turns the load's loop until nothing has changed for a while and the server waits; False when it never did."""
    deadline = bench.now_ns() + int(_DEALT_WITH_S * 1e9)
    before = activity(process_tree(*bench.server.roots()))
    while bench.now_ns() < deadline and turn_until_still(bench, prober, _DEALT_WITH_S):
        after = activity(process_tree(*bench.server.roots()))
        if settled(before, after):
            return True
        before = after
    return False
