"""The phases of one probe on a server that is ready: canary, ramp, census, release, what runs after.

Everything here looks and acts; what it means is decided elsewhere: how fast the ramp climbs in
`load.ramp`, what the records say in `infer`. Nothing is waited for by time alone: each phase ends
in a state, and a time limit only says that the state did not come.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from holdfast.errors import HoldfastError, InconclusiveError, UsageError
from holdfast.interrupts import Interrupts
from holdfast.load.columns import requests
from holdfast.load.prober import Prober
from holdfast.load.ramp import Done, Open, State, View, decide
from holdfast.model.experiment import Experiment
from holdfast.model.places import Outcome
from holdfast.model.timeline import NEVER, Canary, Entry, Ramp, Request, Snapshot
from holdfast.observe.activity import settled
from holdfast.observe.kernel import KernelView
from holdfast.observe.processes import activity, process_tree
from holdfast.observe.recorded import Recording
from holdfast.observe.sampler import Sampler
from holdfast.readiness import check_alive
from holdfast.servers.process import ServerProcess

WAVE = 8
"""Requests sent one after another at the end, to see which threads and processes serve again."""

EXTRA_SLOTS = WAVE + 1

_CANARY_S = 10.0
_STILL_S = 1.0
_QUIET_S = 10.0
_DEALT_WITH_S = 3.0
_REST_NS = 60_000_000
_TURN_NS = 1_000_000
_LEAVE_AT_MOST = 50
_FREE_ALL = 128

# The server's end of a connection that it has not closed (tcp(7)).
_OPEN_STATES = frozenset({"ESTABLISHED", "CLOSE_WAIT", "SYN_RECV"})

_SHORTEST_LOOK_NS = 2_000_000
_LOOK_FOR_EACH_NS = 200_000
_LONGEST_LOOK_NS = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Bench:
    """What a phase works with: the two ends, the observers, and the person's wish to stop.

    Attributes:
        inner_ports: further ports on which the server's own processes reach each other.
        head_of: slot -> the request's bytes.
        now_ns: CLOCK_MONOTONIC.
    """

    experiment: Experiment
    server: ServerProcess
    address: str
    port: int
    inner_ports: tuple[int, ...]
    recording: Recording
    kernel: KernelView
    sampler: Sampler
    interrupts: Interrupts
    head_of: Callable[[int], bytes]
    now_ns: Callable[[], int] = time.monotonic_ns

    @property
    def canary_slot(self) -> int:
        """Id of the first request, behind those of the ramp."""
        return self.experiment.max_offered

    @property
    def wave_slot(self) -> int:
        """First id of the requests that are sent at the end."""
        return self.experiment.max_offered + 1

    def check(self) -> None:
        """Raises InconclusiveError if the server's first process is gone."""
        check_alive(self.server, "in the middle of the probe", InconclusiveError)


class Starts:
    """How handlers start: when the latest did, and the widest gap between two while the ramp climbed.

    Invariant: instants only grow; a handler that is seen late is still put at its own instant.
    """

    def __init__(self) -> None:
        self.latest_ns = NEVER
        self.widest_gap_ns = 0

    def take(self, entered_ns: list[int]) -> None:
        """Adds newly seen starts, in any order."""
        for instant in sorted(entered_ns):
            if self.latest_ns != NEVER and instant > self.latest_ns:
                self.widest_gap_ns = max(self.widest_gap_ns, instant - self.latest_ns)
            self.latest_ns = max(self.latest_ns, instant)


def look_interval_ns(held: int) -> int:
    """How often a held handler looks whether it may go, for so many of them.

    2,000 threads that look 20 times a second saturate the GIL (measured); 0.2 ms for each held
    request keeps all looks together below 5,000 a second, a few per cent of a core.
    """
    return min(_LONGEST_LOOK_NS, max(_SHORTEST_LOOK_NS, held * _LOOK_FOR_EACH_NS))


