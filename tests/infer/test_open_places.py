"""A place in a process that was not seen full is not a bound."""

from __future__ import annotations

from dataclasses import replace

import pytest
import records

from holdfast.infer.judge import judge
from holdfast.model.front import QueueBetween, SeenFront
from holdfast.model.phase import Phase
from holdfast.model.places import Outcome
from holdfast.model.ramp import Ramp
from holdfast.model.timeline import Acceptor, Leaving

MASTER, LISTENER = 1, 1


def acceptor(pid: int, connections: int, *, waits_on: tuple[int, ...] | None = (LISTENER,), parent: int = MASTER):
    return Acceptor(pid, parent, (LISTENER,), waits_on, connections)


def held_by(
    pids: list[int],
    acceptors: list[Acceptor],
    *,
    waiting: int = 3,
    depth: int = 0,
    queued: int = 0,
    front: SeenFront | None = None,
):
    """A handler in each of these processes; so many requests wait in user space, and so many in the accept queue."""
    count = len(pids) + waiting + queued
    requests = [records.request(id) for id in range(count)]
    entries = [records.on_thread(id, pid, 1, pid=pid, process_seq=1) for id, pid in enumerate(pids)]
    sockets = [records.socket(id, accepted=id < len(pids) + waiting) for id in range(count)]
    seen = replace(records.snapshot(*sockets, depth=depth), acceptors=tuple(acceptors), front=front)
    return judge(records.timeline(requests, entries, seen, "max-offered"))


def test_a_worker_that_has_run_nothing_while_requests_wait_behind_others_makes_it_at_least():
    verdict = held_by([10, 11], [acceptor(10, 3), acceptor(11, 2), acceptor(12, 0)])

    assert (verdict.ceiling.in_service, verdict.ceiling.bounded, verdict.ceiling.interval) == (2, False, (2, 3))
    assert (verdict.model.processes, verdict.model.spread) == (3, (1, 1, 0))
    assert "pid 12" in verdict.warnings[0]
    assert "--max-offered" in verdict.warnings[0]


def test_a_worker_that_another_worker_has_forked_is_one_of_them():
    verdict = held_by([10], [acceptor(10, 4), acceptor(12, 0, parent=10)])

    assert (verdict.ceiling.in_service, verdict.ceiling.bounded, verdict.ceiling.interval) == (1, False, (1, 2))
    assert "pid 12" in verdict.warnings[0]


def test_where_none_waits_it_says_that_others_turned_requests_away():
    requests = [records.request(0), records.request(1, outcome=Outcome.REJECTED, status=503, done_ns=4000)]
    accept = (acceptor(10, 1), acceptor(11, 0))
    seen = replace(records.snapshot(records.socket(0, accepted=True)), acceptors=accept)
    entry = records.on_thread(0, 10, 1, pid=10, process_seq=1)

    verdict = judge(records.timeline(requests, [entry], seen, "turned away"))

    assert verdict.ceiling.bounded is False
    assert "while 1 requests were turned away by others" in verdict.warnings[0]


@pytest.mark.parametrize(
    "other",
    [
        acceptor(MASTER, 0, waits_on=(), parent=0),
        acceptor(12, 0, parent=77),
        acceptor(12, 0, waits_on=None),
        acceptor(12, 1),
    ],
    ids=["a master", "of another kind", "unreadable", "with a request behind it"],
)
def test_what_does_not_accept_or_is_full_leaves_it_a_bound(other):
    verdict = held_by([10, 11], [acceptor(10, 3), acceptor(11, 2), other])

    assert (verdict.ceiling.bounded, verdict.ceiling.interval) == (True, None)


BETWEEN = QueueBetween(records.HOST, 8001, depth=0, limit=128, connections=2)


@pytest.mark.parametrize(
    ("others", "between", "bounded"),
    [
        ([], BETWEEN, True),
        ([acceptor(12, 0)], BETWEEN, False),
        ([], replace(BETWEEN, connections=1), True),
        ([], replace(BETWEEN, connections=3), False),
        ([], replace(BETWEEN, depth=4), True),
        ([acceptor(12, 0)], replace(BETWEEN, depth=4), False),
    ],
    ids=[
        "all wait before the front",
        "a process was handed nothing",
        "two share a connection",
        "one waits in the server",
        "it leaves four in the queue between",
        "so does one that was handed nothing",
    ],
)
def test_behind_a_front_that_is_full_itself_a_process_need_not_be(others, between, bounded):
    front = SeenFront("haproxy", (9,), "uvicorn", (between,))
    # Of sixty connections the front takes two; what the server listens on is empty.
    behind = [replace(each, waits_on=(77,), listeners=(77,)) for each in (acceptor(10, 2), *others)]

    waiting = max(0, between.connections - 2) + between.depth
    verdict = held_by([10, 10], behind, waiting=waiting, depth=58, queued=58, front=front)

    assert verdict.ceiling.bounded is bounded


