"""The phases in which a probe on a ready server finds the ceiling: canary, ramp, census.

Everything here looks and acts; what it means is decided elsewhere: how fast the ramp climbs in
`load.ramp`, what the records say in `infer`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from holdfast.bench import ANSWER_S, STILL_S, TURN_NS, Bench, counts_now, turn_until, turn_until_still
from holdfast.errors import HoldfastError, InconclusiveError, UsageError
from holdfast.load.columns import requests
from holdfast.load.prober import Prober
from holdfast.load.ramp import Done, Open, State, View, decide
from holdfast.model.places import Outcome
from holdfast.model.timeline import NEVER, Canary, Ramp, Request, Snapshot
from holdfast.observe.processes import activity, process_tree

_SHORTEST_LOOK_NS = 2_000_000
_LOOK_FOR_EACH_NS = 200_000
_LONGEST_LOOK_NS = 1_000_000_000


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
        turn_until(bench, prober, lambda: prober.ended == 1, ANSWER_S)
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
            f"The server did not answer the first request, GET {bench.experiment.path}, within {ANSWER_S:.0f} s.",
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
            prober.turn(min(due - now, TURN_NS))
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
    turn_until_still(bench, prober, ANSWER_S)
    return Ramp("max-offered", bench.now_ns())


def snapshot(bench: Bench, prober: Prober) -> Snapshot:
    """The kernel's view at a moment at which nothing moved, if such a moment comes.

    Raises:
        InconclusiveError: the server is stopped, so that nothing *can* move in it.
    """
    turn_until_still(bench, prober, STILL_S)
    deadline = bench.now_ns() + int(STILL_S * 1e9)
    while True:
        before, began = counts_now(bench, prober), bench.now_ns()
        sockets = bench.kernel.server_sockets(bench.port)
        listeners = bench.kernel.listeners(bench.port)
        ended = bench.now_ns()
        prober.turn(0)
        still = counts_now(bench, prober) == before
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


def _look(bench: Bench, prober: Prober, now_ns: int) -> None:
    if bench.sampler.due(now_ns):
        entered = bench.recording.entered(0, prober.offered)
        bench.sampler.look(now_ns, prober.offered, prober.established, entered)
