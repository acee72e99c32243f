"""A load that several hosts share: starts agents, compares clocks, agrees on a start, collects what they recorded.

Decisions
---------
* Everything between this host and another is a question that a function on its worker answers at once (`host`): how
  far it is, what its clock says, a piece of what it recorded. So there is no network protocol of our own, and a host
  that is lost does not answer.
* A host's report is fetched when the load is over. What has ended by then it passes on once a second before, as a load
  on one host is saved once a second: a host that is lost does not take it along.
* A host is lost when its worker has left the cluster, or has not answered for LOST_AFTER_S, or what sends there has
  been stopped for as long. Requests of its share whose outcome is unknown count as our own failure, never as the
  server's.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from functools import partial
from ipaddress import ip_address
from itertools import accumulate, pairwise
from typing import Any, TypeVar
from uuid import uuid4

from holdfast.cluster import host
from holdfast.cluster.assignment import Assignment, encode
from holdfast.cluster.clocks import Offset, Trip, offset
from holdfast.cluster.dask_cluster import Cluster, Unreachable, Worker, connect
from holdfast.cluster.frames import BEGIN, DRAIN, INSTANT, QUIT
from holdfast.cluster.members import Member, SharedLoad, merge_members, seen_progress
from holdfast.cluster.merge import Merged
from holdfast.engine.collect import LoadRun
from holdfast.engine.plan import Plan, Stop, stop_reason
from holdfast.engine.quantities import local_workers
from holdfast.engine.target import Target
from holdfast.errors import EnvironmentFailure, UsageError
from holdfast.loadtest.run import RunElsewhere
from holdfast.model.load import LoadExperiment
from holdfast.model.progress import SharedProgress
from holdfast.model.units import NS_PER_S

LOST_AFTER_S = 10.0
_TRIPS = 12
_MEASURED_AT_ONCE = 4
_STOP_LOOK_S = 0.1
_LOOK_S = 0.5
_TELL_S = 0.5
# For the order to arrive and load processes to be forked.
_HEAD_START_NS = 400_000_000
_GIVE_UP_S = 15.0
_FORGET_S = 5.0
_PIECE_BYTES = 4 << 20

_T = TypeVar("_T")


class _StoppedEarly(Exception):  # noqa: N818 - not an error
    """Ctrl-C before the first request."""


def cluster_runner(where: str, tell: Callable[[SharedProgress], None]) -> RunElsewhere:
    """A function that carries out a load on the hosts of a cluster (`run_on_cluster`)."""

    def run(
        experiment: LoadExperiment, targets: Sequence[Target], plans: Sequence[Plan], stopped: Callable[[], Stop]
    ) -> LoadRun:
        return run_on_cluster(where, experiment, targets, plans, stopped, tell)

    return run


def run_on_cluster(
    where: str,
    experiment: LoadExperiment,
    targets: Sequence[Target],
    plans: Sequence[Plan],
    stopped: Callable[[], Stop],
    tell: Callable[[SharedProgress], None],
) -> LoadRun:
    """Carries out a load on the hosts of a cluster, and waits for its end; otherwise as `load_runs`.

    Args:
        where: `local:N`, or the address or file of a Dask scheduler.
        targets, plans: of each group of the experiment.
        tell: is told how far the load is, about twice a second.

    Raises:
        UsageError: a target is on the loopback, which is another one on each host.
        EnvironmentFailure: the cluster cannot be reached, a worker cannot take part, or one was lost before the start.
    """
    edges = [0, *accumulate(plan.requests for plan in plans)]
    merged = Merged(plans, tuple(range(first, last) for first, last in pairwise(edges)))
    load = asyncio.run(_conduct(where, experiment, targets, stopped, partial(_tell, tell, plans)))
    return merge_members(merged, load, experiment)


def _tell(tell: Callable[[SharedProgress], None], plans: Sequence[Plan], load: SharedLoad, ending: Stop) -> None:
    tell(seen_progress(load, plans, time.monotonic_ns(), ending))


async def _conduct(
    where: str,
    experiment: LoadExperiment,
    targets: Sequence[Target],
    stopped: Callable[[], Stop],
    tell: Callable[[SharedLoad, Stop], None],
) -> SharedLoad:
    load = SharedLoad()
    async with contextlib.AsyncExitStack() as stack:
        try:
            cluster = await _unless(stopped, stack.enter_async_context(connect(where)))
            workers = await _unless(stopped, cluster.workers(each=local_workers(where) is not None))
            _check_targets(targets, experiment.sources, workers)
            many, run = len(workers), uuid4().hex
            load.members = [Member(worker, f"{run}-{index}", (index, many)) for index, worker in enumerate(workers)]
            stack.push_async_callback(_forget, cluster, load.members)
            assign = partial(Assignment, experiment, tuple(targets))
            await _unless(stopped, _prepare(cluster, load.members, assign))
        except _StoppedEarly:
            load.members = []
            return load
        await _begin(cluster, load)
        await _watch(cluster, load, experiment, stopped, tell)
        left = [member for member in load.members if member.lost is None]
        await asyncio.gather(*(_measure_again(cluster, member) for member in left))
        await asyncio.gather(*(_fetch(cluster, member) for member in left))
    return load


async def _unless(stopped: Callable[[], Stop], work: Coroutine[Any, Any, _T]) -> _T:
    """Awaits the work; returns its result.

    Raises:
        _StoppedEarly: the load was to end in the meantime.
    """
    task = asyncio.create_task(work)
    while not task.done():
        await asyncio.wait({task}, timeout=_STOP_LOOK_S)
        if not task.done() and stopped() is not Stop.NOT:
            task.cancel()
            await asyncio.wait({task})
            raise _StoppedEarly
    return task.result()


def _check_targets(targets: Sequence[Target], sources: Sequence[str], workers: Sequence[Worker]) -> None:
    here = host.read_identity()
    away = [worker for worker in workers if (worker.host["boot"], worker.host["network"]) != _place(here)]
    if away and sources:
        raise UsageError(
            f"--source {sources[0]} is an address of this host, and {away[0].name} is another host.",
            "Each host of a cluster has its own addresses.",
            "Leave --source out: each host sends from the address that its kernel chooses.",
        )
    for target in targets:
        address = target.addresses[0]
        if away and (target.url.socket or ip_address(address.partition("%")[0]).is_loopback):
            raise UsageError(
                f"{target.url.host or address} is a different server on each host of the cluster.",
                f"Each host reaches only its own, and {away[0].name} is not this host.",
                "Name the server by an address that all hosts reach, and allow it with --allow-remote.",
            )


def _place(identity: host.Host) -> tuple[str, int]:
    return identity["boot"], identity["network"]


async def _prepare(
    cluster: Cluster, members: Sequence[Member], assign: Callable[[tuple[int, int]], Assignment]
) -> None:
    """Starts an agent on each host, waits until it is ready, and measures the host's clock.

    Raises:
        EnvironmentFailure: one cannot take part, or is lost.
    """

    async def ready(member: Member) -> None:
        assignment = encode(assign(member.share))
        await cluster.call(member.worker.address, host.start_agent, member.key, assignment)
        while True:
            seen: host.Look | None = await cluster.call(member.worker.address, host.look, member.key)
            failure = None if seen is None else host.failure_of(seen)
            if failure is not None:
                raise EnvironmentFailure(f"{member.name}: {failure.what}", failure.why, failure.remedy)
            if seen is None or seen["ended"] is not None:
                how = "its worker does not know it" if seen is None else seen["ended"]
                raise Unreachable(f"its load agent ended before the load began: {how}")
            if seen["ready"]:
                return
            await asyncio.sleep(_STOP_LOOK_S)

    at_once = asyncio.Semaphore(_MEASURED_AT_ONCE)

    async def measured(member: Member) -> None:
        async with at_once:
            member.before = await _offset(cluster, member)

    for step in (ready, measured):
        await _all(members, step)


async def _all(members: Sequence[Member], step: Callable[[Member], Awaitable[None]]) -> None:
    """Takes one step on each host.

    Raises:
        EnvironmentFailure: a host is lost.
    """

    async def taken(member: Member) -> None:
        try:
            await step(member)
        except Unreachable as error:
            raise EnvironmentFailure(
                f"The host {member.name} ({member.worker.address}) was lost before the load began.",
                f"{error}. Nothing was sent.",
                "Try again, or without that host.",
            ) from error

    # Waits for all of them first: what was started must be known before it is undone.
    for outcome in await asyncio.gather(*(taken(member) for member in members), return_exceptions=True):
        if outcome is not None:
            raise outcome


async def _offset(cluster: Cluster, member: Member) -> Offset:
    trips = []
    for _ in range(_TRIPS):
        asked_ns = time.monotonic_ns()
        there_ns = await cluster.call(member.worker.address, host.read_clock)
        trips.append(Trip(asked_ns, there_ns, time.monotonic_ns()))
    return offset(trips)


async def _measure_again(cluster: Cluster, member: Member) -> None:
    with contextlib.suppress(Unreachable):
        member.after = await _offset(cluster, member)


async def _begin(cluster: Cluster, load: SharedLoad) -> None:
    """Tells each host the instant of the common start, in its own clock."""
    slowest = max(member.before.uncertainty_ns for member in load.members)
    load.start_ns = time.monotonic_ns() + _HEAD_START_NS + 4 * slowest

    async def begin(member: Member) -> None:
        start = INSTANT.pack(load.start_ns + member.before.ns)
        await cluster.call(member.worker.address, host.send_order, member.key, BEGIN + start)
        member.heard_ns = time.monotonic_ns()

    await _all(load.members, begin)


async def _watch(
    cluster: Cluster,
    load: SharedLoad,
    experiment: LoadExperiment,
    stopped: Callable[[], Stop],
    tell: Callable[[SharedLoad, Stop], None],
) -> None:
    """Follows the load to its end on all hosts, and tells them when it is to end early."""
    following = {asyncio.create_task(_follow(cluster, member)): member for member in load.members}
    pending = set(following)
    passed_on, gave_up_s, told_s = Stop.NOT, float("inf"), time.monotonic()
    while pending:
        done, pending = await asyncio.wait(pending, timeout=_STOP_LOOK_S)
        for task in done:
            if (error := task.exception()) is not None:
                _lose(following[task], f"it sent an unreadable reply ({error})")
        now_s = time.monotonic()
        ended = sum(member.progress.ended for member in load.members)
        unanswered = sum(member.progress.unanswered for member in load.members)
        load.reached = load.reached or stop_reason(experiment.stop, ended, unanswered)
        # A client may end the load, on whichever host it is.
        ended_by = max((Stop(member.progress.ending) for member in load.members), default=Stop.NOT)
        asked = max(stopped(), Stop.DRAIN if load.reached else Stop.NOT, ended_by)
        if asked > passed_on:
            passed_on = asked
            load.ending_ns = load.ending_ns or time.monotonic_ns()
            gave_up_s = now_s if asked is Stop.AT_ONCE else gave_up_s
            order = QUIT if asked is Stop.AT_ONCE else DRAIN
            await asyncio.gather(*(_pass_on(cluster, following[task], order) for task in pending))
        if now_s - told_s >= _TELL_S:
            told_s = now_s
            tell(load, stopped())
        if now_s - gave_up_s > _GIVE_UP_S:
            for task in pending:
                task.cancel()
                _lose(following[task], f"it did not give up within {_GIVE_UP_S:.0f} s")
            return


async def _pass_on(cluster: Cluster, member: Member, order: bytes) -> None:
    with contextlib.suppress(Unreachable):
        await cluster.call(member.worker.address, host.send_order, member.key, order)


async def _follow(cluster: Cluster, member: Member) -> None:
    """Asks a host how far it is until its load is over or the host is lost."""
    address = member.worker.address
    while member.lost is None:
        try:
            seen: host.Look | None = await cluster.call(address, host.look, member.key)
            if seen is not None and seen["rows"] > len(member.rows):
                member.rows += await cluster.call(address, host.read_rows, member.key, len(member.rows))
        except Unreachable as error:
            silent = time.monotonic_ns() - member.heard_ns > LOST_AFTER_S * NS_PER_S
            if silent or not await cluster.has(address):
                _lose(member, f"its worker is gone ({error})")
            await asyncio.sleep(_LOOK_S)
            continue
        if seen is None:
            _lose(member, "its worker was restarted")
            return
        member.heard_ns = time.monotonic_ns()
        member.progress = host.progress_of(seen)
        member.report_bytes = seen["report_bytes"]
        if member.report_bytes is not None:
            return
        if seen["ended"] is not None:
            failure = host.failure_of(seen)
            _lose(member, f"its load agent ended: {failure.what if failure else seen['ended']}")
        elif seen["stopped_s"] > LOST_AFTER_S:
            _lose(member, f"a process of its load has been stopped (SIGSTOP) for {LOST_AFTER_S:.0f} s")
        await asyncio.sleep(_LOOK_S)


def _lose(member: Member, why: str) -> None:
    member.lost, member.lost_ns = why, time.monotonic_ns()


async def _fetch(cluster: Cluster, member: Member) -> None:
    """Fetches what a host recorded, in pieces."""
    assert member.report_bytes is not None
    report = bytearray()
    while len(report) < member.report_bytes:
        last = min(len(report) + _PIECE_BYTES, member.report_bytes)
        try:
            report += await cluster.call(member.worker.address, host.read_report, member.key, len(report), last)
            member.heard_ns = time.monotonic_ns()
        except (Unreachable, LookupError) as error:
            if time.monotonic_ns() - member.heard_ns > LOST_AFTER_S * NS_PER_S or isinstance(error, LookupError):
                _lose(member, f"its worker was gone before its rows were fetched ({error})")
                return
            await asyncio.sleep(_LOOK_S)
    member.report, member.rows = bytes(report), []


async def _forget(cluster: Cluster, members: Sequence[Member]) -> None:
    """Removes the agent from every host that can be reached."""

    async def forget(member: Member) -> None:
        with contextlib.suppress(Unreachable, TimeoutError):
            async with asyncio.timeout(_FORGET_S):
                await cluster.call(member.worker.address, host.forget, member.key)

    await asyncio.gather(*(forget(member) for member in members))
