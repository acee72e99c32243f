"""The only wiring of one experiment: server + observers + load -> timeline."""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from holdfast.errors import EnvironmentFailure, InconclusiveError
from holdfast.infer.process_model import reuse_seen
from holdfast.interrupts import Interrupts
from holdfast.load.columns import requests
from holdfast.load.http1 import host_field, numbered, request_head
from holdfast.load.prober import Prober
from holdfast.model.address import NO_PORT, is_unix
from holdfast.model.experiment import Experiment
from holdfast.model.phase import Phase
from holdfast.model.places import Outcome
from holdfast.model.timeline import (
    NEVER,
    Call,
    Canary,
    ExactLoad,
    Leaving,
    Listener,
    Marks,
    Ramp,
    Request,
    ServerFacts,
    Snapshot,
    Stopped,
    Timeline,
    Usage,
)
from holdfast.observe.kernel import KernelView
from holdfast.observe.process_exits import Ends
from holdfast.observe.processes import abort_on_overflow, holders, limits_of, process_tree, somaxconn, usage
from holdfast.observe.record_reader import INSIDE_DIRECTORY, Recording, inside_environment, said_in
from holdfast.observe.routes import Route, routes_to
from holdfast.observe.sampler import Sampler
from holdfast.probe import call_bodies, disconnect, exact_load, ramp_up, release
from holdfast.probe.bench import EXTRA_SLOTS, Bench, KilledError, takes_no_more
from holdfast.probe.first_request import canary
from holdfast.probe.injection import listens
from holdfast.probe.launch import Subject, subject_of
from holdfast.probe.pick_port import MOST_PORTS, chosen
from holdfast.probe.ports import check_alone, check_listen_address, ephemeral_ports
from holdfast.probe.readiness import await_ready, raise_trouble
from holdfast.rundir import open_to_all, room_for_a_run, run_directory, shared_with_all
from holdfast.servers.adapter import Adapter
from holdfast.servers.privileges import spare_uid
from holdfast.servers.process import Command, ServerProcess

_SAMPLE_NS = 10_000_000
_REPLIED = frozenset({Outcome.ANSWERED, Outcome.REJECTED})
_NO_VERDICT = frozenset({"cut", "our side"})


@dataclass(slots=True)
class _Seen:
    """What a run has seen so far; the timeline is made of it, however far the run came.

    Attributes:
        bench: the one in force where a process was replaced after the first request; None is that of the start.
    """

    started_ns: int
    marks: dict[str, int] = field(default_factory=dict)
    canary: Canary | None = None
    ramp: Ramp | None = None
    placed: Snapshot | None = None
    abandoned: tuple[int, ...] = ()
    left_in_service: tuple[Leaving, ...] = ()
    exact: ExactLoad | None = None
    requests: tuple[Request, ...] = ()
    later: tuple[Request, ...] = ()
    calls: tuple[Call, ...] = ()
    usage: list[Usage] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    doubts: tuple[str, ...] = ()
    bench: Bench | None = None
    stopped: Stopped | None = None

    def mark(self, name: str) -> None:
        self.marks[f"{name}_ns"] = time.monotonic_ns()

    def stop(self, error: InconclusiveError) -> None:
        """The run gives up; what was seen until then is kept, and is a verdict where the places had been counted."""
        if isinstance(error, KilledError) and self.placed is not None:
            self.notes.append(f"{error.what} The places had been counted before that; what came after was left out.")
        else:
            self.stopped = Stopped(error.what, error.why, error.remedy)


