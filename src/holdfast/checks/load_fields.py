"""The fields of a load's result that an expectation can name, of the whole load and of one label."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from holdfast.checks.fields import NUMBER, Field, Fields, fields_of
from holdfast.model.load import LoadResult, StepResult
from holdfast.model.places import Outcome

LABEL = "label"
ERRORS = "errors"
_FIRST = ("latency_from_due_ms",)
_REASONS = {
    "latency": "no request got a reply",
    "pacing_lag_us": "no request was begun",
    "rate_asked_per_s": "clients and bursts ask for no rate",
    "rate_reached_per_s": "fewer than two requests were begun",
    "throughput_per_s": "no request got a reply",
    "stopped": "no rule of the load ended it",
}
_OUTCOMES = tuple(each.label for each in Outcome)


def load_fields() -> Fields:
    """Those of `load`. The names of `--threshold` mean here what they mean there."""
    label = _fields(StepResult, "the result of a label", {})
    whole = _fields(LoadResult, "the result of a load", {"rate": "throughput_per_s"})
    return replace(whole, selectors={LABEL: label})


def with_errors(result: Mapping[str, Any]) -> Mapping[str, Any]:
    """The result of a load or of a label with the number of its requests that were not answered, as `--threshold`."""
    return {**result, ERRORS: result["offered"] - result["outcomes"].get(Outcome.ANSWERED.label, 0)}


def label_of(result: Mapping[str, Any], label: str) -> Mapping[str, Any] | None:
    """The result of one label; None where it has none. One that has a single label has no results of labels."""
    if not result["steps"]:
        return with_errors(result)
    return next((with_errors(each) for each in result["steps"] if each["label"] == label), None)


def _fields(record: type, what: str, aliases: Mapping[str, str]) -> Fields:
    named = fields_of(record)
    named["outcomes"] = replace(named["outcomes"], share_of="offered")
    named[ERRORS] = Field(ERRORS, frozenset({NUMBER}), share_of="offered")
    return Fields(what, named, "", _FIRST, aliases, {"outcomes": _OUTCOMES}, {}, _REASONS)
