"""What a person reads of an explanation."""

from __future__ import annotations

from dataclasses import replace

from test_terminal import verdict

from holdfast.infer.binding import explanation_of
from holdfast.model.advice import AdviceRecord, Attempt, Wish
from holdfast.model.call import Body, Calls, Spread
from holdfast.model.explanation import Explanation, ExplanationRecord
from holdfast.model.places import Place
from holdfast.model.trial import Change, Rival, Trial
from holdfast.model.waiting import Waiting
from holdfast.report.explain import render_explanation
from holdfast.report.layout import rendered

WORKERS, THREADS = (
    Rival("workers", Place.IN_SERVICE, "processes", 3),
    Rival("threads", Place.IN_SERVICE, "places", 4),
)
TOKENS = Rival("AnyIO tokens", Place.IN_SERVICE, "places", 40, inside=True)
CALLED = Calls(
    offered=64,
    bodies=64,
    finished=64,
    raised=0,
    replies={"200": 64},
    at_once=12,
    processes=1,
    longest_stop_ms=None,
    stop_ms=None,
    stopped_ms=None,
    duration_ms=Spread(600.0, 700.0),
    loop=None,
    alone=Body(200, raised=False, duration_ms=50.0, longest_stop_ms=None, stopped_ms=None),
)


def trial(run: int | None, purpose: str, in_service: int, offered: int = 500, **values: int) -> Trial:
    given = tuple(Change(name.replace("_", " "), value) for name, value in values.items())
    changes = given[-1:] if purpose else ()
    return Trial(run, purpose, changes, given, offered, in_service, bounded=True, full_bytes=offered << 20)


def of_threads(number: int = 1) -> tuple[Trial, ...]:
    numbers = (("", 4), ("threads raised", 6), ("threads lowered", 2))
    found = [trial(run, what, 3 * each, workers=3, threads=each) for run, (what, each) in enumerate(numbers, number)]
    return tuple(found)


def of_tokens() -> tuple[Trial, ...]:
    numbers = (("", 40), ("AnyIO tokens raised", 50), ("AnyIO tokens lowered", 30))
    return tuple(trial(run, what, each, AnyIO_tokens=each) for run, (what, each) in enumerate(numbers, 1))


def text(explanation: Explanation) -> str:
    return rendered(render_explanation(explanation), 200, styled=False)


def explained(trials: tuple[Trial, ...], *rivals: Rival, **more: object) -> Explanation:
    seen = replace(verdict("sync", trials[0].in_service or 0, 1), **more)
    return explanation_of(seen, ExplanationRecord(1, rivals, trials, 1.0))


def test_a_setting_of_the_law_has_its_value_shown_though_no_trial_changed_it() -> None:
    lines = text(explained(of_threads(), WORKERS, THREADS)).splitlines()

    assert [line.split() for line in lines if line.startswith(("  run", "    1"))] == [
        ["run", "workers", "threads", "at", "once"],
        ["1", "3", "4", "12", "as", "asked"],
    ]


def test_a_run_that_was_not_saved_is_told_by_what_it_was_for() -> None:
    unsaved = tuple(replace(each, run=None) for each in of_threads())

    found = explained(unsaved, WORKERS, THREADS).bindings[0]
    assert found.evidence[1] == 'the unsaved run "threads raised": workers=3, threads=6: 18'


def test_bodies_that_wait_for_each_other_unseen_are_told() -> None:
    said = " ".join(text(explained(of_threads(), WORKERS, THREADS, call=CALLED)).split())

    assert "Up to 12 bodies ran at once, and took 600 ms (median), 50 ms alone: they hold each other up" in said


def test_no_gil_holds_bodies_up_in_a_server_that_has_none() -> None:
    target = replace(verdict("sync", 12, 1).target, python="3.14.7", gil=False)

    with_gil = " ".join(text(explained(of_threads(), WORKERS, THREADS, call=CALLED)).split())
    without = " ".join(text(explained(of_threads(), WORKERS, THREADS, call=CALLED, target=target)).split())

    assert "for a core, or for the interpreter (GIL)." in with_gil
    assert "at a lock that holdfast does not see, or for a core." in without
    assert "Python 3.14.7 without the GIL" in without


def test_where_bodies_wait_the_numbers_of_the_runs_are_explained() -> None:
    at_line = Waiting("call", 9, 1, "app.py", 7, "index", "threading.Lock")
    waits = replace(CALLED, running=3)

    said = " ".join(text(explained(of_threads(), WORKERS, THREADS, call=waits, waiting=(at_line,))).split())

    assert "3 requests at once decided inside the application" in said
    assert "The runs above hold each request before its body" in said
    assert "Next limit, once the application lets more run: threads, at 12 requests at once." in said
    assert "they hold each other up" not in said


def test_a_limit_of_a_library_is_proposed_with_the_line_that_sets_it() -> None:
    best = trial(4, "proposed", 100, 150, AnyIO_tokens=100)
    advice = AdviceRecord(Wish(100), (Attempt(("holdfast", "probe", "shop:app"), best),))
    record = ExplanationRecord(1, (TOKENS,), of_tokens(), 1.0, advice=advice)

    said = " ".join(text(explanation_of(verdict("sync", 40, 1), record)).split())

    assert (
        "in the application as it starts: anyio.to_thread.current_default_thread_limiter().total_tokens = 100" in said
    )
    assert "Then see it with: holdfast probe shop:app" in said
    # Of 500 requests that were offered before, 460 waited and took memory: that is no comparison.
    assert "(100 at once in run 4, 40 now; 150 MiB of memory)" in said