def test_a_worker_that_leaves_requests_in_the_accept_queue_has_shown_that_it_takes_none():
    verdict = held_by([10, 11], [acceptor(10, 1), acceptor(11, 1), acceptor(12, 0)], waiting=0, depth=2, queued=2)

    assert verdict.ceiling.bounded is True


def with_queues_of_their_own(depths: dict[int, int], acceptors: list[Acceptor]):
    """A handler in process 10; so many requests wait in each listen queue."""
    queued = sum(depths.values())
    sockets = [records.socket(id, accepted=id == 0) for id in range(queued + 1)]
    seen = records.snapshot(*sockets, limit=20)
    queues = tuple(replace(seen.listeners[0], inode=inode, depth=depth) for inode, depth in depths.items())
    requests = [records.request(id) for id in range(queued + 1)]
    entry = records.on_thread(0, 10, 1, pid=10, process_seq=1)
    return judge(
        records.timeline(requests, [entry], replace(seen, listeners=queues, acceptors=tuple(acceptors)), "syn")
    )


SERVES = Acceptor(10, MASTER, (1,), (), 1)


def test_a_queue_of_its_own_that_a_process_never_empties_is_no_bound():
    verdict = with_queues_of_their_own({1: 21, 2: 21}, [SERVES, Acceptor(12, 10, (2,), (), 0)])

    assert (verdict.ceiling.in_service, verdict.ceiling.bounded, verdict.ceiling.interval) == (1, False, (1, 2))
    assert "pid 12" in verdict.warnings[0]
    assert "hang" in verdict.warnings[0]


@pytest.mark.parametrize(
    ("depth", "others"),
    [
        (0, [Acceptor(12, MASTER, (2,), (), 0)]),
        (21, [Acceptor(12, MASTER, (2,), None, 0)]),
        (21, [Acceptor(MASTER, 0, (1, 2), (), 0)]),
        (0, [Acceptor(MASTER, 0, (1,), (), 0)]),
    ],
    ids=["nothing waits in it", "unreadable", "of a master", "a master that has the same"],
)
def test_a_queue_that_may_be_emptied_leaves_it_a_bound(depth, others):
    verdict = with_queues_of_their_own({1: 21, 2: depth}, [SERVES, *others])

    assert (verdict.ceiling.in_service, verdict.ceiling.bounded) == (1, True)


@pytest.mark.parametrize(
    ("other", "bounded"),
    [
        (Acceptor(12, MASTER, (LISTENER,), (), 0, rests=False), False),
        (Acceptor(12, MASTER, (LISTENER,), (), 0, rests=True), True),
        (Acceptor(12, MASTER, (LISTENER,), (), 0, rests=None), True),
        (Acceptor(12, 77, (LISTENER,), (), 0, rests=False), True),
        (Acceptor(12, MASTER, (LISTENER, 2), (), 0, rests=False), True),
    ],
    ids=["starts", "waits for other work", "unreadable", "of another parent", "with another socket"],
)
def test_a_worker_that_still_starts_is_no_bound_for_the_others(other, bounded):
    verdict = held_by([10, 11], [acceptor(10, 3), acceptor(11, 2), other])

    assert (verdict.ceiling.in_service, verdict.ceiling.bounded) == (2, bounded)
    assert bounded or "starting" in verdict.warnings[0]


def after_the_first(acceptors: list[Acceptor], waiting: int):
    """Process 12 ran the first request; now one in 10 is held, so many wait in user space, and two are not accepted."""
    requests = [records.request(0, done_ns=5, outcome=Outcome.ANSWERED, phase=Phase.FIRST_REQUEST)]
    requests += [records.request(id) for id in range(1, waiting + 4)]
    entries = [records.on_thread(0, 12, 1, pid=12, left_ns=5), records.on_thread(1, 10, 1, pid=10, process_seq=1)]
    sockets = [records.socket(id, accepted=id < waiting + 2) for id in range(1, waiting + 4)]
    seen = replace(records.snapshot(*sockets, depth=2), acceptors=tuple(acceptors))
    return judge(records.timeline(requests, entries, seen, "max-offered"))


@pytest.mark.parametrize(("stale", "waits_on"), [(0, (LISTENER,)), (5, (LISTENER,)), (0, ())])
def test_a_worker_that_ran_handlers_and_no_longer_takes_what_is_not_accepted_makes_it_at_least(stale, waits_on):
    # Connections of requests that have ended long since may be open still. One that has none, and does not wait for
    # the listener, takes none either: it hangs in its own code, or another process took the listener out of the epoll
    # instance that both share since a fork.
    verdict = after_the_first([acceptor(10, 3), acceptor(12, stale, waits_on=waits_on)], waiting=2)

    assert (verdict.ceiling.in_service, verdict.ceiling.bounded) == (1, False)
    assert verdict.ceiling.userspace_queue is None
    assert "ceiling.userspace_queue" in verdict.unknown
    assert "pid 12" in verdict.warnings[0]
    assert "may hang" in verdict.warnings[0]


