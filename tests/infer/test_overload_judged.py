"""What follows from the record of a server under overload: sums, ranks, and where a figure must be missing."""

from __future__ import annotations

from dataclasses import fields, replace

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from holdfast.infer.overload import judge_overload
from holdfast.model.overload import Attempt, Clients, Level, OverloadRecord
from holdfast.model.places import Outcome
from holdfast.model.timeline import ServerFacts
from holdfast.model.units import MS, NS_PER_S

BEGAN = 5 * NS_PER_S
SERVICE = 100 * MS
LIMIT = 300 * MS
FACTS = ServerFacts("some", "1", ("some",), "3.11", "127.0.0.1", 8000, (1,), None, None, None, None)


def attempt(due_ms, outcome=Outcome.ANSWERED, *, took_ms=100, entered_ms=None, served_ms=100, status=200):
    """One client, by milliseconds: when it came, how long until it had an answer or left, and its handler's time."""
    due = BEGAN + due_ms * MS
    entered = 0 if entered_ms is None else BEGAN + entered_ms * MS
    left = entered and entered + served_ms * MS
    return Attempt(due, due, due, due + took_ms * MS, outcome, status, entered, left)


def record(*attempts, ceiling=2, **level):
    shown = {"began_ns": BEGAN, "stopped_ns": BEGAN + NS_PER_S, "watched_ns": BEGAN + 3 * NS_PER_S} | level
    one = Level(2.0, 40.0, len(attempts), attempts=attempts, **shown)
    return OverloadRecord(
        path="/",
        server=FACTS,
        ceiling=ceiling,
        relative_to=ceiling or 32,
        service_s=SERVICE / NS_PER_S,
        took_s=SERVICE / NS_PER_S,
        usual_s=0.101,
        limit_s=LIMIT / NS_PER_S,
        late_s=0.2,
        health_path="",
        health_limit_s=1.0,
        alone=(),
        levels=(one,),
    )


def judged(*attempts, **level):
    (found,) = judge_overload(record(*attempts, **level)).levels
    return found


LEFT = (Outcome.UNANSWERED, Outcome.CONNECT_TIMEOUT)


@given(st.lists(st.tuples(st.sampled_from(Outcome), st.integers(0, 900), st.integers(0, 2000)), min_size=1))
def test_every_client_is_in_exactly_one_column_and_every_request_of_one_that_left_as_well(drawn):
    attempts = [
        attempt(due, outcome, took_ms=300, entered_ms=entered or None)
        for outcome, due, entered in drawn
        if outcome is not Outcome.FAILED
    ]
    found = judged(*attempts)

    if not attempts:
        assert found.clients is None
        return
    parts = [getattr(found.clients, each.name) for each in fields(Clients) if each.name != "came"]
    assert sum(parts) == found.clients.came == len(attempts)
    vain = found.in_vain
    assert (
        vain.begun + vain.under_way + vain.dropped + vain.unreached
        == vain.left
        == sum(each.outcome in LEFT for each in attempts)
    )
    assert vain.share is None or 0 <= vain.share <= 1


def test_the_wait_is_counted_from_due_and_of_a_request_that_never_began_only_at_least():
    waited = [attempt(0, entered_ms=each) for each in range(98)]
    found = judged(*waited, attempt(0, Outcome.UNANSWERED, took_ms=300), attempt(0, Outcome.UNANSWERED, took_ms=300))

    assert found.wait.p50_s == 0.049
    assert not found.wait.p50_at_least
    assert found.wait.p99_s == 0.3
    assert found.wait.p99_at_least


def test_those_that_were_turned_away_wait_for_no_handler():
    found = judged(attempt(0, entered_ms=1), attempt(1, Outcome.REJECTED, took_ms=2, status=503))

    assert found.wait.p99_s == 0.001
    assert found.turned_away_s == 0.002


def test_the_share_in_vain_is_of_the_time_of_handlers():
    # Served 100 ms each: one for its client; one whose client left in the middle; one whose client had left before.
    found = judged(
        attempt(0, entered_ms=0),
        attempt(0, Outcome.UNANSWERED, took_ms=300, entered_ms=250),
        attempt(0, Outcome.UNANSWERED, took_ms=300, entered_ms=500),
        attempt(0, Outcome.UNANSWERED, took_ms=300),
        attempt(0, Outcome.CONNECT_TIMEOUT, took_ms=300),
    )

    vain = found.in_vain
    assert (vain.left, vain.begun, vain.under_way, vain.dropped, vain.unreached) == (4, 1, 1, 1, 1)
    assert vain.share == 150 / 300


