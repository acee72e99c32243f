from __future__ import annotations

import errno

import pytest

from holdfast.engine.exchange import MOVES, Event, State, after, event_of_errno
from holdfast.model.places import Outcome


def play(*events: Event) -> Outcome:
    """The outcome after these events on a new connection."""
    state, outcome = State.CONNECTING, Outcome.PENDING
    for event in events:
        state, outcome = after(state, event)
    return outcome


@pytest.mark.parametrize(
    ("events", "outcome"),
    [
        ([], Outcome.PENDING),
        ([Event.REFUSED], Outcome.REFUSED),
        ([Event.OWN_LIMIT], Outcome.FAILED),
        ([Event.DEADLINE], Outcome.CONNECT_TIMEOUT),
        ([Event.NO_ANSWER], Outcome.CONNECT_TIMEOUT),
        ([Event.RST], Outcome.RESET),
        ([Event.CONNECTED, Event.DEADLINE], Outcome.UNANSWERED),
        ([Event.CONNECTED, Event.SENT], Outcome.PENDING),
        ([Event.CONNECTED, Event.SENT, Event.DEADLINE], Outcome.UNANSWERED),
        ([Event.CONNECTED, Event.SENT, Event.EOF], Outcome.CLOSED),
        ([Event.CONNECTED, Event.SENT, Event.RST], Outcome.RESET),
        ([Event.CONNECTED, Event.SENT, Event.REPLY], Outcome.ANSWERED),
        ([Event.CONNECTED, Event.SENT, Event.ERROR_REPLY], Outcome.REJECTED),
        ([Event.CONNECTED, Event.SENT, Event.NOT_HTTP], Outcome.MALFORMED),
        ([Event.CONNECTED, Event.SENT, Event.BYTES, Event.EOF], Outcome.CLOSED),
        ([Event.CONNECTED, Event.SENT, Event.BYTES, Event.BYTES, Event.REPLY], Outcome.ANSWERED),
        ([Event.CONNECTED, Event.ERROR_REPLY], Outcome.REJECTED),
        ([Event.CONNECTED, Event.BYTES, Event.SENT, Event.REPLY], Outcome.ANSWERED),
        ([Event.CONNECTED, Event.BROKEN, Event.EOF], Outcome.RESET),
        ([Event.CONNECTED, Event.BROKEN, Event.BYTES, Event.ERROR_REPLY], Outcome.REJECTED),
        ([Event.CONNECTED, Event.SENT, Event.GIVE_UP], Outcome.GIVEN_UP),
    ],
)
def test_what_happened_to_a_connection_decides_how_its_request_ended(events, outcome):
    assert play(*events) is outcome


def test_every_ended_move_has_an_outcome_and_no_other_has():
    for moves in MOVES.values():
        for state, outcome in moves.values():
            assert (state is State.ENDED) == (outcome is not Outcome.PENDING)


def test_every_state_but_the_last_can_be_given_up_or_time_out_and_the_last_is_final():
    for state in State:
        if state is State.ENDED:
            assert not MOVES[state]
        else:
            assert {Event.GIVE_UP, Event.DEADLINE} <= MOVES[state].keys()


@pytest.mark.parametrize(
    "number",
    [
        errno.EMFILE,
        errno.ENFILE,
        errno.EADDRNOTAVAIL,
        errno.EADDRINUSE,
        errno.ENOBUFS,
        errno.ENOMEM,
        errno.EPERM,
        errno.ENETUNREACH,
    ],
)
def test_our_own_exhaustion_is_never_the_servers_doing(number):
    assert play(event_of_errno(number)) is Outcome.FAILED
