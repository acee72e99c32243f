"""How many places a load needs, against tables of Erlang C and Little's law."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.infer.queueing import busy_places, erlang_c, places_for, waits_longer


@pytest.mark.parametrize(
    ("places", "busy", "waits"),
    [
        # Of one place: it is busy. Of two with one busy: 1/3. Both follow from the formula by hand.
        (1, 0.5, 0.5),
        (2, 1.0, 1 / 3),
        # (2^3/3!) (3/(3-2)) / (1 + 2 + 2 + 4) = 4/9.
        (3, 2.0, 4 / 9),
    ],
)
def test_the_probability_of_waiting_is_that_of_erlang(places: int, busy: float, waits: float) -> None:
    assert erlang_c(places, busy) == pytest.approx(waits)


def test_without_a_percentile_places_are_busy_for_four_fifths_of_the_time() -> None:
    assert busy_places(100, 0.2) == pytest.approx(20)
    assert places_for(100, 0.2, None) == 25


def test_what_takes_longer_to_serve_than_it_may_take_is_refused() -> None:
    with pytest.raises(ValueError, match="no number of places"):
        places_for(10, 1.0, 0.5)


@given(
    rate=st.floats(0.1, 2000, allow_nan=False),
    service_s=st.floats(0.001, 5, allow_nan=False),
    more=st.floats(1.05, 20, allow_nan=False),
)
def test_the_places_are_the_fewest_that_keep_the_percentile(rate: float, service_s: float, more: float) -> None:
    busy, patience = busy_places(rate, service_s), service_s * (more - 1)

    places = places_for(rate, service_s, service_s * more)

    assert places > busy
    assert waits_longer(places, busy, service_s, patience) <= 0.01
    assert places - 1 <= busy or waits_longer(places - 1, busy, service_s, patience) > 0.01
