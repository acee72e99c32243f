"""A running server, seen from outside: URL -> its record. Nothing inside the server is touched."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from ipaddress import ip_address

from holdfast.attaching import rounds
from holdfast.attaching.forwarding import Forwarder, tunnel, watched_single
from holdfast.attaching.rounds import Look
from holdfast.attaching.unusable import Ended, refused, too_quick, unusable
from holdfast.engine.connecting import check_http2
from holdfast.engine.http1 import request_head
from holdfast.engine.prober import Prober
from holdfast.engine.target import Target, target_of
from holdfast.engine.url import Url
from holdfast.errors import EnvironmentFailure, HoldfastError, InconclusiveError
from holdfast.infer.signals import TOO_QUICK_NS, Service, service_of, usual_of
from holdfast.interrupts import Interrupts
from holdfast.model.experiment import OutsideExperiment
from holdfast.model.live import LivePhase, LivePlaces, LiveProbe, Watch, ended_places
from holdfast.model.outside import OutsideStreams, OutsideTimeline, Round, RunningServer
from holdfast.model.phase import Phase
from holdfast.model.places import Outcome
from holdfast.model.timeline import NEVER, Listener, Request, Stopped
from holdfast.model.units import NS_PER_S
from holdfast.observe.kernel import KernelView
from holdfast.observe.processes import (
    find_holders,
    read_abort_on_overflow,
    read_process_tree,
    read_somaxconn,
    read_usage,
)
from holdfast.observe.routes import ListenAddress, TcpListenAddress, UnixListenAddress
from holdfast.observe.sock_diag import UnixListener

_SINGLES = 6
_MORE_SINGLES = 20
_ENOUGH_NS = 6_000_000_000
"""Two singles at least, and no more of them when they have taken so long."""

_REMOTE = (
    "attach sends hundreds of requests at once and lets them wait. On a server that is not yours that is an attack, "
    "and on one that others use, they wait too."
)
_EVERYWHERE = {4: "0.0.0.0", 6: "::"}  # noqa: S104 - as the kernel writes it; nothing is bound


@dataclass(slots=True)
class _Seen:
    started_ns: int
    watch: Watch[LiveProbe] | None = None
    rounds: list[Round] = field(default_factory=list)
    requests: tuple[Request, ...] = ()
    others: int | None = None
    alive: bool | None = None
    streams: OutsideStreams | None = None
    first_sent_ns: int = NEVER
    notes: list[str] = field(default_factory=list)


def attach(
    experiment: OutsideExperiment, interrupts: Interrupts, watch: Watch[LiveProbe] | None = None
) -> OutsideTimeline:
    """Measures the running server that the experiment's URL names.

    Args:
        watch: is offered a view before each round; None is offered none. Within a round every instant counts.

    Raises:
        UsageError, EnvironmentFailure: as they say.
        KeyboardInterrupt, Terminated: asked to end on the spot.
    """
    asked = experiment.target
    check_http2(asked=experiment.http2)
    target = target_of(asked.url, asked.allowed_host, _REMOTE, verify=not asked.insecure)
    seen = _Seen(time.monotonic_ns(), watch=watch)
    address, listen_address, stopped = next(iter(target.addresses), ""), None, None
    listeners: tuple[Listener, ...] = ()
    with interrupts.cleaned_up() as stack:
        kernel = _kernel_view()
        if kernel is not None:
            stack.enter_context(kernel)
        try:
            address, listeners, listen_address = _tried(target, experiment, kernel, seen, interrupts)
        except InconclusiveError as error:
            # What was seen until then is kept; `judge` says it again.
            stopped = Stopped(error.what, error.why, error.remedy)
        ended_ns = time.monotonic_ns()
    return OutsideTimeline(
        experiment=replace(experiment, path=target.url.path),
        server=_running_server(target, address, listeners),
        started_ns=seen.started_ns,
        first_sent_ns=seen.first_sent_ns,
        ended_ns=ended_ns,
        rounds=tuple(seen.rounds),
        requests=seen.requests,
        kernel=listen_address is not None,
        others=seen.others,
        alive=seen.alive,
        streams=seen.streams,
        notes=tuple(seen.notes),
        stopped=stopped,
        interrupted=interrupts.asked,
    )


def _tried(
    target: Target, experiment: OutsideExperiment, kernel: KernelView | None, seen: _Seen, interrupts: Interrupts
) -> tuple[str, tuple[Listener, ...], ListenAddress | None]:
    """Goes through the rounds at the first of the server's addresses at which something listens."""
    failure: HoldfastError | None = None
    for address in target.addresses:
        with _prober(target, experiment, address, seen) as prober:
            look = Look(
                prober=prober,
                kernel=kernel,
                listen_address=None,
                answer_timeout_ns=int(experiment.answer_timeout_s * NS_PER_S),
                interrupts=interrupts,
                cpu_s=lambda: None,
                now_ns=time.monotonic_ns,
                offers_view=partial(_offer_view, seen, prober, interrupts),
            )
            seen.rounds, seen.first_sent_ns = [], time.monotonic_ns()
            before = _others(kernel, target.url)
            seen.rounds.append(rounds.single(look))
            if interrupts.asked:
                return address, (), None
            if prober.columns.outcome[0] == Outcome.REFUSED:
                failure = refused(target.url)
                continue
            check_answer = partial(_check_answer, prober, target, experiment)
            check_answer(0)
            listeners, listen_address = _listen_address(kernel, target.url, address, prober.sources[0])
            if listen_address is not None:
                seen.others = before
            holders = _holders(listeners)
            pids = read_process_tree(*holders) if holders else ()
            passes_on = _forwarder(look, holders, pids, target, seen)
            if len(seen.rounds) > 1:
                check_answer(seen.rounds[-1].first)
            if passes_on is not None:
                seen.notes.append(passes_on.words(target.url.port))
                listeners, listen_address, pids = (), None, ()
            found = replace(look, listen_address=listen_address, cpu_s=partial(_cpu_s, pids))
            _rounds(found, experiment, target, address, seen, check_answer)
            return address, listeners, listen_address
    raise failure or EnvironmentFailure(f"{target.url.server} has no address.")


