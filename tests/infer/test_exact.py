"""How many places are filled at exact load, from records that are known."""

from __future__ import annotations

from dataclasses import replace

import records
from hypothesis import given
from hypothesis import strategies as st

from holdfast.infer.exact import FIELDS, filled_places, with_exact_load
from holdfast.model.timeline import ExactLoad, Repeat
from holdfast.model.verdict import Ceiling

TWO = Ceiling(2, True, 0, True, 129, 128)


def run(entries, exact):
    some = records.timeline([records.request(0)], entries, records.snapshot(records.socket(0, accepted=True)))
    return replace(some, exact=exact)


def test_least_and_most_of_the_repeats_are_given_with_their_number():
    first = [records.entry(id, entered_ns=10, left_ns=30) for id in (100, 101)]
    second = [records.entry(102, entered_ns=40, left_ns=60), records.entry(103, entered_ns=61, left_ns=70)]
    exact = ExactLoad((Repeat(100, 102, 20), Repeat(102, 104, 50)))

    ceiling, unknown = with_exact_load(TWO, run(first + second, exact))

    assert (ceiling.at_exact_load, ceiling.at_exact_repeats) == ((1, 2), 2)
    assert unknown == {}


def test_where_there_were_no_repeats_the_reason_is_given():
    ceiling, unknown = with_exact_load(TWO, run([], ExactLoad(why_not="too many places")))

    assert ceiling.at_exact_load is None
    assert unknown == {"ceiling.at_exact_load": "too many places", "ceiling.at_exact_repeats": "too many places"}


def test_what_was_offered_at_a_plateau_is_not_told_where_the_ceiling_is_not_known():
    """A run that was stopped after the first plateau has repeats and no ceiling."""
    exact = ExactLoad((Repeat(100, 101, 20),))

    ceiling, unknown = with_exact_load(Ceiling.unknown(), run([records.entry(100, entered_ns=10, left_ns=30)], exact))

    assert ceiling.at_exact_load is None
    assert unknown == dict.fromkeys(FIELDS, "how many places there are is not known")


def test_a_ceiling_that_was_not_met_has_no_exact_load():
    _, unknown = with_exact_load(replace(TWO, bounded=False), run([], None))

    assert "no ceiling was reached" in unknown["ceiling.at_exact_load"]


def test_exact_load_is_unknown_with_the_reason_where_the_run_ended_before_it():
    assert with_exact_load(TWO, run([], None))[1]["ceiling.at_exact_load"] == "the run ended before this step"


@given(st.lists(st.tuples(st.integers(1, 50), st.integers(0, 50)), max_size=20), st.integers(1, 50))
def test_no_more_places_are_filled_than_requests_were_offered(instants, placed_ns):
    entries = {id: records.entry(id, entered_ns=entered, left_ns=left) for id, (entered, left) in enumerate(instants)}
    offered = len(instants)

    assert 0 <= filled_places(Repeat(0, offered, placed_ns), entries) <= offered