def run(experiment: Experiment, interrupts: Interrupts, adapter: Adapter | None = None) -> Timeline:
    """Starts the server, probes it and ends it.

    Nothing of it is left afterwards: no process, no socket, no file, whatever happened in between.

    Args:
        adapter: None is the one of that name.

    Raises:
        UsageError, EnvironmentFailure, InconclusiveError: as they say.
        KeyboardInterrupt, Terminated: asked to end on the spot.
    """
    room = room_for_a_run()
    subject = subject_of(experiment, adapter, str(room / "socket"))
    uid = _user_for(experiment, subject)
    with _words_about_user(uid, experiment.nproc), interrupts.cleaned_up() as stack:
        kernel = stack.enter_context(KernelView())
        check_listen_address(subject.port, subject.address, kernel, own=subject.own)
        with interrupts.undisturbed():
            directory = stack.enter_context(run_directory(room, uid))
            ours = _Files.within(directory, shared=subject.own)
            slots = experiment.max_offered + EXTRA_SLOTS + (MOST_PORTS if subject.own else 0)
            slots += call_bodies.slots(experiment)
            recording = stack.enter_context(Recording.create(ours.record, slots))
        if uid is not None:
            os.chown(recording.path, uid, -1)
        if subject.own:
            ours.hello.touch()
            open_to_all(ours.record)
            open_to_all(ours.hello)
        token = secrets.token_hex(16)
        command = Command(
            argv=subject.argv,
            environment=dict(subject.environment)
            | _inside(experiment, subject, ours, token)
            | _runtime(subject, directory),
            cwd=Path(experiment.cwd),
            log=directory / "server.log",
            token=token,
            nofile=experiment.nofile,
            nproc=experiment.nproc,
            uid=uid,
            stop_signal=subject.stop_signal,
            grace_s=subject.grace_s,
            scratch=directory,
        )
        seen = _Seen(time.monotonic_ns())
        with interrupts.undisturbed():
            server = stack.enter_context(ServerProcess(command))
        listeners = await_ready(
            server, subject.listen_address, kernel, ours.trouble, interrupts, experiment.start_timeout_s, seen.notes
        )
        seen.mark("ready")
        ends = stack.enter_context(Ends())

        def bench_at(route: Route) -> Bench:
            return Bench(
                experiment=experiment,
                server=server,
                address=route.address,
                port=route.port,
                listen_address=route.listen_address,
                inner_ports=tuple(sorted({each.port for each in listeners} - {route.port, NO_PORT})),
                pids=process_tree(*server.roots()),
                accepting=tuple(sorted({pid for each in route.listeners for pid in each.pids})),
                recording=recording,
                kernel=kernel,
                sampler=Sampler(kernel, route.listen_address, _SAMPLE_NS, seed=int(token[:8], 16)),
                interrupts=interrupts,
                head_of=_head_of(experiment, route, token),
                ends=ends,
                hello=ours.hello if subject.own else None,
            )

        route = _route(subject, listeners, bench_at)
        if subject.own and not is_unix(route.address):
            check_alone(route, kernel)
            if len(kernel.listeners(route.port)) > len(route.listeners):
                route = replace(route, shares_port=True)
        bench = bench_at(route)
        facts = _facts(subject, bench, route)
        ends.watch(bench.pids)
        try:
            _phases(bench, seen, ours.trouble)
        except InconclusiveError as error:
            seen.stop(error)
        bench, killed = seen.bench or bench, ends.killed()
        replaced = tuple(pid for pid in takes_no_more(bench) if pid not in killed)
        if experiment.call and _will_be_judged(seen) and not killed and not interrupts.asked:
            # After the look at what was replaced: the person's own code may end a process, or wear it out.
            called = call_bodies.call_bodies(bench)
            seen.later, seen.calls = seen.later + called.requests, called.calls
            seen.notes += called.notes
        seen.mark("ended")
        entries = recording.entries(0, bench.slots)
        log = server.last_words()
    return Timeline(
        experiment=experiment,
        server=facts,
        marks=Marks(started_ns=seen.started_ns, **seen.marks),
        canary=seen.canary,
        ramp=seen.ramp,
        placed=seen.placed,
        requests=(*seen.later, *seen.requests),
        entries=entries,
        abandoned=seen.abandoned,
        samples=tuple(bench.sampler.rows),
        usage=tuple(seen.usage),
        server_log=log,
        notes=tuple(seen.notes),
        left_in_service=seen.left_in_service,
        exact=seen.exact,
        stopped=seen.stopped,
        replaced=replaced,
        calls=seen.calls,
        interrupted=interrupts.asked,
    )


