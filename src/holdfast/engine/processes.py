"""Runs plans: in this process, or shared out among several that are forked from it.

Facts
-----
* A process has as many descriptors as its hard RLIMIT_NOFILE allows, and not even root can have more: 20,000
  connections at once need a second process.
* An anonymous shared mapping that exists before the fork is the same memory afterwards, and all processes
  of a host read the same CLOCK_MONOTONIC.

Decisions
---------
* Rows are shared out beforehand, so that processes have nothing to agree on: each writes its own.
* All begin at one instant a little in the future, so that none starts late.
* Whatever a process has to report besides its rows (a failure in words, a strange reply) it writes as JSON
  into a pipe when it is done. A pipe that ends without a report is a lost process: what it had not ended counts
  as our own failure, never as the server's.
* A process ends itself when its parent is gone. One that does not end when it is asked to is killed
  (`engine.listening`). A pattern may take any time, so what checks replies by one is always a process of its own.
* What exists before the fork is hidden from the garbage collector, here and in the processes: a collection writes
  to every object that it looks at, so each process would get its own copy of it, 9 MB after some 10,000 connections
  (measured).
"""

from __future__ import annotations

import gc
import os
import signal
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING

from holdfast.engine.acceptance import body_holds
from holdfast.engine.collect import LoadRun, LostProcess, collect, report_for_lost
from holdfast.engine.columns import Columns, Tally
from holdfast.engine.connecting import event_rows_of, prepare, sender_of
from holdfast.engine.forked import STOPPING, be_load_process, report_in
from holdfast.engine.listening import HUNG, end_of, listen
from holdfast.engine.local_limits import (
    connections_of_one_process,
    ephemeral_ports,
    no_process,
    raise_descriptor_limit,
    remedy,
    restore_descriptor_limit,
)
from holdfast.engine.matching import checks_in_time
from holdfast.engine.parts import Part
from holdfast.engine.plan import Plan, Stop, nothing_listens, processes_for, share_out, sources_for, stop_reason, whole
from holdfast.engine.replies import Replies
from holdfast.engine.reports import WorkerReport
from holdfast.engine.sender import Sender
from holdfast.engine.sending import Control, send
from holdfast.engine.stalls import Stalls
from holdfast.engine.timeouts import Deadlines
from holdfast.model.frozen import frozen
from holdfast.model.load import StopRule
from holdfast.model.units import NS_PER_S

if TYPE_CHECKING:
    from holdfast.engine.event_rows import EventRows  # of events alone

# A fork of a small process takes about 1 ms.
HEAD_START_NS = 20_000_000
NO_RULE = StopRule()


@frozen
class Watched:
    """A load run in progress.

    Attributes:
        start_ns: CLOCK_MONOTONIC of its start.
        columns: of all plans; memory that the load processes write to.
        spans: rows of each plan.
        shares: for each part in the tally, in its order: the plan it belongs to, and its share of that.
        pids: of the load processes, in the same order.
        events: in replies, of each load process that looks for them; memory that they write to.
    """

    start_ns: int
    columns: Columns
    spans: tuple[range, ...]
    tally: Tally
    plans: tuple[Plan, ...]
    shares: tuple[tuple[int, Part], ...]
    pids: tuple[int, ...] = ()
    events: tuple[EventRows, ...] = ()


@frozen
class _Job:
    """The work of one load process.

    Attributes:
        columns: of its plan alone.
        number: its index in the tally.
    """

    plan: Plan
    part: Part
    columns: Columns
    sources: Sequence[str]
    number: int
    events: EventRows | None = None


