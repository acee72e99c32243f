"""What called bodies did, from records that are known."""

from __future__ import annotations

from dataclasses import replace

import pytest
import records
from hypothesis import given
from hypothesis import strategies as st

from holdfast.infer.calls import at_once, calls_of, doubts_of, doubts_of_ceiling
from holdfast.model.call import Call, Spread
from holdfast.model.phase import Phase
from holdfast.model.places import Outcome
from holdfast.model.verdict import Ceiling

MS = 1_000_000
FIRST = 1000


def call(id, begun_ms, ended_ms, stop_ms=0, **changed):
    """A body on the loop of process 10; `ended_ms` 0 is one that runs on."""
    begun, ended, stop = begun_ms * MS, ended_ms * MS, stop_ms * MS
    plain = Call(
        FIRST + id, Phase.CALLED_TOGETHER, 10, 10, False, begun, ended, stop, stop, 0, "steps", 1, False, False
    )
    return replace(plain, **changed)


def run(*calls, outcome=Outcome.ANSWERED, status=200, asked=True, more=()):
    sent = [records.request(each.id, phase=each.phase, outcome=outcome, status=status) for each in calls]
    some = records.timeline([records.request(0), *sent, *more], [], records.snapshot())
    return replace(some, calls=calls, experiment=replace(some.experiment, call=asked, max_called=1))


ONE = call(0, 1, 11, stop_ms=2, phase=Phase.CALLED_ALONE)


def nulls(figures, prefix="call."):
    found = set()
    for name in figures.__dataclass_fields__:
        value = getattr(figures, name)
        if value is None:
            found.add(prefix + name)
        elif name == "alone":
            found |= nulls(value, "call.alone.")
    return found


def test_what_was_not_asked_for_is_null_with_that_reason():
    assert calls_of(run(asked=False)) == (None, {"call": "--call was not asked for"})


def test_where_no_body_began_the_reason_names_the_place_of_the_hold():
    answered = records.request(FIRST, phase=Phase.CALLED_ALONE, outcome=Outcome.ANSWERED)
    figures, unknown = calls_of(run(more=[answered]))

    assert figures is None
    assert "held in view" in unknown["call"]


def test_a_call_is_unknown_with_the_reason_where_the_run_ended_before_it():
    assert calls_of(run())[1]["call"] == "the run ended before this step"


@pytest.mark.parametrize(
    ("outcome", "took_s", "reason"),
    [
        (Outcome.PENDING, 0, "did not come to it within 30 s (--call-timeout)"),
        # It came to its view when the time was over, and was let go without its body.
        (Outcome.ANSWERED, 30, "did not come to it within 30 s (--call-timeout)"),
        (Outcome.RESET, 1, "its request was reset before"),
        (Outcome.ANSWERED, 1, "found no function"),
    ],
)
def test_the_reason_why_no_body_began_is_what_became_of_its_request(outcome, took_s, reason):
    request = records.request(FIRST, phase=Phase.CALLED_ALONE, outcome=outcome)
    request = replace(request, done_ns=request.opened_ns + took_s * 1000 * MS)

    assert reason in calls_of(run(more=[request]))[1]["call"]


def test_a_request_that_had_not_come_to_its_body_when_the_run_was_interrupted_is_said_to_be_that():
    request = records.request(FIRST, phase=Phase.CALLED_ALONE, outcome=Outcome.PENDING)

    assert "when the run was interrupted" in calls_of(replace(run(more=[request]), interrupted=True))[1]["call"]


