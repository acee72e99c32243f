"""Runs a plan: in this process, or shared out among several that are forked from it.

Facts
-----
* A process has as many descriptors as its hard RLIMIT_NOFILE allows, and not even root can have more: 20,000
  connections at once need a second process.
* An anonymous shared mapping that exists before the fork is the same memory afterwards, and all processes
  of a host read the same CLOCK_MONOTONIC.

Decisions
---------
* Rows are shared out beforehand, so that processes have nothing to agree on: each writes its own.
* All begin at one instant that lies a little in the future, so that none starts late.
* What a process has to say beside its rows (a failure in words, a strange reply) it writes as one JSON
  object into a pipe when it is done. A pipe that ends without one is a lost process: what it had not
  ended counts as our own failure, never as the server's.
* A process ends itself when its parent is gone.
* What there is before the fork is kept from the garbage collector, here and in the processes: a collection writes
  to all that it looks at, so that each process would get its own copy of it, 9 MB after some 10,000 connections
  (measured).
"""

from __future__ import annotations

import contextlib
import gc
import json
import os
import select
import signal
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from itertools import accumulate, pairwise
from typing import NoReturn

from holdfast.load.collect import LoadRun, Told, gathered, told_for_lost
from holdfast.load.columns import Columns, Tally
from holdfast.load.connecting import connections_to
from holdfast.load.local_limits import (
    connections_of_one_process,
    ephemeral_ports,
    no_process,
    raise_descriptor_limit,
    remedy,
    restore_descriptor_limit,
)
from holdfast.load.loop import Loop, Seen, closed_model, open_model
from holdfast.load.plan import (
    Closed,
    Open,
    Part,
    Plan,
    Sessions,
    Stop,
    processes_for,
    share_out,
    sources_for,
    stop_reason,
    whole,
)
from holdfast.load.replies import Replies
from holdfast.load.sessions import is_last, sessions
from holdfast.load.timeouts import Patience
from holdfast.model.load import StopRule
from holdfast.model.units import NS_PER_S

LOOK_MS = 100
# A fork of a small process takes about 1 ms.
HEAD_START_NS = 20_000_000
STOPPING = (signal.SIGINT, signal.SIGTERM)
NO_RULE = StopRule()


@dataclass(frozen=True, slots=True)
class Watched:
    """A load run that goes on, as whoever watches it sees it.

    Attributes:
        start_ns: CLOCK_MONOTONIC of its start.
        columns, spans: as of `LoadRun`; memory that the load processes write to.
        shares: of each part in the tally, in its order, which plan it belongs to and what it has of that.
        pids: of the load processes, in the same order.
    """

    start_ns: int
    columns: Columns
    spans: tuple[range, ...]
    tally: Tally
    plans: tuple[Plan, ...]
    shares: tuple[tuple[int, Part], ...]
    pids: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class _Job:
    """What one load process does.

    Attributes:
        columns: of its plan alone.
        number: of its part in the tally.
    """

    plan: Plan
    part: Part
    columns: Columns
    sources: Sequence[str]
    number: int


def _go_on() -> Stop:
    return Stop.NOT


def load_run(plan: Plan, stopped: Callable[[], Stop] = _go_on) -> LoadRun:
    """Carries out one plan and waits for its end; as `load_runs`."""
    return load_runs((plan,), stopped)


