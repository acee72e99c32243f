"""Requests in each place over time: the places add up to what was offered, and no extreme is lost."""

from __future__ import annotations

from array import array
from bisect import bisect_right

from hypothesis import given
from hypothesis import strategies as st

from holdfast.picture.areas import Leg, _ordered, areas_of

PLACES = ("works", "waits", "ended")

legs = st.tuples(st.integers(1, 60), st.sampled_from(PLACES))
chains = st.lists(legs, min_size=1, max_size=5).map(lambda chain: sorted(chain, key=lambda leg: leg[0]))


def place_at(chain: list[Leg], at_ns: int) -> str | None:
    """Looked up leg by leg, as a person would."""
    found = [place for from_ns, place in chain if from_ns <= at_ns]
    return found[-1] if found else None


def counted(requests: list[list[Leg]], at_ns: int) -> dict[str, int]:
    places = [place_at(chain, at_ns) for chain in requests]
    return {place: places.count(place) for place in PLACES}


@given(st.lists(st.integers(-(1 << 60), 1 << 60), max_size=60), st.integers(1, 9))
def test_moves_are_sorted_a_stretch_at_a_time(numbers: list[int], at_once: int) -> None:
    found = _ordered(array("q", numbers), at_once)

    assert [number for stretch in found for number in stretch] == sorted(numbers)


@given(st.lists(chains, max_size=30), st.integers(1, 40))
def test_at_every_instant_the_places_are_those_of_the_requests_and_add_up_to_the_offered(
    requests: list[list[Leg]], most: int
) -> None:
    found = areas_of(requests, PLACES, most=most)

    for number, at_ns in enumerate(found.at_ns):
        drawn = {area.place: area.counts[number] for area in found.areas}
        assert dict.fromkeys(PLACES, 0) | drawn == counted(requests, at_ns)
        assert sum(drawn.values()) == found.offered[number] == sum(chain[0][0] <= at_ns for chain in requests)


@given(st.lists(chains, min_size=1, max_size=30), st.integers(1, 60))
def test_what_is_not_thinned_says_where_requests_are_at_any_instant(requests: list[list[Leg]], at_ns: int) -> None:
    found = areas_of(requests, PLACES)

    assert not found.thinned
    number = bisect_right(found.at_ns, at_ns) - 1
    drawn = {area.place: area.counts[number] if number >= 0 else 0 for area in found.areas}
    assert dict.fromkeys(PLACES, 0) | drawn == counted(requests, at_ns)


@given(st.lists(chains, min_size=1, max_size=30), st.integers(1, 20))
def test_thinning_keeps_the_most_that_was_ever_in_a_place(requests: list[list[Leg]], most: int) -> None:
    whole, thinned = areas_of(requests, PLACES), areas_of(requests, PLACES, most=most)

    assert {each.place: max(each.counts) for each in thinned.areas} == {
        each.place: max(each.counts) for each in whole.areas
    }
    assert (thinned.at_ns[0], thinned.at_ns[-1]) == (whole.at_ns[0], whole.at_ns[-1])


def test_of_many_instants_about_as_many_are_kept_as_were_asked_for() -> None:
    requests = [[(at, "works"), (at + 7, "ended")] for at in range(1, 20_001)]

    found = areas_of(requests, PLACES, most=500)

    assert found.thinned
    assert 100 <= len(found.at_ns) <= 502


def test_instants_of_looks_are_kept_from_the_first_request_on() -> None:
    found = areas_of([[(10, "works"), (30, "ended")]], PLACES, looks=[5, 20])

    assert found.at_ns == (10, 20, 30)
    assert found.offered == (1, 1, 1)


def test_without_a_request_there_is_nothing() -> None:
    found = areas_of([], PLACES)

    assert (found.at_ns, found.areas, found.offered) == ((), (), ())