def canary(bench: Bench, trouble: Callable[[], None]) -> tuple[Canary, Request]:
    """One request that is let through at once: shows that the server speaks HTTP and where requests are held.

    Args:
        trouble: raises what the server's side wrote, if it wrote anything.

    Raises:
        InconclusiveError: no reply, no HTTP, or something answered before a view was entered.
        UsageError: the view is of another kind than the one asked for.
    """
    slot = bench.canary_slot
    bench.recording.release(slot)
    with Prober(bench.address, bench.port, lambda _id: bench.head_of(slot), 1) as prober:
        prober.open(1)
        _turn_until(bench, prober, lambda: prober.ended == 1, _CANARY_S)
        (request,) = requests(prober.columns, [0], lambda _id: -1, prober.sources)
        finding = prober.finding()
    trouble()
    if finding is not None:
        raise InconclusiveError(
            f"What answers on {bench.address}:{bench.port} does not speak HTTP as holdfast understands it.",
            finding,
            "Choose the server's HTTP port, and a --path with an ordinary reply.",
        )
    if request.outcome is Outcome.PENDING:
        raise InconclusiveError(
            f"The server did not answer the first request, GET {bench.experiment.path}, within {_CANARY_S:.0f} s.",
            f"Its log ends with:\n{bench.server.last_words()}",
            "Look at what the application does before the view, or choose another --path.",
        )
    if request.outcome not in {Outcome.ANSWERED, Outcome.REJECTED}:
        raise InconclusiveError(
            f"The first request, GET {bench.experiment.path}, got no answer: {request.outcome.name.lower()}.",
            f"The server's log ends with:\n{bench.server.last_words()}",
            "Look at the server's own message, or raise the limits that it was given (--nofile, --nproc).",
        )
    held = bench.recording.held_in(slot)
    if held is None:
        raise _not_entered(bench, request)
    held_in, kind, via = held
    asked = bench.experiment.view
    if asked is not None and via == "view" and kind != asked:
        raise UsageError(
            f"The view at {bench.experiment.path} is {kind}, not {asked}.",
            f"It is held in {held_in}, as it was written.",
            f"Leave --view out, or give --view {kind}.",
        )
    return Canary(request.status, held_in, kind, via), replace(request, id=slot)


def _not_entered(bench: Bench, request: Request) -> HoldfastError:
    said = bench.server.last_words() if request.status >= 500 else ""
    return InconclusiveError(
        f"GET {bench.experiment.path} was answered with {request.status} before any view was entered.",
        f"The server's log ends with:\n{said}" if said else "Something in front of the view answers: authentication, "
        "a redirect, a cache, a limit, or the application fails.",
        "Send what it wants with -H 'Name: value', or choose another --path.",
    )


def _turn_until(bench: Bench, prober: Prober, reached: Callable[[], bool], limit_s: float) -> bool:
    """Turns the load's loop until a state is reached; False when it did not come within the limit."""
    deadline = bench.now_ns() + int(limit_s * 1e9)
    while not reached():
        bench.check()
        if bench.now_ns() > deadline:
            return False
        prober.turn(_TURN_NS)
    return True


def climb(bench: Bench, prober: Prober) -> Ramp:
    """Offers requests until one is met that no queue takes, or as many as may be offered."""
    state, held, starts = State(), 0, Starts()
    while not bench.interrupts.asked:
        bench.check()
        view = _view(bench, prober, starts)
        if view.in_service != held:
            held = view.in_service
            bench.recording.set_look_interval(look_interval_ns(held))
        action, state = decide(view, state)
        if isinstance(action, Done):
            return Ramp(action.reason, action.plateau_ns)
        if isinstance(action, Open):
            prober.open(action.count)
            prober.turn(0)
        else:
            prober.turn(action.timeout_ns)
    return Ramp("interrupted", NEVER)


def keep_pace(bench: Bench, prober: Prober, over_s: float) -> Ramp:
    """Offers requests evenly over a time, whatever the server does, and waits until nothing moves."""
    experiment = bench.experiment
    began, held = bench.now_ns(), 0
    gap = over_s * 1e9 / experiment.max_offered
    while not bench.interrupts.asked and prober.offered < experiment.max_offered:
        bench.check()
        now = bench.now_ns()
        due = int(began + prober.offered * gap)
        if due > now:
            prober.turn(min(due - now, _TURN_NS))
            continue
        for opened in prober.open(1):
            prober.columns.due[opened] = due
        prober.turn(0)
        _look(bench, prober, now)
        if prober.offered % 64 == 0:
            held = bench.recording.in_service(0, prober.offered)
            bench.recording.set_look_interval(look_interval_ns(held))
    if bench.interrupts.asked:
        return Ramp("interrupted", NEVER)
    _turn_until_still(bench, prober, _QUIET_S)
    return Ramp("max-offered", bench.now_ns())