def _phases(bench: Bench, seen: _Seen, trouble: Path) -> None:
    _look_at_usage(bench, seen)
    seen.canary, first, seen.doubts = canary(bench, lambda: raise_trouble(trouble))
    seen.later = (first,)
    if takes_no_more(bench):
        bench = seen.bench = _ready_again(bench, trouble)
    with _prober(bench, seen) as prober:
        seen.mark("first_sent")
        seen.ramp, seen.placed = ramp_up.until_placed(bench, prober)
        seen.mark("placed")
        _look_at_usage(bench, seen)
        held = [each for each in bench.recording.entries(0, prober.offered) if each.left_ns == NEVER]
        bounded = prober.offered > len(held) > 0
        if seen.ramp.reason not in ramp_up.NO_CEILING:
            seen.left_in_service, newcomers = disconnect.leave_in_service(bench, prober)
            seen.later += newcomers
            seen.abandoned = disconnect.abandon(bench, prober)
            seen.mark("abandoned")
        seen.mark("released")
        if release.let_go(bench, prober, seen.abandoned):
            seen.mark("quiet")
    if seen.ramp.reason == "cut":
        return
    if not bench.interrupts.asked and not reuse_seen(bench.recording.entries(0, bench.slots)):
        seen.later += release.send_wave(bench)
    if bounded and bench.experiment.over_s is None and not bench.interrupts.asked:
        replied = {each.local_port for each in (*seen.requests, *seen.later) if each.outcome in _REPLIED}
        seen.exact, sent = exact_load.exactly(bench, held, replied)
        seen.later += sent
        if takes_no_more(bench):
            seen.exact = ExactLoad(why_not="the server replaced a process that takes requests meanwhile")


def _will_be_judged(seen: _Seen) -> bool:
    """Whether there will be a verdict; where there is none, nobody's orders are placed for it."""
    return seen.stopped is None and seen.ramp is not None and seen.ramp.reason not in _NO_VERDICT


def _ready_again(bench: Bench, trouble: Path) -> Bench:
    """The bench of a server that has replaced a process after the first request, once the new one is there."""
    listen_address = bench.address if is_unix(bench.address) else bench.port
    await_ready(bench.server, listen_address, bench.kernel, trouble, bench.interrupts, bench.experiment.start_timeout_s)
    tree = process_tree(*bench.server.roots())
    bench.ends.watch(tree)
    held = holders([each.inode for each in bench.kernel.listeners(bench.listen_address)], tree)
    return replace(bench, pids=tree, accepting=tuple(sorted({pid for pids in held.values() for pid in pids})))


@contextmanager
def _prober(bench: Bench, seen: _Seen) -> Iterator[Prober]:
    """The ramp's prober; its rows and notes are kept however the block ends."""
    with Prober(bench.address, bench.port, bench.head_of, bench.experiment.max_offered) as prober:
        try:
            yield prober
        finally:
            seen.requests = requests(prober.columns, range(prober.offered), lambda _id: Phase.RAMP, prober.sources)
            # Nobody may have lived to see a reply in the ramp.
            seen.notes += prober.notes or seen.doubts
            if prober.failure:
                seen.notes.append(prober.failure[1])
            if finding := prober.finding():
                seen.notes.append(finding)


def _look_at_usage(bench: Bench, seen: _Seen) -> None:
    found = usage(process_tree(*bench.server.roots()), time.monotonic_ns())
    if found is not None:
        seen.usage.append(found)


