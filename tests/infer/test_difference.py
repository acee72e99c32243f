"""Two results compared: what is a change, what is noise, and what shows nothing."""

from __future__ import annotations

import json
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from holdfast.errors import UsageError
from holdfast.infer.difference import difference_of, is_beyond_noise, kind_of
from holdfast.infer.spread import is_decided_by_few, overlap, share_interval
from holdfast.model.difference import Side

RECORDED = Path(__file__).parents[1] / "recorded"
POOL = json.loads((RECORDED / "runs" / "gunicorn-gthread.json").read_text())
UNBOUNDED = json.loads((RECORDED / "runs" / "flask-threaded.json").read_text())
ESTIMATE = json.loads((RECORDED / "runs" / "attach.json").read_text())
LOAD = json.loads((RECORDED / "loads" / "open.json").read_text())


def changed(result: dict[str, Any], **fields: object) -> dict[str, Any]:
    """The result with other values; __ in a field's name stands for a dot."""
    found = deepcopy(result)
    for name, value in fields.items():
        part, *path = [found, *name.split("__")]
        for each in path[:-1]:
            part = part[each]
        part[path[-1]] = value
    return found


def meanings(before: dict[str, Any], after: dict[str, Any]) -> dict[str, str]:
    return {each.field: each.meaning for each in difference_of(before, after).fields}


@pytest.mark.parametrize("result", [POOL, UNBOUNDED, ESTIMATE, LOAD], ids=["pool", "unbounded", "estimate", "load"])
def test_a_result_does_not_differ_from_itself(result):
    found = difference_of(result, deepcopy(result))

    assert found.fields == ()
    assert found.same > 10
    assert not is_beyond_noise(found)


@pytest.mark.parametrize(
    ("fields", "part"),
    [
        ({"ceiling__in_service": 8}, "verdict"),
        ({"ceiling__accept_queue": 12}, "verdict"),
        ({"model__kind": "process-pool"}, "verdict"),
        ({"model__processes": 3}, "verdict"),
        ({"overflow__client_sees": "reset"}, "verdict"),
        ({"places__rejected": 1}, "verdict"),
        ({"abandoned__run_anyway": 0}, "verdict"),
        ({"target__version": "28.0"}, "versions"),
        ({"target__view": "async"}, "settings"),
        ({"limits__nofile": None}, "limits"),
        ({"ceiling__accept_queue_limit": 11}, "limits"),
    ],
)
def test_what_is_counted_or_named_exactly_is_a_change(fields, part):
    found = difference_of(POOL, changed(POOL, **fields))

    assert [(each.meaning, each.part) for each in found.fields] == [("change", part)]
    assert is_beyond_noise(found)


@pytest.mark.parametrize(
    ("why", "meaning"),
    [
        ("unlimited", "change"),
        ("not readable from /proc", "unknown"),
        ("nothing inside the server was looked at", "unknown"),
    ],
)
def test_a_limit_that_is_null_differs_only_where_there_is_none(why, meaning):
    after = changed(POOL, limits__nproc=None)
    after["unknown"] = {**POOL["unknown"], "limits.nproc": why}

    assert meanings(changed(POOL, limits__nproc=500), after) == {"limits.nproc": meaning}


def test_where_a_request_was_held_is_not_known_of_one_that_was_seen_from_outside():
    after = changed(POOL, target__held_in=None)
    after["unknown"] = {**POOL["unknown"], "target.held_in": "nothing inside the server was looked at"}

    assert meanings(POOL, after) == {"target.held_in": "unknown"}


@pytest.mark.parametrize(
    "fields",
    [
        {"offered": 60, "places__syn": 9},
        {"abandoned__left": 20, "abandoned__run_anyway": 20},
        {"ceiling__at_exact_load": [8, 15], "ceiling__at_exact_repeats": 5},
        {"timing__server_start_s": 0.9, "timing__total_s": 2.8, "timing__pacing_lag_p99_us": 90},
        {"warnings": ["An observer's look came late."]},
        {"model__spread": [9, 7]},
    ],
    ids=["offered", "left", "repeats", "times", "words", "which process"],
)
def test_what_follows_from_chance_or_from_how_many_were_offered_is_noise(fields):
    assert set(meanings(POOL, changed(POOL, **fields)).values()) == {"noise"}


def test_repeats_that_do_not_overlap_are_a_change():
    assert meanings(POOL, changed(POOL, ceiling__at_exact_load=[2, 9])) == {"ceiling.at_exact_load": "change"}