def test_the_server_is_busy_until_its_last_handler_has_left():
    busy = attempt(900, Outcome.UNANSWERED, took_ms=300, entered_ms=1400)
    slow, usual = attempt(1000, took_ms=600), attempt(1600, took_ms=101)
    at_rest = BEGAN + 1520 * MS

    done_before = attempt(0, entered_ms=0)
    recovery = judged(busy, done_before, at_rest_ns=at_rest, singles=(slow, usual)).recovery
    assert (recovery.idle_s, recovery.usual_s) == (0.5, 0.6)
    assert recovery.why_not == recovery.why_not_usual == ""

    unfinished = judged(busy, singles=(slow,)).recovery
    assert (unfinished.idle_s, unfinished.usual_s, unfinished.idle_at_least_s) == (None, None, 2.0)
    assert "still busy after 2.0 s" in unfinished.why_not
    assert "within 2.0 s" in unfinished.why_not_usual


def test_health_checks_are_counted_by_what_came_of_them():
    checks = (
        attempt(0, took_ms=3),
        attempt(100, took_ms=9),
        attempt(200, Outcome.REJECTED, took_ms=1, status=503),
        attempt(300, Outcome.REFUSED),
        attempt(400, Outcome.UNANSWERED, took_ms=1000),
        attempt(500, Outcome.GIVEN_UP),
    )
    health = judged(attempt(0, entered_ms=0), checks=checks).health

    assert (health.asked, health.answered, health.rejected, health.failed, health.unanswered) == (5, 2, 1, 1, 1)
    assert (health.p50_s, health.longest_s) == (0.003, 0.009)


def test_a_level_that_the_load_was_too_late_for_has_no_figures():
    late = [
        replace(attempt(each, entered_ms=each + 80), opened_ns=BEGAN + (each + 70) * MS) for each in range(0, 80, 8)
    ]
    found = judged(*late)

    assert found.clients is None
    assert found.wait is None
    assert "10 of 10 clients came more than 50 ms later than planned" in found.why_not


def test_a_level_in_which_clients_waited_for_cores_has_no_figures():
    # Each waits for 200 ms although both places are free; the server's threads waited for a core meanwhile.
    waiting = [attempt(each * 100, entered_ms=each * 100 + 95, served_ms=5, took_ms=100) for each in range(10)]

    assert "the machine was the limit" in judged(*waiting, starved_ns=NS_PER_S // 2).why_not
    assert "own computing was the limit" in judged(*waiting, starved_ns=0, computed_ns=NS_PER_S).why_not

    kept = judged(*waiting, starved_ns=0, computed_ns=0)
    assert kept.why_not == ""
    assert any("places were free while clients waited" in each for each in kept.doubts)


def test_a_busy_machine_takes_no_figure_from_a_level_whose_places_were_full():
    # Two places, 40 clients a second, 100 ms each: as many leave the queue as can.
    full = [attempt(25 * each, entered_ms=100 * (each // 2) + 50 * (each % 2), took_ms=100) for each in range(20)]

    assert judged(*full, starved_ns=NS_PER_S // 2).why_not == ""


def test_bodies_that_hold_each_other_up_keep_their_figures_and_one_sentence_says_so():
    # Two at once, each of which takes three times as long as alone: a lock, or the GIL.
    slow = [attempt(25 * each, entered_ms=300 * (each // 2), served_ms=300, took_ms=300) for each in range(20)]
    bodies = replace(record(*slow, starved_ns=0, computed_ns=NS_PER_S), service_s=None)
    (level,) = judge_overload(bodies).levels

    assert level.why_not == ""
    assert any("took 300 ms (median), alone 100 ms" in each for each in level.doubts)


def test_of_a_queue_whose_depth_the_kernel_does_not_tell_none_is_given():
    came = [attempt(0, took_ms=200, entered_ms=100), attempt(10, Outcome.CONNECT_TIMEOUT, took_ms=300)]

    waiting = [each for each in judge_overload(record(*came)).sentences if each.startswith("Clients wait")]

    assert waiting == ["Clients wait 100 ms (median) most of them without a connection."]
    inside = judge_overload(record(attempt(0, took_ms=200, entered_ms=100))).sentences
    assert "Clients wait 100 ms (median) for a handler, up to 1 at once." in inside


def test_a_level_that_was_not_run_says_why():
    found = judged(not_run="the run was stopped before")

    assert found.clients is None
    assert found.why_not == "the run was stopped before"


def test_without_a_ceiling_the_levels_are_said_to_be_of_a_chosen_number():
    overload = judge_overload(record(attempt(0, entered_ms=0), ceiling=None))

    assert "found no ceiling" in overload.sentences[0]
    assert "32 requests at once would do, a number that was chosen" in overload.sentences[0]


def test_the_record_survives_being_saved():
    before = record(attempt(0, entered_ms=0), attempt(3, Outcome.REFUSED))

    assert msgspec.json.decode(msgspec.json.encode(before), type=OverloadRecord) == before