def test_a_worker_whose_requests_all_wait_in_it_does_not_hang():
    # One lock for all processes, say.
    verdict = after_the_first([acceptor(10, 1), acceptor(12, 2)], waiting=2)

    assert verdict.ceiling.bounded is True


def test_a_worker_with_fewer_handlers_than_a_full_one_may_have_room():
    verdict = held_by([10, 10, 10, 11], [acceptor(10, 6), acceptor(11, 1)])

    assert (verdict.ceiling.in_service, verdict.ceiling.bounded, verdict.ceiling.interval) == (4, False, (4, 6))


def test_a_worker_that_leaves_requests_in_the_accept_queue_with_fewer_handlers_than_another_may_hang():
    acceptors = [acceptor(10, 5), acceptor(11, 2)]

    verdict = held_by([10, 10, 10, 10, 11, 11], acceptors, waiting=1, depth=2, queued=2)

    assert (verdict.ceiling.in_service, verdict.ceiling.bounded, verdict.ceiling.interval) == (6, False, (6, 8))
    assert verdict.ceiling.userspace_queue is None
    assert "(pid 11) ran 2 where another ran 4" in verdict.warnings[0]


def test_of_several_that_may_hang_the_least_that_one_runs_is_named():
    acceptors = [acceptor(10, 5), acceptor(11, 2), acceptor(12, 3)]

    verdict = held_by([10] * 4 + [11] * 2 + [12] * 3, acceptors, waiting=1, depth=2, queued=2)

    # Two more in pid 11 and one in pid 12 are four in each.
    assert (verdict.ceiling.in_service, verdict.ceiling.bounded, verdict.ceiling.interval) == (9, False, (9, 12))
    assert "(pid 11, 12) ran 2 or more where another ran 4" in verdict.warnings[0]


def test_a_worker_with_a_request_of_its_own_that_waits_does_not():
    """A semaphore over all processes, say, of which it got fewer."""
    acceptors = [acceptor(10, 5), acceptor(11, 3)]

    verdict = held_by([10, 10, 10, 10, 11, 11], acceptors, waiting=2, depth=2, queued=2)

    assert (verdict.ceiling.in_service, verdict.ceiling.bounded) == (6, True)


def test_a_worker_with_as_many_as_a_full_one_has_none():
    verdict = held_by([10, 11], [acceptor(10, 4), acceptor(11, 1)])

    assert verdict.ceiling.bounded is True


def test_where_handlers_run_behind_a_router_its_processes_have_no_places():
    verdict = held_by([20], [acceptor(10, 4), acceptor(11, 0)])

    assert verdict.ceiling.bounded is True


def one_waits(pid: int = 10):
    """One handler, in that process, and one request in the accept queue; process 10 was there at the start."""
    requests = [records.request(0), records.request(1)]
    sockets = [records.socket(0, accepted=True), records.socket(1, accepted=False)]
    return records.timeline(requests, [records.entry(0, pid=pid)], records.snapshot(*sockets, depth=1))


def waiting_behind(pid: int, grows_by: str):
    seen = one_waits(pid)
    return judge(replace(seen, server=replace(seen.server, grows_by=grows_by)))


def test_a_pool_that_may_grow_and_did_not_is_at_least_what_it_was():
    verdict = waiting_behind(10, "cheaper")

    assert (verdict.ceiling.in_service, verdict.ceiling.bounded, verdict.ceiling.interval) == (1, False, (1, None))
    assert "cheaper" in verdict.warnings[0]


@pytest.mark.parametrize(("pid", "grows_by"), [(11, "cheaper"), (10, "")])
def test_a_pool_that_was_seen_to_grow_or_cannot_is_bounded(pid, grows_by):
    assert waiting_behind(pid, grows_by).ceiling.bounded is True


def test_a_pool_that_still_grew_when_the_ramp_left_it_is_at_least_what_it_was():
    verdict = judge(replace(one_waits(), ramp=Ramp("growing", records.AT - 5, step_ns=200_000_000)))

    assert (verdict.ceiling.in_service, verdict.ceiling.bounded, verdict.ceiling.interval) == (1, False, (1, None))
    assert "up to 0.2 s between two" in verdict.warnings[0]


def test_a_worker_that_came_after_the_count_makes_it_at_least_and_says_nothing_of_clients_that_left():
    seen = one_waits()
    gone = Leaving(0, "fin", records.AT + 10, records.AT + 100)
    newcomer = records.entry(1, pid=77, entered_ns=records.AT + 50)

    verdict = judge(replace(seen, entries=(*seen.entries, newcomer), left_in_service=(gone,), came_later=(77,)))

    assert (verdict.ceiling.bounded, verdict.ceiling.interval) == (False, (1, None))
    assert "pid 77" in verdict.warnings[0]
    assert verdict.abandoned.in_service.fin == "finishes"
