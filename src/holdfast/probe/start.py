"""Starts the server of a run, waits until it is ready, and decides where to connect."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace

from holdfast.load.http1 import host_field, numbered, request_head
from holdfast.model.address import NO_PORT, is_unix
from holdfast.model.frozen import frozen
from holdfast.model.timeline import Listener, ServerFacts
from holdfast.observe.process_exits import ProcessExits
from holdfast.observe.processes import (
    find_holders,
    read_abort_on_overflow,
    read_limits,
    read_process_tree,
    read_somaxconn,
)
from holdfast.observe.record_reader import read_startup_reports
from holdfast.observe.routes import Route, routes_to
from holdfast.observe.sampler import Sampler
from holdfast.probe.injection import what_listens
from holdfast.probe.pick_port import pick
from holdfast.probe.ports import check_alone
from holdfast.probe.prepare import Prepared
from holdfast.probe.readiness import Starting, await_ready
from holdfast.probe.session import Session
from holdfast.probe.tls import tls_towards
from holdfast.procfs.read import read_ephemeral_ports
from holdfast.servers.growth import growth_setting
from holdfast.servers.process import ServerProcess

_SAMPLE_NS = 10_000_000


@frozen
class Running:
    """A server that has started and come to rest.

    Attributes:
        listeners: every listening socket of its processes.
        ends: watches no process yet.
        started_ns: just before its start, CLOCK_MONOTONIC ns.
        ready_ns: when it had come to rest.
        notes: doubts about its start, in words.
    """

    prepared: Prepared
    server: ServerProcess
    listeners: tuple[Listener, ...]
    ends: ProcessExits
    started_ns: int
    ready_ns: int
    notes: tuple[str, ...]

    def session_at(self, route: Route) -> Session:
        """What a probe works with when it connects there."""
        prepared = self.prepared
        return Session(
            experiment=prepared.experiment,
            server=self.server,
            address=route.address,
            port=route.port,
            listen_address=route.listen_address,
            inner_ports=tuple(sorted({each.port for each in self.listeners} - {route.port, NO_PORT})),
            pids=read_process_tree(*self.server.roots()),
            accepting=tuple(sorted({pid for each in route.listeners for pid in each.pids})),
            recording=prepared.recording,
            slots=prepared.slots,
            kernel=prepared.kernel,
            sampler=Sampler(prepared.kernel, route.listen_address, _SAMPLE_NS, seed=int(prepared.token[:8], 16)),
            interrupts=prepared.interrupts,
            head_of=_head_of(prepared, route),
            ends=self.ends,
            trouble=prepared.files.trouble,
            hello=prepared.files.hello if prepared.spec.own else None,
            grows_by=growth_setting(prepared.command.argv, prepared.command.environment, prepared.command.cwd),
            tls=tls_towards(prepared.experiment, route.address) if prepared.experiment.tls else None,
        )


def start(prepared: Prepared, stack: ExitStack) -> Running:
    """Starts the server and waits until it is ready.

    Args:
        stack: takes the server, which ends with it.

    Raises:
        EnvironmentFailure, UsageError, InconclusiveError: it did not become ready.
    """
    started_ns = time.monotonic_ns()
    with prepared.interrupts.undisturbed():
        server = stack.enter_context(ServerProcess(prepared.command))
    starting = Starting(
        server,
        prepared.spec.listen_address,
        prepared.kernel,
        prepared.files.trouble,
        prepared.experiment.start_timeout_s,
        own=prepared.spec.own,
    )
    ready = await_ready(starting, prepared.interrupts)
    ready_ns = time.monotonic_ns()
    ends = stack.enter_context(ProcessExits())
    return Running(prepared, server, ready.listeners, ends, started_ns, ready_ns, ready.notes)


def connect_to(running: Running) -> tuple[Session, ServerFacts]:
    """Decides which listener the probe connects to, which may take a request to each, and watches the processes.

    Raises:
        UsageError: a command listens on several, and no request showed which one is meant.
        EnvironmentFailure: another process listens on the same port.
    """
    spec, kernel = running.prepared.spec, running.prepared.kernel
    routes = tuple(
        each for each in routes_to(running.listeners) if spec.listen_address in (None, each.port, each.address)
    )
    tls = None
    if spec.address is not None:
        route = replace(routes[0], address=spec.address)
    else:
        route, tls = pick(routes, read_ephemeral_ports(), running.session_at)
    if spec.own and not is_unix(route.address):
        check_alone(route, kernel)
        if len(kernel.listeners(route.port)) > len(route.listeners):
            route = replace(route, shares_port=True)
    session = running.session_at(route)
    session = replace(session, tls=session.tls or tls)
    facts = _facts(running, session, route)
    running.ends.watch(session.pids)
    return session, facts


def ready_again(session: Session) -> Session:
    """The session of a server that replaced a process after the first request, once the new process is there."""
    wanted = session.address if is_unix(session.address) else session.port
    within_s = session.experiment.start_timeout_s
    await_ready(Starting(session.server, wanted, session.kernel, session.trouble, within_s), session.interrupts)
    tree = read_process_tree(*session.server.roots())
    session.ends.watch(tree)
    held = find_holders([each.inode for each in session.kernel.listeners(session.listen_address)], tree)
    return replace(session, pids=tree, accepting=tuple(sorted({pid for pids in held.values() for pid in pids})))


def _head_of(prepared: Prepared, route: Route) -> Callable[[int], bytes]:
    experiment = prepared.experiment
    headers = (*experiment.headers, ("Connection", "close"))
    head = request_head("GET", experiment.path, host_field(route.address, route.port), headers)
    head_of, number = numbered(head, "X-Holdfast", f"{prepared.token}/"), prepared.recording.number
    return lambda slot: head_of(number(slot))


def _facts(running: Running, session: Session, route: Route) -> ServerFacts:
    spec = running.prepared.spec
    # The process that listens need not be the one that was started, and may have other limits.
    found = None if session.hello is None else what_listens(route, read_startup_reports(session.hello))
    nofile, nproc = read_limits(running.server.pid if found is None else found.pid)
    return ServerFacts(
        name=spec.name if found is None else found.name or spec.name,
        version=spec.version,
        command=spec.argv,
        python=spec.python if found is None else found.python,
        address=session.address,
        port=session.port,
        pids=session.pids,
        nofile=nofile,
        nproc=nproc,
        somaxconn=read_somaxconn(),
        abort_on_overflow=read_abort_on_overflow(),
        grows_by=session.grows_by,
    )
