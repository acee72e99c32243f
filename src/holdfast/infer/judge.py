"""Timeline -> verdict: pure, deterministic, repeatable on old runs."""

from __future__ import annotations

import shlex

from holdfast.errors import InconclusiveError
from holdfast.infer.calls import calls_of, doubts_of
from holdfast.infer.ceiling import ceiling_of
from holdfast.infer.census import (
    count_places,
    established_at,
    offered_requests,
    placed_requests,
)
from holdfast.infer.cost import cost_of
from holdfast.infer.disconnect import abandoned_of
from holdfast.infer.exact import with_exact_load
from holdfast.infer.overflow import overflow_of
from holdfast.infer.pacing import pacing_lag_p99_us, seconds
from holdfast.infer.process_model import model_of
from holdfast.infer.server_ended import check_uncut
from holdfast.infer.warnings import warnings_of
from holdfast.infer.worker_recycling import check_not_worn_out
from holdfast.model.places import Place
from holdfast.model.timeline import Snapshot, Timeline
from holdfast.model.verdict import Ceiling, Limits, Model, Overflow, Target, Timing, Verdict

_OWN_COMMAND = "holdfast was given a command and did not look for the package that it starts"
_NO_VERSION = "the package that was found does not say"
_COUNTED = "requests in service were counted inside the server: the number is no estimate"
_ONE_SETTING = "one probe with one set of settings cannot tell which setting decides it"


def judge(timeline: Timeline) -> Verdict:
    """The verdict on one run.

    Raises:
        InconclusiveError: the load side was the limit, the server ended requests by a limit of time, or the run
            gave up or ended before anything was placed.
    """
    if timeline.stopped is not None:
        raise InconclusiveError(timeline.stopped.what, timeline.stopped.why, timeline.stopped.remedy)
    if timeline.outside is not None:
        from holdfast.infer.estimate import judge_outside  # noqa: PLC0415 - statistics are for attach alone

        return judge_outside(timeline, timeline.outside)
    check_uncut(timeline)
    snapshot, ramp, canary = timeline.placed, timeline.ramp, timeline.canary
    if snapshot is None or ramp is None or canary is None:
        raise InconclusiveError(
            "The run ended before the places could be counted.",
            "; ".join(timeline.notes),
            "Run it again and let it come to its end.",
        )
    placed = placed_requests(timeline, snapshot)
    places = count_places(placed)
    if places.failed or ramp.reason == "our side":
        raise InconclusiveError(
            f"The load side was the limit after {len(placed)} requests: no verdict on the server.",
            "; ".join(timeline.notes) or "This machine has no descriptor or port left for another connection.",
            f"Offer fewer (--max-offered {max(1, len(placed) - places.failed)}) or raise the limit (ulimit -n).",
        )
    check_not_worn_out(timeline, snapshot, placed)
    requests = {request.id: request for request in offered_requests(timeline)}
    held = [entry for entry in timeline.entries if placed.get(entry.id) is Place.IN_SERVICE]
    unknown = {"binding": _ONE_SETTING, "ceiling.interval": _COUNTED}
    if not timeline.server.version:
        unknown["target.version"] = _OWN_COMMAND if timeline.experiment.command else _NO_VERSION
    if not timeline.server.python:
        unknown["target.python"] = "the process that listens did not say"
    if ramp.reason == "interrupted":
        ceiling, overflow, reasons = _nothing_beyond()
    else:
        ceiling, reasons = ceiling_of(places, ramp, snapshot)
        overflow, more = overflow_of(places, ramp, requests, placed)
        reasons |= more
    model, about_model = model_of(timeline.entries, held, _late(timeline, snapshot))
    model, queues_unknown = _with_queues(model, snapshot)
    about_model.pop("model.listen_queues", None)
    ceiling, about_exact = with_exact_load(ceiling, timeline)
    abandoned, about_abandoned = abandoned_of(timeline)
    cost, about_cost = cost_of(timeline.usage, places)
    timing, about_timing = _timing(timeline)
    limits, about_limits = _limits(timeline)
    called, about_called = calls_of(timeline)
    return Verdict(
        target=_target(timeline, canary.held_in, canary.kind),
        limits=limits,
        offered=len(placed),
        places=places,
        established=established_at(timeline, snapshot),
        ceiling=ceiling,
        model=model,
        overflow=overflow,
        abandoned=abandoned,
        cost=cost,
        binding=None,
        timing=timing,
        confidence="exact" if ramp.crowd == 1 else "estimated",
        unknown=unknown
        | reasons
        | about_model
        | queues_unknown
        | about_exact
        | about_abandoned
        | about_cost
        | about_timing
        | about_limits
        | about_called,
        warnings=(*warnings_of(timeline, places, placed), *doubts_of(timeline)),
        call=called,
    )


def _late(timeline: Timeline, snapshot: Snapshot) -> set[int]:
    """Processes that came after the places were counted, in place of others."""
    before = {entry.pid for entry in timeline.entries if entry.entered_ns <= snapshot.ended_ns}
    return {entry.pid for entry in timeline.entries} - before - set(timeline.server.pids)


def _nothing_beyond() -> tuple[Ceiling, Overflow, dict[str, str]]:
    names = ("in_service", "bounded", "userspace_queue", "userspace_queue_bounded")
    fields = [f"ceiling.{name}" for name in (*names, "accept_queue", "accept_queue_limit")]
    fields += ["overflow.first", "overflow.client_sees"]
    reason = "the run was interrupted before the ceiling was met"
    ceiling = Ceiling(None, None, None, None, None, None)
    return ceiling, Overflow(None, (), None), dict.fromkeys(fields, reason)


def _target(timeline: Timeline, held_in: str, kind: str) -> Target:
    server, experiment = timeline.server, timeline.experiment
    app = shlex.join(experiment.command) or experiment.app or "built-in"
    view = experiment.view or kind or None
    version = server.version or None
    return Target(server.name, version, server.command, app, view, experiment.path, held_in, server.python or None)


def _with_queues(model: Model, snapshot: Snapshot) -> tuple[Model, dict[str, str]]:
    queues = len(snapshot.listeners)
    if queues == 0:
        return model, {"model.listen_queues": "the listening socket could not be read"}
    kind = "shared" if queues == 1 else "per-worker"
    fields = {name: getattr(model, name) for name in Model.__dataclass_fields__} | {"listen_queues": kind}
    return Model(**fields), {}


def _limits(timeline: Timeline) -> tuple[Limits, dict[str, str]]:
    server = timeline.server
    limits = Limits(server.nofile, server.nproc, server.somaxconn)
    reason = "unlimited, or not readable from /proc"
    missing = [name for name in ("nofile", "nproc", "somaxconn") if getattr(limits, name) is None]
    return limits, {f"limits.{name}": reason for name in missing}


def _timing(timeline: Timeline) -> tuple[Timing, dict[str, str]]:
    marks = timeline.marks
    lag = pacing_lag_p99_us(offered_requests(timeline))
    timing = Timing(
        server_start_s=seconds(marks.started_ns, marks.ready_ns),
        probe_s=seconds(marks.ready_ns, marks.placed_ns),
        total_s=seconds(marks.ready_ns, marks.ended_ns),
        pacing_lag_p99_us=lag,
    )
    reasons = {}
    for name in ("server_start_s", "probe_s", "total_s"):
        if getattr(timing, name) is None:
            reasons[f"timing.{name}"] = "the run did not come so far"
    if lag is None:
        reasons["timing.pacing_lag_p99_us"] = "no request was sent"
    return timing, reasons