@pytest.mark.parametrize(
    ("seconds", "meaning"), [(1.623 + 1.0, "noise"), (3 * 1.623, "noise"), (3 * 1.623 + 0.01, "change")]
)
def test_a_time_is_noise_up_to_a_second_or_three_times_as_long(seconds, meaning):
    assert meanings(POOL, changed(POOL, timing__server_start_s=seconds)) == {"timing.server_start_s": meaning}


@pytest.mark.parametrize(
    ("in_service", "bounded", "meaning"),
    [(300, False, "noise"), (250, True, "noise"), (199, True, "change")],
    ids=["at least more", "a bound above", "a bound below"],
)
def test_at_least_so_many_differs_only_from_a_bound_below(in_service, bounded, meaning):
    """At least 200 may be 250, and cannot be 199."""
    other = changed(UNBOUNDED, ceiling__in_service=in_service, ceiling__bounded=bounded)

    assert meanings(UNBOUNDED, other)["ceiling.in_service"] == meaning


def test_without_a_ceiling_the_number_offered_is_what_was_asked_for():
    fields = {"offered": 300, "places__in_service": 300, "ceiling__in_service": 300, "model__threads_per_process": 300}
    found = {each.field: each for each in difference_of(UNBOUNDED, changed(UNBOUNDED, **fields)).fields}

    assert (found["offered"].meaning, found["offered"].part) == ("change", "settings")
    assert {each.meaning for name, each in found.items() if name != "offered"} == {"noise"}


@pytest.mark.parametrize(("interval", "meaning"), [([6, 12], "noise"), ([14, 20], "change"), ([14, None], "change")])
def test_estimates_differ_where_their_intervals_do_not_overlap(interval, meaning):
    one = changed(ESTIMATE, ceiling__in_service=8, ceiling__bounded=True, ceiling__interval=[7, 9])
    other = changed(one, ceiling__in_service=interval[0], ceiling__interval=interval)
    found = {each.field: each for each in difference_of(one, other).fields}

    assert {each.meaning for each in found.values()} == {meaning}
    assert found["ceiling.in_service"].before_interval == (7, 9)
    assert found["ceiling.in_service"].after_interval == tuple(interval)


@pytest.mark.parametrize(
    ("value", "meaning"), [(36147 + 16384, "noise"), (36147 + 16385, "change"), (None, "unknown")], ids=str
)
def test_memory_has_a_spread_and_a_null_shows_nothing(value, meaning):
    other = changed(UNBOUNDED, cost__memory_bytes=value)

    assert meanings(UNBOUNDED, other) == {"cost.memory_bytes": meaning}


def test_a_null_has_its_reason():
    found = difference_of(POOL, changed(POOL, cost__descriptors=2.0)).fields[0]

    assert (found.meaning, found.before, found.after) == ("unknown", None, 2.0)
    assert POOL["unknown"]["cost.descriptors"] in found.why


def test_a_free_port_and_the_directory_of_the_interpreter_are_noise():
    command = [*POOL["target"]["command"]]
    elsewhere = ["/usr/bin/python", *(each.replace("19852", "4711") for each in command[1:])]

    assert meanings(POOL, changed(POOL, target__command=elsewhere)) == {"target.command": "noise"}
    assert meanings(POOL, changed(POOL, target__command=[*command[:-1], "11"])) == {"target.command": "change"}


@pytest.mark.parametrize("option", ["--port", "-p", "--http-port"])
def test_a_port_may_be_a_word_of_its_own(option):
    one, other = (changed(POOL, target__command=["server", option, port]) for port in ("8001", "8002"))

    assert set(meanings(one, other).values()) == {"noise"}


def test_what_one_side_does_not_have_shows_nothing_where_the_other_has_it():
    older = {name: value for name, value in POOL.items() if name != "call"}

    assert meanings(older, POOL) == {}
    newer = changed(POOL, waiting=[{"phase": "ramp", "file": "a.py", "function": "f", "waits_in": None, "requests": 3}])
    assert meanings(older, newer) == {"waiting": "unknown"}


def test_elements_of_a_list_are_compared_by_what_names_them():
    tokens = {"name": "AnyIO tokens", "limit": 40, "in_use": 40, "processes": 1}
    executor = {"name": "default executor", "limit": 8, "in_use": 0, "processes": 1}
    one = changed(POOL, libraries=[tokens, executor])
    other = changed(POOL, libraries=[executor, tokens | {"limit": 80, "in_use": 60}])

    assert meanings(one, other) == {
        "libraries[AnyIO tokens].limit": "change",
        "libraries[AnyIO tokens].in_use": "noise",
    }
    assert meanings(one, changed(POOL, libraries=[executor])) == {"libraries[AnyIO tokens]": "change"}