def _user_for(experiment: Experiment, subject: Subject) -> int | None:
    """The user under whom `nproc` binds, or a server runs that does not serve as root; None is ourselves.

    Raises:
        EnvironmentFailure: there is none.
    """
    if os.geteuid() != 0 or (experiment.nproc is None and subject.serves_as_root):
        return None
    uid = spare_uid()
    if uid is None and not subject.serves_as_root:
        raise EnvironmentFailure(
            f"{subject.name} cannot be started here.",
            "It does not serve as root, and there is no unused user id to run it as.",
            "Run holdfast as an ordinary user.",
        )
    if uid is None:
        raise EnvironmentFailure(
            "--nproc cannot be measured here.",
            "The limit does not bind root (setrlimit(2)), and there is no unused user id to run the server as.",
            "Run holdfast as an ordinary user.",
        )
    return uid


@contextmanager
def _words_about_user(uid: int | None, limit: int | None) -> Iterator[None]:
    """Failures may come from the server's being started as another user: it is said to whoever reads of them."""
    try:
        yield
    except EnvironmentFailure as error:
        if uid is None:
            raise
        root = "Root" if limit is None else "Under --nproc root"
        note = f"{root} starts the server as user {uid}, who may read everything and write hardly anywhere."
        raise EnvironmentFailure(error.what, error.why, f"{error.remedy}\n{note}") from error


@dataclass(frozen=True, slots=True)
class _Files:
    """What we and the server's processes write for each other, and the directory of what runs in them."""

    record: Path
    trouble: Path
    hello: Path
    library: Path

    @classmethod
    def within(cls, directory: Path, *, shared: bool) -> _Files:
        room, library = directory, Path(INSIDE_DIRECTORY)
        if shared:
            room, library = shared_with_all(directory, library)
        return cls(room / "record", room / "trouble.json", room / "hello", library)


def _inside(experiment: Experiment, subject: Subject, ours: _Files, token: str) -> dict[str, str]:
    return inside_environment(
        record=ours.record,
        token=token,
        trouble=ours.trouble,
        path=experiment.path,
        app=subject.app,
        framework=subject.framework,
        interface=subject.interface,
        view=subject.view,
        pythonpath=os.environ.get("PYTHONPATH", ""),
        hello=ours.hello if subject.own else None,
        directory=str(ours.library),
    )


def _runtime(subject: Subject, directory: Path) -> dict[str, str]:
    """Where a server that holdfast starts of its own puts its sockets and the like (XDG base directories).

    gunicorn has one control socket for each user there, and would take over that of another one that runs.
    """
    return {} if subject.own else {"XDG_RUNTIME_DIR": str(directory)}


def _route(subject: Subject, listeners: Sequence[Listener], bench_at: Callable[[Route], Bench]) -> Route:
    """Where to connect to: as the adapter says, or where the person's own command turns out to listen."""
    routes = tuple(each for each in routes_to(listeners) if subject.listen_address in (None, each.port, each.address))
    if subject.address is not None:
        return replace(routes[0], address=subject.address)
    return chosen(routes, ephemeral_ports(), bench_at)


def _head_of(experiment: Experiment, route: Route, token: str) -> Callable[[int], bytes]:
    headers = (*experiment.headers, ("Connection", "close"))
    head = request_head("GET", experiment.path, host_field(route.address, route.port), headers)
    return numbered(head, "X-Holdfast", f"{token}/")


def _facts(subject: Subject, bench: Bench, route: Route) -> ServerFacts:
    # Whoever listens may be another process than the one that was started, with other limits.
    seen = None if bench.hello is None else listens(route, said_in(bench.hello))
    nofile, nproc = limits_of(bench.server.pid if seen is None else seen.pid)
    return ServerFacts(
        name=subject.name if seen is None else seen.name or subject.name,
        version=subject.version,
        command=subject.argv,
        python=subject.python if seen is None else seen.python,
        address=bench.address,
        port=bench.port,
        pids=bench.pids,
        nofile=nofile,
        nproc=nproc,
        somaxconn=somaxconn(),
        abort_on_overflow=abort_on_overflow(),
    )
