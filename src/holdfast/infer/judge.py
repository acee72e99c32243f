"""A record -> its verdict: pure, deterministic, repeatable on old runs."""

from __future__ import annotations

import shlex
from collections import Counter
from dataclasses import fields, replace
from typing import TYPE_CHECKING

from holdfast.errors import InconclusiveError
from holdfast.infer.at_entry import is_at_entry, without_view
from holdfast.infer.before_view import before_view_of
from holdfast.infer.by_time import why_by_time, why_no_queue_by_time
from holdfast.infer.calls import calls_of, doubts_of, doubts_of_ceiling
from holdfast.infer.ceiling import ceiling_of, why_by_chance
from holdfast.infer.census import (
    before_handshake,
    count_places,
    established_at,
    offered_requests,
    placed_requests,
    running_on,
)
from holdfast.infer.cost import cost_of
from holdfast.infer.disconnect import abandoned_of
from holdfast.infer.equal_requests import why_equal_ones_wait, why_more_for_one
from holdfast.infer.exact import with_exact_load
from holdfast.infer.front import front_of
from holdfast.infer.growth import why_growing, why_no_fate
from holdfast.infer.http2 import http2_of
from holdfast.infer.known import LEFT_OUT, NOT_SO_FAR, Known, Unknown, because, fields_of, missing
from holdfast.infer.later import watched_s, why_more_later
from holdfast.infer.let_in_later import LetInLater, let_in_later, turned_away_before
from holdfast.infer.open_places import idle_acceptors, may_be_starting, open_places
from holdfast.infer.overflow import client_sees, order_of, overflow_of
from holdfast.infer.pacing import pacing_lag_p99_us, seconds
from holdfast.infer.pressure import limits_met, pressure_of
from holdfast.infer.process_model import listen_queues_of, model_of, without_count
from holdfast.infer.reached import check_reached
from holdfast.infer.server_ended import check_none_ended
from holdfast.infer.signals import NOT_LOOKED_AT
from holdfast.infer.waited_too_long import fate_of_waiting, waited_before, why_no_queue
from holdfast.infer.waiting import libraries_of, waiting_of
from holdfast.infer.warnings import warnings_of
from holdfast.infer.worker_recycling import check_not_worn_out, ended_at_limit
from holdfast.model.experiment import CommandTarget, ProbeTarget
from holdfast.model.frozen import frozen
from holdfast.model.limits import NO_GROUP, UNLIMITED, UNREADABLE, OtherLimits, Pressure
from holdfast.model.places import TURNED_AWAY_PLACES, Place
from holdfast.model.ramp import Ramp
from holdfast.model.timeline import NEVER, Entry, FirstRequest, Snapshot, Timeline
from holdfast.model.verdict import (
    NOT_KEPT,
    NOT_SAVED,
    PLAIN_HTTP,
    Ceiling,
    Cost,
    Limits,
    Model,
    Overflow,
    OverTls,
    Places,
    Target,
    Timing,
    Verdict,
)

if TYPE_CHECKING:
    from holdfast.model.outside import OutsideTimeline  # of attach alone

_OWN_COMMAND = "holdfast started a command and did not look up which package it belongs to"
_NO_VERSION = "the installed package does not state one"
_NO_PYTHON = "the listening process did not report it"
_GIL_NOT_KEPT = "the run was saved before that was kept, or no handler told"
_COUNTED = "not an estimate: requests in service were counted inside the server"
_ONE_SETTING = "one probe with one set of settings cannot show which setting decides it"
_NONE_WAITED = "no request waited until the places were counted"
_OTHER_LIMITS = fields_of("limits", OtherLimits)
_MAY_HANG = "a process that may hang would take more of them"
_BY_TIME = "requests were turned away before any had to wait"
_INTERRUPTED = "the run was interrupted before the ceiling was met"


@frozen
class _Counted:
    """A run whose places were counted.

    Attributes:
        placed: the place of each offered request, by its id.
        held: the handlers of those in service, and those that run on although their clients were turned away.
        pressure: how close the server came to its limits.
        rate: what decided which requests were let in; None where no rate did.
    """

    timeline: Timeline
    first_request: FirstRequest
    ramp: Ramp
    snapshot: Snapshot
    placed: dict[int, Place]
    places: Places
    held: tuple[Entry, ...]
    pressure: Known[tuple[Pressure, ...] | None]
    rate: LetInLater | None


@frozen
class _AtLeast:
    """Why the number in service is not a bound although requests waited.

    Attributes:
        reason: for a person, with what would show the bound.
        most: what the ceiling may be; None if that is not known.
        no_queue: why nothing is known of the server's own queue either; "" where something is.
        seen: so many were in service at once later; 0 where not more than at the count.
        by_time: what turned requests away counts them over a time.
    """

    reason: str
    most: int | None = None
    no_queue: str = ""
    seen: int = 0
    by_time: bool = False


