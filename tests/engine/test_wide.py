"""Columns that are taken from each other at once give what is worked out row by row, or nothing."""

from __future__ import annotations

from array import array
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from holdfast.engine import packing
from holdfast.engine.columns import Columns
from holdfast.engine.packing import _any, _usual, joined, pack_runs, unpack
from holdfast.engine.totals import Totals
from holdfast.engine.wide import ascends, is_one, minus
from holdfast.model.places import Outcome

MOST = (1 << 63) - 1
numbers = st.integers(0, MOST) | st.integers(0, 9) | st.sampled_from([0, MOST, 1 << 56, (1 << 56) - 1])


@given(st.lists(st.tuples(numbers, numbers), max_size=12))
@example([(1, 2), (MOST, 0)])
@example([(MOST, 0), (1, 2)])
@example([(0, 1)])
def test_a_difference_is_each_number_less_its_other_one_or_none_if_one_of_them_is_less(pairs):
    first, second = (array("q", each) for each in zip(*pairs, strict=True)) if pairs else (array("q"), array("q"))

    told = minus(first.tobytes(), second.tobytes())

    differences = [left - right for left, right in pairs]
    if any(each < 0 or each >= 1 << 56 for each in differences):
        assert told is None
    else:
        assert told == array("q", differences).tobytes()


@given(st.lists(numbers, min_size=1, max_size=12))
def test_numbers_ascend_if_none_is_less_than_the_one_before_it(found):
    apart = [later - earlier for earlier, later in pairwise(found)]

    assert ascends(array("q", found).tobytes()) == all(0 <= each < 1 << 56 for each in apart)


@given(st.lists(st.sampled_from([200, 201]), min_size=1, max_size=4))
def test_numbers_are_one_if_none_differs(found):
    assert is_one(array("H", found).tobytes(), 2) == (len(set(found)) == 1)


def kept(due: list[int], waited: list[int], took: list[int]) -> Columns:
    columns = Columns(len(due))
    columns.due[:] = array("q", due)
    columns.sent[:] = array("q", [at + more for at, more in zip(due, waited, strict=True)])
    columns.done[:] = array("q", [at + more for at, more in zip(columns.sent, took, strict=True)])
    columns.outcome[:] = bytes([Outcome.ANSWERED]) * len(due)
    columns.status[:] = array("H", range(200, 200 + len(due)))
    columns.received[:] = array("I", range(1 << 20, (1 << 20) + len(due)))
    return columns


def on_own_connections(due: list[int], opened: list[int], waited: list[int], took: list[int]) -> Columns:
    columns = kept(due, [sum(each) for each in zip(opened, waited, strict=True)], took)
    columns.opened[:] = array("q", [at + more for at, more in zip(due, opened, strict=True)])
    columns.connected[:] = columns.sent[:]
    return columns


instants = st.lists(st.tuples(st.integers(0, 30), st.integers(0, 2), st.integers(0, 9)), min_size=2, max_size=9)
changes = st.lists(
    st.tuples(
        st.sampled_from(["due", "opened", "connected", "sent", "first", "done", "resent", "outcome", "local_port"]),
        st.integers(0, 8),
        st.integers(0, 3),
    ),
    max_size=2,
)


@given(instants, st.booleans(), changes, st.booleans())
def test_rows_that_are_packed_at_once_are_the_same_bytes_as_one_by_one(rows, own, changed, gaps):
    due, waited, took = (list(each) for each in zip(*sorted(rows), strict=True))
    columns = on_own_connections(due, took, waited, took) if own else kept(due, waited, took)
    for name, row, value in changed:
        getattr(columns, name)[row % len(rows)] = value
    taken = range(0, len(rows), 2) if gaps else range(len(rows))

    told = _usual(columns, taken)

    assert told is None or b"".join(told) == b"".join(_any(columns, taken))


def test_the_usual_rows_are_packed_at_once():
    assert _usual(kept([5, 7, 7], [0, 0, 1], [3, 4, 5]), range(3)) is not None
    assert _usual(on_own_connections([5, 7, 7], [1, 0, 1], [0, 0, 1], [3, 4, 5]), range(3)) is not None


@given(st.sets(st.integers(0, 40)), st.integers(1, 6), st.integers(1, 4))
def test_rows_that_are_packed_run_by_run_are_all_of_them_once(rows, long_run, longest):
    columns, after = kept([*range(41)], [0] * 41, [5] * 41), Columns(41)
    pieces = [range(row, row + 1) for row in rows]

    runs = joined(pieces)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(packing, "LONG_RUN", long_run)
        patched.setattr(packing, "ROWS_OF_A_PART", longest)
        parts = [list(unpack(part, after)) for part in pack_runs(columns, runs)]

    assert [row for run in runs for row in run] == sorted(rows)
    assert all(before.stop < run.start for before, run in pairwise(runs))
    assert sorted(row for part in parts for row in part) == sorted(rows)
    assert [after.done[row] for row in range(41)] == [columns.done[row] if row in rows else 0 for row in range(41)]


@given(instants, changes)
def test_rows_that_are_added_at_once_add_up_to_the_same_as_one_by_one(rows, changed):
    columns = kept(*(list(each) for each in zip(*sorted(rows), strict=True)))
    columns.sent[:] = columns.due[:]
    for name, row, value in changed:
        getattr(columns, name)[row % len(rows)] = value
    at_once, one_by_one = Totals(flights=False), Totals(flights=False)

    if at_once._add_usual(columns, range(len(rows))):
        one_by_one._add_any(columns, range(len(rows)))
        assert vars(at_once) == vars(one_by_one)


def test_the_usual_rows_are_added_at_once():
    assert Totals(flights=False)._add_usual(kept([5, 7, 7], [0, 0, 0], [3, 4, 5]), range(3))
