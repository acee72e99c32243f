"""What came after the places had been counted takes back that the number in service is a bound."""

from __future__ import annotations

from dataclasses import replace

from records import AT, entry, request, snapshot, socket, timeline

from holdfast.infer.judge import judge
from holdfast.model.places import Outcome
from holdfast.model.timeline import Entry, Timeline

MS = 1_000_000


def two_of_four(*later: Entry) -> Timeline:
    """Two of four requests are in service when the places are counted; then clients are answered."""
    sent = [request(id, done_ns=AT + 100 * MS, outcome=Outcome.ANSWERED, status=200) for id in range(4)]
    ran = [entry(0, left_ns=AT + 90 * MS), entry(1, left_ns=AT + 90 * MS), *later]
    seen = snapshot(*(socket(id, accepted=True) for id in range(4)))
    return timeline(sent, ran, seen, reason="max-offered")


def test_a_request_that_comes_in_beside_those_that_were_counted_makes_them_at_least() -> None:
    verdict = judge(two_of_four(entry(2, entered_ns=AT + 50 * MS, left_ns=AT + 95 * MS)))

    assert (verdict.ceiling.in_service, verdict.ceiling.bounded) == (2, False)
    assert verdict.ceiling.interval == (2, None)
    assert verdict.warnings[0].startswith("After the places had been counted, 1 more of the requests that waited")


def test_what_ended_as_the_places_were_counted_does_not_hide_growth() -> None:
    just_ended = entry(3, left_ns=AT)

    verdict = judge(two_of_four(just_ended, entry(2, entered_ns=AT + 50 * MS, left_ns=AT + 95 * MS)))

    assert (verdict.ceiling.in_service, verdict.ceiling.bounded) == (2, False)


def test_one_that_comes_in_for_another_shows_no_growth() -> None:
    record = two_of_four(entry(2, entered_ns=AT + 60 * MS, left_ns=AT + 95 * MS))
    ended = replace(record.entries[0], left_ns=AT + 50 * MS)

    assert judge(replace(record, entries=(ended, *record.entries[1:]))).ceiling.bounded


def test_what_comes_in_once_a_client_has_its_answer_shows_no_growth() -> None:
    assert judge(two_of_four(entry(2, entered_ns=AT + 101 * MS, left_ns=AT + 110 * MS))).ceiling.bounded


def test_requests_have_waited_without_a_change_only_since_the_last_that_waited_was_turned_away() -> None:
    def watched_s(took_ns: int, done_ns: int) -> float | None:
        away = request(2, sent_ns=done_ns - took_ns, done_ns=done_ns, outcome=Outcome.REJECTED, status=503)
        answered = request(0, done_ns=AT + 500 * MS, outcome=Outcome.ANSWERED, status=200)
        seen = snapshot(socket(0, accepted=True), socket(1, accepted=True))
        record = timeline([answered, request(1), away], [entry(0, left_ns=AT + 500 * MS)], seen, reason="turned away")
        assert record.ramp is not None
        record = replace(record, ramp=replace(record.ramp, plateau_ns=AT - 800 * MS))
        return judge(record).timing.watched_s

    assert watched_s(took_ns=400 * MS, done_ns=AT - 300 * MS) == 0.8
    # What is full turns away at once, and changes nothing for those that wait.
    assert watched_s(took_ns=MS, done_ns=AT - 300 * MS) == 1.3
