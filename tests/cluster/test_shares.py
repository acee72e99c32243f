"""Shares of one load on several hosts: each request is in one of them, and what they record becomes one run."""

from __future__ import annotations

import time
from array import array
from collections.abc import Iterator
from itertools import accumulate, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.answering import answering_server
from support.waiting import PATIENCE_S

from holdfast.cluster.clocks import Offset, Trip, offset, over_run
from holdfast.cluster.merge import Merged, read_report, report_of, rows_of
from holdfast.engine.columns import Columns
from holdfast.engine.http1 import host_field, request_head
from holdfast.engine.packing import pack, unpack
from holdfast.engine.parts import Loss
from holdfast.engine.plan import Plan, share_out, whole
from holdfast.engine.processes import load_runs
from holdfast.engine.sessions import Sessions
from holdfast.engine.shapes import Closed, Open
from holdfast.model import schedule
from holdfast.model.places import Outcome
from holdfast.model.scenario import Pause, Timeouts

NS_PER_MS = 1_000_000


def steady(rate_per_s: float, seconds: float) -> array[int]:
    return schedule.steps([(rate_per_s, seconds)])


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with answering_server() as port:
        yield port


def plan(shape: Open | Closed | Sessions, port: int = 80, **more: object) -> Plan:
    head = request_head("GET", "/same", host_field("127.0.0.1", port))
    return Plan("127.0.0.1", port, head, shape, Timeouts(whole_s=PATIENCE_S), **more)


def spans(plans) -> tuple[range, ...]:
    edges = [0, *accumulate(each.requests for each in plans)]
    return tuple(range(first, last) for first, last in pairwise(edges))


def clients(count: int, iterations: int, **more: object) -> Sessions:
    return Sessions(array("q", range(0, count * NS_PER_MS, NS_PER_MS)), iterations, (Pause(),), **more)


SHAPES = st.one_of(
    st.integers(0, 60).map(lambda count: Open(array("q", range(count)))),
    st.tuples(st.integers(1, 20), st.integers(0, 60)).map(lambda each: Closed(*each)),
    st.tuples(st.integers(1, 20), st.integers(1, 3)).map(lambda each: clients(*each)),
)


@given(SHAPES, st.integers(1, 9), st.integers(1, 4))
def test_hosts_and_their_processes_have_each_row_and_each_connection_once(shape, hosts, processes):
    whole_ = whole(plan(shape))

    parts = [
        part for share in share_out(plan(shape), whole_, hosts) for part in share_out(plan(shape), share, processes)
    ]

    assert sorted(row for part in parts for row in part.rows) == list(whole_.rows)
    assert sum(part.connections for part in parts) == whole_.connections
    # Whoever had rows and no connection would wait for ever.
    assert all(part.connections for part in parts if part.rows)


@pytest.mark.parametrize(
    "shape",
    [
        Open(steady(400, 0.5)),
        Closed(5, 301),
        clients(7, 13),
        clients(7, 13, last_index=50),
    ],
    ids=["open", "closed", "sessions", "sessions with a last index"],
)
@pytest.mark.parametrize("processes", [None, 2])
def test_shares_that_begin_together_send_the_whole_load_once(port, shape, processes):
    one = plan(shape, port, processes=processes)
    start_ns = time.monotonic_ns() + 100 * NS_PER_MS
    runs = [load_runs((one,), share=(index, 3), start_ns=start_ns) for index in range(3)]

    begun = [list(run.begun) for run in runs]
    assert sorted(row for rows in begun for row in rows) == list(range(one.requests))
    assert all(run.summary.outcomes == {"answered": len(rows)} for run, rows in zip(runs, begun, strict=True))
    assert all(run.summary.peak_in_flight <= one.connections for run in runs)
    if isinstance(shape, Open):
        assert all(
            run.columns.due[row] == start_ns + shape.due_ns[row]
            for run, rows in zip(runs, begun, strict=True)
            for row in rows
        )


