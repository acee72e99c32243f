"""Held requests that end unreleased: a limit of time is found, and no ceiling is told."""

from __future__ import annotations

from dataclasses import replace

import pytest
from records import AT, entry, request, snapshot, socket, timeline

from holdfast.errors import InconclusiveError
from holdfast.infer.judge import judge
from holdfast.infer.server_ended import ended_before
from holdfast.infer.signals import HELD_NS
from holdfast.model.phase import Phase
from holdfast.model.places import Outcome
from holdfast.model.timeline import Stopped

LIMIT_NS = 500_000_000


def ended(id, outcome=Outcome.REJECTED, held_ns=LIMIT_NS, status=503):
    """A request that entered at 5000 + id and was ended so much later."""
    return request(id, done_ns=5000 + id + held_ns, outcome=outcome, status=status)


def held(*ids):
    return [request(id) for id in ids]


def run(requests, entries, **changed):
    sockets = [socket(each.id, accepted=True) for each in requests]
    return replace(timeline(requests, entries, snapshot(*sockets)), **changed)


@pytest.mark.parametrize(
    ("outcome", "status", "words"),
    [
        (Outcome.REJECTED, 503, "HTTP 503"),
        (Outcome.REJECTED, 408, "HTTP 408"),
        (Outcome.ANSWERED, 200, "an answer"),
        (Outcome.CLOSED, 0, "a closed connection"),
        (Outcome.RESET, 0, "a reset connection"),
    ],
)
def test_a_request_that_is_ended_in_its_handler_shows_a_limit_of_time(outcome, status, words):
    requests = [ended(0, outcome, status=status), *held(1, 2)]

    with pytest.raises(InconclusiveError, match=r"a time limit for requests, of about 0\.5 s") as refused:
        judge(run(requests, [entry(id) for id in range(3)]))

    assert words in refused.value.why
    assert "3 were in service at once" in refused.value.why


@pytest.mark.parametrize(
    "harmless",
    [
        ended(0, held_ns=HELD_NS),  # its handler failed at its start
        ended(0, Outcome.GIVEN_UP),  # we left
        request(0),
        ended(0, held_ns=AT),  # after the places were counted
    ],
)
def test_other_ends_of_held_requests_are_no_sign_of_a_time_limit(harmless):
    assert ended_before(run([harmless, *held(1)], [entry(0), entry(1)])) is None


def test_requests_of_different_ages_that_end_together_have_met_no_limit_of_theirs():
    # A master that ends a worker for a missed heartbeat ends all its requests, however long each was held.
    requests = [request(id, done_ns=900_000_000, outcome=Outcome.CLOSED) for id in range(2)]
    entries = [entry(0), replace(entry(1), entered_ns=300_000_000), entry(2)]

    with pytest.raises(InconclusiveError, match="A process of the server ended with 2 requests") as refused:
        judge(run([*requests, *held(2)], entries))

    assert "the oldest after 0.9 s" in refused.value.why
    assert "a heartbeat" in refused.value.why


def test_requests_of_one_age_that_end_together_have_met_a_limit():
    requests = [ended(0, Outcome.CLOSED, status=0), ended(1, Outcome.CLOSED, status=0), *held(2)]

    with pytest.raises(InconclusiveError, match=r"a time limit for requests, of about 0\.5 s"):
        judge(run(requests, [entry(id) for id in range(3)]))


def test_a_limit_that_strikes_when_the_places_have_been_counted_is_a_warning():
    line = run([ended(0, held_ns=AT), *held(1), request(2)], [entry(0), entry(1)])
    line = replace(line, marks=replace(line.marks, released_ns=2 * AT))

    verdict = judge(line)

    assert verdict.ceiling.in_service == 2
    assert any("time limit for requests, of about 1.0 s" in each and "HTTP 503" in each for each in verdict.warnings)


def test_who_waited_and_is_turned_away_when_its_turn_comes_has_met_a_limit_for_waiting():
    # As mod_wsgi's daemon does to what has waited for longer than its queue-timeout, when a thread picks it up.
    late = request(2, done_ns=2 * AT, outcome=Outcome.REJECTED, status=504)
    line = run([*held(0, 1), late, request(3)], [entry(0), entry(1)])

    verdict = judge(line)

    assert verdict.ceiling.in_service == 2
    said = "1 request that had waited for 2.0 s or more got HTTP 504 when their turn came"
    assert any("The server has a time limit for waiting" in each and said in each for each in verdict.warnings)


def test_an_error_of_the_application_when_its_turn_comes_is_not_taken_for_a_limit_for_waiting():
    # As Flask answers to an async view that finds no descriptor for its event loop.
    failed = request(2, done_ns=2 * AT, outcome=Outcome.REJECTED, status=500)

    verdict = judge(run([*held(0, 1), failed, request(3)], [entry(0), entry(1)]))

    assert not any("a time limit for waiting" in each for each in verdict.warnings)


def test_who_is_turned_away_before_a_handler_was_not_held():
    assert ended_before(run([ended(0), *held(1)], [entry(1)])) is None


def test_the_longest_time_is_the_limit_because_who_shares_a_process_goes_with_it():
    requests = [ended(0), ended(1, held_ns=LIMIT_NS // 2), *held(2)]

    found = ended_before(run(requests, [entry(id) for id in range(3)]))

    assert found is not None
    assert (found.number, found.longest_ns, found.peak) == (2, LIMIT_NS, 3)


def test_a_run_that_gave_up_says_the_same_whenever_it_is_judged():
    with pytest.raises(InconclusiveError) as refused:
        judge(run(held(0), [entry(0)], stopped=Stopped("It died.", "It was killed.", "Look who did it.")))

    assert str(refused.value) == "It died.\nIt was killed.\nLook who did it."


def of_process(pid, *ids, entered_ns=5000):
    return [entry(id, pid=pid, entered_ns=entered_ns + id) for id in ids]


def test_a_process_that_was_replaced_after_all_that_was_in_it_had_reached_its_number():
    queued = [request(2)]
    entries = [*of_process(10, 0, 1), *of_process(10, 2, entered_ns=AT + 1)]

    with pytest.raises(InconclusiveError, match=r"after a number of requests, here 3 \(pid 10\)"):
        judge(run([*held(0, 1), *queued], entries, replaced=(10,)))


def test_a_process_that_took_further_requests_before_it_was_replaced_had_not():
    later = request(7, phase=Phase.REUSE, done_ns=2 * AT, outcome=Outcome.ANSWERED, status=200)
    entries = [*of_process(10, 0), *of_process(10, 7, entered_ns=AT + 1)]

    verdict = judge(run([*held(0), request(1), later], entries, replaced=(10,)))

    assert verdict.ceiling.in_service == 1


def test_a_process_that_came_in_place_of_another_was_not_idle_before():
    entries = [*of_process(10, 0), *of_process(30, 7, entered_ns=AT + 1)]

    verdict = judge(run([*held(0), request(1)], entries))

    assert verdict.model.spread == (1,)
