"""Shapes of load and thresholds as people write them, and what is said where they cannot be read."""

from __future__ import annotations

import math
from contextlib import suppress
from itertools import repeat

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.engine.quantities import Threshold, duration_s, of_label, ramp, rate_per_s, stages, threshold
from holdfast.model import schedule


@pytest.mark.parametrize(
    ("text", "seconds"), [("10s", 10), ("2m", 120), ("500ms", 0.5), ("1h", 3600), ("7", 7), ("1.5s", 1.5), (".5", 0.5)]
)
def test_a_duration_has_a_unit_or_is_in_seconds(text, seconds):
    assert duration_s(text) == pytest.approx(seconds)


@pytest.mark.parametrize(("text", "rate"), [("100", 100), ("100/s", 100), ("6000/m", 100), ("0.5/s", 0.5)])
def test_a_rate_is_per_second_unless_it_says_otherwise(text, rate):
    assert rate_per_s(text) == pytest.approx(rate)


def test_a_ramp_and_stages_are_read():
    assert ramp("10:500/30s") == (10, 500, 30)
    assert stages("100/s:10s,500/s:30s") == ((100, 10), (500, 30))


@pytest.mark.parametrize("text", ["", "ten", "10 s 5", "-1s", "1e3s", "10d", "nan", "inf"])
def test_what_is_no_duration_is_told_with_examples(text):
    with pytest.raises(ValueError, match="10s, 2m, 500ms"):
        duration_s(text)


def test_the_stage_that_is_wrong_is_named_with_its_place():
    with pytest.raises(ValueError, match=r"Stage 2, at character 11: '500/s' is not RATE:DURATION"):
        stages("100/s:10s,500/s")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("p99<200ms", Threshold("p99<200ms", "p99", "<", 200)),
        ("max <= 2s", Threshold("max <= 2s", "max", "<=", 2000)),
        ("errors<1%", Threshold("errors<1%", "errors", "<", 0.01, share=True)),
        ("errors<=0", Threshold("errors<=0", "errors", "<=", 0)),
        ("rate>=950/s", Threshold("rate>=950/s", "rate", ">=", 950)),
        ("label('GET /').p99<2s", Threshold("label('GET /').p99<2s", "p99", "<", 2000, label="GET /")),
        (r'label( "a \"b\"" ) . max<1s', Threshold(r'label( "a \"b\"" ) . max<1s', "max", "<", 1000, label='a "b"')),
    ],
)
def test_thresholds_are_read(text, expected):
    assert threshold(text) == expected


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("p99", "see character 4"),
        ("p99<", "see character 5"),
        ("p99<200 parsec", "see character 8"),
        ("<200ms", "see character 1"),
        ("p98<200ms", "there is no 'p98'"),
        ("p99<200", r"compared in ms or s \(character 8\)"),
        ("rate>=950", r"compared in /s \(character 10\)"),
        ("label('GET /').p98<200ms", r"there is no 'p98' \(character 16\)"),
        ("label('GET /').p99<200", r"compared in ms or s \(character 23\)"),
        ("label('GET /').rate>5/s", r"a rate is of the whole load \(character 16\)"),
        ("label('GET /')", "see character 6"),
    ],
)
def test_what_is_no_threshold_is_told_with_its_place(text, says):
    with pytest.raises(ValueError, match=says):
        threshold(text)


@given(st.text(max_size=30))
def test_a_threshold_of_a_label_is_read_as_it_is_written(label):
    assert of_label(threshold("errors < 1%"), label) == threshold(of_label(threshold("errors < 1%"), label).text)
    assert of_label(threshold("errors < 1%"), label).label == label


@given(st.text(max_size=30))
def test_whatever_is_written_is_read_or_is_a_value_error(text):
    for read in (duration_s, rate_per_s):
        with suppress(ValueError):
            assert 0 <= read(text) < math.inf
    for read in (ramp, stages, threshold):
        with suppress(ValueError):
            assert read(text) == read(text)


@given(st.floats(0.1, 1000), st.floats(0, 10))
def test_arrivals_by_chance_with_even_gaps_are_those_of_the_constant_rate(rate, seconds):
    by_chance = schedule.by_chance([(rate, seconds)], repeat(1.0))

    # The first one comes after a gap, not at once.
    assert abs(len(by_chance) - math.floor(rate * seconds)) <= 1
    assert all(at == pytest.approx((index + 1) / rate * 1e9, abs=2) for index, at in enumerate(by_chance))


@given(st.lists(st.tuples(st.floats(0, 200), st.floats(0, 3)), max_size=4), st.lists(st.floats(0.01, 5), min_size=1))
def test_arrivals_by_chance_ascend_and_lie_within_the_stages(parts, gaps):
    def endless():
        while True:
            yield from gaps

    due = schedule.by_chance(parts, endless())

    assert list(due) == sorted(due)
    assert all(0 <= at <= sum(seconds for _, seconds in parts) * 1e9 + 1 for at in due)
    assert all(at >= 0 for at in due)