def _offer_view(seen: _Seen, prober: Prober, interrupts: Interrupts, phase: LivePhase, words: str) -> None:
    """Offers a view of what comes next, and of what came of the requests so far."""

    def look() -> LiveProbe:
        outcomes = prober.outcome_counts()
        return LiveProbe(
            phase,
            (time.monotonic_ns() - seen.started_ns) / NS_PER_S,
            detail=words,
            places=LivePlaces(prober.offered, None, ended_places(outcomes)) if prober.offered else None,
            asked_to_end=interrupts.heard,
        )

    if seen.watch is not None:
        seen.watch(look)


def _forwarder(look: Look, holders: set[int], pids: tuple[int, ...], target: Target, seen: _Seen) -> Forwarder | None:
    """What only passes our connections on; None where that is not seen. Sends one more request to see it."""
    if target.url.socket or not pids or look.interrupts.asked:
        return None
    if (found := tunnel(holders)) is not None:
        return found
    first = seen.rounds[0]
    sent_ns = look.prober.columns.sent[first.first] or look.prober.columns.opened[first.first]
    half_ns = (look.prober.columns.done[first.first] - sent_ns) // 2
    done, found = watched_single(look, pids, target.url.port, half_ns)
    seen.rounds.append(done)
    return found


def _rounds(
    look: Look,
    experiment: OutsideExperiment,
    target: Target,
    address: str,
    seen: _Seen,
    check_answer: Callable[[int], None],
) -> None:
    service = _service(look, target, seen, check_answer)
    if service is None or look.interrupts.asked:
        return
    if not rounds.find_bound(look, experiment.max_offered, service, seen.rounds):
        return
    if experiment.http2 and not look.interrupts.asked:
        from holdfast.attaching.streams import look_at_streams  # noqa: PLC0415 - the library for it is an extra

        seen.streams = look_at_streams(
            look, target, address, _head(target, experiment), experiment.max_offered, service
        )
    if not look.interrupts.asked:
        last = rounds.single(look)
        seen.rounds.append(last)
        seen.alive = look.prober.columns.outcome[last.first] == Outcome.ANSWERED


def _service(look: Look, target: Target, seen: _Seen, check_answer: Callable[[int], None]) -> Service | None:
    """Measures the service time; None when the person has interrupted it.

    Raises:
        InconclusiveError: the path answers too quickly to show anything.
    """
    began, service, usual_ns = look.now_ns(), None, 0.0
    while not look.interrupts.asked:
        alone = [each for each in seen.rounds if each.kind == "single"]
        count = len(alone)
        trips = [trip for each in alone for trip in rounds.trips_in(look.prober, each)]
        service, usual_ns = service_of(trips), usual_of(trips)
        late = look.now_ns() - began > _ENOUGH_NS
        if count >= (_SINGLES if service.steady else _MORE_SINGLES) or (late and count > 2):
            break
        done = rounds.single(look)
        if look.prober.pending():  # the person has asked for the end
            return None
        seen.rounds.append(done)
        check_answer(done.first)
    if service is not None and usual_ns < TOO_QUICK_NS:
        raise too_quick(target.url, usual_ns)
    return service