def load_runs(
    plans: Sequence[Plan],
    stopped: Callable[[], Stop] = _go_on,
    *,
    rule: StopRule = NO_RULE,
    watch: Callable[[Watched], None] | None = None,
    share: tuple[int, int] = (0, 1),
    start_ns: int | None = None,
) -> LoadRun:
    """Carries out plans that begin together, and waits for their end.

    Args:
        stopped: asked at least ten times a second. It never takes back what it said. What has not ended when the
            run is to end at once is given up.
        watch: called at least ten times a second while the load goes on, in this process, which then sends nothing
            itself; and once when it is over.
        share: (i, n): only the i-th of n shares of each plan; whoever has the others begins them at the same time.
        start_ns: CLOCK_MONOTONIC at which to begin; None is as soon as all are ready.

    Raises:
        EnvironmentFailure: a plan's address cannot be looked up, or a load process could not be started.
    """
    soft = raise_descriptor_limit()
    index, many = share
    try:
        edges = [0, *accumulate(plan.requests for plan in plans)]
        spans = tuple(range(first, last) for first, last in pairwise(edges))
        columns = Columns(edges[-1])
        jobs: list[_Job] = []
        parts: list[tuple[int, Part]] = []
        for number, (plan, span) in enumerate(zip(plans, spans, strict=True)):
            part = share_out(plan, whole(plan), many)[index]
            sources = plan.sources
            if sources is None:
                sources = sources_for(plan.address, -(-plan.ports // many), ephemeral_ports())
            own = columns.part(span)
            processes = plan.processes or processes_for(part.connections, connections_of_one_process())
            for own_part in share_out(plan, part, processes):
                jobs.append(_Job(plan, own_part, own, sources, len(jobs)))
                parts.append((number, own_part))
        tally = Tally(len(jobs))
        if len(jobs) == 1 and watch is None:
            begin_ns = time.monotonic_ns() if start_ns is None else start_ns
            told = [_run_part(jobs[0], begin_ns, stopped, rule, tally)]
        else:
            begin_ns = time.monotonic_ns() + HEAD_START_NS * len(jobs) if start_ns is None else start_ns
            watched = Watched(begin_ns, columns, spans, tally, tuple(plans), tuple(parts))
            told = _fork(jobs, watched, stopped, rule, watch)
    finally:
        restore_descriptor_limit(soft)
    stop = stop_reason(rule, sum(tally.ended), sum(tally.unanswered))
    shares = [[(job.part, each) for job, each in zip(jobs, told, strict=True) if job.plan is plan] for plan in plans]
    return gathered(plans, shares, columns, spans, stop)


def _run_part(job: _Job, start_ns: int, stopped: Callable[[], Stop], rule: StopRule, tally: Tally) -> Told:
    """One part of the run, in the process that calls it."""
    plan, columns, number = job.plan, job.columns, job.number
    connections = connections_to(plan.address, plan.port, plan.head_of, columns, job.sources, plan.tls)
    connections.replies = tuple(Replies(each) for each in plan.acceptances)
    shape = plan.shape
    steps, clients = len(plan.acceptances), shape.clients if isinstance(shape, Sessions) else 1
    kept = plan.keeps and not isinstance(shape, Closed)
    connections.remembers_finished = isinstance(shape, Sessions)
    connections.remembers_sent = plan.first_byte_s is not None
    ruled = rule != NO_RULE
    stop = Stop.NOT
    try:
        loop = _loop(plan, job.part, columns, connections.sent_rows, start_ns)
        with contextlib.suppress(StopIteration):
            step = next(loop)
            while (stop := max(stop, stopped())) is not Stop.AT_ONCE:
                for row in step.expire:
                    connections.expire(row)
                for row in step.open:
                    client = row // steps % clients if kept else None
                    connections.open(row, columns.due[row] or None, client, last=kept and is_last(shape, row))
                connections.refill(step.refill)
                connections.turn(step.wait_ns)
                tally.begun[number] = connections.begun
                tally.ended[number] = connections.ended
                tally.unanswered[number] = connections.unanswered
                tally.reached[number] = connections.highest_row + 1
                if ruled and stop_reason(rule, connections.ended, connections.unanswered):
                    stop = Stop.DRAIN
                step = loop.send(
                    Seen(
                        time.monotonic_ns(),
                        connections.ended,
                        connections.taken,
                        stop is Stop.DRAIN,
                        connections.finished(),
                    )
                )
        connections.give_up(connections.pending())
        tally.ended[number] = connections.ended
        lasted_ns = time.monotonic_ns() - start_ns
        return Told(
            begun=connections.highest_row + 1 if isinstance(shape, Sessions) else connections.ended,
            failure=_in_words(connections.failure, job) if connections.failure else None,
            malformed=next((each.malformed for each in connections.replies if each.malformed), None),
            excess=sum(each.excess for each in connections.replies),
            cut=sum(each.cut for each in connections.replies),
            location=next((each.location for each in connections.replies if each.location), ""),
            sources=connections.sources,
            peak=connections.peak,
            busy=1 - connections.idle_ns / max(1, lasted_ns),
            lasted_s=lasted_ns / NS_PER_S,
        )
    finally:
        connections.close()


def _in_words(failure: tuple[int, str], job: _Job) -> str:
    number, words = failure
    return f"{words[0].upper()}{words[1:]}. {remedy(number, job.plan.connections, job.part.connections)}".rstrip()


def _loop(plan: Plan, part: Part, columns: Columns, sent_rows: Sequence[int], start_ns: int) -> Loop:
    shape = plan.shape
    patience = Patience(
        columns,
        sent_rows,
        *(
            None if each is None else round(each * NS_PER_S)
            for each in (plan.patience_s, plan.connect_s, plan.first_byte_s)
        ),
    )
    if isinstance(shape, Open):
        return open_model(shape.due_ns, part.rows, start_ns, patience, columns)
    if isinstance(shape, Sessions):
        return sessions(shape, part.rows, start_ns, patience, columns)
    until_ns = None if shape.seconds is None else start_ns + round(shape.seconds * NS_PER_S)
    return closed_model(part.connections, part.rows, start_ns, until_ns, patience, keeps=plan.keeps)


def _fork(
    jobs: Sequence[_Job],
    watched: Watched,
    stopped: Callable[[], Stop],
    rule: StopRule,
    watch: Callable[[Watched], None] | None,
) -> list[Told]:
    """Each part in a process of its own."""
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
    said: dict[int, bytes] = {}
    ends: dict[int, str] = {}
    try:
        gc.freeze()
        for job in jobs:
            # Until the fork has its own way to take it, a signal that asks it to stop must not end it.
            before = signal.pthread_sigmask(signal.SIG_BLOCK, STOPPING)
            try:
                reading, writing = os.pipe()
                pid = os.fork()
            except OSError as error:
                signal.pthread_sigmask(signal.SIG_SETMASK, before)
                raise no_process(error, len(children) + 1, len(jobs)) from error
            if pid == 0:
                run_part = partial(_run_part, job, watched.start_ns, rule=_of_one_process(rule), tally=tally)
                _be_load_process(run_part, orphaned, writing, (reading, *children))
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
            os.close(writing)
            children[reading] = pid
        watched = replace(watched, pids=tuple(children.values()))
        said = _listen(children, asked)
        if watch is not None:
            watch(watched)
    finally:
        gc.unfreeze()
        for reading, pid in children.items():
            ends[reading] = _end(pid, at_once=reading not in said)
            os.close(reading)
    return [
        Told(**json.loads(said[reading])) if said[reading] else _lost(job, watched, ends[reading])
        for job, reading in zip(jobs, children, strict=True)
    ]


def _of_one_process(rule: StopRule) -> StopRule:
    """The part of a rule that one of several processes can judge alone: of shares it does not know the whole."""
    return StopRule(first_failure=rule.first_failure)


def _be_load_process(
    run_part: Callable[[Callable[[], Stop]], Told], orphaned: Callable[[], bool], writing: int, others: Sequence[int]
) -> NoReturn:
    """The life of a forked process; it never returns into the code that it was forked from.

    Args:
        others: descriptors that are the parent's alone.
    """
    asked: list[int] = []
    status = 1
    try:
        # Ctrl-C reaches all of the terminal's processes; what it means is the parent's to say.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, lambda number, _frame: asked.append(number))
        signal.pthread_sigmask(signal.SIG_UNBLOCK, STOPPING)
        for other in others:
            os.close(other)
        told = run_part(lambda: Stop.AT_ONCE if orphaned() else Stop(min(len(asked), Stop.AT_ONCE)))
        # Whoever forked this process may have been killed meanwhile.
        with contextlib.suppress(BrokenPipeError):
            os.write(writing, json.dumps(asdict(told)).encode())
        status = 0
    except Exception:  # noqa: BLE001 - a fork must not run on as its parent; the traceback goes to stderr
        traceback.print_exc()
    finally:
        os._exit(status)


def _listen(children: Mapping[int, int], stopped: Callable[[], Stop]) -> dict[int, bytes]:
    """What each process says until its pipe ends, by descriptor."""
    said = dict.fromkeys(children, b"")
    poll = select.poll()
    for reading in children:
        poll.register(reading, select.POLLIN)
    open_pipes = set(children)
    passed_on = Stop.NOT
    while open_pipes:
        if stopped() > passed_on:
            # One signal asks for the drain, a second one for the end.
            passed_on = Stop(passed_on + 1)
            for reading in open_pipes:
                os.kill(children[reading], signal.SIGTERM)
        for reading, _ in poll.poll(LOOK_MS):
            words = os.read(reading, 65536)
            said[reading] += words
            if not words:
                poll.unregister(reading)
                open_pipes.discard(reading)
    return said


def _end(pid: int, *, at_once: bool) -> str:
    """Waits for a process, after killing it if it is to end at once; how it ended, in words."""
    if at_once:
        os.kill(pid, signal.SIGKILL)
    _, status = os.waitpid(pid, 0)
    if os.WIFSIGNALED(status):
        return f"killed by {signal.Signals(os.WTERMSIG(status)).name}"
    return f"exit code {os.WEXITSTATUS(status)}"


def _lost(job: _Job, watched: Watched, end: str) -> Told:
    reached, now_ns = watched.tally.reached[job.number], time.monotonic_ns()
    told = told_for_lost(job.plan, job.part, job.columns, watched.start_ns, reached, now_ns, end)
    # Its rows say by number from which of them they came.
    told.sources = list(job.sources)
    return told
