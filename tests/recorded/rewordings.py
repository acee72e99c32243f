"""Sentences of verdicts that are worded in another way since the records were made.

To reword one, add a pair to the list: the sentence, or as much of it as changes, as the recorded verdict has it, and as
it is now. {} is a part that varies, such as a number; the new wording has the same ones in the same order.
"""

# ruff: noqa: ISC004 - each pair is one sentence above the other
from __future__ import annotations

import re
from typing import Any

REWORDED = (
    # infer/judge.py
    (
        "holdfast was given a command and did not look for the package that it starts",
        "holdfast started a command and did not look up which package it belongs to",
    ),
    (
        "requests in service were counted inside the server: the number is no estimate",
        "not an estimate: requests in service were counted inside the server",
    ),
    (
        "one probe with one set of settings cannot tell which setting decides it",
        "one probe with one set of settings cannot show which setting decides it",
    ),
    ("the run did not come so far", "the run ended before this step"),
    # infer/ceiling.py, infer/exact.py, infer/cost.py
    (
        "it took all {} requests that were offered beyond the ceiling: no bound met",
        "it took all {} requests offered beyond the ceiling, so its bound was not reached",
    ),
    ("all {} offered requests ran at once, so none ever had", "all {} offered requests ran at once, so none had"),
    ("not driven full with the {} requests offered", "not filled by the {} requests offered"),
    ("no ceiling was met, so", "no ceiling was reached, so"),
    (
        "requests that wait inside the server have their share in what it uses",
        "requests waiting inside the server use descriptors and memory too, and cannot be told from those held",
    ),
    # infer/disconnect.py, infer/process_model.py, infer/calls.py
    (
        "no request waited with a connection that its client could leave",
        "no queued request had a connection that its client could leave",
    ),
    (
        "views run on the threads that threads_reused tells about",
        "views run on the threads that threads_reused is about",
    ),
    (
        "it ran on a thread without one, so there was none to stop",
        "it ran on a thread without an event loop, so there was none to block",
    ),
    # infer/warnings.py, infer/server_ended.py, infer/worker_recycling.py
    (
        "A client that does not block is refused then at once, with EAGAIN (nginx: 11: Resource temporarily "
        "unavailable, and it answers 502); one that blocks waits in its connect() until there is room.",
        "A non-blocking client is then refused at once with EAGAIN (nginx logs '11: Resource temporarily unavailable' "
        "and answers 502); a blocking one waits in connect() until there is room.",
    ),
    (
        "It ended {} that were held and that nobody had released; the client saw {}. Before that, {} were in service "
        "at once: at least so many, but that is not the ceiling.",
        "It ended {} held requests before holdfast released them; the client saw {}. Before that, {} were in service "
        "at once. The ceiling is at least that.",
    ),
    ("(a time-out of workers, requests or responses)", "(a timeout of workers, requests or responses)"),
    (
        "(its maximum of requests for each worker), or leave that out for the probe.",
        "(its maximum of requests per worker), or leave that setting out for the probe.",
    ),
    (
        "That many had come to it when the places were counted. It took no more for that reason, so what could be "
        "counted is not the ceiling.",
        "The process had taken that many when the places were counted. It took no more for that reason, so what was "
        "counted is not the ceiling.",
    ),
    # infer/estimate.py
    ("all requests were in service at once, so none ever had", "all requests were in service at once, so none had"),
    ("from outside no setting is seen", "no setting can be seen from outside"),
    (
        "no client left: whoever waited was let wait for the answer",
        "no client left: those that waited were allowed to wait for the answer",
    ),
    (
        "the queues of a running server are not driven full from outside",
        "the queues of a running server are not filled from outside",
    ),
    ("the server ran already", "the server was already running"),
)


def pattern(old: str) -> str:
    """A regular expression that finds a sentence of the list."""
    return re.escape(old).replace(re.escape("{}"), "(.+?)")


def reworded(text: str) -> str:
    """A sentence of a recorded verdict as it is worded now."""
    for old, new in REWORDED:
        text = re.sub(pattern(old), lambda found, new=new: new.format(*found.groups()), text)
    return text


_OF_JOURNEYS = {"transactions": [], "redirects": 0, "embedded": 0}
"""What only journeys have, in the result of a load."""


