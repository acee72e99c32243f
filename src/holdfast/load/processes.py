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
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import partial
from itertools import chain
from typing import NoReturn

from holdfast.load.columns import Columns
from holdfast.load.loop import Loop, Seen, closed_model, open_model
from holdfast.load.own_limits import (
    descriptors_for_load,
    ephemeral_ports,
    raise_descriptor_limit,
    restore_descriptor_limit,
)
from holdfast.load.plan import Open, Part, Plan, Stop, processes_for, share_out, sources_for
from holdfast.load.replies import Replies
from holdfast.load.schedule import offered_per_s
from holdfast.load.summary import Summary, summarise
from holdfast.load.tls import connections_to
from holdfast.model.places import Outcome
from holdfast.model.timeline import NEVER

NS_PER_S = 1_000_000_000
LOOK_MS = 100
# A fork of a small process takes about 1 ms.
HEAD_START_NS = 20_000_000
STOPPING = (signal.SIGINT, signal.SIGTERM)


@dataclass(frozen=True, slots=True)
class LoadRun:
    """A load run that is over.

    Attributes:
        columns: the rows of all its requests.
        sources: our addresses, as `columns.source` counts them.
    """

    columns: Columns
    summary: Summary
    sources: tuple[str, ...]


@dataclass(slots=True)
class Told:
    """What one load process has to say beside its rows.

    Attributes:
        begun: how many of its rows it began, from the first on.
        failure: why our own side fell short, in words.
        malformed: the first reply that was not HTTP/1, in words.
    """

    begun: int = 0
    failure: str | None = None
    malformed: str | None = None
    excess: int = 0
    sources: list[str] = field(default_factory=list)


def load_run(plan: Plan, stopped: Callable[[], Stop] = lambda: Stop.NOT) -> LoadRun:
    """Carries out a plan and waits for its end.

    Args:
        stopped: asked at least ten times a second. It never takes back what it said. What has not ended when the
            run is to end at once is given up.

    Raises:
        EnvironmentFailure: the plan's address cannot be looked up.
    """
    soft = raise_descriptor_limit()
    try:
        sources = plan.sources
        if sources is None:
            sources = sources_for(plan.address, plan.connections, ephemeral_ports())
        parts = share_out(plan, plan.processes or processes_for(plan.connections, descriptors_for_load()))
        columns = Columns(plan.requests)
        if len(parts) == 1:
            told = [_run_part(plan, parts[0], columns, sources, time.monotonic_ns(), stopped)]
        else:
            told = _fork(plan, parts, columns, sources, stopped)
    finally:
        restore_descriptor_limit(soft)
    return _gathered(plan, parts, columns, told)


def _run_part(
    plan: Plan, part: Part, columns: Columns, sources: Sequence[str], start_ns: int, stopped: Callable[[], Stop]
) -> Told:
    """One part of the run, in the process that calls it."""
    connections = connections_to(plan.address, plan.port, plan.head_of, columns, sources, plan.tls)
    connections.replies = Replies(plan.expected)
    try:
        loop = _loop(plan, part, columns, start_ns)
        with contextlib.suppress(StopIteration):
            step = next(loop)
            while (stop := stopped()) is not Stop.AT_ONCE:
                for row in step.expire:
                    connections.expire(row)
                for row in step.open:
                    connections.open(row, columns.due[row] or None)
                connections.refill(step.refill)
                connections.turn(step.wait_ns)
                step = loop.send(Seen(time.monotonic_ns(), connections.ended, connections.taken, stop is Stop.DRAIN))
        connections.give_up(connections.pending())
        return Told(
            connections.ended,
            connections.failure[1] if connections.failure else None,
            connections.replies.malformed,
            connections.replies.excess,
            connections.sources,
        )
    finally:
        connections.close()


