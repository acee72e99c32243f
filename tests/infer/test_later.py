"""What came after the places had been counted takes back that the number in service is a bound."""

from __future__ import annotations

from dataclasses import replace

import pytest

from holdfast.infer.judge import judge
from holdfast.model.phase import Phase
from holdfast.model.places import Outcome
from holdfast.model.timeline import Entry, ExactLoad, Repeat, Request, Timeline
from tests.infer.records import AT, entry, request, snapshot, socket, timeline

MS = 1_000_000


def two_of_four(*later: Entry) -> Timeline:
    """Two of four requests are in service when the places are counted; then clients are answered."""
    sent = [request(id, done_ns=AT + 100 * MS, outcome=Outcome.ANSWERED, status=200) for id in range(4)]
    ran = [entry(0, left_ns=AT + 90 * MS), entry(1, left_ns=AT + 90 * MS), *later]
    seen = snapshot(*(socket(id, accepted=True) for id in range(4)))
    return timeline(sent, ran, seen, reason="max-offered")


def rejected(first: int, last: int) -> list[Request]:
    return [
        request(id, phase=Phase.EXACT_LOAD, done_ns=AT + 200 * MS + id, outcome=Outcome.REJECTED, status=429)
        for id in range(first, last)
    ]


def limited(repeats: tuple[Repeat, ...], exact: list[Request], ran: tuple[Entry, ...] = ()) -> Timeline:
    """Two in service, two turned away, and then exact load."""
    record = two_of_four(*ran)
    away = [request(id, done_ns=AT - 20, outcome=Outcome.REJECTED, status=429) for id in (2, 3)]
    return replace(
        record,
        requests=(*record.requests[:2], *away, *exact),
        ramp=replace(record.ramp, reason="turned away"),
        exact=ExactLoad(repeats),
    )


def test_a_request_that_comes_in_beside_those_that_were_counted_makes_them_at_least() -> None:
    verdict = judge(two_of_four(entry(2, entered_ns=AT + 50 * MS, left_ns=AT + 95 * MS)))

    assert (verdict.ceiling.in_service, verdict.ceiling.bounded) == (2, False)
    assert verdict.ceiling.interval == (2, None)
    assert verdict.warnings[0].startswith("After the places had been counted, 1 more of the requests that waited")


def test_one_that_comes_in_for_another_shows_no_growth() -> None:
    record = two_of_four(entry(2, entered_ns=AT + 60 * MS, left_ns=AT + 95 * MS))
    ended = replace(record.entries[0], left_ns=AT + 50 * MS)

    assert judge(replace(record, entries=(ended, *record.entries[1:]))).ceiling.bounded


def test_what_comes_in_once_a_client_has_its_answer_shows_no_growth() -> None:
    assert judge(two_of_four(entry(2, entered_ns=AT + 101 * MS, left_ns=AT + 110 * MS))).ceiling.bounded


def test_a_server_that_turns_all_away_with_nothing_in_service_has_shown_no_bound() -> None:
    verdict = judge(limited((Repeat(4, 6, AT + 300 * MS), Repeat(6, 8, AT + 400 * MS)), rejected(4, 8)))

    assert (verdict.ceiling.in_service, verdict.ceiling.bounded) == (2, False)
    assert "Of 4 requests that came when nothing else was in service" in verdict.warnings[0]
    assert "turned 4 away (429)" in verdict.warnings[0]


def test_one_process_that_lets_in_fewer_than_before_does_not_count_those_in_service() -> None:
    ran = tuple(entry(id, entered_ns=AT + 250 * MS, left_ns=AT + 310 * MS) for id in (4,))

    verdict = judge(limited((Repeat(4, 6, AT + 300 * MS), Repeat(6, 8, AT + 400 * MS)), rejected(4, 8), ran))

    assert not verdict.ceiling.bounded
    assert "turned 3 away" in verdict.warnings[0]


@pytest.mark.parametrize("together", [False, True])
def test_requests_turned_away_one_by_one_with_fewer_in_service_show_no_bound(*, together: bool) -> None:
    record = limited((), [])
    entered = [replace(record.entries[0], entered_ns=5 * MS), replace(record.entries[1], entered_ns=500 * MS)]
    # While one was in service, and before the second was.
    opened = [100 * MS] * 3 if together else [100 * MS, 110 * MS, 120 * MS]
    away = [
        request(4 + n, opened_ns=at, connected_ns=at, done_ns=at + 5 * MS, outcome=Outcome.REJECTED, status=429)
        for n, at in enumerate(opened)
    ]
    first, second = record.requests[0], replace(record.requests[1], opened_ns=499 * MS)

    verdict = judge(replace(record, requests=(first, second, *away), entries=tuple(entered)))

    assert verdict.ceiling.bounded is together
    assert together or "turned a request away (429) with 1 in service" in verdict.warnings[0]


def test_where_exact_load_was_not_offered_single_requests_tell() -> None:
    singles = [replace(each, phase=Phase.REUSE) for each in rejected(4, 8)]

    assert not judge(limited((), singles)).ceiling.bounded
    assert judge(limited((), singles, (entry(4, entered_ns=AT + 250 * MS, left_ns=AT + 310 * MS),))).ceiling.bounded


def test_of_several_processes_one_may_have_been_given_too_many() -> None:
    ran = tuple(entry(id, pid=20, entered_ns=AT + 250 * MS, left_ns=AT + 310 * MS) for id in (4, 6))

    record = limited((Repeat(4, 6, AT + 300 * MS), Repeat(6, 9, AT + 400 * MS)), rejected(4, 9), ran)

    assert judge(record).ceiling.bounded


def test_a_single_one_turned_away_may_have_come_before_the_server_knew_that_it_was_empty() -> None:
    assert judge(limited((Repeat(4, 5, AT + 300 * MS),), rejected(4, 5))).ceiling.bounded
