"""How a place's size follows from settings: what a law predicts, how it is written, and which could be true."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.infer.laws import Law, at_least, candidate_laws, confirmed_by, measured, size, values_of
from holdfast.infer.trial_values import streams_beside
from holdfast.model.places import Place
from holdfast.model.trial import Change, Rival, Trial

IN_SERVICE, OWN_QUEUE, ACCEPT_QUEUE = Place.IN_SERVICE, Place.USERSPACE_QUEUE, Place.ACCEPT_QUEUE


def trial(in_service: int | None = 8, *, bounded: bool = True, values: dict[str, int] | None = None, **more: object):
    changes = tuple(Change(name, value) for name, value in (values or {}).items())
    return Trial(1, "", (), changes, 100, in_service=in_service, bounded=bounded, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("law", "values", "predicted", "formula"),
    [
        (Law(IN_SERVICE, ("workers",), "threads"), {"workers": 4, "threads": 8}, 32, "workers x threads"),
        # Flask's async view under ulimit -n 256: four descriptors each, and four of the server's own.
        (Law(IN_SERVICE, (), "nofile", 4, 4), {"nofile": 256}, 63, "(nofile - 4) / 4"),
        (Law(IN_SERVICE, (), "nofile", 4, 4), {"nofile": 259}, 63, "(nofile - 4) / 4"),
        (Law(IN_SERVICE, (), "nofile", 2), {"nofile": 9}, 4, "nofile / 2"),
        (Law(IN_SERVICE, ("workers",), "pool", 1, -1), {"workers": 2, "pool": 7}, 16, "workers x (pool + 1)"),
        (Law(IN_SERVICE, ("workers",), times=5), {"workers": 3}, 15, "workers x 5"),
        (Law(IN_SERVICE, ("workers",)), {"workers": 3}, 3, "workers x 1"),
        (Law(IN_SERVICE, (), "nofile", 1, 9), {"nofile": 8}, 0, "nofile - 9"),
        (Law(IN_SERVICE, ("workers",), "threads"), {"threads": 8}, None, "workers x threads"),
    ],
)
def test_a_law_predicts_a_size_and_says_how(law, values, predicted, formula):
    assert (size(law, values), law.formula) == (predicted, formula)


@pytest.mark.parametrize(
    ("place", "seen", "full", "least"),
    [
        (IN_SERVICE, trial(8), 8, 8),
        (IN_SERVICE, trial(8, bounded=False), None, 8),
        (OWN_QUEUE, trial(8, accepted=20, accepted_bounded=True), 20, 20),
        (OWN_QUEUE, trial(8, accepted=20, accepted_bounded=False), None, 20),
        # Without a request that waits in the server, there is no queue of its own.
        (OWN_QUEUE, trial(8, accepted=8, accepted_bounded=True), None, 8),
        (OWN_QUEUE, trial(8), None, None),
        # One more than the backlog, whether it was full or not: sk_acceptq_is_full() asks for more than it.
        (ACCEPT_QUEUE, trial(8, backlog=128, accept_queue=3), 129, 3),
        (ACCEPT_QUEUE, trial(8, accept_queue=3), None, 3),
    ],
)
def test_a_place_has_a_size_only_where_it_was_driven_full(place, seen, full, least):
    assert (measured(place, seen), at_least(place, seen)) == (full, least)


def test_what_is_accepted_limits_what_is_in_service_and_not_the_other_way_round():
    connections, threads = Rival("connections", OWN_QUEUE, "places", 20), Rival("threads", IN_SERVICE, "places", 20)
    first = trial(20, accepted=20, accepted_bounded=True, values={"connections": 20, "threads": 20})
    queued = trial(8, accepted=20, accepted_bounded=True, values={"connections": 20, "threads": 20})

    both = [connections, threads]
    assert {each.setting for each in candidate_laws(IN_SERVICE, first, both)} == {"connections", "threads"}
    assert {each.setting for each in candidate_laws(OWN_QUEUE, queued, both)} == {"connections"}
    assert candidate_laws(IN_SERVICE, trial(20, bounded=False, values=dict.fromkeys(["threads"], 20)), both) == ()


@given(
    st.integers(1, 60),
    st.dictionaries(st.sampled_from(["workers", "threads", "nofile", "pool"]), st.integers(1, 300), min_size=1),
    st.integers(0, 5),
    st.booleans(),
)
def test_every_law_that_could_be_true_predicts_what_was_seen(there, values, share, far):
    kinds = {"workers": "processes", "nofile": "share"}
    rivals = [
        Rival(name, IN_SERVICE, kinds.get(name, "places"), value, share=share if name == "nofile" else 1)
        for name, value in values.items()
    ]
    first = trial(there, values=values)

    for law in candidate_laws(IN_SERVICE, first, rivals, far=far):
        assert size(law, values_of(first)) == there
        assert confirmed_by(law, [first, first]) == ()


@pytest.mark.parametrize(
    ("own", "least", "up", "value"),
    [(8, 1, True, 10), (8, 1, False, 6), (1, 1, True, 2), (1, 1, False, 1), (8, 7, False, 7)],
)
def test_the_next_number_of_streams_is_a_quarter_away_and_never_below_the_least(own, least, up, value):
    assert streams_beside(Rival("streams", IN_SERVICE, "streams", own, least=least), own, up=up) == value