def test_a_function_whose_line_has_moved_is_the_same():
    point = {
        "phase": "ramp",
        "requests": 3,
        "processes": 1,
        "file": "a.py",
        "line": 10,
        "function": "f",
        "waits_in": "x",
    }
    one, other = changed(POOL, waiting=[point]), changed(POOL, waiting=[point | {"line": 12, "requests": 5}])

    assert set(meanings(one, other).values()) == {"noise"}
    assert meanings(one, changed(POOL, waiting=[])) == {"waiting[ramp a.py f x]": "change"}


@pytest.mark.parametrize(
    ("answered", "meaning"), [(149, "noise"), (143, "noise"), (130, "change")], ids=["1 lost", "7 lost", "20 lost"]
)
def test_outcomes_of_a_load_are_compared_as_shares(answered, meaning):
    """By Wilson's interval at 99 %, 0 of 150 may be up to 4.2 %; 7 of 150 at least 1.9 %, 20 of 150 at least 7.8 %."""
    other = changed(LOAD, outcomes__answered=answered, outcomes__reset=150 - answered)

    assert meanings(LOAD, other) == {"outcomes.answered": meaning, "outcomes.reset": meaning}


def test_a_status_that_one_side_never_saw_counts_as_0():
    found = {each.field: each for each in difference_of(LOAD, changed(LOAD, statuses={"500": 150})).fields}

    assert (found["statuses.200"].before, found["statuses.200"].after) == (150, 0)
    assert {each.meaning for each in found.values()} == {"change"}


def test_percentiles_have_a_spread_and_those_that_few_requests_decide_are_noise():
    slower = {name: 2 * value for name, value in LOAD["latency_from_due_ms"].items()}
    found = meanings(LOAD, changed(LOAD, latency_from_due_ms=slower))

    # Of 150 requests, 75 lie beyond p50 and 15 beyond p90, but only 7 beyond p95.
    changes = {name for name, meaning in found.items() if meaning == "change"}
    assert changes == {"latency_from_due_ms.p50", "latency_from_due_ms.p90"}
    assert set(meanings(LOAD, changed(LOAD, latency_from_due_ms__p50=1500.0)).values()) == {"noise"}


@pytest.mark.parametrize(
    ("percentile", "factor"), [("p50", 1.25), ("p90", 1.6), ("p95", 2.0), ("p99", 4.0), ("p999", 6.0)]
)
def test_how_far_a_percentile_may_lie_apart_grows_with_it(percentile, factor):
    many = changed(LOAD, outcomes__answered=20_000, offered=20_000)
    value = LOAD["latency_from_due_ms"][percentile]

    def meaning(times):
        other = changed(many, **{f"latency_from_due_ms__{percentile}": value * times})
        return meanings(many, other)[f"latency_from_due_ms.{percentile}"]

    assert meaning(factor * 0.999) == meaning(0.999 / factor + 0.002) == "noise"
    assert meaning(factor * 1.001) == meaning(1 / factor / 1.001) == "change"


def test_some_milliseconds_are_noise_however_short_the_times_are():
    quick = changed(LOAD, latency_from_due_ms__p50=1.0)

    assert meanings(quick, changed(quick, latency_from_due_ms__p50=6.0)) == {"latency_from_due_ms.p50": "noise"}
    assert meanings(quick, changed(quick, latency_from_due_ms__p50=6.1)) == {"latency_from_due_ms.p50": "change"}


@pytest.mark.parametrize(("rate", "meaning"), [(21.6 * 1.24, "noise"), (21.6 * 1.26, "change")])
def test_a_rate_has_a_spread(rate, meaning):
    assert meanings(LOAD, changed(LOAD, throughput_per_s=rate)) == {"throughput_per_s": meaning}


def test_a_load_that_was_the_limit_itself_says_nothing_of_the_server():
    other = changed(LOAD, generator_limited=True, throughput_per_s=1.0, latency_from_due_ms__p50=1.0)

    assert meanings(LOAD, other) == {
        "generator_limited": "change",
        "throughput_per_s": "unknown",
        "latency_from_due_ms.p50": "unknown",
    }


def test_each_label_of_a_load_is_compared_on_its_own():
    buy = {
        "label": "buy",
        "offered": 100,
        "outcomes": {"answered": 100},
        "latency_from_due_ms": {"p50": 100.0, "p99": 5.0},
    }
    one = changed(LOAD, steps=[buy, buy | {"label": "look"}])
    slow = buy | {
        "label": "look",
        "outcomes": {"answered": 50, "reset": 50},
        "latency_from_due_ms": {"p50": 900.0, "p99": 9.0},
    }

    assert meanings(one, changed(LOAD, steps=[slow, buy])) == {
        "steps[look].outcomes.answered": "change",
        "steps[look].outcomes.reset": "change",
        "steps[look].latency_from_due_ms.p50": "change",
        "steps[look].latency_from_due_ms.p99": "noise",
    }


