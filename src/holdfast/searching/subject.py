"""What a search loads: a server that holdfast starts, or one that runs already; and what is sent to it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from ipaddress import ip_address

from holdfast.engine.target import Target
from holdfast.engine.url import Url
from holdfast.errors import EnvironmentFailure, InconclusiveError, UsageError
from holdfast.interrupts import Interrupts
from holdfast.model.address import is_unix
from holdfast.model.experiment import Experiment, ProbeTarget
from holdfast.model.frozen import frozen
from holdfast.model.scenario import Check, Group, Step, Timeouts
from holdfast.model.shapes import Shape
from holdfast.model.timeline import FirstRequest
from holdfast.observe.kernel import KernelView
from holdfast.observe.processes import find_holders, read_process_tree
from holdfast.observe.routes import ListenAddress, TcpListenAddress
from holdfast.probing.experiment import started
from holdfast.probing.first_request import send_first_request, usual_way_ns
from holdfast.probing.later_listeners import look_for_later
from holdfast.probing.listens_anew import listens_anew
from holdfast.probing.patience import Patience
from holdfast.probing.session import Session
from holdfast.probing.start import Running, connect_to, with_front

MOST_ROWS = 20_000
"""Requests whose handlers the recorder writes down: 7 MB of shared memory."""


@frozen
class Sent:
    """What each request is, and how it is sent.

    Attributes:
        expected: statuses that count as an answer; None is any below 400.
        processes: load processes; None takes as many as descriptors require.
    """

    method: str = "GET"
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes | None = None
    expected: frozenset[int] | None = None
    checks: tuple[Check, ...] = ()
    timeouts: Timeouts = Timeouts()
    keep_alive: bool = False
    processes: int | None = None
    seed: int = 0
    verify: bool = True


@frozen
class Subject:
    """A server to be loaded.

    Attributes:
        name: as a person calls it.
        url: where the requests go, as a person writes it.
        kernel: None where the server is on another machine, or the kernel shows nothing.
        listen_address: None likewise.
        pids: reads the server's processes; () where none is known.
        session: a recorder is inside the server; None where none is.
        not_inside: why there is none; "" where there is one.
        runs_body: requests with a slot run the view's own body.
    """

    name: str
    url: str
    target: Target
    kernel: KernelView | None
    listen_address: ListenAddress | None
    pids: Callable[[], tuple[int, ...]]
    session: Session | None = None
    not_inside: str = ""
    runs_body: bool = False

    @property
    def started(self) -> bool:
        """Whether holdfast started it."""
        return self.session is not None or bool(self.not_inside)

    def group(self, sent: Sent, shape: Shape) -> Group:
        """The requests of one load."""
        path = self.target.url.path
        step = Step(
            label=f"{sent.method} {path}",
            path=path,
            method=sent.method,
            headers=sent.headers,
            body=sent.body,
            expected=sent.expected,
            checks=sent.checks,
        )
        return Group(
            name=self.url, url=self.url, steps=(step,), shape=shape, timeouts=sent.timeouts, keep_alive=sent.keep_alive
        )


@contextmanager
def running_subject(target: Target, url: str, interrupts: Interrupts) -> Iterator[Subject]:
    """A server that runs already; of one on this machine the processes and queues are looked at too."""
    with interrupts.cleaned_up() as stack:
        kernel: KernelView | None = None
        try:
            kernel = stack.enter_context(KernelView())
        except EnvironmentFailure:
            kernel = None
        address, port = target.addresses[0], target.url.port
        here = not target.url.socket and ip_address(address.partition("%")[0]).is_loopback
        listeners = kernel.listeners(port) if kernel is not None and here else ()
        listen_address = _listen_address(port, address, [each.address for each in listeners]) if listeners else None
        holders = {pid for found in find_holders([each.inode for each in listeners]).values() for pid in found}
        yield Subject(
            name=url,
            url=url,
            target=target,
            kernel=kernel if listen_address is not None else None,
            listen_address=listen_address,
            pids=lambda: read_process_tree(*holders) if holders else (),
        )


def _listen_address(port: int, address: str, listening: list[str]) -> ListenAddress:
    exact = [each for each in listening if each == address]
    return TcpListenAddress(port, exact[0]) if exact and len(set(listening)) > 1 else port


@contextmanager
def started_subject(
    experiment: Experiment, name: str, interrupts: Interrupts, tell: Callable[[str], None]
) -> Iterator[Subject]:
    """Starts the experiment's server; where requests can be recorded inside it, they are.

    Raises:
        UsageError, EnvironmentFailure, InconclusiveError: it did not become ready, or answers nothing; or, after the
            search, it is not known whether what was loaded is what is meant.
    """
    asked = replace(experiment, max_offered=MOST_ROWS, call=False)
    is_ready = False

    def tell_of_start(line: str) -> None:
        # Later, the loads are told.
        if not is_ready:
            tell(line)

    with started(asked, interrupts, patience=Patience(tell_of_start)) as running:
        begun = _begun(running)
        session, not_inside = begun.session, begun.not_inside
        target = target_of_session(session)
        built_in = isinstance(experiment.target, ProbeTarget) and experiment.target.app is None
        roots = session.server.roots
        is_ready = True
        yield Subject(
            name=name,
            url=f"{target.url.server}{':' if target.url.socket else ''}{target.url.path}",
            target=target,
            kernel=session.kernel,
            listen_address=session.listen_address,
            pids=lambda: read_process_tree(*roots()),
            session=None if not_inside else session,
            not_inside=not_inside,
            runs_body=not built_in,
        )
        if begun.first is not None and not interrupts.asked:
            later = look_for_later(begun.running, session, begun.first)
            if later.unsure is not None:
                raise later.unsure
            for note in later.notes:
                tell(note)


@frozen
class _Begun:
    """A started server that has answered.

    Attributes:
        session: what it is loaded with.
        first: what its first request came to; None where requests cannot be recorded inside it.
        not_inside: why that is so; "" otherwise.
    """

    running: Running
    session: Session
    first: FirstRequest | None
    not_inside: str = ""


def _begun(running: Running) -> _Begun:
    session = None
    try:
        session, _ = connect_to(running)
        first = send_first_request(session)
        way_ns = usual_way_ns(first.found.ways_ns, len(session.accepting))
        whole = with_front(replace(session, way_ns=way_ns, tls=first.tls, slept_ns=first.slept_ns))
        return _Begun(running, whole, first.found)
    except (InconclusiveError, UsageError) as error:
        if (anew := listens_anew(running)) is not None:
            return _begun(anew)
        if session is None or isinstance(error, UsageError):
            raise
        # What answers can be loaded, whether a recorder is in it or not.
        return _Begun(running, session, None, error.what)


def target_of_session(session: Session) -> Target:
    """Where a started server is loaded."""
    path = session.experiment.path
    if is_unix(session.address):
        url = Url("unix", "", 0, path, session.address)
    else:
        url = Url("http" if session.tls is None else "https", session.address, session.port, path)
    return Target(url, (session.address,), session.tls)
