"""How a load on several hosts goes, as whoever asked for it knows it, and what it comes to in the end; pure."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from holdfast.cluster.clocks import SAME, Offset, over_run
from holdfast.cluster.dask_cluster import Worker
from holdfast.cluster.frames import Progress
from holdfast.cluster.merge import Loss, Merged, Report, pacing_lag_p99_ns, read_report
from holdfast.load.collect import Beside, LoadRun, asked_rate_per_s, run_of
from holdfast.load.plan import stop_reason
from holdfast.model.load import HostResult, LoadExperiment
from holdfast.model.places import Outcome
from holdfast.model.units import NS_PER_S

_MOST_NAMED = 6


@dataclass(slots=True)
class Member:
    """One host's part in a load.

    Attributes:
        key: by which its worker knows the agent.
        share: (i, n).
        heard_ns: when it last said how far it is.
        lost: why it counts as lost, in words, and when that was seen.
        report: what it recorded.
    """

    worker: Worker
    key: str
    share: tuple[int, int]
    before: Offset = SAME
    after: Offset | None = None
    progress: Progress = field(default_factory=Progress)
    heard_ns: int = 0
    report_bytes: int | None = None
    report: bytes | None = None
    lost: str | None = None
    lost_ns: int = 0

    @property
    def name(self) -> str:
        """Of its host."""
        return self.worker.name

    @property
    def clock(self) -> Offset:
        """How far its clock was ahead of ours, over the whole run."""
        return over_run(self.before, self.after)


@dataclass(slots=True)
class Course:
    """How a load went. `ending_ns` is when it was to begin no further request; None where nobody asked for that."""

    start_ns: int = 0
    ending_ns: int | None = None
    reached: str | None = None
    members: list[Member] = field(default_factory=list)


def line(course: Course, now_ns: int) -> str:
    """How far a load is, for a person who waits."""
    members = course.members
    since_s = (now_ns - course.start_ns) / NS_PER_S
    begun = sum(sum(member.progress.begun) for member in members)
    ended = sum(member.progress.ended for member in members)
    each = ", ".join(
        f"{member.name} {'lost' if member.lost else format(sum(member.progress.begun), ',')}"
        for member in members[:_MOST_NAMED]
    )
    more = f", and {len(members) - _MOST_NAMED} more" if len(members) > _MOST_NAMED else ""
    return f"{max(0.0, since_s):7.1f} s: {begun:,} begun, {ended:,} ended ({each}{more})"


def put_together(merged: Merged, course: Course, experiment: LoadExperiment) -> LoadRun:
    """All hosts' rows as one run."""
    limits: list[str] = []
    notes: set[str] = set()
    location = ""
    hosts = []
    for member in course.members:
        report = _report(member)
        if report is not None:
            own = merged.take(report, member.clock)
            limits += [f"{member.name}: {each}" for each in report.limits]
            notes |= set(report.notes)
            location = location or report.location
            hosts.append(_told(member, len(own), pacing_lag_p99_ns(merged.columns, own)))
            continue
        begun = member.progress.begun or [0] * len(merged.plans)
        own = merged.lose(member.share, course.start_ns, Loss(member.lost_ns, begun, course.ending_ns))
        ago_s = (member.lost_ns - member.heard_ns) / NS_PER_S
        limits.append(
            f"{member.name} ({member.worker.address}) was lost: {member.lost}. With share {member.share[0] + 1} of "
            f"{member.share[1]} it had begun {sum(begun):,} requests, of which {member.progress.ended:,} had ended, as "
            f"far as it told ({ago_s:.1f} s before). {len(own):,} requests count as failed, because nobody knows "
            f"what became of them."
        )
        hosts.append(replace(_told(member, sum(begun), None), lost=member.lost, failed=len(own)))
    rows = merged.begun
    asked_per_s = asked_rate_per_s(merged.plans)
    unanswered = sum(merged.columns.outcome[row] != Outcome.ANSWERED for row in rows)
    stop = course.reached and (stop_reason(experiment.stop, len(rows), unanswered) or course.reached)
    beside = Beside(asked_per_s, None, tuple(limits), tuple(sorted(notes)), location, tuple(hosts))
    return run_of(merged.columns, rows, merged.spans, merged.sources, stop, beside)


def _report(member: Member) -> Report | None:
    """What a host recorded; None where it was lost, or what it brought cannot be read."""
    if member.report is None:
        return None
    try:
        return read_report(member.report)
    except ValueError as error:
        member.lost, member.lost_ns = f"its rows cannot be read ({error})", member.heard_ns
        return None


def _told(member: Member, begun: int, lag_ns: int | None) -> HostResult:
    clock = member.clock
    drift = None if member.after is None else round((member.after.ns - member.before.ns) / 1e3, 1)
    return HostResult(
        name=member.name,
        address=member.worker.address,
        share=(member.share[0] + 1, member.share[1]),
        begun=begun,
        pacing_lag_p99_us=None if lag_ns is None else lag_ns // 1000,
        clock_offset_ms=round(clock.ns / 1e6, 3),
        clock_uncertainty_ms=round(clock.uncertainty_ns / 1e6, 3),
        clock_drift_us=drift,
    )
