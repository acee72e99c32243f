"""Which place is full, from what was seen of a server."""

from __future__ import annotations

from dataclasses import fields, replace

import pytest
from support.capacity_loads import at_rate

from holdfast.infer.capacity import capacity_of
from holdfast.infer.capacity_place import full_place, waiting_in
from holdfast.model.capacity import (
    CapacityAsked,
    CapacityRecord,
    FullPlace,
    HandlersSeen,
    PlacesLook,
    ProcessCores,
    WaitingIn,
    WatchedLoad,
)
from holdfast.model.phase import Phase
from holdfast.model.waiting import WaitingPoint

LOAD = at_rate(100.0, 3.0, began_s=30.0, answered_per_s=80.0, growth=0.25, held=False, alone_ms=50.0, load_cores=0.05)
SLEEPS = ProcessCores(7, "waitress", python=True, cores=0.05, waited=0.0, busiest=0.02, threads=4)
POOL = HandlersSeen(peak=4, at_peak=0.97, mean=3.9, took_ms=50.0, alone_ms=50.0, held=4)
SEEN = WatchedLoad(
    load=LOAD,
    looks=(PlacesLook(2.0, 40, 4, 0, 40), PlacesLook(2.5, 50, 4, 0, 50)),
    processes=(SLEEPS,),
    accept_limit=1023,
    handlers=POOL,
    waiting=(),
    idle=0.9,
    cores=2,
    started=True,
)


def place_of(**changes: object) -> FullPlace:
    found = full_place(replace(SEEN, **changes), "/srv")  # type: ignore[arg-type]
    assert found is not None
    return found


def test_handlers_are_full_if_as_many_ran_all_the_time_and_no_more_when_held() -> None:
    assert (place_of().kind, place_of().at_once) == ("handlers", 4)


def test_handlers_are_not_full_if_more_ran_when_held() -> None:
    """A server that accepts 80 a second of 50 ms each also has 4 handlers running: Little's law."""
    free = replace(POOL, held=8)
    looks = (PlacesLook(2.0, 40, 4, 30, 4), PlacesLook(2.5, 50, 4, 40, 4))

    found = place_of(handlers=free, looks=looks)

    # Linux holds one connection more than the limit of listen(2): sk_acceptq_is_full() asks for more than it.
    assert (found.kind, found.at_once) == ("accept queue", 1024)
    # The later half of the looks counts: 50 in flight, 4 in handlers and 40 in the queue.
    assert found.evidence[-1] == "40 of 1024 connections waited to be accepted, and 6 had no connection."


def test_what_the_kernel_does_not_tell_of_connections_is_not_said_to_be_none() -> None:
    unseen = PlacesLook(2.5, 50, 4, 40, None)

    found = place_of(handlers=replace(POOL, held=8), looks=(unseen,))

    assert found.evidence[-1] == "40 of 1024 connections waited to be accepted."


@pytest.mark.parametrize(
    ("started", "words"), [(False, "no recorder was inside"), (True, "only GET requests without a body")]
)
def test_each_number_of_waiting_requests_that_is_not_known_has_its_reason(words: str, *, started: bool) -> None:
    seen = replace(SEEN, handlers=None, looks=(PlacesLook(2.5, 50),), started=started)
    asked = CapacityAsked(("p99<200ms",))

    found = capacity_of(CapacityRecord("a", "b", asked, (LOAD,), seen, "", (), 0.0, 50.0))

    nulls = {f"waiting.{each.name}" for each in fields(WaitingIn)}
    assert found.waiting == WaitingIn(None, None, None, None)
    assert {name for name in found.unknown if name.startswith("waiting.")} == nulls
    assert words in found.unknown["waiting.in_service"]


def test_an_accept_queue_whose_limit_is_not_known_is_named_without_it() -> None:
    found = place_of(handlers=replace(POOL, held=8), looks=(PlacesLook(2.5, 50, 4, 40, 4),), accept_limit=None)

    assert (found.kind, found.at_once) == ("accept queue", None)
    assert found.evidence[-1].startswith("40 connections waited to be accepted")


def test_requests_that_are_accepted_and_find_no_handler_although_one_is_free_are_in_the_servers_queue() -> None:
    idle = replace(POOL, mean=0.5)

    assert place_of(handlers=idle).kind == "server's own queue"


