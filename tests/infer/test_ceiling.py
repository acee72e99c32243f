"""How much each place takes, and which of the numbers are bounds: from where the requests were at the census."""

from __future__ import annotations

from dataclasses import replace

import pytest
from records import entry, snapshot

from holdfast.infer.ceiling import backlog_in_force, ceiling_of, why_by_chance, why_no_backlog
from holdfast.model.ramp import Ramp, RampReason
from holdfast.model.timeline import Listener, Snapshot
from holdfast.model.verdict import Places

UNBOUNDED, NO_QUEUE = (None, None), (0, True)


def found(places: Places, seen: Snapshot, reason: RampReason = "syn"):
    """What is in service and whether that is a bound; the server's own queue, likewise; the accept queue; why nulls."""
    known = ceiling_of(places, Ramp(reason, 900), seen)
    ceiling = known.value
    return (
        (ceiling.in_service, ceiling.bounded),
        (ceiling.userspace_queue, ceiling.userspace_queue_bounded),
        ceiling.accept_queue,
        known.unknown,
    )


# A backlog of 16 is a queue of 17: sk_acceptq_is_full() asks for more than the backlog.
FULL, NOT_FULL = snapshot(depth=17, limit=16), snapshot(depth=16, limit=16)


@pytest.mark.parametrize(
    ("places", "seen", "in_service", "own_queue", "accept_queue"),
    [
        # waitress with 4 threads, --connection-limit 20, --backlog 16: docs/index.md.
        (Places(4, userspace_queue=14, accept_queue=17, syn=3), FULL, (4, True), (14, True), 17),
        (Places(10, accept_queue=17, syn=3), FULL, (10, True), NO_QUEUE, 17),
        (Places(10, accept_queue=16), NOT_FULL, (10, True), NO_QUEUE, None),
        # All of those beyond were accepted, so there is no end of that queue.
        (Places(4, userspace_queue=96), snapshot(depth=0, limit=16), (4, True), (None, False), None),
        (Places(4, rejected=3), snapshot(depth=0, limit=16), (4, True), NO_QUEUE, None),
        (Places(4, userspace_queue=5, refused=1), snapshot(depth=0, limit=16), (4, True), (5, True), None),
        (Places(300), snapshot(depth=0, limit=16), (300, False), UNBOUNDED, None),
        # The queue of others: none of those offered was in it.
        (Places(4, userspace_queue=5, syn=1), FULL, (4, True), (5, True), None),
    ],
)
def test_a_number_is_a_bound_only_where_a_request_found_no_place_beyond_it(
    places, seen, in_service, own_queue, accept_queue
):
    service, own, queue, unknown = found(places, seen)

    assert (service, own, queue) == (in_service, own_queue, accept_queue)
    nulls = {
        "ceiling.userspace_queue": own[0],
        "ceiling.userspace_queue_bounded": own[1],
        "ceiling.accept_queue": queue,
    }
    assert {name for name, value in nulls.items() if value is None} == set(unknown)


def listeners(*queues: tuple[int | None, int | None]) -> Snapshot:
    each = [Listener(number, "127.0.0.1", 80, depth, limit, (10,)) for number, (depth, limit) in enumerate(queues)]
    return replace(snapshot(), listeners=tuple(each))


def test_what_the_processes_took_is_no_bound_where_one_of_their_own_queues_is_empty():
    # As three workers of granian with room for 50 each, of which the kernel's lots gave one 47.
    places = Places(120, userspace_queue=27, accept_queue=34)

    _, own, _, unknown = found(places, listeners((20, 150), (14, 150), (0, 150)), "max-offered")
    assert own == (None, False)
    assert "one was empty when 27 were counted" in unknown["ceiling.userspace_queue"]

    _, own, *_ = found(places, listeners((20, 150), (13, 150), (1, 150)), "max-offered")
    assert own == (27, True)


@pytest.mark.parametrize(
    ("places", "seen", "reason", "words"),
    [
        (Places(4, accept_queue=1), listeners((None, None)), "syn", "does not report its depth"),
        (Places(4, accept_queue=20, syn=1), listeners((17, 16), (3, 16)), "syn", "over the port's 2 SO_REUSEPORT"),
        (Places(4, rejected=2), listeners((0, 16)), "turned away", "turned requests away before it filled"),
        (Places(4, userspace_queue=9), listeners((0, 16)), "max-offered", "not filled by the 13 requests offered"),
        (Places(4, userspace_queue=9), listeners((0, 16)), "interrupted", "no request was turned away or left"),
        (Places(4, syn=3), listeners(), "syn", "could not be read"),
        (Places(4, userspace_queue=5, syn=1), FULL, "syn", "full of other connections"),
        (Places(4, syn=3), listeners((2, 16)), "syn", "had room when the places were counted"),
    ],
)
def test_why_the_accept_queue_was_not_full_is_said(places, seen, reason, words):
    *_, unknown = found(places, seen, reason)

    assert words in unknown["ceiling.accept_queue"]


@pytest.mark.parametrize(
    ("limits", "backlog", "why"),
    [
        ([16], 16, None),
        ([16, 16], 16, None),
        ([16, 128], None, "different backlogs: 16, 128"),
        ([16, None], None, "not available here"),
        ([], None, "could not be read"),
    ],
)
def test_a_backlog_is_in_force_where_all_queues_of_the_port_have_it(limits, backlog, why):
    seen = listeners(*((0, limit) for limit in limits)).listeners

    assert backlog_in_force(seen) == backlog
    assert why is None or why in why_no_backlog(seen)


def test_it_is_chance_what_one_of_several_blocked_loops_took_from_their_socket():
    loops = [entry(id, pid=10 + id, tid=10 + id, entry_tid=10 + id, loop=True, entry_loop=True) for id in range(3)]

    assert "chance" in why_by_chance(loops, "async-blocking", FULL, taken_in=1)
    # None took more than it runs, and a single loop is blocked by the first that it takes.
    assert why_by_chance(loops, "async-blocking", FULL, taken_in=0) == ""
    assert why_by_chance(loops[:1], "async-blocking", FULL, taken_in=1) == ""
    # A loop that a coroutine does not block takes in all that comes.
    assert why_by_chance(loops, "async", FULL, taken_in=1) == ""
