"""Which requests the ramp offers next to a server that turns them away only after it has let them wait."""

from __future__ import annotations

from dataclasses import replace

from holdfast.model.places import Outcome
from holdfast.model.units import MS
from holdfast.model.units import NS_PER_S as S
from holdfast.probing.ramp import decide
from holdfast.probing.ramp_state import Open, State, View, Wait

LATE = View(
    now_ns=20 * S,
    offered=16,
    connecting=0,
    established=13,
    entered=4,
    in_service=4,
    last_entry_ns=5 * S,
    last_sent_ns=15 * S,
    max_offered=100,
    depth=0,
    limit=127,
    ended={Outcome.REJECTED: 3},
    turned_away_enough=32,
    away_took_ns=3 * S,
)
"""Nine wait behind four, and of those that were turned away the last, which came alone, was after 3 s."""
ALONE = State(stage="single", entered=4, turned_away=3, turned_away_ns=18 * S, singly=True, singles_from=2)


def test_those_that_are_turned_away_late_are_offered_side_by_side_once_one_alone_was():
    at_once, _ = decide(replace(LATE, away_took_ns=5 * MS), replace(ALONE, answered_for=2))
    side_by_side, state = decide(LATE, replace(ALONE, answered_for=2))
    # Thirty of the 31 that are missing are on their way.
    no_more, _ = decide(replace(LATE, offered=47, established=44, last_sent_ns=20 * S), state)

    assert (at_once, side_by_side) == (Open(1), Open(31))
    assert isinstance(no_more, Wait)


def test_one_that_waits_is_not_taken_for_queued_before_it_has_waited_as_long_as_the_last_that_was_turned_away():
    waits = replace(ALONE, answered_for=3, asked=31, stalled_since_ns=15 * S)

    early, _ = decide(replace(LATE, last_sent_ns=16 * S), waits)
    late, _ = decide(LATE, waits)

    assert isinstance(early, Wait)
    assert isinstance(late, Open)


def test_the_end_of_requests_that_waited_is_not_taken_for_that_of_those_offered_alone():
    asked = replace(ALONE, turned_away_ns=19 * S, answered_for=3)
    # All nine that waited have been turned away, beside the one that was asked.
    ended = replace(LATE, offered=17, established=4, ended={Outcome.REJECTED: 13}, turned_away_enough=10)

    _, state = decide(ended, asked)
    done, _ = decide(replace(ended, now_ns=30 * S), state)

    assert not state.singly
    assert done == Open(1)
