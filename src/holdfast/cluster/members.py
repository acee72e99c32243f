"""The hosts that share a load: what this host knows of them during the load, and their rows as one run in the end."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from holdfast.cluster.clocks import SAME, Offset, over_run
from holdfast.cluster.dask_cluster import Worker
from holdfast.cluster.frames import Progress
from holdfast.cluster.merge import Merged, Report, pacing_lag_p99_ns, read_report
from holdfast.engine.collect import LoadRun, asked_rate_per_s, begin_together, run_of
from holdfast.engine.parts import Loss
from holdfast.engine.plan import Plan, Stop, stop_reason
from holdfast.engine.reports import RunFacts
from holdfast.engine.streams_seen import together
from holdfast.model.load import HostResult, LoadExperiment
from holdfast.model.places import Outcome
from holdfast.model.progress import HostProgress, SharedProgress
from holdfast.model.units import MS, NS_PER_S, US

_RATE_NS = 1_500_000_000
"""Rates are over at least so long: hosts are asked twice a second, and may answer late."""


@dataclass(slots=True)
class Member:
    """One host's part in a load.

    Attributes:
        worker: the cluster's worker process on it.
        key: the worker's key for the load agent.
        share: (i, n).
        before, after: its clock before and after the run; None if it was not measured again.
        heard_ns: when it last said how far it is.
        rates: (instant, requests begun), at the begin and the end of what its rate is over.
        rows: what it passed on of what had ended, message by message.
        report_bytes: size of its report; None before the end.
        report: its report; None before it is here.
        lost: why it counts as lost, in words; None if it does not.
        lost_ns: when the loss was noticed.
    """

    worker: Worker
    key: str
    share: tuple[int, int]
    before: Offset = SAME
    after: Offset | None = None
    progress: Progress = field(default_factory=Progress)
    heard_ns: int = 0
    rates: tuple[tuple[int, int], ...] = ()
    rows: list[bytes] = field(default_factory=list)
    report_bytes: int | None = None
    report: bytes | None = None
    lost: str | None = None
    lost_ns: int = 0

    @property
    def name(self) -> str:
        """The name of the host."""
        return self.worker.name

    @property
    def clock(self) -> Offset:
        """How far its clock was ahead of ours, over the whole run."""
        return over_run(self.before, self.after)


@dataclass(slots=True)
class SharedLoad:
    """A load that several hosts share.

    Attributes:
        start_ns: the common start, CLOCK_MONOTONIC of this host.
        ending_ns: when no further request was to be begun; None if the load was not ended early.
        reached: why the stop rule ended it, in words; None if it did not.
    """

    start_ns: int = 0
    ending_ns: int | None = None
    reached: str | None = None
    members: list[Member] = field(default_factory=list)


def seen_progress(load: SharedLoad, plans: Sequence[Plan], now_ns: int, ending: Stop) -> SharedProgress:
    """How far a load is, for a person who waits.

    Args:
        ending: how a person told it to end.
    """
    seconds = [plan.shape.planned_s for plan in plans]
    requests = [plan.shape.planned for plan in plans]
    return SharedProgress(
        elapsed_s=max(0.0, (now_ns - load.start_ns) / NS_PER_S),
        planned_s=None if None in seconds else max(filter(None, seconds), default=None),
        planned=None if None in requests else sum(filter(None, requests)),
        hosts=tuple(_host_progress(member) for member in load.members),
        ending={Stop.NOT: "", Stop.DRAIN: "draining", Stop.AT_ONCE: "giving up"}[ending],  # type: ignore[arg-type]
    )


def _host_progress(member: Member) -> HostProgress:
    begun, progress = _begun(member), member.progress
    if not member.rates or member.heard_ns - member.rates[-1][0] >= _RATE_NS:
        member.rates = (*member.rates[-1:], (member.heard_ns, begun))
    rate = None
    if len(member.rates) > 1 and member.lost is None:
        (from_ns, before), (to_ns, after) = member.rates
        rate = (after - before) * NS_PER_S / (to_ns - from_ns)
    return HostProgress(member.name, begun, progress.ended, progress.unanswered, rate, member.lost)


def merge_members(merged: Merged, load: SharedLoad, experiment: LoadExperiment) -> LoadRun:
    """Merges the rows of all hosts into one run."""
    limits: list[str] = []
    notes: set[str] = set()
    location, streams, redirects = "", [], 0
    hosts = []
    for member in load.members:
        report, rows = _taken(merged, member)
        if report is None:
            kept, rows = _lost(merged, load, member)
            limits.append(_loss_in_words(member, kept, len(rows)))
            hosts.append(replace(_result(member, _begun(member), None), lost=member.lost, failed=len(rows)))
            continue
        limits += [f"{member.name}: {each}" for each in report.limits]
        notes |= set(report.notes)
        location = location or report.location
        streams.append(report.http2)
        redirects += report.redirects
        hosts.append(_result(member, len(rows), pacing_lag_p99_ns(merged.columns, rows)))
    rows_of_all = merged.begun
    unanswered = sum(merged.columns.outcome[row] != Outcome.ANSWERED for row in rows_of_all)
    facts = RunFacts(
        spans=merged.spans,
        sources=merged.sources,
        stopped=load.reached and (stop_reason(experiment.stop, len(rows_of_all), unanswered) or load.reached),
        asked_per_s=asked_rate_per_s(merged.plans),
        together=begin_together(merged.plans),
        limits=tuple(limits),
        notes=tuple(sorted(notes)),
        location=location,
        http2=together(streams),
        hosts=tuple(hosts),
        redirects=redirects,
    )
    return run_of(merged.columns, rows_of_all, facts)


def _taken(merged: Merged, member: Member) -> tuple[Report | None, list[int]]:
    """What a host recorded, and its rows; None if it was lost, or its report cannot be read."""
    if member.report is None:
        return None, []
    try:
        report = read_report(member.report)
        return report, merged.take(report, member.clock)
    except ValueError as error:
        member.lost, member.lost_ns = f"its rows cannot be read ({error})", member.heard_ns
        return None, []


def _lost(merged: Merged, load: SharedLoad, member: Member) -> tuple[int, list[int]]:
    """Takes what a lost host had passed on, and counts the rest of what it was to send as failed.

    Returns:
        How many rows it had passed on, and those that count as failed.
    """
    kept: list[int] = []
    unpacking = merged.unpacking()
    for message in member.rows:
        with contextlib.suppress(ValueError):  # as if it had not come
            kept += merged.take_rows(message, member.clock, unpacking)
    begun = member.progress.begun or [0] * len(merged.plans)
    losses = [Loss(load.start_ns, member.lost_ns, each, load.ending_ns) for each in begun]
    return len(kept), merged.lose(member.share, losses, kept)


def _loss_in_words(member: Member, kept: int, failed: int) -> str:
    number, many = member.share
    ago_s = (member.lost_ns - member.heard_ns) / NS_PER_S
    return (
        f"{member.name} ({member.worker.address}) was lost: {member.lost}. With share {number + 1} of {many} it had "
        f"begun {_begun(member):,} requests, of which {member.progress.ended:,} had ended, according to its last "
        f"report {ago_s:.1f} s before. The rows of {kept:,} had been passed on and count as they ended; "
        f"{failed:,} requests count as failed, because their outcome is unknown."
    )


def _begun(member: Member) -> int:
    return sum(member.progress.begun)


def _result(member: Member, begun: int, lag_ns: int | None) -> HostResult:
    clock = member.clock
    drift = None if member.after is None else round((member.after.ns - member.before.ns) / US, 1)
    return HostResult(
        name=member.name,
        address=member.worker.address,
        share=(member.share[0] + 1, member.share[1]),
        begun=begun,
        pacing_lag_p99_us=None if lag_ns is None else lag_ns // US,
        clock_offset_ms=round(clock.ns / MS, 3),
        clock_uncertainty_ms=round(clock.uncertainty_ns / MS, 3),
        clock_drift_us=drift,
    )