def snapshot(bench: Bench, prober: Prober) -> Snapshot:
    """The kernel's view at a moment at which nothing moved, if such a moment comes.

    Raises:
        InconclusiveError: the server is stopped, so that nothing *can* move in it.
    """
    _turn_until_still(bench, prober, _STILL_S)
    deadline = bench.now_ns() + int(_STILL_S * 1e9)
    while True:
        before, began = _counts(bench, prober), bench.now_ns()
        sockets = bench.kernel.server_sockets(bench.port)
        listeners = bench.kernel.listeners(bench.port)
        ended = bench.now_ns()
        prober.turn(0)
        still = _counts(bench, prober) == before
        if still or bench.now_ns() > deadline:
            break
    processes = activity(process_tree(bench.server.pid)).processes
    if any(thread.state in "Tt" for process in processes for thread in process.threads):
        raise InconclusiveError(
            "The server was stopped (SIGSTOP, or a debugger) in the middle of the probe.",
            "A stopped server takes no request, so what was counted is not its ceiling.",
            "Let it run (SIGCONT), and probe again.",
        )
    return Snapshot(began, ended, still, listeners, sockets)


def abandon(bench: Bench, prober: Prober) -> tuple[int, ...]:
    """Lets the clients of the oldest queued requests leave.

    The oldest, because they come to the handlers first: whether they are run is known soon.

    Returns:
        Ids of the requests whose clients left before any handler was entered for them.
    """
    connected = prober.columns.connected
    queued = [
        each for each in prober.pending() if connected[each] != NEVER and not bench.recording.is_entered(each)
    ]
    left = sorted(queued)[:_LEAVE_AT_MOST]
    prober.give_up(left)
    # A server that minds its clients learns of it before any handler becomes free.
    _turn_until_still(bench, prober, _STILL_S)
    return tuple(each for each in left if not bench.recording.is_entered(each))


def let_go(bench: Bench, prober: Prober, abandoned: tuple[int, ...]) -> bool:
    """Releases held requests and whoever waits, until the abandoned ones were dealt with.

    Of many held requests only some are released, of each process: the queue needs no more places to
    move up into, and a thousand handlers that all end at once fight for the GIL for ten seconds
    (measured with Flask's async views: 9.7 s instead of 0.1 s).

    An abandoned request is dealt with when its handler was entered, or when the server has closed
    its end of the connection and come to rest: a router closes it long before the worker behind it
    takes the request out of a queue of their own.

    Returns:
        Whether all that came to pass within the limit.

    Raises:
        InconclusiveError: requests were in service, and not one of the released was answered.
    """
    entries = bench.recording.entries(0, prober.offered)
    freed = [each.id for each in some_of_each_process([each for each in entries if each.left_ns == NEVER])]
    outcomes, ports = prober.columns.outcome, prober.columns.local_port
    entered = {each.id for each in entries}
    for slot in (*freed, *(each for each in range(bench.recording.slots) if each not in entered)):
        bench.recording.release(slot)
    _turn_until(bench, prober, lambda: all(outcomes[each] != Outcome.PENDING for each in freed), _QUIET_S)
    if freed and all(outcomes[each] == Outcome.PENDING for each in freed):
        raise InconclusiveError(
            "The server stopped answering: no request in service was answered after it was released.",
            f"Its log ends with:\n{bench.server.last_words()}",
            "Look at the server's own message, and probe again.",
        )

    def left_in_queue() -> set[int]:
        return {ports[each] for each in abandoned if not bench.recording.is_entered(each)}

    def dealt_with() -> bool:
        waiting = left_in_queue()
        if not waiting:
            return True
        ends = bench.kernel.server_sockets(bench.port)
        return not any(end.peer_port in waiting and end.state in _OPEN_STATES for end in ends)

    def none_on_the_way() -> bool:
        return not left_in_queue() or bench.kernel.waiting_for(bench.inner_ports) == 0

    if not _turn_until(bench, prober, dealt_with, _DEALT_WITH_S):
        return False
    if not _turn_until(bench, prober, none_on_the_way, _DEALT_WITH_S):
        return False
    return not left_in_queue() or _turn_until_at_rest(bench, prober)