def judge(record: Timeline | OutsideTimeline) -> Verdict:
    """The verdict on one run.

    Raises:
        InconclusiveError: the load side was the limit, the server ended requests by a time limit, no request was in
            service, or the run gave up or ended before anything was placed.
    """
    if record.stopped is not None:
        raise InconclusiveError(record.stopped.what, record.stopped.why, record.stopped.remedy)
    if not isinstance(record, Timeline):
        from holdfast.infer.estimate import judge_outside  # noqa: PLC0415 - statistics are for attach alone

        return judge_outside(record)
    check_none_ended(record)
    counted = _counted(record)
    check_reached(record, counted.ramp, counted.places)
    if not limits_met(counted.pressure.value):
        check_not_worn_out(record, counted.snapshot, counted.placed)
    return _verdict(counted)


def _counted(timeline: Timeline) -> _Counted:
    snapshot, ramp, first_request = timeline.placed, timeline.ramp, timeline.first_request
    if snapshot is None or ramp is None or first_request is None:
        raise InconclusiveError(
            "The run ended before the places could be counted.",
            "; ".join(timeline.notes),
            "Run it again and let it finish.",
        )
    placed = placed_requests(timeline, snapshot)
    places = count_places(placed)
    if places.failed or ramp.reason == "our side":
        raise InconclusiveError(
            f"The load side was the limit after {len(placed)} requests: no verdict on the server.",
            "; ".join(timeline.notes) or "This machine has no descriptor or port left for another connection.",
            f"Offer fewer (--max-offered {max(1, len(placed) - places.failed)}) or raise the limit (ulimit -n).",
        )
    held = tuple(each for each in timeline.entries if placed.get(each.id) is Place.IN_SERVICE)
    held += running_on(timeline, placed)
    pressure, rate = pressure_of(timeline, held), let_in_later(timeline, placed)
    return _Counted(timeline, first_request, ramp, snapshot, placed, places, held, pressure, rate)


def _verdict(counted: _Counted) -> Verdict:
    timeline, snapshot, places = counted.timeline, counted.snapshot, counted.places
    unknown = Unknown()
    unknown.because(_ONE_SETTING, "binding")
    unknown.because(NOT_SAVED, "run")
    at_least = _at_least(counted)
    by_time = at_least is not None and at_least.by_time
    waits_by_time = bool(why_no_queue_by_time(timeline, places))
    ceiling, overflow = unknown.take(_ceiling_and_overflow(counted, at_least))
    before_view = before_view_of(timeline, snapshot, counted.placed, counted.first_request)
    call = unknown.take(calls_of(timeline))
    if ceiling.interval is None:
        unknown.because(_COUNTED, "ceiling.interval")
    verdict = Verdict(
        target=unknown.take(_target(timeline, counted.first_request)),
        limits=unknown.take(_limits(timeline)),
        offered=len(counted.placed),
        places=replace(places, before_view=unknown.take(before_view)),
        established=established_at(timeline, snapshot),
        ceiling=unknown.take(with_exact_load(ceiling, timeline, by_time=by_time or waits_by_time)),
        model=unknown.take(_model(counted)),
        overflow=overflow,
        abandoned=unknown.take(abandoned_of(timeline, by_time=by_time)),
        cost=unknown.take(_cost(counted)),
        binding=None,
        timing=unknown.take(_timing(timeline)),
        confidence="exact" if counted.ramp.crowd == 1 else "estimated",
        call=call,
        http2=unknown.take(http2_of(timeline, ceiling)),
        tls=unknown.take(_over_tls(counted)),
        front=unknown.take(front_of(snapshot, places)),
        waiting=unknown.take(waiting_of(timeline, before_view)),
        libraries=unknown.take(libraries_of(timeline)),
        pressure=unknown.take(counted.pressure),
        unknown=_with_what_was_left_out(unknown.reasons, timeline),
        warnings=(
            *((at_least.reason,) if at_least is not None else ()),
            *ended_at_limit(timeline, counted.placed, limits_met(counted.pressure.value)),
            *warnings_of(timeline, places, counted.placed, counted.rate),
            *doubts_of(timeline),
            *doubts_of_ceiling(ceiling, call, timeline),
        ),
    )
    return without_view(verdict, counted.first_request) if is_at_entry(counted.first_request) else verdict


def _with_what_was_left_out(reasons: dict[str, str], timeline: Timeline) -> dict[str, str]:
    if not timeline.experiment.brief:
        return reasons
    return {name: LEFT_OUT if why == NOT_SO_FAR else why for name, why in reasons.items()}


