"""Saved records of earlier forms -> the forms of today; pure.

A form is the number that a saved run carries. It says what the run is and how its record is written.

| form | of | what it is |
| --- | --- | --- |
| 1 | probe, exec, attach | what holdfast 0.1 saved; read, never written |
| 2 | load | the head and the rows of a load, which has its own reader |
| 3 | probe, exec | `model.timeline.Timeline` |
| 4 | attach | `model.outside.OutsideTimeline` |
| 5 | explain | `model.explanation.ExplanationRecord` |
| 6 | study | `model.study.StudyRecord` |
| 7 | any | nothing: holdfast was killed before there was a record |
| 8 | capacity | `model.capacity.CapacityRecord` |

What has changed since form 1:

- `opened_ns` is the begin of connect() and `sent_ns` the first byte, as everywhere else. Form 1 called these `sent_ns`
  and `written_ns`. A request's `wave`, a number, is its `phase`, a name.
- An experiment has a `target`: a command, or a server with its application, arguments and interpreter. In form 1 these
  lay beside the options, and `server` was "exec" for a command and "attach" for a running server.
- `canary` is `first_request`; a ramp's reason "cut" is "ended by the server".
- A look from outside has a record of its own (form 4). In form 1 it was a timeline with an `outside` and most other
  fields empty. A round's `cut` is `queue_full`, `patience_s` is `answer_timeout_s`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from holdfast.model.phase import Phase

_FIRST_FORM = 1
LOAD_FORM = 2
TIMELINE_FORM = 3
OUTSIDE_FORM = 4
EXPLANATION_FORM = 5
STUDY_FORM = 6
CUT_SHORT_FORM = 7
CAPACITY_FORM = 8

FORMS = frozenset({_FIRST_FORM, *range(LOAD_FORM, CAPACITY_FORM + 1)})
"""All that can be read."""

_PHASES = {
    -1: Phase.FIRST_REQUEST,
    0: Phase.RAMP,
    1: Phase.REUSE,
    2: Phase.FREED_PLACE,
    3: Phase.EXACT_LOAD,
    4: Phase.CALLED_ALONE,
    5: Phase.CALLED_TOGETHER,
}
# A look from outside called its other rounds 1.
_OUTSIDE_PHASES = _PHASES | {1: Phase.ROUND}
_OF_PROBE_TARGET = ("server", "app", "framework", "arguments", "python")
_OF_URL_TARGET = ("url", "allowed_host", "insecure")
_SHARED = ("path", "headers", "max_offered")
_OF_EXPERIMENT = (
    *_SHARED,
    *("view", "nofile", "nproc", "over_s", "port", "cwd", "start_timeout_s", "call", "max_called", "call_timeout_s"),
)


def migrated(record: Mapping[str, Any], form: int) -> tuple[int, dict[str, Any]]:
    """A record as JSON of one of the present forms, and which form that is.

    Args:
        record: as JSON of `form`.
        form: any of a timeline or a look from outside.

    Raises:
        KeyError, TypeError, AttributeError: it does not have that form.
    """
    if form != _FIRST_FORM:
        return form, dict(record)
    if record.get("outside"):
        return OUTSIDE_FORM, _outside(record, record["outside"])
    return TIMELINE_FORM, _timeline(record)


def _timeline(first: Mapping[str, Any]) -> dict[str, Any]:
    record = {name: value for name, value in first.items() if name not in {"outside", "canary"}}
    ramp = first["ramp"]
    if ramp is not None and ramp["reason"] == "cut":
        ramp = {**ramp, "reason": "ended by the server"}
    return {
        **record,
        "experiment": _experiment(first["experiment"]),
        "first_request": first["canary"],
        "ramp": ramp,
        "requests": [_request(each, _PHASES) for each in first["requests"]],
        "calls": [_with_phase(each, _PHASES) for each in first.get("calls", ())],
    }


def _experiment(first: Mapping[str, Any]) -> dict[str, Any]:
    target = _some(first, ("command",) if first.get("command") else _OF_PROBE_TARGET)
    return {"target": target, **_some(first, _OF_EXPERIMENT)}


def _outside(first: Mapping[str, Any], outside: Mapping[str, Any]) -> dict[str, Any]:
    experiment = first["experiment"]
    return {
        "experiment": {
            "target": _some(experiment, _OF_URL_TARGET),
            **_some(_renamed(experiment, "patience_s", "answer_timeout_s"), (*_SHARED, "answer_timeout_s")),
        },
        "server": _some(first["server"], ("address", "port", "somaxconn", "abort_on_overflow")),
        **_some(first["marks"], ("started_ns", "first_sent_ns", "ended_ns")),
        "rounds": [_renamed(each, "cut", "queue_full") for each in outside["rounds"]],
        "requests": [_request(each, _OUTSIDE_PHASES) for each in first["requests"]],
        **_some(outside, ("kernel", "others", "alive")),
        **_some(first, ("notes", "stopped", "interrupted")),
    }


def _request(first: Mapping[str, Any], phases: Mapping[int, Phase]) -> dict[str, Any]:
    return _renamed(_renamed(_with_phase(first, phases), "sent_ns", "opened_ns"), "written_ns", "sent_ns")


def _with_phase(first: Mapping[str, Any], phases: Mapping[int, Phase]) -> dict[str, Any]:
    found = dict(first)
    found["phase"] = phases[found.pop("wave")]
    return found


def _renamed(record: Mapping[str, Any], old: str, new: str) -> dict[str, Any]:
    return {new if name == old else name: value for name, value in record.items()}


def _some(record: Mapping[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    """Of these fields those that there are: a record has been saved without what was added later."""
    return {name: record[name] for name in names if name in record}
