"""Curves, law charts and looks: each point is one that arithmetic gives."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from holdfast.model.places import Place
from holdfast.model.rows import Rows
from holdfast.model.trial import Change, Rival, Trial
from holdfast.picture.load import picture_of_load
from holdfast.picture.percentiles import curve_of
from holdfast.picture.settings import setting_charts


@given(st.lists(st.integers(0, 10**12), min_size=1, max_size=400))
def test_each_point_of_a_curve_is_the_least_value_that_so_many_do_not_exceed(durations: list[int]) -> None:
    curve = curve_of("any", durations)

    assert curve.share[-1] == 1
    assert curve.at_ns[-1] == max(durations)
    assert list(curve.share) == sorted(set(curve.share))
    for share, value in zip(curve.share, curve.at_ns, strict=True):
        assert sum(each <= value for each in durations) >= share * len(durations) - 1e-9
        assert sum(each < value for each in durations) < share * len(durations)


def test_a_curve_of_nothing_has_no_point() -> None:
    assert curve_of("any", []).share == ()


def test_rows_of_a_load_are_connecting_then_waiting_then_ended_as_their_outcome_says() -> None:
    none = [0, 0]
    rows = Rows(
        id=[0, 1], due_ns=[10, 20], begun_ns=[11, 21], connected_ns=[13, 0], done_ns=[40, 50],
        outcome=["answered", "refused"], status=[200, 0], label=["/", "/"], group=["g", "g"], number=[0, 1],
        opened_ns=[11, 21], sent_ns=[14, 0], first_byte_ns=[30, 0], received_bytes=none, source=["", ""],
        local_port=none,
    )  # fmt: skip

    picture = picture_of_load([rows])

    drawn = {each.place: each.counts for each in picture.areas.areas}
    assert picture.areas.at_ns == (11, 13, 21, 30, 40, 50)
    assert drawn == {
        "syn": (1, 0, 1, 1, 1, 0),
        "unplaced": (0, 1, 1, 0, 0, 0),
        "replying": (0, 0, 0, 1, 0, 0),
        "answered": (0, 0, 0, 0, 1, 1),
        "refused": (0, 0, 0, 0, 0, 1),
    }
    assert (picture.from_due.at_ns, picture.from_sent.at_ns) == ((30,), (26,))


def trial(run: int, workers: int, threads: int, size: int, *changes: Change, bounded: bool = True) -> Trial:
    values = (Change("workers", workers), Change("threads", threads))
    return Trial(run, "changed" if changes else "", changes, values, 100, in_service=size, bounded=bounded)


def test_a_setting_that_decides_has_its_law_with_all_others_as_at_first_and_each_run_as_a_point() -> None:
    rivals = (
        Rival("workers", Place.IN_SERVICE, "processes", 2),
        Rival("threads", Place.IN_SERVICE, "places", 3),
    )
    trials = (
        trial(1, 2, 3, 6),
        trial(2, 2, 5, 10, Change("threads", 5)),
        trial(3, 4, 3, 12, Change("workers", 4)),
        trial(4, 2, 9, 18, Change("threads", 9), bounded=False),
    )

    charts = {each.setting: each for each in setting_charts(rivals, trials)}

    assert charts.keys() == {"workers", "threads"}
    threads = charts["threads"]
    assert threads.formula == "workers x threads"
    assert threads.law == tuple((value, 2 * value) for value in range(3, 10))
    assert [(each.run, each.value, each.size, each.full, each.others) for each in threads.runs] == [
        (1, 3, 6, True, ""),
        (2, 5, 10, True, ""),
        (3, 3, 12, True, "workers=4"),
        (4, 9, 18, False, ""),
    ]
    assert charts["workers"].law == ((2, 6), (3, 9), (4, 12))
