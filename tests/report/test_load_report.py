"""What a person reads of a load run."""

from __future__ import annotations

import msgspec
import pytest

from holdfast.model.load import LagUs, LatencyMs, LoadResult, LoadTarget, StepResult
from holdfast.model.printable import hidden_as_json
from holdfast.report.layout import rendered
from holdfast.report.load import render_load
from holdfast.report.load_json import load_json

TIMES = LatencyMs(*(float(each) for each in range(1, 1 + len(LatencyMs.__dataclass_fields__))))
LONG_LABEL = "GET /latest, redirected"


def load_result(**different):
    return LoadResult(
        **{
            "target": LoadTarget("http://127.0.0.1:8000/"),
            "offered": 30,
            "outcomes": {"answered": 18, "rejected": 0, "wrong-body": 12},
            "statuses": {"200": 30},
            "rate_asked_per_s": 10.0,
            "rate_reached_per_s": 10.0,
            "throughput_per_s": 10.0,
            "peak_in_flight": 2,
            "latency_from_due_ms": TIMES,
            "latency_from_sent_ms": TIMES,
            "pacing_lag_us": LagUs(1, 2, 3),
            "generator_limited": False,
            "duration_s": 3.0,
            **different,
        }
    )


def printed(**different):
    text = rendered(render_load(load_result(**different)), 200, styled=False)
    return [" ".join(line.split()) for line in text.splitlines()]


@pytest.mark.parametrize(
    "different",
    [
        {},
        {"hosts": (), "warnings": ('é \x1b[31m \u2028 "\\', "")},
        {"steps": (StepResult("a/ü", 20, {"answered": 18}, TIMES),), "duration_s": 0.1, "throughput_per_s": 1e22},
    ],
)
def test_the_json_of_a_load_is_what_msgspec_would_have_written(different):
    result = load_result(**different)
    fields = msgspec.to_builtins(result)

    told = load_json(result)

    assert msgspec.json.decode(told) == msgspec.json.decode(msgspec.json.encode(fields))
    assert told.startswith(b'{\n  "schema": 1,\n')
    if "throughput_per_s" not in different:
        ordered = {"schema": fields.pop("schema"), **fields}
        text = msgspec.json.format(msgspec.json.encode(ordered), indent=2).decode()
        assert told.decode() == hidden_as_json(text) + "\n"


def test_bodies_that_did_not_pass_are_an_outcome_and_outcomes_of_none_are_left_out():
    assert "30 requests in 3.0 s: 18 answered, 12 wrong-body." in printed()


def test_several_labels_get_a_line_each_with_what_became_of_them():
    no_times = LatencyMs(*(None for _ in LatencyMs.__dataclass_fields__))
    lines = printed(
        steps=(
            StepResult("log in", 20, {"answered": 18, "rejected": 2}, TIMES),
            StepResult("order", 10, {"answered": 0, "refused": 10}, no_times),
        )
    )

    at = lines.index("request offered outcomes p50, ms p99, ms max, ms")
    assert lines[at + 1] == f"log in 20 18 answered, 2 rejected {TIMES.p50:.2f} {TIMES.p99:.2f} {TIMES.max:.2f}"
    assert lines[at + 2] == "order 10 10 refused - - -"
    assert not any("outcomes" in line for line in printed())


def test_a_label_that_is_wrapped_stays_in_its_column_and_all_counts_have_their_commas():
    steps = tuple(StepResult(each, 2292, {"answered": 2292}, TIMES) for each in ("GET /latest", LONG_LABEL))
    result = load_result(steps=steps, offered=4584, outcomes={"answered": 4584}, statuses={"200": 4584})
    lines = rendered(render_load(result), 70, styled=False).splitlines()

    assert f"  4,584 requests in {result.duration_s:.1f} s: 4,584 answered." in lines
    assert "  Replies: 4,584 x 200." in lines
    assert sum("2,292  2,292 answered" in line for line in lines) == 2
    assert "  redirected" in lines
    assert all(line.startswith("  ") for line in lines[1:] if line)


def test_a_load_that_ended_early_says_why():
    assert "Stopped early: a request was not answered." in printed(stopped="a request was not answered")
    assert "Stopped early: interrupted." in printed(interrupted=True)


@pytest.mark.parametrize("width", [40, 80])
def test_figures_are_never_cut_however_narrow_the_terminal_is(width):
    slow = LatencyMs(*([1002.34] * 5), 123_456.78)
    text = rendered(render_load(load_result(latency_from_due_ms=slow, latency_from_sent_ms=slow)), width, styled=False)

    assert "\u2026" not in text
    assert text.count("123,457") == 2
    assert text.count("1,002") == 10