def reworded_result(result: dict[str, Any]) -> dict[str, Any]:
    """A recorded verdict with its sentences as they are worded now and what was added, everything else as it was."""
    now = {name: _reworded(part) if name in _IN_WORDS else part for name, part in result.items()}
    if "outcomes" in now:
        # The number under which the test has saved it: it is alone in its file. Nothing was sent again at that
        # time, or over HTTP/2.
        return {**now, "resent": 0, "events": None, "http2": None, "run": 1, **_OF_JOURNEYS}
    # A run without a verdict has none of these.
    if "ceiling" not in now:
        return now
    outside = "unplaced" in now["places"]
    waiting, why = before_view(now["places"])
    added = {
        **_ADDED,
        "front": _FRONT[outside],
        "pressure": _PRESSURE[outside],
        "libraries": _NOT_ASKED[outside],
    }
    limits = dict.fromkeys(LATER_LIMITS)
    reasons = {**added, **{f"limits.{each}": _LIMITS[outside] for each in limits}}
    reasons |= {} if waiting == 0 else {"places.before_view": why, "waiting": why}
    # Nothing waited before its view in the other runs.
    more = {"places": {**now["places"], "before_view": waiting}, "limits": {**now["limits"], **limits}}
    more["target"] = {**now["target"], "gil": None}
    reasons["target.gil"] = _GIL[outside]
    more["waiting"] = [] if waiting == 0 else None
    if now["cost"]["memory_bytes"] is not None and several_served(now["model"]):
        # What each one's first request leaves behind was once counted as a cost of those in service.
        more["cost"] = {**now["cost"], "memory_bytes": None}
        reasons["cost.memory_bytes"] = _FIRST_OF_EACH
    if now["call"] is not None:
        more["call"] = {**now["call"], "running": None}
        reasons["call.running"] = now["unknown"].get("call.at_once", _NOT_ASKED[outside])
    # It is judged here without being saved.
    more["run"] = None
    reasons["run"] = "it was not saved"
    return {**now, **dict.fromkeys(added), **more, "unknown": {**now["unknown"], **reasons}}


def without_watched(verdict: dict[str, Any]) -> dict[str, Any]:
    """A verdict without the time for which requests were watched, which recorded ones lack."""
    if "timing" not in verdict:
        return verdict
    timing = {name: value for name, value in verdict["timing"].items() if name != "watched_s"}
    return {**verdict, "timing": timing, "unknown": {k: v for k, v in verdict["unknown"].items() if k != WATCHED}}


def several_served(model: dict[str, Any]) -> bool:
    """Whether several processes took requests that were there before the first one."""
    return (model["processes"] or 1) > 1 and model["kind"] != "process-per-request"


def before_view(places: dict[str, Any]) -> tuple[int | None, str]:
    """The field of `places` that recorded verdicts lack, and why it is null; none where nothing waited in the server.

    Their records do not say when a request was handed to the application; a look from outside cannot.
    """
    if "unplaced" in places:
        return None, "nothing inside the server was looked at"
    why = "the run was saved before holdfast kept when the server hands a request to the application"
    return (None, why) if places["userspace_queue"] else (0, "")


def sentences(result: dict[str, Any]) -> list[str]:
    """All sentences of a verdict: the reasons and warnings, or the error instead of one."""
    return [each for name, part in result.items() if name in _IN_WORDS for each in _texts(part)]


# Fields that a verdict has had since the records were made, all of them null for these runs, and why they are null.
_ADDED = {"http2": "--http2 was not asked for", "tls": "requests were sent in plain HTTP"}
# By whether the server was seen from outside.
_FRONT = {
    False: "what accepts the requests is the server itself, or a part of it",
    True: "nothing inside the server was looked at",
}
_NOT_ASKED = {
    False: "the run was saved before holdfast asked the server's processes for that",
    True: "nothing inside the server was looked at",
}
_FIRST_OF_EACH = (
    "several processes serve, and what the first request of each leaves behind cannot be told from what one in service "
    "takes"
)
_GIL = {False: "the run was saved before that was kept, or no handler told", True: _FRONT[True]}
_PRESSURE = {False: "the run was saved before that was kept", True: _FRONT[True]}
_LIMITS = {False: "the run was saved before this limit was kept", True: _FRONT[True]}
# Fields of `limits` that recorded verdicts lack.
WATCHED = "timing.watched_s"
LATER_LIMITS = ("address_space", "pids_max", "threads_max", "memory_max")
_IN_WORDS = frozenset({"unknown", "warnings", "inconclusive"})


def _reworded(part: Any) -> Any:
    if isinstance(part, dict):
        return {name: reworded(text) for name, text in part.items()}
    return [reworded(text) for text in part]


def _texts(part: Any) -> list[str]:
    return list(part.values()) if isinstance(part, dict) else list(part)