@pytest.mark.parametrize("shape", [Open(steady(100, 0.1)), Closed(3, 30), clients(3, 3)])
@pytest.mark.parametrize("watched", [False, True])
def test_nothing_is_begun_before_the_common_start(port, shape, watched):
    start_ns = time.monotonic_ns() + 300 * NS_PER_MS

    run = load_runs((plan(shape, port),), start_ns=start_ns, watch=(lambda _watched: None) if watched else None)

    assert run.summary.outcomes == {"answered": plan(shape).requests}
    assert min(run.columns.opened[row] for row in run.begun if run.columns.opened[row]) >= start_ns


def test_what_is_watched_tells_the_plans_apart(port):
    seen = []
    plans = (plan(Closed(2, 20), port, processes=2), plan(Closed(1, 7), port))

    load_runs(plans, watch=seen.append)

    begun = [0, 0]
    for (number, _), count in zip(seen[-1].shares, seen[-1].tally.begun, strict=True):
        begun[number] += count
    assert begun == [20, 7]


def test_shares_of_two_groups_become_one_run(port):
    plans = (plan(Open(steady(200, 0.2)), port), plan(clients(3, 5), port))
    merged = Merged(plans, spans(plans))
    start_ns = time.monotonic_ns()
    ahead = Offset(10**12, 10**12)

    for index in range(2):
        run = load_runs(plans, share=(index, 2), start_ns=start_ns)
        merged.take(read_report(report_of(run)), ahead)

    assert list(merged.begun) == list(range(55))
    assert {merged.columns.outcome[row] for row in range(55)} == {Outcome.ANSWERED}
    assert [merged.columns.due[row] for row in range(40)] == [
        start_ns - 10**12 + row * 5 * NS_PER_MS for row in range(40)
    ]


ROWS = st.one_of(
    st.tuples(st.integers(0, 50), st.integers(0, 99), st.integers(1, 7)).map(lambda each: range(*each)),
    st.sets(st.integers(0, 99)).map(sorted),
)


@given(ROWS, st.integers(-(10**15), 10**15), st.randoms())
def test_packed_rows_come_back_as_they_were_in_the_other_clock(rows, ahead_ns, lots):
    there, here = Columns(100), Columns(100)
    for row in rows:
        for name in ("due", "opened", "connected", "sent", "first", "done"):
            getattr(there, name)[row] = lots.choice((0, lots.randrange(2 * 10**15, 3 * 10**15)))
        there.local_port[row], there.received[row] = lots.randrange(2**16), lots.randrange(2**32)
        there.status[row], there.outcome[row], there.source[row] = 200, lots.randrange(12), lots.randrange(2)

    taken = [row for part in pack(there, rows) for row in unpack(part, here, ahead_ns, (5, 7))]

    assert list(taken) == list(rows)
    for row in range(100):
        mine = row in rows
        for name in ("due", "opened", "connected", "sent", "first", "done"):
            at = getattr(there, name)[row]
            assert getattr(here, name)[row] == (at - ahead_ns if mine and at else 0)
        for name in ("local_port", "received", "status", "outcome"):
            assert getattr(here, name)[row] == getattr(there, name)[row]
        assert here.source[row] == ((5, 7)[there.source[row]] if mine else 0)


@pytest.mark.parametrize("damage", [lambda part: part[:-5], lambda _part: b"x", lambda _part: b""])
def test_rows_of_a_share_that_were_damaged_on_their_way_are_refused(damage):
    (part,) = pack(Columns(9), range(9))

    with pytest.raises(ValueError, match="rows cannot be read"):
        unpack(damage(part), Columns(9))


def test_rows_of_a_larger_load_are_refused():
    (part,) = pack(Columns(9), range(9))

    with pytest.raises(ValueError, match="rows cannot be read: row 8 of 8"):
        unpack(part, Columns(8))


@given(
    st.integers(-(10**15), 10**15),
    st.lists(st.tuples(st.integers(0, 10**9), st.integers(0, 10**9), st.integers(0, 10**9)), min_size=1),
)
def test_the_true_offset_lies_within_what_is_said_however_long_either_way_takes(ahead_ns, ways):
    trips = [Trip(at, at + there + ahead_ns, at + there + back) for at, there, back in ways]

    found = offset(trips)

    assert found.least_ns <= ahead_ns <= found.most_ns
    assert abs(found.ns - ahead_ns) <= found.uncertainty_ns
    assert found.uncertainty_ns <= min(there + back for _, there, back in ways) // 2 + 1


