"""Rows of spans: none overlap in a row, and there are no more rows than spans at once."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.picture.rows import rows_of

spans = st.lists(
    st.tuples(st.integers(1, 100), st.integers(0, 20)).map(lambda each: (each[0], each[0] + each[1])), max_size=60
).map(sorted)


@settings(deadline=None)
@given(spans)
def test_spans_of_one_row_never_overlap(found: list[tuple[int, int]]) -> None:
    until: dict[int, int] = {}
    for (begin, end), row in zip(found, rows_of(found), strict=True):
        assert until.get(row, 0) <= begin
        until[row] = end


@settings(deadline=None)
@given(spans)
def test_there_are_as_many_rows_as_spans_at_once(found: list[tuple[int, int]]) -> None:
    lasting = [(begin, max(end, begin + 1)) for begin, end in found]
    most = max((sum(begin <= at < end for begin, end in lasting) for at in range(1, 122)), default=0)

    assert len(set(rows_of(lasting))) == most


def test_a_row_that_is_free_again_is_taken_before_a_further_one() -> None:
    assert rows_of([(1, 5), (2, 9), (5, 7), (8, 9)]) == (0, 1, 0, 0)
