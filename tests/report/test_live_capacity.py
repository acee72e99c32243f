"""How a search is drawn while it runs, and what its result says."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st
from support.capacity_loads import at_rate

from holdfast.model.capacity import Interval, LiveSearch
from holdfast.report.layout import cells, cut_lines
from holdfast.report.live_capacity import search_view

HOLDS = at_rate(39.24, 2.0)
BROKEN = replace(HOLDS, rate_per_s=157.0, held=False, why="p99<200ms: 1,993 ms")
LIMITED = replace(HOLDS, rate_per_s=157.0, held=False, limited="The load was late.")
SEARCH = LiveSearch(
    elapsed_s=14.0,
    loads=(HOLDS, BROKEN, LIMITED),
    interval=Interval(39.24, 157.0),
    rate_per_s=78.48,
    seconds=5.0,
    load_s=2.5,
    begun=196,
    ended=192,
    why="between the two",
)


def drawn(search: LiveSearch, width: int = 60, height: int = 24) -> list[str]:
    return cut_lines(search_view(search, "waitress --threads 4", width, height), width, styled=False)


def test_a_search_shows_its_load_the_edge_by_then_and_the_loads_before():
    assert drawn(SEARCH) == [
        "waitress --threads 4",
        # The meter takes what is left of 60 columns: 36, half of them full.
        "  78.48/s  2.5 of 5 s  ━━━━━━━━━━━━━━━━━━──────────────────",
        "  load 4, 14 s: between the two",
        "",
        "  requests    196 begun  192 ended",
        "  edge        39.24/s holds  157/s does not",
        "",
        "       39.24/s  p99    55.00 ms  holds",
        "         157/s  p99    55.00 ms  p99<200ms: 1,993 ms",
        "         157/s  p99    55.00 ms  says nothing: The load was…",
    ]


def test_of_many_loads_the_latest_are_shown():
    lines = drawn(replace(SEARCH, loads=(HOLDS,) * 20))

    assert "  12 earlier loads" in lines
    assert sum("holds" in each and "p99" in each for each in lines) == 8


def test_before_the_first_load_is_over_no_edge_is_known():
    assert "  edge        ? holds  ? does not" in drawn(replace(SEARCH, loads=(), interval=Interval(None, None)))


@given(st.integers(20, 120), st.integers(1, 30), st.booleans())
def test_it_fits_any_terminal(width: int, height: int, asked_to_end: bool):  # noqa: FBT001
    lines = drawn(replace(SEARCH, asked_to_end=asked_to_end), width, height)

    assert len(lines) <= height
    assert all(cells(each) <= width for each in lines)