def test_a_clock_that_drifts_has_been_within_what_is_said_of_the_whole_run():
    whole_run = over_run(Offset(100, 120), Offset(300, 330))

    assert (whole_run.least_ns, whole_run.most_ns) == (100, 330)
    assert over_run(Offset(1, 2), None) == Offset(1, 2)


def lost(shape, share, **loss: object):
    one = plan(shape)
    merged = Merged((one,), spans((one,)))
    rows = merged.lose(share, [Loss(**{"start_ns": 10**9, "at_ns": 2 * 10**9, "begun": 0, **loss})])
    assert {merged.columns.outcome[row] for row in rows} <= {Outcome.FAILED}
    assert all(0 < merged.columns.due[row] <= merged.columns.done[row] for row in rows)
    return rows, merged


def test_what_a_lost_host_had_passed_on_keeps_its_outcome():
    one = plan(Closed(4, 100))
    sender, merged = Merged((one,), spans((one,))), Merged((one,), spans((one,)))
    for row in (50, 51, 53, 60):
        sender.columns.due[row] = sender.columns.opened[row] = 10**9 + row
        sender.columns.done[row] = 10**9 + 2 * row
        sender.columns.outcome[row] = Outcome.ANSWERED

    message = rows_of(sender.columns, [50, 51, 53, 60], sender.spans)
    kept = merged.take_rows(message, Offset(0, 0))
    failed = merged.lose((1, 2), [Loss(10**9, 2 * 10**9, 7, None)], kept)

    # Seven had begun, as it said: four of them are known, one of which it began after it said so.
    assert (kept, failed) == ([50, 51, 53, 60], [52, 54, 55])
    assert [merged.columns.done[row] - merged.columns.due[row] for row in kept] == kept
    assert {merged.columns.outcome[row] for row in kept} == {Outcome.ANSWERED}
    assert list(merged.begun) == [50, 51, 52, 53, 54, 55, 60]


def test_of_a_schedule_what_was_not_passed_on_counts_as_failed():
    one = plan(Open(steady(10, 3.0)))
    sender, merged = Merged((one,), spans((one,))), Merged((one,), spans((one,)))
    for row in (1, 3, 7):
        sender.columns.outcome[row] = Outcome.REJECTED

    kept = merged.take_rows(rows_of(sender.columns, [1, 3, 7], sender.spans), Offset(0, 0))
    failed = merged.lose((1, 2), [Loss(10**9, 2 * 10**9, 0, None)], kept)

    assert sorted(kept + failed) == list(range(1, 30, 2))
    assert {merged.columns.outcome[row] for row in kept} == {Outcome.REJECTED}


def test_all_that_a_lost_host_was_to_send_by_the_schedule_counts():
    shape = Open(steady(10, 3.0))

    rows, merged = lost(shape, (1, 2))

    assert rows == list(range(1, 30, 2))
    assert [merged.columns.due[row] for row in rows] == [10**9 + shape.due_ns[row] for row in rows]


def test_what_was_due_after_the_load_was_to_end_does_not_count():
    rows, _ = lost(Open(steady(10, 3.0)), (0, 2), until_ns=2 * 10**9)

    assert rows == list(range(0, 10, 2))


def test_of_clients_that_wait_for_answers_as_many_count_as_had_been_told_of():
    assert lost(Closed(4, 100), (1, 2), begun=7)[0] == list(range(50, 57))
    assert lost(Closed(4, 100), (1, 2), begun=0)[0] == []
    # Clients 1 and 3 of 4: their first requests were due anyway.
    assert lost(clients(4, 5), (1, 2), begun=0)[0] == [1, 3]
    assert lost(clients(4, 5), (1, 2), begun=4)[0] == [1, 3, 5, 7]
