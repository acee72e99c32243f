"""Whatever limits a server has, the trials name the one that binds or say that they do not, and few are needed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import prod

import pytest
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st
from worlds import MOST_TRIALS, Limit, World, explained

from holdfast.infer.binding import INSIDE, binding_of
from holdfast.model.binding import Binding, NextBound
from holdfast.model.explanation import Undecided
from holdfast.model.places import Place
from holdfast.model.trial import Rival

Values = Mapping[str, int]


def rival(name: str, value: int | None, kind: str = "places", **more: object) -> Rival:
    return Rival(name, Place.IN_SERVICE, kind, value, **more)  # type: ignore[arg-type]


def limit(*names: str, share: int = 1, constant: int = 0, times: int = 1) -> Limit:
    """The product of all but the last, times what the last one allows."""
    *factors, name = names

    def size(values: Values) -> int:
        return times * prod(values[each] for each in factors) * ((values[name] - constant) // share)

    return Limit(frozenset(names), size)


def always(number: int) -> Limit:
    return Limit(frozenset(), lambda _values: number)


WORKERS, NOFILE = rival("workers", 1, "processes"), rival("nofile", 20000, "share", most=20000)


def explain(*limits: Limit, rivals: tuple[Rival, ...], **more: object) -> tuple[Binding | Undecided, int]:
    found = explained(World(rivals, limits, **more))  # type: ignore[arg-type]
    return found.binding, len(found.trials)


def formula_of(*limits: Limit, rivals: tuple[Rival, ...], **more: object) -> tuple[str | None, str, int]:
    found, trials = explain(*limits, rivals=rivals, **more)
    return (found.setting, found.formula, trials) if isinstance(found, Binding) else (None, found.why, trials)


def test_threads_of_several_workers_take_three_trials() -> None:
    rivals = (rival("workers", 2, "processes"), rival("threads", 4), rival("worker_connections", 1000), NOFILE)

    assert formula_of(limit("workers", "threads"), limit("workers", "worker_connections"), rivals=rivals) == (
        "threads",
        "in_service = workers x threads",
        3,
    )


@pytest.mark.parametrize("share", range(1, 9))
@pytest.mark.parametrize("constant", [0, 4, 7, 37])
def test_the_constant_of_a_share_is_exact(share: int, constant: int) -> None:
    rivals = (WORKERS, rival("nofile", 256, "share", share=share, most=20000), rival("backlog", 128))

    setting, formula, trials = formula_of(limit("workers", "nofile", share=share, constant=constant), rivals=rivals)

    inner = f"nofile - {constant}" if constant else "nofile"
    if share > 1:
        inner = f"({inner}) / {share}" if constant else f"{inner} / {share}"
    wrapped = f"({inner})" if constant or share > 1 else inner
    assert setting == "nofile"
    assert formula == f"in_service = workers x {wrapped}"
    assert trials <= 6


def test_with_one_thread_each_the_workers_are_named() -> None:
    rivals = (rival("workers", 8, "processes"), rival("threads", 1), NOFILE)

    assert formula_of(limit("workers", "threads"), rivals=rivals)[:2] == ("workers", "in_service = workers x threads")


def test_a_setting_of_the_same_value_that_bounds_nothing_is_not_named() -> None:
    rivals = (WORKERS, rival("decoy", 40), rival("threads", 40), rival("another", 40), NOFILE)

    setting, formula, trials = formula_of(limit("threads"), rivals=rivals)

    assert (setting, formula) == ("threads", "in_service = threads")
    assert trials <= 6


def test_of_two_limits_that_are_equally_tight_both_are_named() -> None:
    rivals = (WORKERS, rival("threads", 40), rival("connections", 40), NOFILE)

    found, _ = explain(limit("threads"), limit("connections"), rivals=rivals)

    assert isinstance(found, Binding)
    assert {found.setting, found.next and found.next.setting} == {"threads", "connections"}
    assert found.next == NextBound(found.next.setting if found.next else "", 40)


def test_a_limit_far_below_its_setting_is_found_too() -> None:
    rivals = (WORKERS, rival("clients", 250), NOFILE)

    setting, formula, _ = formula_of(limit("clients", constant=180), rivals=rivals)

    assert (setting, formula) == ("clients", "in_service = clients - 180")


def test_a_limit_of_the_application_is_named_where_requests_wait_in_it() -> None:
    rivals = (WORKERS, rival("limit_concurrency", 100), NOFILE)

    setting, formula, _ = formula_of(always(7), rivals=rivals, before_view=30)

    assert (setting, formula) == (INSIDE, "in_service = 7")


def test_a_limit_of_the_application_in_each_process_is_not_called_workers() -> None:
    rivals = (rival("workers", 2, "processes"), NOFILE)

    setting, formula, _ = formula_of(limit("workers", times=5), rivals=rivals, before_view=30)

    assert (setting, formula) == (INSIDE, "in_service = workers x 5")


def test_what_no_setting_moves_and_no_request_waits_for_inside_stays_undecided() -> None:
    setting, why, _ = formula_of(always(7), rivals=(WORKERS, rival("threads", 7), NOFILE))

    assert setting is None
    assert "stayed at 7" in why


def test_a_constant_of_the_server_is_named_once_nothing_else_has_moved_it() -> None:
    rivals = (rival("maxthreads", 20, fixed="it has no option"), rival("decoy", 20), NOFILE)

    setting, formula, _ = formula_of(always(20), rivals=rivals)

    assert (setting, formula) == ("maxthreads", "in_service = maxthreads")


def test_a_constant_of_the_server_is_not_named_where_requests_wait_in_the_application() -> None:
    rivals = (rival("maxthreads", 20, fixed="it has no option"), NOFILE)

    assert formula_of(always(20), rivals=rivals, before_view=3)[0] == INSIDE


def test_a_law_of_one_process_is_not_said_of_several_for_which_it_does_not_hold() -> None:
    # As of uvicorn: several processes have pipes to the one that watches them.
    each = Limit(frozenset({"nofile"}), lambda v: v["workers"] * (v["nofile"] - (14 if v["workers"] == 1 else 20)))
    rivals = (WORKERS, rival("nofile", 128, "share", most=20000))

    assert formula_of(each, rivals=rivals)[:2] == ("nofile", "in_service = nofile - 14")


def test_the_workers_are_not_named_where_nothing_says_why_each_takes_several() -> None:
    # As where a file that is not read gives each of them six threads.
    name, why, _ = formula_of(Limit(frozenset({"workers"}), lambda v: 6 * v["workers"]), rivals=(WORKERS, NOFILE))
    assert (name, why) == (
        None,
        "by the law workers x 6 each process takes 6, and nothing that could be changed decides these 6",
    )


def test_the_number_that_is_wanted_is_not_run_once_more_where_a_trial_has_reached_it() -> None:
    world = World(
        (WORKERS, Rival("backlog", Place.ACCEPT_QUEUE, "places", 2048), NOFILE),
        (Limit(frozenset({"workers"}), lambda v: 4 * v["workers"]),),
    )

    found = explained(world, up_to=8)

    assert [each.purpose for each in found.trials] == ["", "workers raised"]


def test_a_value_that_the_server_refuses_is_tried_smaller() -> None:
    rivals = (WORKERS, rival("threads", 40), NOFILE)

    setting, formula, _ = formula_of(limit("threads"), rivals=rivals, refuses=lambda values: values["threads"] > 45)

    assert (setting, formula) == ("threads", "in_service = threads")


def test_a_setting_that_the_server_takes_no_more_of_is_named_by_two_trials_below() -> None:
    rivals, limits = (WORKERS, rival("threads", 4), NOFILE), (limit("workers", "threads"),)
    found = explained(World(rivals, limits, refuses=lambda v: v["threads"] > 4), up_to=16)

    assert isinstance(found.binding, Binding)
    assert found.binding.formula == "in_service = workers x threads"
    # What is refused with less is not tried with more.
    assert "threads raised for 16" not in [each.purpose for each in found.trials]


def test_a_server_that_was_started_again_is_not_started_once_more_for_a_trial_that_fails() -> None:
    rivals = (rival("nofile", 200, "share", most=600),)
    found = explained(World(rivals, (limit("nofile", constant=4),), refuses=lambda v: v["nofile"] > 500), up_to=600)

    assert [each.purpose for each in found.trials if each.failure] == ["nofile raised for 596"]
    assert "as asked, once more" not in [each.purpose for each in found.trials]


def test_an_explanation_that_ended_at_once_does_not_say_that_nothing_could_be_varied() -> None:
    world = World((WORKERS, rival("threads", 4), NOFILE), (limit("workers", "threads"),))
    first = explained(world).trials[0]

    found = binding_of(Place.IN_SERVICE, world.rivals, [first])

    assert isinstance(found, Undecided)
    assert found.why == "it ended before anything had been varied (threads, workers)"


def test_where_more_workers_are_refused_the_threads_are_raised_alone() -> None:
    rivals = (WORKERS, rival("threads", 40), NOFILE)

    setting, formula, _ = formula_of(limit("threads"), rivals=rivals, refuses=lambda values: values["workers"] > 1)

    assert (setting, formula) == ("threads", "in_service = threads")


@pytest.mark.parametrize("number", [1, 2, 3])
def test_one_trial_that_sees_too_little_is_run_again(number: int) -> None:
    rivals = (rival("workers", 2, "processes"), rival("threads", 10), NOFILE)

    setting, formula, _ = formula_of(limit("workers", "threads"), rivals=rivals, undercounts={number: 3})

    assert (setting, formula) == ("threads", "in_service = workers x threads")


@st.composite
def worlds(draw: Callable[..., object]) -> World:
    """Settings of a server, of which some bound it, alone or for each of its processes, and limits beside them."""
    number = st.integers
    rivals: list[Rival] = []
    limits: list[Limit] = []
    if draw(st.booleans()):
        rivals.append(rival("workers", draw(number(1, 4)), "processes"))
    for name in ("threads", "connections", "queue", "pool"):
        if not draw(st.booleans()):
            continue
        value = draw(st.one_of(number(1, 12), st.sampled_from([40, 100, 1000])))
        rivals.append(rival(name, value, fixed=draw(st.sampled_from(["", "", "", "it has no option"]))))  # type: ignore[arg-type]
        if draw(st.booleans()):
            factors = ["workers"] if rivals[0].name == "workers" and draw(st.booleans()) else []
            limits.append(limit(*factors, name, constant=draw(st.sampled_from([0, 0, 0, 1, -1, 3]))))  # type: ignore[arg-type]
    share, constant = draw(number(1, 5)), draw(number(3, 40))
    nofile = draw(st.sampled_from([128, 256, 20000]))
    rivals.append(rival("nofile", nofile, "share", share=share, most=20000))
    factors = ["workers"] if rivals[0].name == "workers" else []
    limits.append(limit(*factors, "nofile", share=share, constant=constant))  # type: ignore[arg-type]
    waiting = 0
    if draw(st.booleans()):
        limits.append(always(draw(st.one_of(number(1, 50), st.just(100)))))  # type: ignore[arg-type]
        waiting = 5
    world = World(tuple(rivals), tuple(limits))
    of_application = any(not each.names for each in world.binding())
    return World(world.rivals, world.limits, before_view=waiting if of_application else 0)


def agrees(world: World, found: Binding) -> bool:
    """Whether a limit that binds depends on the setting that is named.

    What cannot be changed is named by its value, once no setting has moved the size but the number of processes.
    """
    names = {name for each in world.binding() for name in (each.names or {INSIDE})}
    fixed = {each.name for each in world.rivals if each.fixed}
    return found.setting in names or (found.setting in fixed and not is_moved(world))


def is_moved(world: World) -> bool:
    """Whether settings that can be changed, but for the number of processes, move the size: each limit has one."""
    others = {each.name for each in world.rivals if each.fixed} | {"workers"}
    return all(each.names - others for each in world.binding())


# Raising the queue moves nothing, as the pool is as tight, by a law that its value does not show.
AS_TIGHT = World(
    (
        rival("threads", 2, fixed="it has no option"),
        rival("queue", 2),
        rival("pool", 3, fixed="it has no option"),
        rival("nofile", 128, "share", most=20000),
    ),
    (limit("queue"), limit("pool", constant=1), limit("nofile", constant=3)),
)


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(worlds())
@example(AS_TIGHT)
def test_no_setting_is_named_that_does_not_bind(world: World) -> None:
    assume(world.size(world.values()) >= 1)

    found = explained(world)

    assert len(found.trials) <= MOST_TRIALS
    assert isinstance(found.binding, Undecided) or agrees(world, found.binding)