def test_each_figure_is_of_the_bodies_that_ran_together():
    elsewhere = call(3, 45, 75, 6, pid=11, raised=True)
    figures, unknown = calls_of(run(ONE, call(1, 20, 30, 4), call(2, 30, 50, 8), elsewhere))

    assert (figures.offered, figures.bodies, figures.finished, figures.raised) == (3, 3, 3, 1)
    assert (figures.at_once, figures.processes, figures.replies) == (2, 2, {"200": 3})
    assert (figures.longest_stop_ms, figures.stop_ms, figures.stopped_ms) == (8.0, Spread(6.0, 8.0), Spread(6.0, 8.0))
    assert figures.duration_ms == Spread(20.0, 30.0)
    assert (figures.alone.duration_ms, figures.alone.longest_stop_ms, figures.loop) == (10.0, 2.0, "shared")
    # Where they wait was not asked.
    assert set(unknown) == {"call.running"}


def test_a_body_that_does_not_end_runs_on_and_has_no_duration():
    timeline = run(ONE, call(1, 20, 0), call(2, 30, 50, 8), outcome=Outcome.PENDING, status=0)
    figures, _unknown = calls_of(timeline)

    assert (figures.bodies, figures.finished, figures.at_once) == (2, 1, 2)
    assert figures.duration_ms == Spread(20.0, 20.0)
    assert doubts_of(timeline) == [
        "There are no figures for 1 of 3 called bodies: it had not ended after 30 s (--call-timeout)."
    ]


def test_several_bodies_that_do_not_end_are_each_said_not_to_have_ended():
    timeline = run(ONE, call(1, 20, 0), call(2, 30, 0), outcome=Outcome.PENDING, status=0)

    assert doubts_of(timeline) == [
        "There are no figures for 2 of 3 called bodies, for each because it had not ended after 30 s (--call-timeout)."
    ]


def test_a_body_cut_short_by_an_interrupt_is_not_said_to_have_timed_out():
    timeline = replace(run(ONE, call(1, 20, 0), outcome=Outcome.PENDING, status=0), interrupted=True)

    assert doubts_of(timeline) == [
        "There are no figures for 1 of 2 called bodies: it had not ended when the run was interrupted."
    ]

    long_ago = replace(timeline, marks=replace(timeline.marks, ended_ns=31_000 * MS))

    assert "it had not ended after 30 s (--call-timeout)" in doubts_of(long_ago)[0]


def test_a_body_whose_connection_was_closed_is_not_said_to_have_run_out_of_time():
    figures, unknown = calls_of(run(replace(ONE, ended_ns=0), outcome=Outcome.CLOSED, status=0))

    assert figures.alone.duration_ms is None
    assert "its request was closed while it ran" in unknown["call.alone.duration_ms"]


def test_a_body_that_goes_on_after_its_answer_is_not_said_to_have_been_given_up():
    _, unknown = calls_of(run(replace(ONE, ended_ns=0)))

    assert unknown["call.alone.duration_ms"] == "it had answered, and had not returned when it was last seen"


def doubts_of_held(held, *calls, **ceiling):
    timeline = run(ONE, *calls)
    held = replace(Ceiling.unknown(), in_service=held, bounded=True, **ceiling)
    return doubts_of_ceiling(held, calls_of(timeline)[0], timeline)


def test_where_more_bodies_ran_at_once_than_were_held_it_says_what_is_true_of_what():
    awaiting = [call(n, 20, 30, timing="switches") for n in (1, 2, 3)]
    (said,) = doubts_of_held(1, *awaiting)

    assert said.startswith("3 bodies ran at once, though only 1 request was held at once. Both are true")
    assert "For views that block the ceiling is 1; for this one it is 3 or more." in said
    assert doubts_of_held(3, *awaiting) == doubts_of_held(None, *awaiting) == ()
    assert doubts_of_held(1, *awaiting, interval=(1, 4)) == ()


def test_more_threads_that_ran_bodies_than_were_held_show_a_pool_that_has_grown():
    threads = [call(n, 20, 30, timing="no loop", tid=n) for n in (1, 2, 3)]

    assert "so the ceiling is higher" in doubts_of_held(2, *threads)[0]


