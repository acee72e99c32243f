from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.model.schedule import Segment
from holdfast.model.shapes import Burst, Clients, OpenShape, Phases, Rise, Shape, Spread, Stages


@pytest.mark.parametrize(
    ("shape", "title"),
    [
        (Stages(((50.0, 2.0),)), "50/s for 2 s"),
        (Stages(((20.0, 1.0), (60.0, 1.0))), "20/s for 1 s, 60/s for 1 s"),
        # A rate without a time has one in which so many will certainly have come.
        (Stages(((50.0, 4.0),), requests=100), "100 at 50/s"),
        (Stages(((50.0, 1.0),), requests=100), "50/s for 1 s"),
        (Burst(20), "burst of 20"),
        (Clients(1), "1 client"),
        (Clients(8, for_s=2.0), "8 clients"),
    ],
)
def test_a_shape_is_named_by_what_ends_it(shape: Shape, title: str):
    assert shape.title == title


@pytest.mark.parametrize(
    ("shape", "passes"),
    [
        (Spread(20, 2.0), 20),
        (Stages(((20.0, 1.0), (60.0, 0.5))), 50),
        (Stages(((50.0, 4.0),), requests=100), 100),
        (Stages(((50.0, 1.0),), requests=100), 50),
        # (10 + 60) / 2 a second.
        (Rise(10.0, 60.0, 2.0), 70),
        # Each part has a whole number, rounded down: 2, and 3.
        (Phases((Segment(1, 4, 1), Segment(3, 3, 1.2, by_chance=True))), 5),
        (Burst(20), 20),
        (Clients(8, requests=100, iterations=2), 100),
        (Clients(8, iterations=2), 16),
        (Clients(8, for_s=2.0), None),
    ],
)
def test_a_shape_says_how_often_its_steps_are_passed_through_at_most(shape: Shape, passes: int | None):
    assert shape.passes == passes


RATES = st.floats(0.0, 300.0)
TIMES = st.floats(0.01, 3.0)


@given(
    st.builds(Spread, st.integers(1, 300), TIMES)
    | st.builds(Rise, RATES, RATES, TIMES)
    | st.builds(Stages, st.lists(st.tuples(RATES, TIMES), min_size=1, max_size=3).map(tuple))
    | st.builds(
        Phases, st.lists(st.builds(Segment, RATES, RATES, TIMES, st.booleans()), min_size=1, max_size=3).map(tuple)
    )
    | st.builds(Burst, st.integers(1, 300))
)
def test_as_many_come_as_the_shape_says_at_most_and_one_fewer_at_least(shape: OpenShape):
    came = shape.due_ns(Random(0))

    assert len(came) in {shape.passes, shape.passes - 1}
    assert list(came) == sorted(came)
