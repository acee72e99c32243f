"""A run reckoned up from look to look, beside the same rows counted one by one; no process, no terminal."""

from __future__ import annotations

import math
import os
from array import array
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.engine.acceptance import Acceptance
from holdfast.engine.columns import Columns, Tally
from holdfast.engine.live_counts import LiveCounts
from holdfast.engine.plan import Plan, share_out, whole
from holdfast.engine.processes import Watched
from holdfast.engine.sessions import Sessions
from holdfast.engine.shapes import Closed, Open
from holdfast.model.places import Outcome
from holdfast.model.scenario import Pause

MS, S = 1_000_000, 1_000_000_000
REPLIED = (Outcome.ANSWERED, Outcome.REJECTED, Outcome.WRONG_BODY)


def watched_of(*shapes: Open | Closed | Sessions, steps: int = 1, processes: int = 1) -> Watched:
    acceptances = (Acceptance(),) * steps
    plans = tuple(Plan("127.0.0.1", 1, b"", shape, acceptances=acceptances) for shape in shapes)
    shares = tuple((at, part) for at, plan in enumerate(plans) for part in share_out(plan, whole(plan), processes))
    spans, first = [], 0
    for plan in plans:
        spans.append(range(first, first + plan.requests))
        first += plan.requests
    return Watched(S, Columns(first), tuple(spans), Tally(len(shares)), plans, shares)


def open_of(requests: int, every_ns: int = MS) -> Open:
    return Open(array("q", range(0, requests * every_ns, every_ns)))


def end(watched: Watched, row: int, outcome: Outcome = Outcome.ANSWERED, took_ns: int = MS, lag_ns: int = 0) -> None:
    columns = watched.columns
    columns.due[row] = columns.due[row] or S + row * MS
    columns.opened[row] = columns.due[row] + lag_ns
    columns.done[row] = columns.due[row] + took_ns
    columns.outcome[row] = outcome


@given(st.data())
def test_every_row_is_counted_once_in_whatever_order_rows_end(data):
    requests, processes, steps = data.draw(st.sampled_from([(1, 1, 1), (50, 2, 1), (300, 3, 2), (600, 1, 3)]))
    watched = watched_of(open_of(requests), steps=steps, processes=processes)
    labels = ["one", "two", "one"][:steps]
    counts = LiveCounts(watched, [labels])
    begun = [0] * processes
    rows: dict[int, tuple[Outcome, int]] = {}
    flying: set[int] = set()
    for now in range(2, 6):
        for number, (_, part) in enumerate(watched.shares):
            more = data.draw(st.integers(0, len(part.rows) - begun[number]))
            for row in part.rows[begun[number] : begun[number] + more]:
                watched.columns.due[row] = S + row * MS
                watched.columns.opened[row] = S + row * MS + 5_000
                flying.add(row)
            begun[number] += more
            watched.tally.begun[number] = begun[number]
        share = data.draw(st.sampled_from([0, 0.1, 0.9, 1]))
        lots = data.draw(st.randoms(use_true_random=False))
        for row in [each for each in sorted(flying) if lots.random() < share]:
            rows[row] = (lots.choice(list(Outcome)[1:]), lots.randrange(1, 10 * S))
            end(watched, row, *rows[row], lag_ns=5_000)
            flying.remove(row)

        told = counts.look(now * S)

        assert told.begun == sum(begun)
        assert told.in_flight == len(flying)
        for outcome in list(Outcome)[1:]:
            name = outcome.name.lower().replace("_", "-")
            assert told.outcomes.get(name, 0) == sum(each is outcome for each, _ in rows.values())
        for label in {*labels}:
            (own,) = [each for each in told.labels if each.label == label]
            assert own.ended == sum(labels[row % steps] == label for row in rows)
        took = sorted(took for outcome, took in rows.values() if outcome in REPLIED)
        if took:
            p99 = took[math.ceil(len(took) * 0.99) - 1] / MS
            assert p99 <= told.whole_ms.p99 + 0.001
            assert told.whole_ms.p99 <= 1.01 * p99 + 0.001
            assert told.whole_ms.max == pytest.approx(took[-1] / MS, abs=0.001)
        if sum(begun):
            assert (told.lag_us.p50, told.lag_us.max, told.lag.count) == (5, 5, sum(begun))


