"""When requests that are let in after others were turned away show that a rate decides, and no place."""

from __future__ import annotations

from dataclasses import replace

import pytest

from holdfast.model.units import MS
from holdfast.model.units import NS_PER_S as S
from holdfast.probing.ramp import decide
from holdfast.probing.ramp_let_in import is_by_time, with_one_let_in
from holdfast.probing.ramp_state import Done, LetIn, State, View

# Two are in service since the fifth second, and four wait behind them.
VIEW = View(
    now_ns=10 * S,
    offered=12,
    connecting=0,
    established=6,
    entered=2,
    in_service=2,
    last_entry_ns=5 * S,
    last_sent_ns=10 * S - 30 * MS,
    max_offered=100,
    depth=0,
    limit=511,
)
ALONE = State(stage="single", entered=2, turned_away=6, singles_from=5, singly=True, stalled_since_ns=9 * S)
FOUR = LetIn(times=4, after_one=4, first_ns=8 * S, entered=2, taken=4, away=6)


def test_one_that_is_let_in_counts_once_for_each_that_was_turned_away_before_it():
    once = with_one_let_in(VIEW, ALONE)
    again = with_one_let_in(VIEW, replace(ALONE, let_in=once))

    assert (once.times, once.after_one, once.first_ns) == (1, 1, VIEW.now_ns)
    assert again == once


def test_after_several_that_were_turned_away_together_it_counts_for_less():
    assert with_one_let_in(VIEW, replace(ALONE, singly=False)).after_one == 0


def test_one_that_waits_after_many_were_turned_away_counts_apart_from_one_that_comes_into_service():
    few, many = ALONE, replace(ALONE, turned_away=8)

    counts = [with_one_let_in(VIEW, each).after_many for each in (few, many, replace(many, entered=1))]

    assert counts == [0, 1, 0]


def test_what_was_turned_away_after_it_had_waited_made_room():
    assert with_one_let_in(replace(VIEW, away_took_ns=S), ALONE) == LetIn()


def test_a_new_worker_makes_room_so_the_count_begins_anew():
    newly = with_one_let_in(replace(VIEW, born_ns=9 * S), replace(ALONE, let_in=replace(FOUR, away=5)))

    assert newly.times == 1


@pytest.mark.parametrize(
    ("view", "let_in", "shown"),
    [
        ({}, {}, True),
        ({}, {"after_one": 3}, False),
        ({}, {"after_one": 0, "times": 8}, True),
        # A handler has started a moment ago: those that wait may still come into service.
        ({"last_entry_ns": 10 * S - 300 * MS}, {}, False),
        # Of several processes one may have room while another is full, however long lots keep requests from it.
        ({"takers": 2, "now_ns": 60 * S}, {}, False),
        # The one that was full had four at most, so that both have places for eight.
        ({"takers": 2, "established": 8}, {}, False),
        ({"takers": 2, "established": 9}, {}, True),
        # One that turns all away may have no places, and says nothing of those of the other.
        ({"takers": 2, "established": 9, "untried": 1}, {}, False),
        # A front has room behind it, and lets one wait after many that it turned away.
        ({"takers": 2, "room_between": True}, {"after_many": 4}, True),
        ({"takers": 2, "room_between": True}, {"after_many": 3}, False),
        ({"takers": 2}, {"after_many": 4}, False),
        # Nothing waits and each one comes into service: more may follow for a while.
        ({"entered": 6, "last_entry_ns": 10 * S - 300 * MS}, {}, False),
        ({"entered": 6, "last_entry_ns": 14 * S - 300 * MS, "now_ns": 14 * S}, {}, True),
    ],
)
def test_a_rate_shows_once_enough_were_let_in_and_no_more_will_show(view, let_in, shown):
    state = replace(ALONE, let_in=replace(FOUR, **let_in))

    assert is_by_time(replace(VIEW, **view), state) is shown


def test_the_ramp_ends_where_a_rate_has_shown():
    action, _ = decide(VIEW, replace(ALONE, let_in=FOUR))

    assert isinstance(action, Done)
    assert action.reason == "let in later"