def load_runs(
    plans: Sequence[Plan],
    stopped: Callable[[], Stop] = lambda: Stop.NOT,
    *,
    rule: StopRule = NO_RULE,
    watch: Callable[[Watched], None] | None = None,
    share: tuple[int, int] = (0, 1),
    start_ns: int | None = None,
) -> LoadRun:
    """Carries out plans that begin together, and waits for their end.

    Args:
        stopped: asked at least ten times a second, and never takes back what it said. If the run is to end at once,
            whatever has not ended is given up.
        watch: called at least ten times a second during the load, in this process, which then sends nothing itself,
            and once when the load is over.
        share: (i, n): only share i of n of each plan; the others are begun elsewhere at the same time.
        start_ns: CLOCK_MONOTONIC at which to begin; None begins as soon as all processes are ready.

    Raises:
        EnvironmentFailure: a plan's address cannot be looked up, or a load process could not be started.
    """
    soft = raise_descriptor_limit()
    try:
        edges = [0, *accumulate(plan.requests for plan in plans)]
        spans = tuple(range(first, last) for first, last in pairwise(edges))
        columns = Columns(edges[-1])
        jobs, shares = _jobs(plans, spans, columns, share)
        tally, events = Tally(len(jobs)), tuple(job.events for job in jobs if job.events is not None)
        if len(jobs) == 1 and watch is None and not jobs[0].plan.needs_a_process:
            begin_ns = time.monotonic_ns() if start_ns is None else start_ns
            reports = [_run_part(jobs[0], begin_ns, stopped, rule, tally)]
        else:
            begin_ns = time.monotonic_ns() + HEAD_START_NS * len(jobs) if start_ns is None else start_ns
            watched = Watched(begin_ns, columns, spans, tally, tuple(plans), shares, events=events)
            reports = _fork(jobs, watched, stopped, rule, watch)
    finally:
        restore_descriptor_limit(soft)
    reason = stop_reason(rule, sum(tally.ended), sum(tally.unanswered))
    reason = reason or next((each.nothing_listens for each in reports if each.nothing_listens), None)
    by_plan = [
        [(job.part, each) for job, each in zip(jobs, reports, strict=True) if job.plan is plan] for plan in plans
    ]
    return collect(plans, by_plan, columns, spans, reason, events)