def test_rates_are_those_of_the_last_seconds():
    watched = watched_of(open_of(10_000))
    counts = LiveCounts(watched, [["GET /"]])
    for second in range(1, 9):
        rate = 100 if second <= 3 else 1000
        first = watched.tally.begun[0]
        for row in range(first, first + rate):
            end(watched, row)
        watched.tally.begun[0] = first + rate
        told = counts.look(S + second * S)

    assert (told.asked_per_s, told.begun_per_s, told.replied_per_s) == (1000.0, 1000.0, 1000.0)
    assert (told.due, told.begun, told.elapsed_s, told.window_s) == (8001, 5300, 8.0, 5)


def test_before_the_start_there_is_nothing_to_say():
    told = LiveCounts(watched_of(open_of(10)), [["GET /"]]).look(S // 2)

    assert (told.elapsed_s, told.due, told.begun, told.ended) == (0, 0, 0, 0)
    assert told.begun_per_s is told.lag_us is told.whole_ms.p50 is None


def test_in_the_closed_model_each_process_begins_at_rows_of_its_own_and_nobody_is_late():
    watched = watched_of(Closed(2, 1000, 30.0), processes=2)
    counts = LiveCounts(watched, [["GET /"]])
    for number, (_, part) in enumerate(watched.shares):
        watched.tally.begun[number] = 3
        for row in part.rows[:2]:
            end(watched, row)

    told = counts.look(2 * S)

    assert (told.begun, told.ended, told.in_flight) == (6, 4, 2)
    assert told.due is told.asked_per_s is told.lag_us is told.planned is None
    assert told.planned_s == 30.0


def test_a_row_of_a_client_with_steps_counts_for_its_step_when_it_has_ended():
    shape = Sessions(array("q", [0, 0]), 100, (Pause(), Pause()))
    watched = watched_of(shape, steps=2)
    counts = LiveCounts(watched, [["GET /a", "GET /b"]])
    for row in (0, 1, 2, 4, 5, 8):
        end(watched, row, lag_ns=MS)
    watched.tally.begun[0], watched.tally.reached[0] = 8, 9

    told = counts.look(2 * S)

    assert {each.label: each.ended for each in told.labels} == {"GET /a": 4, "GET /b": 2}
    assert (told.in_flight, told.lag.count, told.lag_us.p50) == (2, 6, 1000)
    assert (told.planned_s, told.planned) == (None, 400)


def test_the_live_counts_of_several_plans_are_those_of_one_run():
    watched = watched_of(open_of(100), Closed(1, 50))
    counts = LiveCounts(watched, [["GET /a"], ["GET /b"]])
    watched.tally.begun[0], watched.tally.begun[1] = 10, 5
    for row in (*range(10), *range(100, 104)):
        end(watched, row)

    told = counts.look(2 * S)

    assert {each.label: each.ended for each in told.labels} == {"GET /a": 10, "GET /b": 4}
    assert (told.begun, told.in_flight, told.planned) == (15, 1, 150)


def test_no_memory_is_taken_for_rows_that_have_not_begun():
    def resident_pages() -> int:
        return int(Path("/proc/self/statm").read_text().split()[2])  # shared: those of the mapping are

    watched = watched_of(open_of(4_000_000), processes=2)
    counts = LiveCounts(watched, [["GET /"]])
    for number in range(2):
        watched.tally.begun[number] = 5
    for row in range(10):
        end(watched, row)
    before = resident_pages()

    told = counts.look(2 * S)

    assert told.ended == 10
    # All rows' outcomes alone would be a thousand pages.
    assert (resident_pages() - before) * os.sysconf("SC_PAGE_SIZE") < 400_000