def _ceiling_and_overflow(counted: _Counted, at_least: _AtLeast | None) -> Known[tuple[Ceiling, Overflow]]:
    if counted.ramp.reason == "interrupted":
        ceiling, overflow = Ceiling.unknown(), Overflow(None, (), None)
        measured_otherwise = {"ceiling.at_exact_load", "ceiling.at_exact_repeats", "ceiling.interval"}
        names = {*missing("ceiling", ceiling), *missing("overflow", overflow)} - measured_otherwise
        return Known((ceiling, overflow), because(_INTERRUPTED, names))
    unknown = Unknown()
    ceiling = unknown.take(ceiling_of(counted.places, counted.ramp, counted.snapshot))
    ceiling = replace(ceiling, in_service=len(counted.held))
    rate = counted.rate
    before = turned_away_before(counted.timeline, counted.placed)
    no_queue = rate.why_no_queue if rate is not None else why_no_queue(counted.timeline, counted.placed) or ""
    by_time = before.reason if before is not None else why_no_queue_by_time(counted.timeline, counted.places)
    no_queue = by_time if rate is None and by_time else no_queue
    if at_least is not None:
        least = max(len(counted.held), at_least.seen)
        ceiling = replace(ceiling, in_service=least, bounded=False, interval=(least, at_least.most))
        no_queue = at_least.no_queue or no_queue
    if no_queue and ceiling.userspace_queue_bounded:
        ceiling = replace(ceiling, userspace_queue=None, userspace_queue_bounded=False)
        unknown.because(no_queue, "ceiling.userspace_queue")
    taken_in = counted.places.userspace_queue
    chance = why_by_chance(counted.held, counted.first_request.kind, counted.snapshot, taken_in)
    if chance and ceiling.userspace_queue is not None:
        ceiling = replace(ceiling, userspace_queue=None, userspace_queue_bounded=None)
        unknown.because(chance, "ceiling.userspace_queue", "ceiling.userspace_queue_bounded")
    counts = Counter(counted.placed.values())
    requests = {request.id: request for request in offered_requests(counted.timeline)}
    full = ceiling.accept_queue is not None
    sees = client_sees(
        counts,
        requests,
        counted.placed,
        syn_lost=counted.ramp.reason == "syn",
        queue_full=full,
        of_waiting=fate_of_waiting(counted.timeline, counted.placed),
    )
    if waited_before(counted.timeline, counted.placed):
        counts[Place.USERSPACE_QUEUE] += 1
    if rate is None and by_time:
        counts -= Counter({place: counts[place] for place in TURNED_AWAY_PLACES})
    overflow = unknown.take(overflow_of(order_of(counts), sees))
    no_fate = rate.why_no_fate if rate is not None else why_no_fate(counted.ramp, counted.places)
    if no_fate := by_time if rate is None and by_time else no_fate:
        overflow = replace(overflow, client_sees=None)
        unknown.because(no_fate, "overflow.client_sees")
    return Known((ceiling, overflow), unknown.reasons)


def _at_least(counted: _Counted) -> _AtLeast | None:
    """None where the number in service is a bound, and where the ramp was interrupted before that could show."""
    if counted.ramp.reason == "interrupted":
        return None
    rate = counted.rate
    if rate is not None and rate.enters:
        return _AtLeast(rate.reason(counted.places.in_service), no_queue=rate.why_no_queue)
    open_ = open_places(counted.snapshot, counted.places, counted.held, counted.timeline.entries)
    if open_ is not None:
        return _AtLeast(open_.reason(counted.places), open_.most, _MAY_HANG if open_.hanging else "")
    if rate is None and (by_time := why_by_time(counted.timeline, counted.places)) is not None:
        return _AtLeast(by_time, no_queue=_BY_TIME, by_time=True)
    seen = counted.ramp, counted.snapshot, counted.places
    if for_others := why_equal_ones_wait(*seen) or why_more_for_one(*seen):
        later = counted.ramp.given_back
        return _AtLeast(for_others, seen=0 if later is None else later.in_service)
    growing = why_growing(counted.timeline, counted.ramp, counted.snapshot, counted.held)
    if not growing and not limits_met(counted.pressure.value):
        growing = why_more_later(counted.timeline, counted.snapshot, counted.places.in_service)
    return _AtLeast(growing, no_queue=why_no_fate(counted.ramp, counted.places)) if growing else None