def explanation(**fields: object) -> dict[str, Any]:
    binding = {"setting": "threads", "place": "in_service", "configured": 8, "effective": 8, "formula": "threads"}
    cost = {"memory_bytes": {"value": 50_000, "least": 40_000, "most": 60_000}}
    whole = {"kind": "explanation", "verdict": POOL, "bindings": [binding], "trials": [], "cost": cost, "run": 3}
    return {**whole, **fields}


def test_the_verdict_within_an_explanation_is_compared_as_one():
    found = meanings(explanation(), explanation(verdict=changed(POOL, ceiling__in_service=8, offered=60), run=9))

    assert found == {"verdict.ceiling.in_service": "change", "verdict.offered": "noise"}


def test_what_decides_is_exact_and_what_a_request_costs_lies_between_the_trials():
    other = {"setting": "nofile", "place": "in_service", "configured": 8, "effective": 8, "formula": "nofile"}
    slope = {"memory_bytes": {"value": 59_000, "least": 58_000, "most": 60_000}}

    assert meanings(explanation(), explanation(bindings=[other])) == {
        "bindings[in_service].setting": "change",
        "bindings[in_service].formula": "change",
    }
    assert set(meanings(explanation(), explanation(cost=slope)).values()) == {"noise"}


def test_a_label_may_have_brackets_and_dots():
    step = {"label": "a[1].b", "offered": 100, "outcomes": {"answered": 100}, "latency_from_due_ms": {"p50": 100.0}}
    other = step | {"latency_from_due_ms": {"p50": 101.0}}

    found = meanings(changed(LOAD, steps=[step]), changed(LOAD, steps=[other]))

    assert found == {"steps[a(1).b].latency_from_due_ms.p50": "noise"}


def test_rows_of_a_study_are_compared_by_their_names():
    row = {"id": "a", "server": "s", "version": "1", "outcome": "measured", "verdict": POOL, "seconds": 1.0}
    one = {"kind": "study", "name": "mine", "rows": [row, row | {"id": "b"}]}
    other = {**one, "rows": [row | {"id": "b", "outcome": "failed", "verdict": None}, row | {"version": "2"}]}

    assert meanings(one, other) == {
        "rows[a].version": "change",
        "rows[b].outcome": "change",
        "rows[b].verdict": "change",
    }


@pytest.mark.parametrize("result", [{}, {"kind": "difference"}, {"anything": 1}])
def test_what_is_not_a_result_is_named(result):
    assert kind_of(result) is None
    with pytest.raises(UsageError, match=r"^b\.json cannot be compared\."):
        difference_of(POOL, result, (Side("run 1"), Side("b.json")))


def test_a_probe_and_a_load_cannot_be_compared():
    with pytest.raises(UsageError) as error:
        difference_of(POOL, LOAD, (Side("run 3"), Side("run 4")))

    assert error.value.what == "run 3 and run 4 are of different kinds."
    assert "run 4 is the result of a load" in error.value.why


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [((1, 2), (2, 3), True), ((1, 2), (3, 4), False), ((5, None), (3, 4), False), ((5, None), (7, None), True)],
)
def test_intervals_overlap_in_a_single_figure_too(one, other, same):
    assert overlap(one, other) is same
    assert overlap(other, one) is same


def test_wilsons_interval_is_that_of_its_formula():
    """Of 10 of 100: (0.1 + z^2/200) / (1 + z^2/100) -+ z / (1 + z^2/100) sqrt(0.09/100 + z^2/40000), z = 2.576."""
    low, high = share_interval(10, 100)

    assert low == pytest.approx(0.0460, abs=0.0005)
    assert high == pytest.approx(0.2036, abs=0.0005)
    assert share_interval(0, 0) == (0.0, 1.0)


def test_ten_requests_must_lie_beyond_a_percentile():
    assert is_decided_by_few(99.0, 999)
    assert not is_decided_by_few(99.0, 1000)


@pytest.mark.parametrize("interrupted", ["before", "after"])
def test_a_load_that_was_interrupted_on_one_side_shows_no_change(interrupted):
    slow = {"latency_from_due_ms__p50": LOAD["latency_from_due_ms"]["p50"] * 100}
    sides = {"before": changed(LOAD), "after": changed(LOAD, **slow)}
    sides[interrupted]["interrupted"] = True

    assert meanings(**sides)["latency_from_due_ms.p50"] == "unknown"
    assert meanings(LOAD, changed(LOAD, **slow))["latency_from_due_ms.p50"] == "change"
