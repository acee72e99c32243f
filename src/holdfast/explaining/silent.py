"""Silent clients: how many of them make an ordinary request wait, how long, and what the server does to them.

One server is started for each kind of silence, so that none is left of the last. Silent connections are opened one
after another, and after each an ordinary request shows whether the server still answers. Its view is not held.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from dataclasses import replace
from ipaddress import ip_address

from holdfast.engine.http1 import host_field, numbered, request_head
from holdfast.engine.local_limits import longest_send_buffer
from holdfast.engine.silent_connections import SilentConnections
from holdfast.errors import HoldfastError, InconclusiveError, UsageError
from holdfast.explaining.silent_clients import Clients
from holdfast.explaining.silent_climb import Climb, Limits
from holdfast.interrupts import Interrupts
from holdfast.model.address import is_unix
from holdfast.model.experiment import Experiment
from holdfast.model.frozen import frozen
from holdfast.model.phase import Phase
from holdfast.model.silent import (
    DEFAULT_MOST,
    DEFAULT_MOST_UNREAD,
    DEFAULT_PATIENCE_S,
    SILENCES,
    Silence,
    SilentRecord,
    SilentRun,
    Timeout,
)
from holdfast.model.timeline import FirstRequest, ServerFacts
from holdfast.observe.processes import read_process_tree
from holdfast.observe.record_reader import replying
from holdfast.probing.guards import no_longer_accepting
from holdfast.probing.later_listeners import Later, look_for_later
from holdfast.probing.launch import spec_of
from holdfast.probing.listens_anew import answered_first
from holdfast.probing.patience import Patience
from holdfast.probing.prepare import Prepared, Room, prepare, user_for
from holdfast.probing.session import Session, batch
from holdfast.probing.start import Running, ready_again, start
from holdfast.rundir import room_for_a_run
from holdfast.servers.settings_of import timeouts_of, with_timeout

# Ordinary requests beside one for each silent client: one for each step of a climb, and those that only look.
_ORDINARY = 3000
_LEAST_WMEM = 4 << 20
_PAST_BUFFERS = 1 << 20
_CHANGED_TO_S = 1.0
_OTHERWISE_S = 2.0
_INTERRUPTED = "it was interrupted"
_SHORT = "something between the view and the client made its replies short, so that the kernel takes them unread"


@frozen
class Wanted:
    """What is asked of silent clients.

    Attributes:
        silences: the kinds.
        most, most_unread: silent connections at most; of those that leave a reply unread.
        patience_s: how long to look what becomes of them and of the request that waits.
        longest_patience_s: as long as the longest of the server's time-outs, if that is not longer than this; None
            is `patience_s` alone.
        watches_harmless: look also what becomes of silent ones that make nothing wait.
        proves: runs the server again with another value of the time-out that may be the one that ends a silence.
    """

    silences: tuple[Silence, ...] = SILENCES
    most: int = DEFAULT_MOST
    most_unread: int = DEFAULT_MOST_UNREAD
    patience_s: float = DEFAULT_PATIENCE_S
    longest_patience_s: float | None = None
    watches_harmless: bool = True
    proves: bool = True


def run_silent(
    experiment: Experiment,
    interrupts: Interrupts,
    tell: Callable[[str], None] | None = None,
    wanted: Wanted | None = None,
) -> SilentRecord:
    """Starts the server once for each kind of silence, and looks what silent clients do to it.

    Args:
        experiment: the server; of its requests only path and headers count.
        tell: is given a line for each kind; None tells nothing.
        wanted: None is everything, with the default numbers.

    Raises:
        UsageError: it cannot be done with this experiment: HTTP/2, TLS, an address that is not loopback.
        EnvironmentFailure, InconclusiveError: the server did not start, or did not answer an ordinary request.
        KeyboardInterrupt, Terminated: asked to end immediately.
    """
    wanted = wanted or Wanted()
    if experiment.http2 or experiment.tls:
        raise UsageError(
            "Silent clients speak plain HTTP/1.1 only.",
            "What is silent under TLS or HTTP/2 is another matter: a handshake or a preface that does not come.",
            f"Leave {'--http2' if experiment.http2 else '--tls'} out.",
        )
    bench = _Bench(experiment, interrupts, tell or (lambda _line: None), wanted)
    runs: list[SilentRun] = []
    timeouts, server = timeouts_of(experiment, os.environ), None
    for silence in wanted.silences:
        if interrupts.asked:
            break
        bench.tell(f"{_IN_WORDS[silence]} ...")
        try:
            run, server = _run(bench, experiment, silence)
        except HoldfastError as error:
            if not runs:
                raise
            runs.append(_not_run(silence, _ended_early(bench, error)))
            continue
        runs.append(run)
        for changed, timeout, value_s in _changes(bench, run, timeouts):
            bench.tell(f"{_IN_WORDS[silence]}, with {timeout.name} {value_s:g} s ...")
            # A server that does not start with that value shows nothing of it.
            with suppress(HoldfastError):
                runs.append(_run(bench, changed, silence, _after(run), (timeout.name, value_s))[0])
    return SilentRecord(
        server="" if server is None else server.name,
        version="" if server is None else server.version,
        command=() if server is None else server.command,
        timeouts=timeouts,
        runs=tuple(runs),
        interrupted=interrupts.asked,
    )


_IN_WORDS = {
    "nothing": "Clients that send nothing",
    "half a request": "Clients that send half a request",
    "idle": "Clients that stay idle after an answer",
    "unread": "Clients that do not read their reply",
}


@frozen
class _Bench:
    experiment: Experiment
    interrupts: Interrupts
    tell: Callable[[str], None]
    wanted: Wanted


@frozen
class _Known:
    """What an earlier run found: how many silent clients to begin with, and how many are enough."""

    connections: int


def _not_run(silence: Silence, why: str) -> SilentRun:
    return SilentRun(
        silence=silence,
        most=0,
        limit_ns=0,
        usual=(),
        connections=(),
        requests=(),
        decisive=None,
        fewer=0,
        watched_from_ns=0,
        watched_to_ns=0,
        given_up=why,
    )


def _ended_early(bench: _Bench, error: HoldfastError) -> str:
    return _INTERRUPTED if bench.interrupts.asked else f"{error.what} {error.why}".rstrip()


def _after(run: SilentRun) -> _Known:
    return _Known(1 if run.decisive is None else run.requests[run.decisive].silent)


def _run(
    bench: _Bench,
    experiment: Experiment,
    silence: Silence,
    known: _Known | None = None,
    changed: tuple[str, float] | None = None,
) -> tuple[SilentRun, ServerFacts]:
    most = bench.wanted.most_unread if silence == "unread" else bench.wanted.most
    if known is not None:
        most = known.connections
    directory = room_for_a_run()
    asked = replace(experiment, max_offered=2 * (most + _ORDINARY), call=False)
    spec = spec_of(asked, None, str(directory / "socket"))
    patience_s = _patience_s(bench.wanted, timeouts_of(experiment, os.environ), silence)
    if changed is not None:
        patience_s = changed[1] + _CHANGED_TO_S + _OTHERWISE_S
    limits = Limits(
        most=most,
        begin_with=0 if known is None else known.connections - 1,
        patience_s=patience_s,
        harmless_patience_s=patience_s if bench.wanted.watches_harmless else 0.0,
    )
    with bench.interrupts.cleaned_up() as stack:
        prepared = prepare(asked, spec, Room(directory, user_for(asked, spec)), bench.interrupts, stack)
        reply_bytes = _long_reply() if silence == "unread" else None
        if reply_bytes is not None:
            environment = {**prepared.command.environment, **replying(reply_bytes)}
            prepared = replace(prepared, command=replace(prepared.command, environment=environment))
        running = start(prepared, stack, Patience())
        session, facts, first = _session(running)
        with ExitStack() as clients:
            run = _watch(prepared, session, silence, limits, clients)
        later = Later() if bench.interrupts.asked else look_for_later(running, session, first)
        if later.unsure is not None:
            raise later.unsure
        for note in later.notes:
            bench.tell(note)
    if reply_bytes is not None and run.usual and min(each.received for each in run.usual) < reply_bytes:
        run = replace(run, decisive=None, given_up=_SHORT)
    return replace(run, reply_bytes=reply_bytes, changed=changed), facts


def _session(running: Running) -> tuple[Session, ServerFacts, FirstRequest]:
    """A started server that has answered.

    Raises:
        UsageError: it listens elsewhere than on loopback, or speaks TLS.
        EnvironmentFailure, InconclusiveError: it did not start, or did not answer.
    """
    session, facts, first = answered_first(running)
    check_loopback(session.address, session.reached_at)
    if first.tls is not None:
        raise UsageError(
            "Silent clients speak plain HTTP/1.1 only, and this server speaks TLS.",
            "What is silent there is another matter: a handshake that does not come.",
            "Start it without its certificate.",
        )
    return (ready_again(session) if no_longer_accepting(session) else session), facts, first.found


def check_loopback(address: str, reached_at: str) -> None:
    """Raises UsageError if silent clients would connect to anything but this machine itself.

    Args:
        reached_at: the same with its port, as a person writes it.
    """
    if not is_unix(address) and not ip_address(address.partition("%")[0]).is_loopback:
        raise UsageError(
            f"{reached_at} is not this machine's loopback.",
            "Silent clients can keep others from being served, so they are tried on loopback alone.",
            "Let the server listen on 127.0.0.1.",
        )


def _watch(prepared: Prepared, session: Session, silence: Silence, limits: Limits, stack: ExitStack) -> SilentRun:
    experiment = prepared.experiment
    head = request_head("GET", experiment.path, host_field(session.address, session.port), experiment.headers)
    head_of, number = numbered(head, "X-Holdfast", f"{prepared.token}/"), prepared.recording.number
    silent = stack.enter_context(SilentConnections(session.address, session.port))
    sent = stack.enter_context(batch(session, session.slots.ramp, Phase.RAMP))
    half = b"\r\n".join(head.split(b"\r\n")[:2]) + b"\r\n"
    clients = Clients(session, silence, silent, sent, half, lambda slot: head_of(number(slot)))
    climb = Climb(clients, limits)
    try:
        climb.measure()
        given_up = ""
    except InconclusiveError as error:
        given_up = f"{error.what} {error.why}".rstrip()
    if session.interrupts.asked:
        given_up = _INTERRUPTED
    replaced = tuple(pid for pid in session.accepting if pid not in read_process_tree(*session.server.roots()))
    return replace(climb.seen(), replaced=replaced, given_up=given_up)


def _patience_s(wanted: Wanted, timeouts: Sequence[Timeout], silence: Silence) -> float:
    if wanted.longest_patience_s is None:
        return wanted.patience_s
    said = [
        each.seconds + each.lag_s + _OTHERWISE_S
        for each in timeouts
        if silence in each.ends and each.seconds is not None
    ]
    fitting = [each for each in said if each <= wanted.longest_patience_s]
    return max([wanted.patience_s, *fitting])


def _changes(bench: _Bench, run: SilentRun, timeouts: Sequence[Timeout]) -> list[tuple[Experiment, Timeout, float]]:
    """The experiments that show which time-out ends this silence: each of those said to, set to another value.

    One that is not set is tried where it would help.
    """
    if not bench.wanted.proves or run.given_up or bench.interrupts.asked or not _any_stayed(run):
        return []
    found = []
    for timeout in timeouts:
        if run.silence not in timeout.ends or not timeout.options or (timeout.seconds is None and run.decisive is None):
            continue
        value_s = _OTHERWISE_S if timeout.seconds != _OTHERWISE_S else _CHANGED_TO_S
        # Where a person's own command cannot be changed, what fits has to do.
        with suppress(UsageError):
            found.append((with_timeout(bench.experiment, timeout, value_s, os.environ), timeout, value_s))
    return found


def _any_stayed(run: SilentRun) -> bool:
    return run.decisive is not None or any(each.silent for each in run.requests)


def _long_reply() -> int:
    """Longer than what the kernel takes of a reply that is not read."""
    return max(_LEAST_WMEM, longest_send_buffer() or 0) + _PAST_BUFFERS