def _jobs(
    plans: Sequence[Plan], spans: Sequence[range], columns: Columns, share: tuple[int, int]
) -> tuple[list[_Job], tuple[tuple[int, Part], ...]]:
    """The load processes' work, and of each of them the plan and the part."""
    index, many = share
    jobs: list[_Job] = []
    shares: list[tuple[int, Part]] = []
    for number, (plan, span) in enumerate(zip(plans, spans, strict=True)):
        part = share_out(plan, whole(plan), many)[index]
        sources = plan.sources
        if sources is None:
            sources = sources_for(plan.address, -(-plan.ports // many), ephemeral_ports())
        own = columns.part(span)
        prepare(plan)
        connections = -(-part.connections // (plan.streams or 1))
        processes = plan.processes or processes_for(connections, connections_of_one_process())
        processes = processes if plan.streams is None else min(processes, connections)
        for own_part in share_out(plan, part, processes):
            jobs.append(_Job(plan, own_part, own, sources, len(jobs), event_rows_of(plan, span.start)))
            shares.append((number, own_part))
    return jobs, tuple(shares)


def _run_part(job: _Job, start_ns: int, stopped: Callable[[], Stop], rule: StopRule, tally: Tally) -> WorkerReport:
    """Carries out one part of the run, in the process that calls it."""
    plan = job.plan
    if plan.travel is not None:
        from holdfast.engine.journey_runs import run_journeys  # noqa: PLC0415 - a load that is fixed beforehand does without

        return run_journeys(plan.travel, job.columns, job.part, job.sources, start_ns, stopped, rule, tally, job.number)
    connections = sender_of(plan, job.part.connections, job.columns, job.sources, job.events, start_ns)
    connections.replies = tuple(
        Replies(each, checks_in_time() if each.has_patterns else body_holds) for each in plan.acceptances
    )
    for each in connections.replies:
        each.in_pieces = plan.events
    connections.remembers_finished = plan.shape.follows_each_end
    connections.remembers_sent = plan.timeouts.first_byte_s is not None
    try:
        loop = plan.shape.loop(job.part, job.columns, start_ns, _deadlines(job, connections), keeps=plan.keeps)
        stalls = send(plan, loop, job.columns, connections, Control(stopped, rule, tally, job.number))
        connections.give_up(connections.pending())
        tally.ended[job.number] = connections.ended
        return _report(job, connections, time.monotonic_ns() - start_ns, stalls)
    finally:
        connections.close()


def _report(job: _Job, connections: Sender, lasted_ns: int, stalls: Stalls) -> WorkerReport:
    failure, replies = connections.failure, connections.replies
    return WorkerReport(
        begun=connections.ended,
        reached=connections.highest_row + 1,
        failure=_in_words(failure, job) if failure else None,
        too_slow=next((each.too_slow for each in replies if each.too_slow), None),
        malformed=next((each.malformed for each in replies if each.malformed), None),
        excess=sum(each.excess for each in replies),
        cut=sum(each.cut for each in replies),
        location=next((each.location for each in replies if each.location), ""),
        sources=connections.sources,
        streams=dict(connections.counts),
        advertised=connections.advertised,
        peak=connections.peak,
        busy=1 - connections.idle_ns / max(1, lasted_ns),
        lasted_s=lasted_ns / NS_PER_S,
        longest_stall_s=stalls.longest_ns / NS_PER_S,
        stalled_s=stalls.total_ns / NS_PER_S,
        nothing_listens=nothing_listens(connections, waits_for_replies=job.plan.shape.waits_for_replies),
    )


def _in_words(failure: tuple[int, str], job: _Job) -> str:
    number, words = failure
    return f"{words[0].upper()}{words[1:]}. {remedy(number, job.plan.connections, job.part.connections)}".rstrip()


def _deadlines(job: _Job, connections: Sender) -> Deadlines:
    timeouts = job.plan.timeouts
    whole_ns, connect_ns, first_byte_ns = (
        None if each is None else round(each * NS_PER_S)
        for each in (timeouts.whole_s, timeouts.connect_s, timeouts.first_byte_s)
    )
    times_ns = (whole_ns, connect_ns, first_byte_ns)
    return Deadlines(job.columns, connections.sent_rows, *times_ns, connections.resent_rows)


def _fork(
    jobs: Sequence[_Job],
    watched: Watched,
    stopped: Callable[[], Stop],
    rule: StopRule,
    watch: Callable[[Watched], None] | None,
) -> list[WorkerReport]:
    """Carries out each part in a process of its own."""
    parent = os.getpid()

    def orphaned() -> bool:
        return os.getppid() != parent

    tally = watched.tally

    def asked() -> Stop:
        if watch is not None:
            watch(watched)
        reached = stop_reason(rule, sum(tally.ended), sum(tally.unanswered)) is not None
        return max(stopped(), Stop.DRAIN if reached else Stop.NOT)

    children: dict[int, int] = {}
    reports: dict[int, bytes] = {}
    hung: set[int] = set()
    ends: dict[int, str] = {}
    try:
        gc.freeze()
        for job in jobs:
            # Until the fork has its own handlers, a signal that asks it to stop must not end it.
            before = signal.pthread_sigmask(signal.SIG_BLOCK, STOPPING)
            try:
                reading, writing = os.pipe()
                pid = os.fork()
            except OSError as error:
                signal.pthread_sigmask(signal.SIG_SETMASK, before)
                raise no_process(error, len(children) + 1, len(jobs)) from error
            if pid == 0:
                run_part = partial(_run_part, job, watched.start_ns, rule=_of_one_process(rule), tally=tally)
                be_load_process(run_part, orphaned, writing, (reading, *children))
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
            os.close(writing)
            children[reading] = pid
        watched = replace(watched, pids=tuple(children.values()))
        reports, hung = listen(children, asked, tally.own_since)
        if watch is not None:
            watch(watched)
    finally:
        gc.unfreeze()
        for reading, pid in children.items():
            end = end_of(pid, at_once=reading not in reports)
            ends[reading] = HUNG if reading in hung else end
            os.close(reading)
    return [
        report_in(reports[reading]) or _lost(job, watched, ends[reading], reports[reading])
        for job, reading in zip(jobs, children, strict=True)
    ]


def _of_one_process(rule: StopRule) -> StopRule:
    """The part of a rule that one of several processes can judge alone: it does not know the share of all errors."""
    return StopRule(first_failure=rule.first_failure)


def _lost(job: _Job, watched: Watched, end: str, dump: bytes) -> WorkerReport:
    if dump and job.plan.travel is not None:
        end = job.plan.travel.own.stuck_at(dump.decode(errors="replace"))
    reached = watched.tally.reached[job.number]
    lost = LostProcess(job.part, watched.start_ns, reached, time.monotonic_ns(), end, job.sources)
    return report_for_lost(job.plan.shape, job.columns, lost)