def test_a_loop_that_is_still_stopped_has_no_longest_stop_yet():
    runs_on = call(1, 20, 0, 4000, stopping_since_ns=40 * MS)
    figures, unknown = calls_of(run(ONE, runs_on, call(2, 30, 50, 8)))

    assert (figures.longest_stop_ms, figures.stop_ms) == (None, Spread(8.0, 8.0))
    assert "still blocking its event loop" in unknown["call.longest_stop_ms"]


def test_the_longest_stop_may_be_that_of_a_body_that_does_not_end():
    figures, unknown = calls_of(run(ONE, call(1, 20, 0, 4000), call(2, 30, 50, 8)))

    assert (figures.longest_stop_ms, figures.stop_ms) == (4000.0, Spread(8.0, 8.0))
    # Where they wait was not asked.
    assert set(unknown) == {"call.running"}


def test_bodies_that_went_with_their_process_are_not_said_to_have_run_out_of_time():
    more = call(1, 20, 0)
    timeline = run(ONE, more)
    requests = [replace(each, outcome=Outcome.RESET) if each.id == more.id else each for each in timeline.requests]

    assert "was reset while it ran" in calls_of(replace(timeline, requests=tuple(requests)))[1]["call.duration_ms"]


@pytest.mark.parametrize(("left_ms", "at_once"), [(20, None), (60, 2)])
def test_how_many_ran_at_once_is_not_claimed_where_it_depends_on_bodies_that_may_have_gone_with_their_process(
    left_ms, at_once
):
    # Each process of two ends with its body, and another one comes in its place.
    lost = [call(1, 15, 0, pid=11), call(2, 15, 0, pid=12)]
    next_ones = [call(3, 30, 40, pid=13), call(4, 50, 55, pid=14)] if at_once is None else []
    timeline = run(ONE, *lost, *next_ones)
    closed = {each.id for each in lost}
    requests = [
        replace(each, outcome=Outcome.CLOSED, done_ns=left_ms * MS) if each.id in closed else each
        for each in timeline.requests
    ]
    figures, unknown = calls_of(replace(timeline, requests=tuple(requests)))

    assert figures.at_once == at_once
    assert ("2 to 3 ran at once" in unknown.get("call.at_once", "")) == (at_once is None)


def test_where_no_loop_ran_no_stop_is_given_not_even_none_at_all():
    some = [replace(each, timing="no loop") for each in (ONE, call(1, 20, 30), call(2, 30, 50))]
    figures, unknown = calls_of(run(*some))

    assert figures.longest_stop_ms is figures.stop_ms is figures.stopped_ms is figures.loop is None
    assert "on a thread without an event loop" in unknown["call.stop_ms"]
    assert figures.duration_ms == Spread(10.0, 20.0)


def test_bodies_that_are_too_short_to_meet_on_their_threads_are_said_to_be():
    short = [call(n, 20 + n, 21 + n, timing="no loop", tid=100 + n) for n in range(1, 5)]

    assert any("hardly tested" in doubt for doubt in doubts_of(run(ONE, *short)))
    assert not doubts_of(run(ONE, *(replace(each, ended_ns=40 * MS) for each in short)))
    assert not doubts_of(run(ONE, *(replace(each, tid=7) for each in short)))


TIMES = st.lists(st.tuples(st.integers(1, 50), st.integers(0, 50)), max_size=12)


@given(TIMES)
def test_at_once_is_the_most_that_run_at_any_instant(times):
    calls = [call(n, begun, begun + lasts) for n, (begun, lasts) in enumerate(times)]

    by_instant = [sum(begun <= at < begun + lasts for begun, lasts in times) for at in range(102)]
    assert at_once(calls) == max(by_instant)


@given(st.lists(st.sampled_from(["steps", "whole", "no loop", "unseen", "switches"]), max_size=5), st.booleans())
def test_every_null_has_its_reason_and_nothing_else_has_one(timings, ended):
    more = [call(n, 20, 30 if ended else 0, timing=timing) for n, timing in enumerate(timings, 1)]
    figures, unknown = calls_of(run(ONE, *more))

    assert nulls(figures) == set(unknown)
    assert all(unknown.values())
