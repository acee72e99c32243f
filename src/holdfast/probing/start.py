"""Starts the server of a run, waits until it is ready, and decides where to connect."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from dataclasses import replace

from holdfast.engine.http1 import host_field, numbered, request_head
from holdfast.errors import EnvironmentFailure, InconclusiveError
from holdfast.model.address import NO_PORT, is_unix
from holdfast.model.frozen import frozen
from holdfast.model.timeline import ServerFacts
from holdfast.observe.core_uses import CoreUses
from holdfast.observe.limits import read_limits, read_other_limits
from holdfast.observe.process_exits import ProcessExits
from holdfast.observe.process_info import name_of, read_command_lines
from holdfast.observe.processes import find_holders, read_abort_on_overflow, read_process_tree, read_somaxconn
from holdfast.observe.routes import Route, routes_to
from holdfast.observe.sampler import Sampler
from holdfast.observe.startup_reports import read_startup_reports
from holdfast.probing.front import behind_a_front
from holdfast.probing.injection import what_listens
from holdfast.probing.own_limits import limits_of_its_own
from holdfast.probing.patience import Patience
from holdfast.probing.pick_port import Picked, pick
from holdfast.probing.ports import check_alone
from holdfast.probing.prepare import Prepared, limits_of
from holdfast.probing.readiness import Ready, Starting, await_ready, check_alive, listeners_now
from holdfast.probing.server_process import process_with_handlers
from holdfast.probing.session import Session
from holdfast.probing.tls import tls_towards
from holdfast.procfs.read import read_ephemeral_ports
from holdfast.servers.growth import OTHER_NAMES, Growth, growth_of
from holdfast.servers.limits import impose_on
from holdfast.servers.process import ServerProcess
from holdfast.servers.registry import ADAPTERS

_SAMPLE_NS = 10_000_000


@frozen
class Running:
    """A server that has started and come to rest.

    Attributes:
        ready: what was seen when it had come to rest.
        patience: as `Session` has it.
        ends: watches no process yet.
        core_uses: as `Session` has it.
        started_ns: just before its start, CLOCK_MONOTONIC ns.
        ready_ns: when it had come to rest.
    """

    prepared: Prepared
    server: ServerProcess
    ready: Ready
    patience: Patience
    ends: ProcessExits
    core_uses: CoreUses
    started_ns: int
    ready_ns: int

    def session_at(self, route: Route) -> Session:
        """What a probe works with when it connects there."""
        prepared = self.prepared
        return Session(
            experiment=prepared.experiment,
            server=self.server,
            address=route.address,
            port=route.port,
            listen_address=route.listen_address,
            inner_ports=tuple(sorted({each.port for each in self.ready.listeners} - {route.port, NO_PORT})),
            pids=read_process_tree(*self.server.roots()),
            accepting=tuple(sorted({pid for each in route.listeners for pid in each.pids})),
            recording=prepared.recording,
            slots=prepared.slots,
            kernel=prepared.kernel,
            sampler=Sampler(prepared.kernel, route.listen_address, _SAMPLE_NS, seed=int(prepared.token[:8], 16)),
            interrupts=prepared.interrupts,
            patience=self.patience,
            head_of=_head_of(prepared, route),
            ends=self.ends,
            core_uses=self.core_uses,
            trouble=prepared.files.trouble,
            hello=prepared.files.hello if prepared.spec.own else None,
            start_ns=self.ready_ns - self.started_ns,
            tls=tls_towards(prepared.experiment, route.address) if prepared.experiment.tls else None,
        )


def start(prepared: Prepared, stack: ExitStack, patience: Patience) -> Running:
    """Starts the server and waits until it is ready.

    Args:
        stack: takes the server, which ends with it.
        patience: as `Session` has it.

    Raises:
        EnvironmentFailure, UsageError, InconclusiveError: it did not become ready, or limits could not be set on it.
    """
    started_ns = time.monotonic_ns()
    with prepared.interrupts.undisturbed():
        server = stack.enter_context(ServerProcess(prepared.command, prepared.guardian))
    ready = await_ready(starting_of(prepared, server, patience), prepared.interrupts)
    ready_ns = time.monotonic_ns()
    if prepared.command.later_limits:
        impose_on(read_process_tree(*server.roots()), prepared.command.later_limits)
    ends, core_uses = stack.enter_context(ProcessExits()), stack.enter_context(CoreUses())
    return Running(prepared, server, ready, patience, ends, core_uses, started_ns, ready_ns)


def starting_of(prepared: Prepared, server: ServerProcess, patience: Patience) -> Starting:
    """What `await_ready` waits for, of a server that was started."""
    return Starting(
        server,
        prepared.spec.listen_address,
        prepared.kernel,
        prepared.files.trouble,
        prepared.experiment.start_timeout_s,
        own=prepared.spec.own,
        patience=patience,
    )


def connect_to(running: Running) -> tuple[Session, ServerFacts]:
    """Decides which listener the probe connects to, which may take a request to each, and watches the processes.

    Raises:
        UsageError: a command listens on several, and no request showed which one is meant.
        EnvironmentFailure: another process listens on the same port.
    """
    spec, kernel = running.prepared.spec, running.prepared.kernel
    found = routes_to(running.ready.listeners, kernel.dual_stack())
    routes = tuple(each for each in found if spec.listen_address in (None, each.port, each.address))
    if spec.address is not None:
        picked = Picked(replace(routes[0], address=spec.address), None)
    else:
        picked = pick(routes, read_ephemeral_ports(), running.session_at)
    route = picked.route
    if spec.own and not is_unix(route.address):
        check_alone(route, kernel)
        if len(kernel.listeners(route.port)) > len(route.listeners):
            route = replace(route, shares_port=True)
    session = running.session_at(route)
    session = replace(
        session,
        tls=session.tls or picked.tls,
        beside=picked.beside,
        asked=picked.asked,
        growth=_growth_of(running, session.pids),
    )
    facts = _facts(running, session, route)
    running.ends.watch(session.pids)
    return session, facts


def with_front(session: Session) -> Session:
    """The session of a server that has run a handler, with the front that the first request went through, if any."""
    handler = process_with_handlers(session, session.slots.first_request)
    listening = listeners_now(session.server, session.kernel)
    front = None if handler is None else behind_a_front(session.kernel, session.accepting, handler, listening)
    if front is None:
        return session
    session = replace(session, front=front)
    return replace(session, accepting=_holders(session, session.pids))


def ready_again(session: Session) -> Session:
    """The session of a server that replaced a process after the first request, once the new process is there.

    Raises:
        InconclusiveError: it has ended instead.
        EnvironmentFailure: it did not listen in time.
    """
    wanted = session.address if is_unix(session.address) else session.port
    within_s = session.experiment.start_timeout_s
    try:
        await_ready(Starting(session.server, wanted, session.kernel, session.trouble, within_s), session.interrupts)
    except EnvironmentFailure:
        check_alive(session.server, "after the first request", InconclusiveError)
        raise
    tree = read_process_tree(*session.server.roots())
    session.ends.watch(tree)
    return replace(session, pids=tree, accepting=_holders(session, tree))


def _holders(session: Session, tree: Iterable[int]) -> tuple[int, ...]:
    """The processes that hold the sockets from which the server takes requests."""
    inodes = [each.inode for address in session.taken_from for each in session.kernel.listeners(address)]
    return tuple(sorted({pid for pids in find_holders(inodes, tree).values() for pid in pids}))


def _head_of(prepared: Prepared, route: Route) -> Callable[[int], bytes]:
    experiment = prepared.experiment
    headers = (*experiment.headers, ("Connection", "close"))
    head = request_head("GET", experiment.path, host_field(route.address, route.port), headers)
    head_of, number = numbered(head, "X-Holdfast", f"{prepared.token}/"), prepared.recording.number
    return lambda slot: head_of(number(slot))


def _growth_of(running: Running, pids: Iterable[int]) -> Growth:
    command, lines = running.prepared.command, read_command_lines(pids)
    known = {name_of(each) for each in lines} & {*ADAPTERS, *OTHER_NAMES}
    return growth_of(
        (*lines, command.argv), command.environment, command.cwd, fixed=bool(known) or not running.prepared.spec.own
    )


def _facts(running: Running, session: Session, route: Route) -> ServerFacts:
    spec = running.prepared.spec
    # The process that listens need not be the one that was started, and may have other limits.
    found = None if session.hello is None else what_listens(route, read_startup_reports(session.hello))
    pid = running.server.pid if found is None else found.pid
    limits = read_limits(pid)
    return ServerFacts(
        name=spec.name if found is None else found.name or spec.name,
        version=spec.version,
        command=spec.argv,
        python=spec.python if found is None else found.python,
        address=session.address,
        port=session.port,
        pids=session.pids,
        nofile=limits.nofile,
        nproc=limits.nproc,
        somaxconn=read_somaxconn(),
        abort_on_overflow=read_abort_on_overflow(),
        grows_by=session.growth.by,
        waits_unread=running.ready.waits_unread,
        other_limits=read_other_limits(pid),
        own_limits=limits_of_its_own(session.pids, limits_of(running.prepared.experiment)),
    )
