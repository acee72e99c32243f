"""What a result is against its baseline: worse, changed, better, or neither."""

from __future__ import annotations

import json
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from holdfast.infer.difference import difference_of
from holdfast.infer.regression import against_baseline
from holdfast.model.difference import Side

RECORDED = Path(__file__).parents[1] / "recorded"
POOL = json.loads((RECORDED / "runs" / "gunicorn-gthread.json").read_text())
FORKING = json.loads((RECORDED / "runs" / "flask-forking.json").read_text())
LOAD = json.loads((RECORDED / "loads" / "open.json").read_text())


def against(baseline: dict[str, Any], result: dict[str, Any]) -> dict[str, str]:
    check = against_baseline(difference_of(baseline, result, (Side("run 17"), Side("now"))))
    assert check.name == "run 17"
    return {each.field: each.against for each in check.moved}


def with_field(result: dict[str, Any], name: str, value: object) -> dict[str, Any]:
    found = deepcopy(result)
    *path, last = name.split(".")
    part = found
    for each in path:
        part = part[each]
    part[last] = value
    return found


@pytest.mark.parametrize("result", [POOL, LOAD], ids=["pool", "load"])
def test_a_result_is_as_itself(result: dict[str, Any]) -> None:
    check = against_baseline(difference_of(result, deepcopy(result)))

    assert (check.met, check.moved, check.noise) == (True, (), 0)


def test_what_is_noise_is_counted_beside_what_has_moved() -> None:
    slower = with_field(LOAD, "latency_from_due_ms.p50", LOAD["latency_from_due_ms"]["p50"] * 1.01)
    both = with_field(slower, "latency_from_due_ms.p90", LOAD["latency_from_due_ms"]["p90"] * 100)

    check = against_baseline(difference_of(LOAD, both))

    assert ([each.against for each in check.moved], check.noise) == (["worse"], 1)


@pytest.mark.parametrize(
    ("result", "field", "factor", "expected"),
    [
        (POOL, "ceiling.in_service", 0.5, "worse"),
        (POOL, "ceiling.in_service", 2, "changed"),  # another server now: the baseline is written anew
        (FORKING, "cost.memory_bytes", 100, "worse"),
        (FORKING, "cost.memory_bytes", 0.01, "better"),
        (LOAD, "latency_from_due_ms.p50", 100, "worse"),
        (LOAD, "latency_from_due_ms.p50", 0.01, "better"),
        (LOAD, "throughput_per_s", 0.1, "worse"),
        (LOAD, "throughput_per_s", 10, "better"),
        # Times that holdfast took, and what was asked for, are not the server's.
        (POOL, "timing.total_s", 100, "elsewhere"),
        (POOL, "limits.nofile", 2, "elsewhere"),
        (LOAD, "rate_asked_per_s", 2, "elsewhere"),
    ],
)
def test_a_figure_is_worse_or_better_by_what_it_means(
    result: dict[str, Any], field: str, factor: float, expected: str
) -> None:
    value: Any = result
    for each in field.split("."):
        value = value[each]
    assert value

    assert against(result, with_field(result, field, type(value)(value * factor)))[field] == expected


@pytest.mark.parametrize(
    ("field", "value", "expected"),
    [
        ("overflow.client_sees", "reset", "changed"),
        ("model.kind", "process-pool", "changed"),
        ("target.version", "0.1", "elsewhere"),
        ("ceiling.in_service", None, "not compared"),
    ],
)
def test_what_is_no_figure_has_changed_or_is_not_the_servers(field: str, value: object, expected: str) -> None:
    assert against(POOL, with_field(POOL, field, value))[field] == expected


def test_only_what_is_worse_or_changed_fails() -> None:
    def met(field: str, value: object) -> bool:
        return against_baseline(difference_of(POOL, with_field(POOL, field, value))).met

    assert not met("ceiling.in_service", 1)
    assert not met("model.kind", "serial")
    assert met("cost.memory_bytes", 1)
    assert met("target.version", "0.1")


def test_a_field_that_the_baseline_does_not_have_is_told_and_does_not_fail() -> None:
    older = deepcopy(POOL)
    del older["ceiling"]["in_service"]
    del older["model"]

    check = against_baseline(difference_of(older, POOL))

    assert check.met
    missing = {each.field: each.why for each in check.moved if each.against == "not compared"}
    assert "another version of holdfast wrote it" in missing["ceiling.in_service"]
    assert "model" in missing


def test_which_run_rules_a_setting_out_is_another_each_time() -> None:
    def decided(by: str) -> dict[str, Any]:
        binding = {"setting": "threads", "ruled_out": [{"setting": "backlog", "by": by}]}
        return with_field(POOL, "binding", binding)

    assert against(decided("run 15: as it was, it allowed 4"), decided("run 19: as it was, it allowed 4")) == {}
