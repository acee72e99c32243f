"""Real runs that were recorded once come to the same verdicts for ever, and their saved form stays readable.

A change of the code that is meant to move or rename only leaves every one of these as it is. The records are those of
holdfast 0.1.0; `record.py` says how they were made.
"""

from __future__ import annotations

import difflib
import json
import re
from dataclasses import fields, is_dataclass, replace
from typing import Any

import pytest
from cases import LOADS, RUNS
from judging import judged, load_result, timeline_of
from rewordings import (
    LATER_LIMITS,
    REWORDED,
    WATCHED,
    before_view,
    pattern,
    reworded,
    reworded_result,
    sentences,
    several_served,
    without_watched,
)
from saved import LOADS as LOAD_RECORDS
from saved import PERSONAL, names, record_of, result_of
from saved import RUNS as RUN_RECORDS

from holdfast import store
from holdfast.model.timeline import NEVER

MOST_BYTES = 1_500_000
AT_LEAST = 24
NUMBER = re.compile(r"\d+(?:\.\d+)?")
DURATIONS = frozenset({"late_ns", "longest_stop_ns", "stopped_ns", "ways_ns"})
SHIFT_NS = 86_400_000_000_000
COUNTED = [name for name in names(RUN_RECORDS) if result_of(RUN_RECORDS, name).get("confidence") == "exact"]
every_run = pytest.mark.parametrize("name", names(RUN_RECORDS))
every_load = pytest.mark.parametrize("name", names(LOAD_RECORDS))


def differences(found: object, expected: object) -> str:
    """Line by line what has become of an expected result; "" where it is the same."""
    if found == expected:
        return ""
    before, after = (json.dumps(each, indent=2, ensure_ascii=False).splitlines() for each in (expected, found))
    return "\n".join(difflib.unified_diff(before, after, "recorded", "judged now", lineterm=""))


def moved(value: Any, by_ns: int) -> Any:
    """The same record as of a clock that was set forward: every instant later, everything else as it was."""
    if isinstance(value, tuple):
        return tuple(moved(each, by_ns) for each in value)
    if not is_dataclass(value) or isinstance(value, type):
        return value
    changed = {}
    for each in fields(value):
        own = getattr(value, each.name)
        is_instant = each.name.endswith("_ns") and each.name not in DURATIONS
        is_instant |= each.name == "stopped_ns" and type(value).__name__ == "Round"
        changed[each.name] = (own if own == NEVER else own + by_ns) if is_instant else moved(own, by_ns)
    return replace(value, **changed)


@every_run
def test_the_verdict_on_a_recorded_run_is_what_it_was(name, tmp_path):
    verdict = judged(timeline_of(record_of(RUN_RECORDS, name), tmp_path))

    assert not differences(without_watched(verdict), reworded_result(result_of(RUN_RECORDS, name)))


@every_run
def test_how_long_requests_were_watched_is_a_time_of_the_run_or_null_with_its_reason(name, tmp_path):
    verdict = judged(timeline_of(record_of(RUN_RECORDS, name), tmp_path))
    if "timing" not in verdict:
        return

    watched_s, total_s = verdict["timing"]["watched_s"], verdict["timing"]["total_s"]

    assert (watched_s is None) == (WATCHED in verdict["unknown"])
    assert watched_s is None or 0 < watched_s < total_s


@every_load
def test_the_result_of_a_recorded_load_is_what_it_was(name, tmp_path):
    result = load_result(record_of(LOAD_RECORDS, name), tmp_path)

    assert not differences(result, reworded_result(result_of(LOAD_RECORDS, name)))


@every_run
def test_a_verdict_does_not_depend_on_when_the_machine_was_booted(name, tmp_path):
    timeline = timeline_of(record_of(RUN_RECORDS, name), tmp_path)

    assert not differences(judged(moved(timeline, SHIFT_NS)), judged(timeline))


@every_run
def test_a_record_that_is_saved_again_reads_the_same(name, tmp_path):
    timeline = timeline_of(record_of(RUN_RECORDS, name), tmp_path)

    number = store.save(timeline, tmp_path / "again.sqlite")

    assert store.load(number, tmp_path / "again.sqlite") == timeline


