"""Processes that are replaced after a number of requests: when what one held is its ceiling nevertheless."""

from __future__ import annotations

from dataclasses import replace

import pytest
import records

from holdfast.errors import InconclusiveError
from holdfast.infer.worker_recycling import check_not_worn_out
from holdfast.model.phase import Phase
from holdfast.model.places import Outcome, Place
from holdfast.model.timeline import Acceptor, Handed

WORN, BEFORE, FELLOW = 20, 10, 30
LATER = records.AT + 500
BROKEN_OFF = 7000


def climbed(places: int, offered: int):
    """The requests of a first climb, and its handlers in BEFORE: so many ran until it was broken off."""
    requests = [records.request(100 + at, phase=Phase.FIRST_CLIMB) for at in range(offered)]
    entries = [
        records.entry(
            100 + at,
            pid=BEFORE,
            entered_ns=6000 + at if at < places else BROKEN_OFF + at,
            left_ns=BROKEN_OFF if at < places else BROKEN_OFF + 100 + at,
        )
        for at in range(offered)
    ]
    return requests, entries


def why_none(held: int, waiting: int, requests=(), entries=(), acceptors=()) -> str:
    """Of a process that held so many, ran those in its own queue after the count, and was replaced; "" if it counts."""
    offered = [records.request(id) for id in range(held + waiting)]
    own = [
        records.entry(id, pid=WORN, entered_ns=8000 + id if id < held else LATER + id) for id in range(held + waiting)
    ]
    seen = replace(records.snapshot(), acceptors=tuple(acceptors))
    placed = {id: Place.IN_SERVICE if id < held else Place.USERSPACE_QUEUE for id in range(held + waiting)}
    placed |= {each.id: Place.IN_SERVICE for each in entries if each.id in range(50, 100)}
    run = records.timeline([*offered, *requests], [*own, *entries], seen)
    try:
        check_not_worn_out(replace(run, replaced=(WORN,)), seen, placed)
    except InconclusiveError as error:
        return error.what
    return ""


def test_what_a_process_held_at_its_number_of_requests_is_no_ceiling():
    assert "after a number of requests, here 5" in why_none(held=4, waiting=1)


def test_it_is_where_a_process_that_took_more_held_no_more_at_the_first_plateau():
    requests, entries = climbed(places=1, offered=3)
    later = records.entry(200, pid=BEFORE, entered_ns=7900, left_ns=7950)

    assert not why_none(held=1, waiting=0, requests=requests, entries=[*entries, later])


@pytest.mark.parametrize(("places", "offered", "more"), [(1, 3, False), (2, 3, True), (1, 1, True)])
def test_a_first_plateau_says_nothing_at_its_own_number_with_more_places_or_where_none_waited(places, offered, more):
    requests, entries = climbed(places, offered)
    later = [records.entry(200, pid=BEFORE, entered_ns=7900, left_ns=7950)] if more else []

    assert why_none(held=1, waiting=0, requests=requests, entries=[*entries, *later])


def test_it_is_where_another_process_at_the_same_moment_lets_requests_wait_with_no_more():
    fellow = Acceptor(FELLOW, 1, (1,), (1,), 2)

    assert not why_none(held=2, waiting=0, entries=[records.entry(50, pid=FELLOW, entered_ns=8000)], acceptors=[fellow])


def test_one_with_room_says_nothing():
    fellow = Acceptor(FELLOW, 1, (1,), (1,), 1)

    assert why_none(held=2, waiting=0, entries=[records.entry(50, pid=FELLOW, entered_ns=8000)], acceptors=[fellow])


def lives(*batches: int):
    """Requests and handlers in BEFORE, in batches of which each was sent when the last had ended."""
    requests, entries, id = [], [], 300
    for number, size in enumerate(batches):
        opened = 3000 + 100 * number
        for _ in range(size):
            requests.append(records.request(id, phase=Phase.EXACT_LOAD, opened_ns=opened))
            entries.append(records.entry(id, pid=BEFORE, entered_ns=opened + 10, left_ns=opened + 50))
            id += 1
    return requests, entries


def test_what_waits_in_a_process_is_not_what_its_number_counts_where_one_before_it_ended_after_fewer():
    requests, entries = lives(4, 4)

    assert not why_none(held=4, waiting=20, requests=requests, entries=entries)


@pytest.mark.parametrize(("batches", "held", "waiting"), [((4, 4), 5, 20), ((4, 4), 4, 4), ((8,), 4, 20)])
def test_it_may_be_where_none_took_another_after_as_many_or_as_many_wait(batches, held, waiting):
    requests, entries = lives(*batches)

    assert why_none(held=held, waiting=waiting, requests=requests, entries=entries)


def test_a_process_that_was_called_with_a_further_request_after_the_count_had_not_reached_its_number():
    held = records.request(0), records.entry(0, pid=WORN, entered_ns=8000)
    waited = records.request(1, outcome=Outcome.CLOSED)  # as one that ends its process before its view
    run = records.timeline([held[0], waited], [held[1]], records.snapshot())
    handed = (Handed(0, 7900, True, WORN), Handed(1, LATER, True, WORN))
    placed = {0: Place.IN_SERVICE, 1: Place.ACCEPT_QUEUE}

    with pytest.raises(InconclusiveError):
        check_not_worn_out(replace(run, replaced=(WORN,), handed=handed[:1]), records.snapshot(), placed)
    check_not_worn_out(replace(run, replaced=(WORN,), handed=handed), records.snapshot(), placed)