def _loop(plan: Plan, part: Part, columns: Columns, start_ns: int) -> Loop:
    shape = plan.shape
    patience_ns = None if plan.patience_s is None else round(plan.patience_s * NS_PER_S)
    if isinstance(shape, Open):
        return open_model(shape.due_ns, part.rows, start_ns, patience_ns, columns)
    until_ns = None if shape.seconds is None else start_ns + round(shape.seconds * NS_PER_S)
    return closed_model(part.connections, part.rows, start_ns, until_ns, patience_ns, columns)


def _fork(
    plan: Plan, parts: Sequence[Part], columns: Columns, sources: Sequence[str], stopped: Callable[[], Stop]
) -> list[Told]:
    """Each part in a process of its own."""
    start_ns = time.monotonic_ns() + HEAD_START_NS * len(parts)
    parent = os.getpid()

    def orphaned() -> bool:
        return os.getppid() != parent

    children: dict[int, int] = {}
    said: dict[int, bytes] = {}
    ends: dict[int, str] = {}
    try:
        for part in parts:
            reading, writing = os.pipe()
            # Until the fork has its own way to take it, a signal that asks it to stop must not end it.
            before = signal.pthread_sigmask(signal.SIG_BLOCK, STOPPING)
            pid = os.fork()
            if pid == 0:
                _be_load_process(partial(_run_part, plan, part, columns, sources, start_ns), orphaned, writing)
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
            os.close(writing)
            children[reading] = pid
        said = _listen(children, stopped)
    finally:
        for reading, pid in children.items():
            ends[reading] = _end(pid, at_once=reading not in said)
            os.close(reading)
    return [
        Told(**json.loads(said[reading])) if said[reading] else _lost(plan, part, columns, start_ns, ends[reading])
        for part, reading in zip(parts, children, strict=True)
    ]


def _be_load_process(
    run_part: Callable[[Callable[[], Stop]], Told], orphaned: Callable[[], bool], writing: int
) -> NoReturn:
    """The life of a forked process; it never returns into the code that it was forked from."""
    asked: list[int] = []
    status = 1
    try:
        # Ctrl-C reaches all of the terminal's processes; what it means is the parent's to say.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, lambda number, _frame: asked.append(number))
        signal.pthread_sigmask(signal.SIG_UNBLOCK, STOPPING)
        told = run_part(lambda: Stop.AT_ONCE if orphaned() else Stop(min(len(asked), Stop.AT_ONCE)))
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


def _lost(plan: Plan, part: Part, columns: Columns, start_ns: int, end: str) -> Told:
    """What a process would have told that cannot any more; what it had not ended becomes FAILED."""
    now = time.monotonic_ns()
    begun = len(part.rows)
    if isinstance(plan.shape, Open):
        for row in part.rows:
            columns.due[row] = start_ns + plan.shape.due_ns[row]
    else:
        begun = next((index for index, row in enumerate(part.rows) if columns.due[row] == NEVER), begun)
    unended = [row for row in part.rows[:begun] if columns.outcome[row] == Outcome.PENDING]
    for row in unended:
        columns.outcome[row] = Outcome.FAILED
        columns.done[row] = now
    return Told(begun, f"A load process was lost ({end}): {len(unended)} of its requests count as failed.")


def _gathered(plan: Plan, parts: Sequence[Part], columns: Columns, told: Sequence[Told]) -> LoadRun:
    shares = [part.rows[: each.begun] for part, each in zip(parts, told, strict=True)]
    rows = shares[0] if len(shares) == 1 else sorted(chain.from_iterable(shares))
    limits = sorted({each.failure for each in told if each.failure})
    notes = sorted({f"A reply was not HTTP/1: {each.malformed}." for each in told if each.malformed})[:1]
    excess = sum(each.excess for each in told)
    if excess:
        notes.append(f"{excess} replies were followed by more bytes than they announced.")
    asked_per_s = offered_per_s(plan.shape.due_ns) if isinstance(plan.shape, Open) else None
    sources = max((each.sources for each in told), key=len)
    return LoadRun(columns, summarise(columns, rows, asked_per_s, limits, notes), tuple(sources) or ("",))
