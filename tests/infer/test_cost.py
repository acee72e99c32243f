"""What a request in service costs, by what the server's processes used before and while requests were held."""

from __future__ import annotations

from dataclasses import replace

from holdfast.infer.cost import cost_of
from holdfast.model.samples import Usage
from holdfast.model.verdict import Places

MB = 1_000_000
EIGHT = Places(in_service=8)


def look(megabytes: int, threads: int = 1, descriptors: int = 10) -> Usage:
    return Usage(1, 1, threads, descriptors, megabytes * MB, 0.0)


def test_what_the_first_request_leaves_behind_is_no_cost_of_one_in_service():
    found = cost_of([look(20), look(60), look(68, descriptors=18)], EIGHT, maybe_starting=False)

    assert found.value.memory_bytes == 1 * MB
    assert found.value.descriptors == 1


def test_a_thread_that_stays_after_the_first_request_takes_one_of_those_in_service():
    found = cost_of([look(20), look(21, threads=2), look(28, threads=9)], EIGHT, maybe_starting=False)

    assert (found.value.memory_bytes, found.value.threads) == (1 * MB, 1)


def test_runs_without_a_look_after_the_first_request_have_their_cost_from_two():
    found = cost_of([look(20), look(28)], EIGHT, maybe_starting=False)

    assert found.value.memory_bytes == 1 * MB


def test_what_the_first_request_of_each_of_several_processes_leaves_behind_is_no_cost_of_one_in_service():
    looks = [look(20), look(60), look(180, descriptors=18)]

    found = cost_of(looks, EIGHT, maybe_starting=False, again=[look(190), look(198)], serving=4)

    assert (found.value.memory_bytes, found.value.descriptors) == (1 * MB, 1)


def test_memory_of_several_processes_is_unknown_without_looks_after_that_or_with_threads_that_stay():
    looks, later = [look(20), look(60), look(180)], [look(190), look(198)]
    grown = [*looks[:2], look(180, threads=9)]

    for usage, again in ((looks, []), (grown, later)):
        found = cost_of(usage, EIGHT, maybe_starting=False, again=again, serving=4)
        assert found.value.memory_bytes is None
        assert "first request of each" in found.unknown["cost.memory_bytes"]
        assert found.value.descriptors == 0


def test_memory_is_unknown_where_the_kernel_does_not_say_how_it_is_shared():
    unread = replace(look(0), memory_bytes=None)

    for usage in ([look(20), look(60), unread], [look(20), unread, look(60)]):
        found = cost_of(usage, EIGHT, maybe_starting=False)
        assert found.value.memory_bytes is None
        assert list(found.unknown) == ["cost.memory_bytes"]