def _check_answer(prober: Prober, target: Target, experiment: OutsideExperiment, row: int) -> None:
    columns = prober.columns
    ended = Ended(
        Outcome(columns.outcome[row]),
        columns.status[row],
        prober.location,
        prober.finding() or (prober.failure.words if prober.failure else ""),
        experiment.http2,
    )
    error = unusable(target.url, ended, answer_timeout_s=experiment.answer_timeout_s, first=row == 0)
    if error is not None:
        raise error


@contextmanager
def _prober(target: Target, experiment: OutsideExperiment, address: str, seen: _Seen) -> Iterator[Prober]:
    head = _head(target, experiment)
    rows = rounds.ROWS_FOR_EACH * experiment.max_offered + 1000
    with Prober(address, target.url.port, lambda _row: head, rows, tls=target.tls, http2=experiment.http2) as prober:
        try:
            yield prober
        finally:
            placed = _census_ids(seen)
            seen.requests = prober.requests(lambda id_: _phase_of(id_, placed))
            seen.notes += prober.notes


def _head(target: Target, experiment: OutsideExperiment) -> bytes:
    headers = (*experiment.headers, ("Connection", "close"))
    if not any(name.lower() == "user-agent" for name, _ in headers):
        headers = (("User-Agent", "holdfast"), *headers)
    return request_head("GET", target.url.path, target.url.host_field, headers)


def _phase_of(id_: int, placed: range) -> Phase:
    if id_ in placed:
        return Phase.RAMP
    return Phase.FIRST_REQUEST if id_ == 0 else Phase.ROUND


def _census_ids(seen: _Seen) -> range:
    last = next((each for each in reversed(seen.rounds) if each.kind == "burst"), None)
    return range(0) if last is None else range(last.first, last.last)


def _kernel_view() -> KernelView | None:
    """None where the kernel cannot be asked: then the queues are not told apart."""
    try:
        return KernelView()
    except EnvironmentFailure:
        return None


def _others(kernel: KernelView | None, url: Url) -> int | None:
    """Connections that others have to this port, before ours."""
    if url.socket or kernel is None:
        return None
    return sum(each.state == "ESTABLISHED" for each in kernel.server_sockets(url.port))


def _listen_address(
    kernel: KernelView | None, url: Url, address: str, source: str
) -> tuple[tuple[Listener, ...], ListenAddress | None]:
    """The listening sockets that our connections arrive at, where these are on this machine."""
    if kernel is None:
        return (), None
    if url.socket:
        found = [each for each in kernel.unix_listeners() or () if _is(each, address)]
        if len(found) != 1:
            return (), None
        listen_address = UnixListenAddress(found[0].inode)
        return kernel.listeners(listen_address), listen_address
    number = ip_address(address.partition("%")[0])
    # A connection to an address of this machine has it at both ends.
    if not number.is_loopback and source != address:
        return (), None
    listeners = kernel.listeners(url.port)
    exact = [each for each in listeners if each.address.removeprefix("::ffff:") == address]
    every = [each for each in listeners if each.address == _EVERYWHERE[number.version]]
    dual = [each for each in listeners if each.address == "::"]
    mine = exact or every or dual
    if not mine:
        return (), None  # forwarded by the kernel (a container's published port)
    return tuple(mine), TcpListenAddress(url.port, mine[0].address) if len(mine) < len(listeners) else url.port


def _is(listener: UnixListener, address: str) -> bool:
    """Whether it listens on that socket; by the file itself, which may have had another name, or a relative one."""
    if address.startswith("@"):
        return listener.path == address
    with contextlib.suppress(OSError):
        return listener.is_file(os.stat(address).st_ino)
    return False


def _holders(listeners: Iterable[Listener]) -> set[int]:
    """The processes that hold one of these sockets, as far as that may be read."""
    inodes = {each.inode for each in listeners} - {0}
    return {pid for pids in find_holders(inodes).values() for pid in pids} if inodes else set()


def _cpu_s(roots: tuple[int, ...]) -> tuple[tuple[int, ...], float] | None:
    pids = read_process_tree(*roots) if roots else ()
    seen = read_usage(pids, time.monotonic_ns()) if pids else None
    return None if seen is None else (pids, seen.cpu_s)


def _running_server(target: Target, address: str, listeners: tuple[Listener, ...]) -> RunningServer:
    local = bool(listeners)
    return RunningServer(
        address=address,
        port=target.url.port,
        somaxconn=read_somaxconn() if local else None,
        abort_on_overflow=read_abort_on_overflow() if local and not target.url.socket else None,
    )