def _model(counted: _Counted) -> Known[Model]:
    unknown = Unknown()
    entries = counted.timeline.entries
    idle = idle_acceptors(counted.snapshot, entries)
    late = _late(counted.timeline, counted.snapshot)
    outlived, loops = counted.timeline.outlived, counted.timeline.accepting_loops
    if outlived is None and counted.timeline.marks.released_ns == NEVER:
        # Cut short when all were held: which threads had not served before is chance.
        outlived = NOT_LOOKED_AT
    model = unknown.take(model_of(entries, counted.held, late, idle, outlived, loops))
    if counted.held:
        model = unknown.take(without_count(model, may_be_starting(counted.snapshot, entries)))
    front = counted.snapshot.front
    behind = counted.snapshot.acceptors if front is not None and front.queues else ()
    queues = unknown.take(listen_queues_of(counted.snapshot.listeners, behind=behind or ()))
    return Known(replace(model, listen_queues=queues), unknown.reasons)


def _cost(counted: _Counted) -> Known[Cost]:
    timeline = counted.timeline
    return cost_of(
        timeline.usage,
        counted.places,
        maybe_starting=timeline.server.waits_unread,
        again=timeline.usage_again,
        serving=len({each.pid for each in counted.held} & set(timeline.server.pids)),
    )


def _over_tls(counted: _Counted) -> Known[OverTls | None]:
    if not counted.first_request.tls:
        return Known(None, {"tls": PLAIN_HTTP})
    unshaken = before_handshake(counted.timeline, counted.snapshot, counted.placed)
    return Known(OverTls(certificate_checked=False, before_handshake=unshaken))


def _late(timeline: Timeline, snapshot: Snapshot) -> set[int]:
    """Processes that were not there when the places were counted: they came later, in place of others, or had ended."""
    before = {entry.pid for entry in timeline.entries if entry.entered_ns <= snapshot.ended_ns}
    before |= {each.pid for each in snapshot.acceptors}
    return {entry.pid for entry in timeline.entries} - before - set(timeline.server.pids) | set(timeline.gone)


def _target(timeline: Timeline, first_request: FirstRequest) -> Known[Target]:
    server, experiment = timeline.server, timeline.experiment
    own_command = isinstance(experiment.target, CommandTarget)
    target = Target(
        server=server.name,
        version=server.version or None,
        command=server.command,
        app=_app(timeline),
        view=experiment.view or first_request.kind or None,
        path=experiment.path,
        held_in=first_request.held_in,
        python=server.python or None,
        gil=None if timeline.gil is None else timeline.gil != "off",
    )
    unknown = {}
    if target.version is None:
        unknown["target.version"] = _OWN_COMMAND if own_command else _NO_VERSION
    if target.python is None:
        unknown["target.python"] = _NO_PYTHON
    if target.gil is None:
        unknown["target.gil"] = _GIL_NOT_KEPT
    return Known(target, unknown)


def _app(timeline: Timeline) -> str:
    target = timeline.experiment.target
    if isinstance(target, CommandTarget):
        return shlex.join(target.command)
    assert isinstance(target, ProbeTarget)
    return target.app or "built-in"


def _limits(timeline: Timeline) -> Known[Limits]:
    server = timeline.server
    others = server.other_limits
    kept = {} if others is None else {each.name: getattr(others, each.name) for each in fields(OtherLimits)}
    limits = Limits(nofile=server.nofile, nproc=server.nproc, somaxconn=server.somaxconn, **kept)
    # No process is without a limit of descriptors (kernel/sys.c, fs.nr_open): where it is null, none could be read.
    of_process = UNREADABLE if limits.nofile is None else UNLIMITED
    reasons = {
        **because(UNREADABLE, fields_of("limits", Limits)),
        **because(of_process, ("limits.nproc", "limits.address_space")),
        **because(NO_GROUP, ("limits.pids_max", "limits.memory_max")),
        **because("" if kept else NOT_KEPT, _OTHER_LIMITS),
    }
    return Known(limits, {name: reasons[name] for name in missing("limits", limits)})


def _timing(timeline: Timeline) -> Known[Timing]:
    marks = timeline.marks
    timing = Timing(
        server_start_s=seconds(marks.started_ns, marks.ready_ns),
        probe_s=seconds(marks.ready_ns, marks.placed_ns),
        total_s=seconds(marks.ready_ns, marks.ended_ns),
        pacing_lag_p99_us=pacing_lag_p99_us(offered_requests(timeline)),
        watched_s=watched_s(timeline),
    )
    unknown = because(NOT_SO_FAR, missing("timing", timing))
    if timing.watched_s is None:
        unknown["timing.watched_s"] = _NONE_WAITED
    if timing.pacing_lag_p99_us is None:
        unknown["timing.pacing_lag_p99_us"] = "no request was sent"
    return Known(timing, unknown)