@pytest.mark.parametrize("name", COUNTED)
def test_every_offered_request_has_one_place(name):
    verdict = result_of(RUN_RECORDS, name)

    assert sum(verdict["places"].values()) == verdict["offered"]


@pytest.mark.parametrize(
    ("name", "change", "field"),
    [
        ("flask-serial", {"left_in_service": ()}, "abandoned"),
        ("flask-serial", {"exact": None}, "ceiling"),
        ("flask-under-nofile", {"usage": ()}, "cost"),
        ("gunicorn-gthread", {"entries": (), "left_in_service": ()}, "places"),
        ("gunicorn-gthread", {"notes": ("A doubt.",)}, "warnings"),
        ("called-blocking", {"calls": ()}, "call"),
        ("attach", {"alive": False}, "ceiling"),
        ("attach", {"others": 3}, "warnings"),
    ],
)
def test_a_record_that_lacks_something_comes_to_another_verdict(name, change, field, tmp_path):
    timeline = timeline_of(record_of(RUN_RECORDS, name), tmp_path)

    verdict = judged(replace(timeline, **change))

    assert differences(without_watched(verdict), reworded_result(result_of(RUN_RECORDS, name)))
    assert verdict.get(field) != result_of(RUN_RECORDS, name)[field]


@pytest.mark.parametrize("name", COUNTED)
def test_a_request_less_comes_to_another_verdict(name, tmp_path):
    timeline = timeline_of(record_of(RUN_RECORDS, name), tmp_path)

    without = replace(timeline, requests=timeline.requests[:-1], left_in_service=())

    assert differences(without_watched(judged(without)), reworded_result(result_of(RUN_RECORDS, name)))


@pytest.mark.parametrize("pair", REWORDED, ids=[old for old, _ in REWORDED])
def test_every_reworded_sentence_is_in_some_record(pair):
    results = [result_of(directory, name) for directory in (RUN_RECORDS, LOAD_RECORDS) for name in names(directory)]
    old, _ = pair

    assert any(re.search(pattern(old), text) for each in results for text in sentences(each))


@every_run
def test_rewording_changes_no_number(name):
    result = result_of(RUN_RECORDS, name)

    for text in sentences(result):
        assert NUMBER.findall(reworded(text)) == NUMBER.findall(text)
    figures = {field: part for field, part in result.items() if field not in {"unknown", "warnings", "inconclusive"}}
    now = reworded_result(result)
    if "places" in now:
        # Added since.
        now["places"].pop("before_view")
        now["target"].pop("gil")
        (now["call"] or {}).pop("running", None)
        now["limits"] = {each: value for each, value in now["limits"].items() if each not in LATER_LIMITS}
        if several_served(result["model"]):
            # Not known any more (rewordings.py says why).
            figures["cost"] = {**figures["cost"], "memory_bytes": None}
    assert {field: now[field] for field in figures} == figures


@pytest.mark.parametrize(
    ("places", "waiting"),
    [({"userspace_queue": 0}, 0), ({"userspace_queue": 3}, None), ({"userspace_queue": 0, "unplaced": 0}, None)],
)
def test_of_recorded_runs_it_is_known_only_where_nothing_waited_in_the_server(places, waiting):
    assert before_view(places)[0] == waiting


@pytest.mark.parametrize(
    ("directory", "name"), [(each, name) for each in (RUN_RECORDS, LOAD_RECORDS) for name in names(each)]
)
def test_a_record_names_no_directory_of_the_machine_it_comes_from(directory, name):
    assert not PERSONAL.search(record_of(directory, name))
    assert not PERSONAL.search(json.dumps(result_of(directory, name)).encode())


def test_every_case_is_recorded_and_nothing_else_is():
    assert names(RUN_RECORDS) == sorted(case.name for case in RUNS)
    assert names(LOAD_RECORDS) == sorted(case.name for case in LOADS)
    assert len(names(RUN_RECORDS)) >= AT_LEAST


def test_the_recorded_runs_take_less_than_their_limit_of_bytes():
    files = [path for directory in (RUN_RECORDS, LOAD_RECORDS) for path in directory.iterdir()]

    assert sum(path.stat().st_size for path in files) < MOST_BYTES
