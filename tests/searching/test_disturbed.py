"""Loads during which the load or the server had no core now and then: what they say of the server."""

from __future__ import annotations

import heapq
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as some
from support.capacity_loads import at_rate

from holdfast.engine.columns import Columns
from holdfast.engine.quantities import threshold
from holdfast.infer.capacity_disturbed import Window, disturbed, taken_share, undisturbed
from holdfast.model.capacity import AtRate
from holdfast.model.places import Outcome
from holdfast.searching.disturbed import disturbance

S = 1_000_000_000
MS = 1_000_000
THRESHOLDS = (threshold("errors<1%"), threshold("p99<500ms"))


def accepted(rate: float, seconds: float, stalls: tuple[tuple[int, int], ...]) -> Columns:
    """Requests to a server that accepts one every 20 ms, with four more in its queue, and stands still at times.

    Who finds the queue full repeats its SYN after a second (RFC 6298, 2.1).

    Args:
        stalls: from when to when it does nothing, ns.
    """
    columns = Columns(round(rate * seconds))
    coming = [(round(row * S / rate), row) for row in range(columns.capacity)]
    for due, row in coming:
        columns.due[row], columns.opened[row] = S + due, S + due
    waiting: list[int] = []
    free = 0
    while coming or waiting:
        at = coming[0][0] if coming else free
        if waiting and free <= at:
            row = waiting.pop(0)
            free = next((end for start, end in stalls if start <= free < end), free) + 20 * MS
            columns.done[row], columns.outcome[row] = S + free, Outcome.ANSWERED
            continue
        at, row = heapq.heappop(coming)
        if len(waiting) >= 4:
            heapq.heappush(coming, (at + S, row))
            continue
        waiting.append(row)
        free = max(free, at)
    return columns


def load(rate: float, answered: float) -> AtRate:
    return at_rate(rate, answered_per_s=answered, held=False, why="p99<500ms: 1,040 ms", alone_ms=1.0)


def windows(stalls: tuple[tuple[int, int], ...], others: float | None = 1.0) -> list[Window]:
    """Looks every 200 ms of 5 s, with what of each was a stall."""
    found = []
    for at in range(0, 5 * S, 200 * MS):
        taken = sum(max(0, min(end, at + 200 * MS) - max(start, at)) for start, end in stalls)
        found.append(Window(S + at, S + at + 200 * MS, taken, others))
    return found


STALLS = ((1000 * MS, 1150 * MS), (3200 * MS, 3350 * MS))


def said(rate: float, answered: float, stalls: tuple[tuple[int, int], ...], seen: list[Window]) -> str:
    columns = accepted(rate, 5.0, stalls)
    return disturbance(THRESHOLDS, load(rate, answered), columns, range(columns.capacity), seen)


def test_a_rate_below_the_edge_that_a_stall_broke_says_nothing() -> None:
    """150 ms at 40/s are six arrivals, and the queue takes four: two repeat their SYN, of 200."""
    columns = accepted(40, 5.0, STALLS)
    took = sorted(columns.done[row] - columns.due[row] for row in range(200))
    assert took[-3] > S

    assert "6% of the time" in said(40, 40.0, STALLS, windows(STALLS))


@pytest.mark.parametrize("others", [None, 0.1])
def test_where_others_used_nothing_a_stall_is_the_servers_own(others: float | None) -> None:
    assert not said(40, 40.0, STALLS, windows(STALLS, others))


def test_beyond_what_it_could_do_with_all_its_time_the_rate_does_not_hold() -> None:
    """50/s is the edge; with 6 % of its time taken, 47/s were answered, and 60/s are more than 47/0.94."""
    assert not said(60, 47.0, STALLS, windows(STALLS))
    assert said(49.5, 47.0, STALLS, windows(STALLS))


def test_a_latency_that_breaks_without_the_disturbed_requests_too_is_the_servers() -> None:
    columns = accepted(20, 5.0, ())
    for row in range(0, 100, 10):
        columns.done[row] += S
    few = ((1000 * MS, 1030 * MS),)

    assert not disturbance(THRESHOLDS, load(20, 20.0), columns, range(100), windows(few))


def test_requests_that_the_load_began_late_are_left_out() -> None:
    columns = accepted(20, 5.0, ())
    for row in (50, 51):
        columns.opened[row] += 600 * MS
        columns.done[row] += 600 * MS

    found = disturbance(THRESHOLDS, load(20, 20.0), columns, range(100), [])

    assert found.startswith("The rate would have held without the ")
    assert "for up to 600 ms" in found


def test_others_cannot_have_taken_more_than_they_used() -> None:
    assert Window(0, 200 * MS, 150 * MS, 0.25).taken_ns == 50 * MS
    assert Window(0, 200 * MS, 150 * MS, 2.0).taken_ns == 150 * MS
    assert taken_share([Window(0, 200 * MS, 150 * MS, 2.0), Window(200 * MS, 400 * MS, 0, 2.0)]) == 0.375
    assert taken_share([]) == 0.0


# Tenths of a second among them, so that many are due just as a disturbed time begins or ends.
INSTANTS = some.integers(0, 50).map(lambda tenths: 100 * tenths) | some.integers(0, 5000)
TIMES = some.lists(some.tuples(INSTANTS, some.sampled_from([0, 9, 10, 100, 900])), max_size=8)


@given(TIMES, some.lists(INSTANTS, max_size=40))
def test_what_is_left_was_due_at_no_disturbed_time(late: list[tuple[int, int]], due: list[int]) -> None:
    begun = [(at * MS, (at + by) * MS) for at, by in late]
    due_ns = [at * MS for at in due]

    times = disturbed([], begun)
    left = undisturbed(due_ns, times)

    assert all(before[1] < after[0] for before, after in pairwise(times))
    within = {place for place, at in enumerate(due_ns) if any(start <= at <= end for start, end in times)}
    assert sorted(within | set(left)) == list(range(len(due)))
    assert within.isdisjoint(left)
    assert all(any(start <= at <= end for start, end in times) for at, began in begun if began - at >= 10 * MS)
