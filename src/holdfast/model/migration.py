"""Saved records of earlier forms -> the form of today; pure.

A form is the number that a saved run carries. 1 was the first form of a timeline, 3 is the present one; 2 is that
of a load, which has its own reader.

| form | what changed |
| --- | --- |
| 3 | `opened_ns` is the begin of connect() and `sent_ns` the first byte, as everywhere else: form 1 called these
      `sent_ns` and `written_ns`. A request's `wave`, a number, is its `phase`, a name. |
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from holdfast.model.phase import Phase

_FIRST_FORM = 1
TIMELINE_FORM = 3
"""The form in which timelines are saved."""

_PHASES = {
    -1: Phase.FIRST_REQUEST,
    0: Phase.RAMP,
    1: Phase.REUSE,
    2: Phase.FREED_PLACE,
    3: Phase.EXACT_LOAD,
    4: Phase.CALLED_ALONE,
    5: Phase.CALLED_TOGETHER,
}


def migrated(timeline: Mapping[str, Any], form: int) -> dict[str, Any]:
    """A timeline as JSON of the present form.

    Args:
        timeline: as JSON of this form.
        form: one of those that `timeline_forms` names.

    Raises:
        KeyError, TypeError, AttributeError: it does not have that form.
    """
    return dict(timeline) if form == TIMELINE_FORM else _from_first(timeline)


def timeline_forms() -> frozenset[int]:
    """The forms of timelines that can be read."""
    return frozenset({_FIRST_FORM, TIMELINE_FORM})


def _from_first(timeline: Mapping[str, Any]) -> dict[str, Any]:
    # A look from outside called its other rounds 1, as a probe called its requests after the ramp.
    phases = _PHASES | ({1: Phase.ROUND} if timeline.get("outside") else {})
    return {
        **timeline,
        "requests": [_request(each, phases) for each in timeline["requests"]],
        "calls": [_with_phase(each, phases) for each in timeline.get("calls", ())],
    }


def _request(request: Mapping[str, Any], phases: Mapping[int, Phase]) -> dict[str, Any]:
    found = _with_phase(request, phases)
    found["opened_ns"] = found.pop("sent_ns")
    if "written_ns" in found:
        found["sent_ns"] = found.pop("written_ns")
    return found


def _with_phase(record: Mapping[str, Any], phases: Mapping[int, Phase]) -> dict[str, Any]:
    found = dict(record)
    found["phase"] = phases[found.pop("wave")]
    return found