def some_of_each_process(held: list[Entry]) -> list[Entry]:
    """Held requests to release: all of few; of many, the first ones of each process."""
    if len(held) <= _FREE_ALL:
        return held
    by_process: dict[int, list[Entry]] = {}
    for entry in held:
        by_process.setdefault(entry.pid, []).append(entry)
    each = max(1, _FREE_ALL // len(by_process))
    return [entry for of_one in by_process.values() for entry in of_one[:each]]


def send_wave(bench: Bench) -> tuple[Request, ...]:
    """A few requests, one after another, that are let through at once: who serves again?"""
    first = bench.wave_slot
    with Prober(bench.address, bench.port, lambda each: bench.head_of(first + each), WAVE) as prober:
        for sent in range(1, WAVE + 1):
            prober.open(1)
            if not _turn_until(bench, prober, lambda sent=sent: prober.ended == sent, _CANARY_S):  # type: ignore[misc]
                break
        sent_requests = requests(prober.columns, range(prober.offered), lambda _id: 1, prober.sources)
    return tuple(replace(request, id=first + request.id) for request in sent_requests)


def _view(bench: Bench, prober: Prober, starts: Starts) -> View:
    now = bench.now_ns()
    recording, offered = bench.recording, prober.offered
    starts.take([recording.entered_ns(each) for each in recording.newly_entered(0, offered)])
    _look(bench, prober, now)
    depth, limit = bench.kernel.depth(bench.port)
    return View(
        now_ns=now,
        offered=offered,
        established=prober.established,
        connecting=prober.connecting,
        in_service=recording.in_service(0, offered),
        entered=recording.entered(0, offered),
        last_entry_ns=starts.latest_ns,
        max_entry_gap_ns=starts.widest_gap_ns,
        depth=depth,
        limit=limit,
        ended=prober.outcome_counts(),
        max_offered=bench.experiment.max_offered,
        last_sent_ns=max(prober.columns.opened[max(0, offered - 1)], 0),
    )


def _counts(bench: Bench, prober: Prober) -> tuple[int, ...]:
    depth, _ = bench.kernel.depth(bench.port)
    states = bench.recording.entered(0, prober.offered), bench.recording.in_service(0, prober.offered)
    return (*states, prober.connecting, prober.established, prober.ended, -1 if depth is None else depth)


def _turn_until_still(bench: Bench, prober: Prober, limit_s: float) -> bool:
    """Turns the load's loop until nothing has changed for a while; False when it never rested."""
    deadline = bench.now_ns() + int(limit_s * 1e9)
    counts, since = _counts(bench, prober), bench.now_ns()
    while bench.now_ns() - since < _REST_NS:
        bench.check()
        if bench.now_ns() > deadline:
            return False
        prober.turn(_TURN_NS)
        if (now := _counts(bench, prober)) != counts:
            counts, since = now, bench.now_ns()
    return True


def _turn_until_at_rest(bench: Bench, prober: Prober) -> bool:
    """Turns the load's loop until nothing has changed for a while and the server waits; False when it never did."""
    deadline = bench.now_ns() + int(_DEALT_WITH_S * 1e9)
    before = activity(process_tree(bench.server.pid))
    while bench.now_ns() < deadline and _turn_until_still(bench, prober, _DEALT_WITH_S):
        after = activity(process_tree(bench.server.pid))
        if settled(before, after):
            return True
        before = after
    return False


def _look(bench: Bench, prober: Prober, now_ns: int) -> None:
    if bench.sampler.due(now_ns):
        entered = bench.recording.entered(0, prober.offered)
        bench.sampler.look(now_ns, prober.offered, prober.established, entered)
