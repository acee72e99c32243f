"""The schedule language of JMeter's Open Model Thread Group, and the instants that it means."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.model import schedule
from holdfast.model.schedule import Segment
from holdfast.plans.arrivals import phases

NS = 1_000_000_000


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("rate(10/s) even_arrivals(5 s)", [Segment(10, 10, 5)]),
        ("Rate(60 per min) Random_Arrivals(1 min 30 sec)", [Segment(1, 1, 90, by_chance=True)]),
        ("rate(1/sec) even_arrivals(10 sec) rate(3/sec)", [Segment(1, 3, 10)]),
        ("rate(1/s) even_arrivals(1 s) rate(3/s) even_arrivals(2 s)", [Segment(1, 3, 1), Segment(3, 3, 2)]),
        # A rate does not fall to a pause (scheduleParser.kt, parsePause).
        (
            "rate(2/s) even_arrivals(1 s) pause(500 ms) even_arrivals(1 s)",
            [Segment(2, 2, 1), Segment(0, 0, 0.5), Segment(2, 2, 1)],
        ),
        ("pause(1 h) rate(0) even_arrivals(0)", [Segment(0, 0, 3600)]),
        ("rate(24/day) /* rate(9/s) */ even_arrivals(.5 days) // end", [Segment(24 / 86400, 24 / 86400, 43200)]),
        ("7", [Segment(7, 7, 1)]),
        ("", []),
    ],
)
def test_a_schedule_is_read_as_jmeter_reads_it(text, expected):
    assert phases(text) == tuple(expected)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("rat(1/s)", "at character 1, 'rat' is unknown; use rate, "),
        ("rate(1)", "at character 7, / is missing"),
        ("rate(1/s", "at character 9, ) is missing"),
        ("rate(1/fortnight)", "at character 8, 'fortnight' is not a unit; use ms, "),
        ("even_arrivals(5)", "at character 16, a unit"),
        ("rate(1/s) ?", "at character 11, '?' is not allowed"),
        ("rate 5", "at character 6, ( is missing"),
        ("5 6", "at character 1, one of rate"),
    ],
)
def test_an_invalid_schedule_is_refused_with_the_character(text, says):
    with pytest.raises(ValueError, match="at character") as caught:
        phases(text)
    assert says in str(caught.value)


@given(st.text(alphabet="rate(10/s) even_random_arrivalspause.5minhd,*/\n", max_size=60))
def test_any_text_gives_phases_or_a_place(text):
    try:
        found = phases(text)
    except ValueError as error:
        assert "at character" in str(error)  # noqa: PT017 - most of these texts are not schedules
    else:
        assert all(each.for_s > 0 for each in found)


@given(
    st.lists(st.builds(Segment, st.floats(0, 50), st.floats(0, 50), st.floats(0, 4), st.booleans()), max_size=5),
    st.randoms(use_true_random=False),
)
def test_each_phase_has_the_whole_arrivals_that_its_rate_comes_to(parts, random):
    due = schedule.phases(parts, iter(random.random, None))

    begin = 0.0
    assert list(due) == sorted(due)
    assert len(due) == sum(int((each.from_per_s + each.to_per_s) / 2 * each.for_s) for each in parts)
    for each in parts:
        many = int((each.from_per_s + each.to_per_s) / 2 * each.for_s)
        within = due[:many]
        due = due[many:]
        assert all(begin - 1e-6 <= at / NS <= begin + each.for_s + 1e-6 for at in within)
        begin += each.for_s


def test_a_random_phase_takes_its_instants_from_the_draws_in_their_order():
    def seconds(part, *draws):
        return [at / NS for at in schedule.phases([Segment(1, 1, 1), part], iter(draws))]

    assert seconds(Segment(2, 2, 2, by_chance=True), 0.75, 0.0, 0.5, 0.25) == [0.0, 1.0, 1.5, 2.0, 2.5]
    # From 0 a second to 4, F(t) = (t / T)^2: a quarter of the four come within the first half.
    assert seconds(Segment(0, 4, 2, by_chance=True), 0.25, 0.0, 0.25, 0.25) == [0.0, 1.0, 2.0, 2.0, 2.0]
    assert seconds(Segment(4, 0, 2, by_chance=True), 0.25, 0.0, 0.25, 0.25) == [0.0, 2.0, 2.0, 2.0, 3.0]


def test_an_even_phase_begins_at_once_and_follows_its_rate():
    # EvenArrivalsRamp.kt: n = v t + a t^2 / 2.
    assert [at / NS for at in schedule.phases([Segment(2, 2, 2)], iter([]))] == [0.0, 0.5, 1.0, 1.5]
    rising = [at / NS for at in schedule.phases([Segment(0, 8, 1)], iter([]))]
    assert rising == pytest.approx([(2 * number / 8) ** 0.5 for number in range(4)], abs=1e-8)
