"""Which field of a result says what, and by which rule two values of it are judged; pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from holdfast.infer.difference_capacity import OF_CAPACITY
from holdfast.infer.difference_explained import OF_EXPLANATION, OF_STUDY
from holdfast.infer.difference_load import OF_LOAD
from holdfast.infer.difference_pair import (
    FOLLOWS,
    Both,
    Judged,
    Rule,
    Rules,
    asked,
    by_chance,
    compared,
    exact,
    limit,
    named,
    same_time,
    same_time_ms,
    some_or_none,
    unknown,
    within,
    words,
)
from holdfast.infer.spread import is_same_cost, is_same_memory
from holdfast.model.difference import Interval, Kind, Part

_PORT = re.compile(r"(?<=[:=])\d+\Z|\A\d+\Z")
_BOUNDED = {
    "in_service": "bounded",
    "userspace_queue": "userspace_queue_bounded",
    "on_one_connection": "on_one_connection_bounded",
    "over_connections": "over_connections_bounded",
}
"""Which field says whether a figure is the most, or "at least"."""


def bounds_of(part: Mapping[str, Any], name: str) -> Interval | None:
    """What a ceiling may be; None where it is not known.

    Args:
        part: `ceiling` or `http2` of a verdict.
        name: of the figure.
    """
    value, bounded = part.get(name), part.get(_BOUNDED.get(name, ""), True)
    if value is None:
        return None
    interval = part.get("interval") if name == "in_service" else None
    if interval is not None:
        return interval[0], interval[1]
    return value, value if bounded else None


def _command(both: Both) -> Judged:
    """The command that was started, which may name the free port that holdfast chose, and where the interpreter is."""
    if missing := unknown(both):
        return missing
    if len(both.before) == len(both.after):
        words = zip(("", *both.before), both.before, both.after, strict=False)
        if all(one == other or _is_the_same_word(preceding, one, other) for preceding, one, other in words):
            return Judged("noise", "only the port that holdfast took, or the interpreter's directory, differs")
    return Judged("change", "it is what was started")


def _is_the_same_word(preceding: str, one: str, other: str) -> bool:
    if not preceding:
        return one.rpartition("/")[2] == other.rpartition("/")[2]
    alone = one.isdigit() and other.isdigit()
    return _PORT.sub("", one) == _PORT.sub("", other) and (not alone or "port" in preceding or preceding == "-p")


def _ceiling(both: Both) -> Judged:
    """A ceiling and what belongs to it: whether it was met, and between what it is."""
    part, _, field = both.name.rpartition(".")
    figure = next((each for each, bounded in _BOUNDED.items() if field == bounded), field)
    figure = "in_service" if field == "interval" else figure
    one, other = (bounds_of(each.get(part) or {}, figure) for each in both.sides)
    if one is None or other is None:
        return unknown(both) or Judged("unknown", f"{figure} is not known on one side")
    if one[0] == one[1] and other[0] == other[1]:
        return Judged("change", "counted exactly", (one, other))
    return compared(one, other, "what the two may be")


def _exact_load(both: Both) -> Judged:
    """The least and the most of several repeats, in which chance decides."""
    if missing := unknown(both):
        return missing
    return compared((both.before[0], both.before[1]), (both.after[0], both.after[1]), "the repeats")


def _offered(both: Both) -> Judged:
    """How many requests the ramp offered, which ends by itself where it meets a ceiling."""
    ceilings = [side.get("ceiling") or {} for side in both.sides]
    if all(each.get("bounded") is False for each in ceilings) and both.sides[0].get("confidence") == "exact":
        return Judged("change", "no ceiling was met, so it is what was asked for", part="settings")
    return unknown(both) or Judged("noise", "the ramp ends by itself where it meets a ceiling")


def _held(both: Both) -> Judged:
    """Requests in a place that may have a ceiling: counted exactly if it was met."""
    if missing := unknown(both):
        return missing
    place = both.name.rpartition(".")[2]
    parts = [side.get("ceiling") or {} for side in both.sides]
    met = [part.get(place) is not None and part.get(_BOUNDED.get(place, ""), True) for part in parts]
    estimated = any(side.get("confidence") == "estimated" for side in both.sides)
    if all(met) and not estimated:
        return Judged("change", "counted with the place full")
    return some_or_none(both)


def _left(both: Both) -> Judged:
    """Requests whose clients left while they were queued, and those of them that still ran: all, some or none."""
    if missing := unknown(both):
        return missing
    one, other = (_fate(side.get("abandoned") or {}) for side in both.sides)
    if one == other:
        return Judged(
            "noise", f"of those left, {one} were run in both; how many left follows from how many were offered"
        )
    return Judged("change", f"of those left, {one} were run before, {other} after")


def _fate(abandoned: Mapping[str, Any]) -> str:
    left, run = abandoned.get("left"), abandoned.get("run_anyway")
    if not run:
        return "none"
    return "all" if run == left else "some"


def _workers(both: Both) -> Judged:
    """Processes and threads, of which there are as many as requests where no ceiling was met."""
    if missing := unknown(both):
        return missing
    bounded = [(side.get("ceiling") or {}).get("bounded") for side in both.sides]
    if True not in bounded:
        return Judged("noise", f"{FOLLOWS}: no ceiling was met")
    return Judged("change", "counted exactly")


def _spread_of_processes(both: Both) -> Judged:
    """How many of the held requests each process had."""
    if missing := unknown(both):
        return missing
    if sum(both.before) == sum(both.after) and len(both.before) == len(both.after):
        return Judged("noise", "the same requests over the same number of processes: which takes one is chance")
    return _ceiling(Both("ceiling.in_service", *both.values, both.pair))


def _line(both: Both) -> Judged:
    """The line of a function, which moves with what is above it."""
    return unknown(both) or Judged("noise", "the function is the same, its line has moved")


def _in_force(_both: Both) -> Judged:
    """How much of a limit was used: of the machine or of a server that holds another number of requests."""
    return Judged("noise", f"{FOLLOWS} and from what else ran; `hit` says whether the limit was met")


KEYS: Mapping[str, Sequence[str]] = {
    "waiting": ("phase", "file", "function", "waits_in"),
    "libraries": ("name",),
    "pressure": ("name",),
    "steps": ("label",),
    "thresholds": ("text",),
    "hosts": ("name",),
    "bindings": ("place",),
    "undecided": ("place",),
    "ruled_out": ("setting",),
    "rivals": ("name", "place"),
    "rows": ("id",),
    "rows[].findings": ("what",),
    "overload.levels": ("factor",),
    "silent.silences": ("silence",),
    "rows[].silent.silences": ("silence",),
}
"""Lists whose elements are compared by what names them, and by what that is."""

COUNTS = frozenset({"outcomes", "statuses", "call.replies"})
"""Counts by name, of which one that is missing is 0."""

_OF_VERDICT: Rules = {
    "target.version": ("versions", exact),
    "target.python": ("versions", exact),
    "target.gil": ("versions", exact),
    "target.command": ("settings", _command),
    "target.view": ("settings", exact),
    "target.held_in": ("settings", exact),
    "target.*": ("settings", asked),
    "limits.*": ("limits", limit),
    "offered": ("verdict", _offered),
    "established": ("verdict", some_or_none),
    "places.in_service": ("verdict", _held),
    "places.userspace_queue": ("verdict", _held),
    "places.accept_queue": ("verdict", _held),
    "places.*": ("verdict", some_or_none),
    "ceiling.in_service": ("verdict", _ceiling),
    "ceiling.bounded": ("verdict", _ceiling),
    "ceiling.interval": ("verdict", _ceiling),
    "ceiling.userspace_queue": ("verdict", _ceiling),
    "ceiling.userspace_queue_bounded": ("verdict", _ceiling),
    "ceiling.accept_queue_limit": ("limits", exact),
    "ceiling.at_exact_load": ("verdict", _exact_load),
    "ceiling.at_exact_repeats": ("verdict", by_chance),
    "model.processes": ("verdict", _workers),
    "model.threads_per_process": ("verdict", _workers),
    "model.spread": ("verdict", _spread_of_processes),
    "abandoned.left": ("verdict", _left),
    "abandoned.run_anyway": ("verdict", _left),
    "cost.memory_bytes": ("verdict", within(is_same_memory, "memory")),
    "cost.*": ("verdict", within(is_same_cost, "what the server's own descriptors and threads do")),
    "binding": ("verdict", exact),
    "binding.evidence": ("verdict", words),
    "binding.ruled_out": ("verdict", words),
    "timing.*": ("verdict", same_time),
    "timing.pacing_lag_p99_us": ("verdict", by_chance),
    "warnings": ("verdict", words),
    "call.bodies": ("verdict", some_or_none),
    "call.finished": ("verdict", some_or_none),
    "call.at_once": ("verdict", some_or_none),
    "call.replies.*": ("verdict", some_or_none),
    "call.longest_stop_ms": ("verdict", same_time_ms),
    "call.alone.duration_ms": ("verdict", same_time_ms),
    "call.alone.longest_stop_ms": ("verdict", same_time_ms),
    "call.alone.stopped_ms": ("verdict", same_time_ms),
    "call.stop_ms.*": ("verdict", same_time_ms),
    "call.stopped_ms.*": ("verdict", same_time_ms),
    "call.duration_ms.*": ("verdict", same_time_ms),
    "http2.on_one_connection": ("verdict", _ceiling),
    "http2.on_one_connection_bounded": ("verdict", _ceiling),
    "http2.over_connections": ("verdict", _ceiling),
    "http2.over_connections_bounded": ("verdict", _ceiling),
    "http2.streams_advertised": ("limits", limit),
    "http2.beyond_the_limit.offered": ("verdict", some_or_none),
    "http2.beyond_the_limit.others_lost": ("verdict", some_or_none),
    "tls": ("settings", named),
    "tls.certificate_checked": ("settings", exact),
    "tls.before_handshake": ("verdict", some_or_none),
    "front": ("verdict", named),
    "front.pids": ("verdict", by_chance),
    "front.through": ("verdict", by_chance),
    "front.in_front": ("verdict", some_or_none),
    "front.accept_queue": ("verdict", some_or_none),
    "front.in_server": ("verdict", some_or_none),
    "front.accept_queue_limit": ("limits", exact),
    "waiting[]": ("verdict", named),
    "waiting[].requests": ("verdict", some_or_none),
    "waiting[].line": ("verdict", _line),
    "libraries[]": ("limits", named),
    "libraries[].limit": ("limits", limit),
    "libraries[].in_use": ("verdict", some_or_none),
    "pressure[]": ("limits", by_chance),
    "pressure[].limit": ("limits", limit),
    "pressure[].used": ("verdict", _in_force),
    "pressure[].at_rest": ("verdict", _in_force),
}
RULES: Mapping[Kind, Rules] = {
    "verdict": _OF_VERDICT,
    "load": OF_LOAD,
    "explanation": OF_EXPLANATION,
    "study": OF_STUDY,
    "capacity": OF_CAPACITY,
}
"""Of each kind; a field that is not named here is a part of the verdict and exact."""


def rule_of(name: str, kind: Kind) -> tuple[Part, Rule]:
    """What a field says, and how two values of it are judged.

    Args:
        name: as `Pair.name_of` gives it.
    """
    rules = RULES[kind]
    if name in rules:
        return rules[name]
    part = name
    while part:
        part = part.rpartition(".")[0]
        if f"{part}.*" in rules:
            return rules[f"{part}.*"]
    return "verdict", exact
