"""A verdict on the terminal: the picture of the places, the headline and its sentences."""

from __future__ import annotations

import re
from dataclasses import fields, replace

import pytest

from holdfast.model.limits import Pressure
from holdfast.model.places import Place
from holdfast.model.verdict import (
    Abandoned,
    Ceiling,
    ClientGone,
    Cost,
    Limits,
    Model,
    ModelKind,
    OutsidePlaces,
    Overflow,
    Places,
    Target,
    Timing,
    Verdict,
)
from holdfast.model.waiting import Library, Waiting
from holdfast.report.lanes import LANES
from holdfast.report.layout import rendered
from holdfast.report.terminal import render_verdict


def test_every_place_of_a_verdict_has_a_lane() -> None:
    places = [place.value for place in Place]

    assert {*places, "before_view"} == {each.name for each in fields(Places)}
    assert {*LANES} == {each.name for each in fields(OutsidePlaces)} == {*places, "before_view", "unplaced"}
    # From the handler outwards; what is a part of a place follows it.
    assert [each for each in LANES if each != "before_view"] == [*places, "unplaced"]
    assert list(LANES)[list(LANES).index("userspace_queue") + 1] == "before_view"


def verdict(view: str, in_service: int, processes: int, kind: ModelKind = "event-loop", **exact: object) -> Verdict:
    """A bounded ceiling, spread evenly over these processes."""
    ceiling = replace(Ceiling.unknown(), in_service=in_service, bounded=True, **exact)
    spread = (in_service // processes,) * processes
    return Verdict(
        target=Target("server", None, (), "app", view, "/", "view index()", None),
        limits=Limits(None, None, None),
        offered=in_service,
        places=Places(in_service=in_service),
        established=in_service,
        ceiling=ceiling,
        model=replace(Model.unknown(), kind=kind, processes=processes, spread=spread),
        overflow=Overflow(None, (), None),
        abandoned=Abandoned(None, None, ClientGone(None, None)),
        cost=Cost.unknown(),
        binding=None,
        timing=Timing(None, None, None, None),
        confidence="exact",
    )


def shown(verdict: Verdict) -> str:
    return rendered(render_verdict(verdict), 200, styled=False)


def test_a_ceiling_that_is_not_known_has_its_reason_beside_it() -> None:
    why = "the run was interrupted before the ceiling was met"
    none = replace(verdict("async", 3, 1), ceiling=Ceiling.unknown(), unknown={"ceiling.in_service": why})

    assert f"at least 3 requests at once; the ceiling is not known: {why}" in " ".join(shown(none).split())


def test_requests_that_wait_before_the_view_have_a_lane_and_a_sentence() -> None:
    seen = replace(verdict("sync", 2, 1), places=Places(in_service=2, userspace_queue=9, before_view=6))

    text = shown(seen)

    assert re.search(r"before the view +6 ", text)
    assert "6 requests had been handed to the application" in " ".join(text.split())


def test_where_requests_wait_is_said_by_line_and_which_limit_of_a_library_is_full() -> None:
    at_line = Waiting("ramp", 5, 2, "app.py", 14, "index", "asyncio.locks.Semaphore.acquire")
    for_token = Waiting("ramp", 1, 1, None, None, None, "anyio.CapacityLimiter.acquire")
    limits = (Library("AnyIO tokens", 10, in_use=20, processes=2), Library("default executor", 6, 5, 1))
    places = Places(in_service=2, userspace_queue=9, before_view=6)
    seen = replace(verdict("sync", 2, 1), places=places, waiting=(at_line, for_token), libraries=limits)

    text = " ".join(shown(seen).split())

    assert "5 requests wait at app.py:14 in index (asyncio.locks.Semaphore.acquire)." in text
    assert "1 request waits in anyio.CapacityLimiter.acquire, in no code of your own." in text
    assert "AnyIO tokens: all 10 in each of 2 processes are in use." in text
    assert "default executor" not in text
    assert "Something in it holds them back" not in text


@pytest.mark.parametrize(("queued", "lanes"), [(9, 1), (0, 0)])
def test_where_it_is_not_known_how_many_that_are_the_lane_says_so_if_any_wait_in_the_server(queued, lanes) -> None:
    why = {"places.before_view": "its call of the application was not seen"}
    seen = replace(verdict("sync", 2, 1), places=Places(in_service=2, userspace_queue=queued), unknown=why)

    text = shown(seen)

    assert len(re.findall(r"before the view +\?", text)) == lanes
    assert text.count("Before the view: not measured, because its call of the application was not seen.") == lanes


@pytest.mark.parametrize("width", [60, 80])
def test_what_is_wrapped_stays_under_its_own_beginning_and_bars_give_way_before_notes(width: int) -> None:
    seen = verdict("async", 2000, 20)
    seen = replace(
        seen,
        places=Places(in_service=2000, userspace_queue=1500, accept_queue=900, before_view=0),
        ceiling=replace(seen.ceiling, bounded=False, interval=(2000, 2400), accept_queue_limit=1024),
        warnings=("the ceiling may be higher " * 6,),
    )

    lines = rendered(render_verdict(seen), width, styled=False).splitlines()

    assert max(map(len, lines)) <= width
    assert all(line.startswith("  ") for line in lines[1:] if line)
    (at,) = [number for number, line in enumerate(lines) if line.startswith("  ! ")]
    assert all(line.startswith("    ") for line in lines[at + 1 :])
    assert any(line.endswith("  not filled (backlog 1024)") for line in lines)
    assert "coroutines on 20 event loops, one in each process" in " ".join(" ".join(lines).split())


@pytest.mark.parametrize("view", ["sync", "async-blocking"])
def test_a_handler_that_blocks_its_loop_is_not_shown_as_one_coroutine_among_others(view: str) -> None:
    assert "5 requests at once  5 event loops, each blocked by its handler\n" in shown(verdict(view, 5, 5))
    assert "1 request at once  an event loop blocked by its handler\n" in shown(verdict(view, 1, 1))


def test_the_loops_of_several_processes_are_not_shown_as_one() -> None:
    assert "20 requests at once  coroutines on 2 event loops, one in each process\n" in shown(verdict("async", 20, 2))
    assert "20 requests at once  coroutines on an event loop\n" in shown(verdict("async", 20, 1))


@pytest.mark.parametrize(
    ("in_service", "at_exact_load", "repeats", "sentence"),
    [
        (1, (1, 1), 5, None),
        (1, (0, 1), 3, "A single request, offered alone, did not always reach its handler (tried 3 times)."),
        (8, (8, 8), 5, "Of exactly 8 requests offered together, all ran at once (5 times)."),
        (8, (8, 8), 1, "Of exactly 8 requests offered together, all ran at once (once)."),
        (8, (6, 7), 2, "Of exactly 8 requests offered together, only 6 to 7 ran at once (2 times)."),
    ],
)
def test_the_exact_load_is_told_where_it_tells_something(
    in_service: int, at_exact_load: tuple[int, int], repeats: int, sentence: str | None
) -> None:
    text = shown(verdict("sync", in_service, 1, "thread-pool", at_exact_load=at_exact_load, at_exact_repeats=repeats))

    told = [line.strip() for line in text.splitlines() if "offered together" in line or "offered alone" in line]
    assert told == ([] if sentence is None else [sentence])


@pytest.mark.parametrize(("bounded", "set_of"), [(True, "a fixed set of threads"), (False, "a pool of threads")])
def test_a_set_of_threads_is_called_fixed_only_where_a_bound_was_met(bounded, set_of) -> None:
    seen = verdict("sync", 8, 1)
    pool = replace(seen, ceiling=replace(seen.ceiling, bounded=bounded), model=replace(seen.model, kind="thread-pool"))

    assert set_of in shown(pool)


def test_limits_that_a_machine_does_not_have_by_itself_are_shown() -> None:
    usual = Limits(256, 96_365, 4096, threads_max=32_768)
    unusual = replace(usual, address_space=1 << 30, pids_max=500, memory_max=512 << 20)

    assert "Limits: nofile 256, nproc 96365, somaxconn 4096." in shown(replace(verdict("sync", 2, 1), limits=usual))
    assert "Limits: nofile 256, nproc 96365, somaxconn 4096, address space 1G, pids.max 500, memory.max 512M." in shown(
        replace(verdict("sync", 2, 1), limits=unusual)
    )
    # The stricter one is nproc, which is there already.
    assert "pids.max" not in shown(replace(verdict("sync", 2, 1), limits=replace(usual, pids_max=100_000)))


def test_limits_that_were_met_are_shown_and_no_others() -> None:
    pressure = (
        Pressure("nofile", 256, 256, 5, hit=True),
        Pressure("nproc", 79, 80, 2, hit=None),
        Pressure("address space", 1000 << 20, 1 << 30, 44 << 20, hit=True),
        Pressure("memory.max", 1 << 20, 1 << 30, 1 << 20, hit=False),
    )

    text = shown(replace(verdict("sync", 2, 1), pressure=pressure))

    assert "Reached: nofile (256 of 256), address space (1000M of 1G)." in text
    assert "Reached" not in shown(replace(verdict("sync", 2, 1), pressure=pressure[1:2]))


@pytest.mark.parametrize(("watched_s", "said"), [(0.04, "0.04"), (4.47, "4.5")])
def test_it_is_said_for_how_long_requests_were_watched(watched_s: float, said: str) -> None:
    seen = replace(verdict("sync", 2, 1), timing=Timing(None, None, None, None, watched_s))

    assert f"Requests waited {said} s without a change; what is slower is not seen (--watch)." in shown(seen)
    assert "without a change" not in shown(verdict("sync", 2, 1))
