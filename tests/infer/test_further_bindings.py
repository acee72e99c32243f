"""What decides where no setting counts requests: memory, streams of one connection, the kernel's cap on a backlog."""

from __future__ import annotations

from dataclasses import replace

import pytest

from holdfast.infer.binding import binding_of
from holdfast.infer.evidence import basis_of
from holdfast.infer.further_bindings import memory_changes, of_memory, of_streams, of_switch, where
from holdfast.infer.next_trial import next_trial
from holdfast.model.binding import Binding
from holdfast.model.places import Place
from holdfast.model.trial import Change, Rival, Trial
from holdfast.model.waiting import Waiting

MIB = 1 << 20
SPACE = Rival("address space", Place.IN_SERVICE, "bytes", 1024 * MIB, near=True)


def trial(run: int, changes: dict[str, int], values: dict[str, int], in_service: int | None, **more: object) -> Trial:
    """One of 500 requests at most, whose place was full."""
    return Trial(
        run,
        "",
        tuple(Change(name, value) for name, value in changes.items()),
        tuple(Change(name, value) for name, value in {**values, **changes}.items()),
        500,
        in_service=in_service,
        bounded=True,
        **more,  # type: ignore[arg-type]
    )


def of_space(run: int, mib: int, in_service: int) -> Trial:
    changes = {} if run == 1 else {"address space": mib * MIB}
    return trial(run, changes, {"address space": mib * MIB}, in_service)


def test_a_memory_limit_that_was_met_is_raised_and_then_lowered() -> None:
    trials = [of_space(1, 1024, 100)]

    assert memory_changes([SPACE], trials) == ("address space raised", Change("address space", 1280 * MIB), 350)
    proposal = next_trial([SPACE], trials, None)
    assert proposal is not None
    assert proposal.changes == (Change("address space", 1280 * MIB),)
    assert memory_changes([SPACE], [*trials, of_space(2, 1280, 132), of_space(3, 768, 68)]) is None


def test_a_memory_limit_decides_where_the_place_grows_and_shrinks_with_it() -> None:
    found = of_memory([SPACE], [of_space(1, 1024, 100), of_space(2, 1280, 132), of_space(3, 768, 68)])

    assert found is not None
    assert found.setting == "address space"
    assert found.formula.startswith("in_service = about (address space - ")
    assert [each.split(":")[0] for each in found.evidence] == ["run 1", "run 2", "run 3"]


@pytest.mark.parametrize(("more", "less"), [(100, 68), (132, 100), (100, 100)])
def test_a_memory_limit_that_moves_the_place_one_way_only_is_not_named(more: int, less: int) -> None:
    assert of_memory([SPACE], [of_space(1, 1024, 100), of_space(2, 1280, more), of_space(3, 768, less)]) is None


@pytest.mark.parametrize(("constant", "formula"), [(0, "streams"), (1, "streams - 1")])
def test_the_setting_that_the_streams_of_one_connection_follow_is_named(constant: int, formula: str) -> None:
    rival = Rival("streams", Place.IN_SERVICE, "streams", 20)
    trials = [
        trial(1, {}, {"streams": 20}, 300, streams=20 - constant),
        trial(2, {"streams": 25}, {}, 300, streams=25 - constant),
    ]

    found = of_streams([rival], trials)

    assert found is not None
    assert (found.setting, found.place, found.formula) == ("streams", "one_connection", f"one_connection = {formula}")


def test_streams_that_do_not_follow_the_setting_name_nothing() -> None:
    rival = Rival("streams", Place.IN_SERVICE, "streams", 20)
    trials = [trial(1, {}, {"streams": 20}, 300, streams=20), trial(2, {"streams": 25}, {}, 300, streams=20)]

    assert of_streams([rival], trials) is None


def test_a_backlog_beyond_somaxconn_is_cut_by_the_kernel() -> None:
    rival = Rival("backlog", Place.ACCEPT_QUEUE, "places", 10_000)
    trials = [
        trial(1, {}, {"backlog": 10_000}, 4, backlog=4096, somaxconn=4096),
        trial(2, {"backlog": 37}, {}, 4, backlog=37, somaxconn=4096),
    ]

    found = binding_of(Place.ACCEPT_QUEUE, [rival], trials)

    assert isinstance(found, Binding)
    assert (found.setting, found.configured, found.effective) == ("somaxconn", 10_000, 4096)
    assert found.formula == "accept_queue = min(backlog, somaxconn) + 1"


def test_a_backlog_as_long_as_somaxconn_is_named_itself() -> None:
    rival = Rival("backlog", Place.ACCEPT_QUEUE, "places", 4096)
    trials = [
        trial(1, {}, {"backlog": 4096}, 4, backlog=4096, somaxconn=4096),
        trial(2, {"backlog": 37}, {}, 4, backlog=37, somaxconn=4096),
    ]

    found = binding_of(Place.ACCEPT_QUEUE, [rival], trials)

    assert isinstance(found, Binding)
    assert found.setting == "backlog"


def test_where_requests_wait_in_the_application_is_said_with_the_line() -> None:
    waiting = [
        Waiting("ramp", 30, 1, "shop.py", 12, "index", "asyncio.locks.Semaphore"),
        Waiting("ramp", 2, 1, None, None, None, "threading.Lock"),
        Waiting("call", 5, 1, "shop.py", 20, "index", None),
    ]

    assert list(where(waiting, "ramp")) == [
        "30 wait at shop.py:12 in index (asyncio.locks.Semaphore)",
        "2 wait (threading.Lock)",
    ]
    assert list(where(waiting, "call")) == ["5 wait at shop.py:20 in index"]


def test_the_first_full_place_is_what_trials_are_compared_with() -> None:
    unbounded = Trial(1, "", (), (), 500, in_service=500, bounded=False)
    full = of_space(2, 1024, 100)

    assert basis_of([unbounded, full]) is full


SWITCH = Rival("threaded", Place.IN_SERVICE, "switch", 0)
PROCESSES = Rival("processes", Place.IN_SERVICE, "processes", 1)


def of_threads(run: int, threaded: int, in_service: int, **more: object) -> Trial:
    return trial(run, {"threaded": 1} if threaded else {}, {"threaded": 0, "processes": 1}, in_service, **more)


def test_what_is_off_is_turned_on_first_where_one_request_runs_at_a_time() -> None:
    proposal = next_trial([SWITCH, PROCESSES], [of_threads(1, 0, 1)], None)

    assert proposal is not None
    assert (proposal.purpose, proposal.changes) == ("threaded on", (Change("threaded", 1),))


def test_what_is_off_decides_where_more_run_with_it_on_and_nothing_else_is_tried() -> None:
    trials = [of_threads(1, 0, 1), replace(of_threads(2, 1, 150), bounded=False)]

    found = of_switch([SWITCH, PROCESSES], trials)

    assert found is not None
    assert (found.setting, found.formula) == ("threaded", "in_service = 1 while threaded is off")
    assert found.evidence == ("run 1: threaded off: 1", "run 2: threaded on: 150 or more")
    assert [each.setting for each in found.ruled_out] == ["processes"]
    assert next_trial([SWITCH, PROCESSES], trials, None) is None


def test_what_is_off_is_not_named_where_it_changes_nothing_or_was_no_bound() -> None:
    same = [of_threads(1, 0, 1), of_threads(2, 1, 1)]
    several = [of_threads(1, 0, 4), of_threads(2, 1, 150)]

    assert of_switch([SWITCH, PROCESSES], same) is None
    assert of_switch([SWITCH, PROCESSES], several) is None
    assert next_trial([SWITCH, PROCESSES], same, None) is not None
