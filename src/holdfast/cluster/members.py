"""The hosts that share a load: what this host knows of them during the load, and their rows as one run in the end."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, field, replace

from holdfast.cluster.clocks import SAME, Offset, over_run
from holdfast.cluster.dask_cluster import Worker
from holdfast.cluster.frames import Progress
from holdfast.cluster.merge import Merged, Report, pacing_lag_p99_ns, read_report
from holdfast.load.collect import LoadRun, asked_rate_per_s, begin_together, run_of
from holdfast.load.parts import Loss
from holdfast.load.plan import stop_reason
from holdfast.load.reports import RunFacts
from holdfast.load.streams_seen import together
from holdfast.model.load import HostResult, LoadExperiment
from holdfast.model.places import Outcome
from holdfast.model.units import MS, NS_PER_S, US

_MOST_NAMED = 6


@dataclass(slots=True)
class Member:
    """One host's part in a load.

    Attributes:
        worker: the cluster's worker process on it.
        key: the worker's key for the load agent.
        share: (i, n).
        before, after: its clock before and after the run; None if it was not measured again.
        heard_ns: when it last said how far it is.
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


def progress_line(load: SharedLoad, now_ns: int) -> str:
    """How far a load is, for a person who waits."""
    members = load.members
    since_s = (now_ns - load.start_ns) / NS_PER_S
    begun = sum(sum(member.progress.begun) for member in members)
    ended = sum(member.progress.ended for member in members)
    each = ", ".join(
        f"{member.name} {'lost' if member.lost else format(sum(member.progress.begun), ',')}"
        for member in members[:_MOST_NAMED]
    )
    more = f", and {len(members) - _MOST_NAMED} more" if len(members) > _MOST_NAMED else ""
    return f"{max(0.0, since_s):7.1f} s: {begun:,} begun, {ended:,} ended ({each}{more})"


def merge_members(merged: Merged, load: SharedLoad, experiment: LoadExperiment) -> LoadRun:
    """Merges the rows of all hosts into one run."""
    limits: list[str] = []
    notes: set[str] = set()
    location, streams = "", []
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
    for message in member.rows:
        with contextlib.suppress(ValueError):  # as if it had not come
            kept += merged.take_rows(message, member.clock)
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