def test_one_thread_that_computes_comes_before_the_handler_that_it_runs() -> None:
    busy = replace(SLEEPS, cores=0.98, busiest=0.99, threads=1)
    one = replace(POOL, peak=1, mean=1.0, held=1)

    found = place_of(processes=(busy,), handlers=one)

    assert (found.kind, found.pid) == ("cpu", 7)


def test_threads_that_have_one_core_together_take_turns_at_the_gil() -> None:
    threads = replace(SLEEPS, cores=0.98, waited=0.02, busiest=0.3, threads=8)

    assert place_of(processes=(threads,)).kind == "gil"


def test_threads_without_a_gil_do_not_take_turns_at_it() -> None:
    threads = replace(SLEEPS, gil=False, cores=0.98, waited=0.02, busiest=0.3, threads=8)

    assert place_of(processes=(threads,)).kind == "handlers"


@pytest.mark.parametrize(("cores", "waited"), [(1.7, 4.0), (0.44, 8.5)])
def test_threads_of_one_process_that_have_all_cores_are_ended_by_the_machine(cores: float, waited: float) -> None:
    threads = replace(SLEEPS, gil=False, cores=cores, waited=waited, busiest=0.97, threads=8)

    found = place_of(processes=(threads,), idle=0.01)

    assert found.kind == "machine's cpu"
    assert found.words == "the machine's 2 cores: 8 threads of one process of the server compute, and none is left"


def test_threads_of_another_language_have_no_gil() -> None:
    threads = replace(SLEEPS, python=False, cores=0.98, waited=0.02, busiest=0.3, threads=8)

    assert place_of(processes=(threads,)).kind == "handlers"


def test_processes_that_have_all_cores_are_ended_by_the_machine() -> None:
    busy = replace(SLEEPS, cores=0.6, waited=0.39, busiest=0.99, threads=1)

    assert place_of(processes=(busy, busy, busy), idle=0.01).kind == "machine's cpu"


def test_handlers_that_take_longer_than_alone_without_computing_wait_within_the_view() -> None:
    point = WaitingPoint(Phase.CALLED_TOGETHER, 7, 9, "/srv/shop.py", 14, "app", "threading.Lock", waits=True)
    other = replace(point, line=20, requests=3)
    slow = replace(POOL, peak=16, mean=11.0, took_ms=600.0, held=None)

    found = place_of(handlers=slow, waiting=(other, point), load=replace(LOAD, answered_per_s=20.0))

    assert (found.kind, found.where, found.at_once) == ("inside the view", "shop.py:14", 1)


def test_from_outside_littles_law_says_how_many_are_served_at_once() -> None:
    found = place_of(handlers=None)

    assert (found.kind, found.at_once) == ("handlers", 4)
    assert "from outside both look alike" in found.words
    # 80 a second of 50 ms each.
    assert "80.0 requests were answered each second, and one alone takes 50.0 ms: 4.0 at once" in found.evidence[0]


def test_from_outside_a_load_that_met_its_own_limit_names_no_handlers() -> None:
    """As many requests were under way as it had descriptors for."""
    limited = replace(LOAD, limited="Only 40 descriptors are free.")

    assert full_place(replace(SEEN, handlers=None, load=limited), "/srv") is None


def test_from_outside_a_queue_before_a_server_that_is_not_busy_is_accepted_too_slowly() -> None:
    looks = (PlacesLook(2.0, 40, None, 4, 0), PlacesLook(2.5, 50, None, 4, 0))

    found = place_of(handlers=None, looks=looks, load=replace(LOAD, alone_ms=1.0))

    assert (found.kind, found.at_once) == ("accept queue", 1024)


def test_nothing_is_named_of_what_was_not_seen() -> None:
    assert full_place(replace(SEEN, handlers=None, processes=()), "/srv") is None


def test_where_requests_wait_adds_up_to_those_in_flight() -> None:
    looks = (PlacesLook(2.5, 50, 4, 20, 14),)

    found = waiting_in(replace(SEEN, looks=looks))

    assert (found.in_service, found.userspace_queue, found.accept_queue, found.syn) == (4, 10, 20, 16)
