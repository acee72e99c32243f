"""The loop of clients with several steps, under scripted events: no clock, no socket."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.engine.acceptance import Acceptance
from holdfast.engine.columns import Columns
from holdfast.engine.loop import Seen
from holdfast.engine.plan import Plan, share_out, whole
from holdfast.engine.sessions import Sessions, next_row, sessions
from holdfast.engine.timeouts import Deadlines
from holdfast.model.places import Outcome
from holdfast.model.scenario import Pause

MS = 1_000_000
S = 1000 * MS
START = 5 * S


def plan_of(shape: Sessions) -> Plan:
    return Plan("127.0.0.1", 1, b"", shape, acceptances=(Acceptance(),) * len(shape.pauses))


def run(
    shape: Sessions,
    service_ns: Callable[[int], int] = lambda _row: 10 * MS,
    outcome_of: Callable[[int], Outcome] = lambda _row: Outcome.ANSWERED,
    clients: range | None = None,
    until_ns: int | None = None,
) -> tuple[Columns, list[int]]:
    """Carries the loop out in a time of its own; the rows in the order in which they were begun."""
    columns = Columns(plan_of(shape).requests)
    loop = sessions(shape, clients or range(shape.clients), START, Deadlines(columns), columns)
    now, ended, begun = START, 0, []
    ends: dict[int, int] = {}
    finished: Sequence[int] = ()
    step = next(loop)
    while True:
        for row in step.open:
            begun.append(row)
            assert columns.due[row] <= now
            columns.opened[row] = columns.sent[row] = now
            ends[row] = now + service_ns(row)
        now = min([now + step.wait_ns, *ends.values()])
        finished = [row for row, at in ends.items() if at <= now]
        for row in finished:
            columns.done[row] = now
            columns.outcome[row] = outcome_of(row)
            del ends[row]
        ended += len(finished)
        try:
            step = loop.send(Seen(now, ended, 0, until_ns is not None and now >= START + until_ns, finished))
        except StopIteration:
            assert not ends
            return columns, begun


@given(
    st.lists(st.integers(0, 50 * MS), min_size=1, max_size=6),
    st.integers(1, 4),
    st.integers(1, 3),
    st.integers(1, 4),
)
def test_each_client_passes_through_all_steps_in_order_and_no_row_is_another_ones(starts, iterations, steps, processes):
    shape = Sessions(array("q", sorted(starts)), iterations, (Pause(),) * steps)
    plan = plan_of(shape)

    begun = []
    for part in share_out(plan, whole(plan), processes):
        if part.rows:
            begun += run(shape, lambda row: row % 7 * MS, clients=part.rows)[1]

    assert sorted(begun) == list(range(plan.requests))
    for client in range(shape.clients):
        own = [row for row in begun if row // steps % shape.clients == client]
        assert own == sorted(own)


def test_a_pause_begins_when_the_last_request_has_ended():
    shape = Sessions(array("q", [0]), 2, (Pause(0.1), Pause(0.3)))

    columns, _ = run(shape)

    assert [(due - START) // MS for due in columns.due] == [100, 410, 520, 830]


def test_a_pause_by_chance_is_the_same_for_the_same_seed_and_within_its_bounds():
    shape = Sessions(array("q", [0] * 100), 2, (Pause(0.1, 0.2),), seed=7)

    (one, _), (other, _) = run(shape), run(shape)

    first = [(due - START) / S for due in one.due[:100]]
    assert list(one.due) == list(other.due)
    assert 0.1 <= min(first) < 0.12
    assert 0.28 < max(first) < 0.3


def test_clients_come_when_they_are_due():
    shape = Sessions(array("q", [0, 100 * MS, 250 * MS]), 1, (Pause(),))

    columns, begun = run(shape, lambda _row: 400 * MS)

    assert begun == [0, 1, 2]
    assert [(due - START) // MS for due in columns.due] == [0, 100, 250]


@pytest.mark.parametrize(
    ("on_failure", "rows"),
    [("continue", [0, 1, 2, 3, 4, 5]), ("next iteration", [0, 1, 3, 4, 5]), ("leave", [0, 1])],
)
def test_what_a_client_does_after_a_failure_is_what_was_asked(on_failure, rows):
    shape = Sessions(array("q", [0]), 2, (Pause(),) * 3, on_failure=on_failure)

    _, begun = run(shape, outcome_of=lambda row: Outcome.REJECTED if row == 1 else Outcome.ANSWERED)

    assert begun == rows


def test_nothing_is_begun_after_the_time_and_what_was_begun_comes_to_its_end():
    shape = Sessions(array("q", [0, 0]), 1000, (Pause(),), seconds=0.1)

    columns, begun = run(shape, lambda _row: 30 * MS)

    assert begun == list(range(8))
    assert max(columns.due) < START + 100 * MS


def test_nothing_is_begun_when_the_load_drains():
    shape = Sessions(array("q", [0, 5 * S]), 1000, (Pause(),))

    _, begun = run(shape, lambda _row: 30 * MS, until_ns=100 * MS)

    assert begun == [0, 2, 4, 6]


def test_the_last_iteration_is_the_one_that_was_asked_for():
    shape = Sessions(array("q", [0] * 3), 4, (Pause(),) * 2, last_index=5)

    _, begun = run(shape)

    assert sorted(begun) == list(range(10))
    assert next_row(shape, 9, answered=True) is None
