"""The phases in which a probe on a ready server finds the ceiling: ramp, census.

Everything here looks and acts; what it means is decided elsewhere: how fast the ramp climbs in
`load.ramp`, what the records say in `infer`.
"""

from __future__ import annotations

from collections.abc import Callable

from holdfast.bench import ANSWER_S, STILL_S, TURN_NS, Bench, check_running, counts_now, turn_until_still
from holdfast.errors import InconclusiveError
from holdfast.load.prober import Prober
from holdfast.load.ramp import Action, Done, Open, State, View, decide
from holdfast.model.timeline import NEVER, Ramp, Snapshot
from holdfast.observe.processes import activity, process_tree

_SHORTEST_LOOK_NS = 2_000_000
_LOOK_FOR_EACH_NS = 1_000_000
_LONGEST_LOOK_NS = 2_500_000_000

# States of threads as in proc(5): all but running or about to run (R), waiting for a disk (D), stopped (T).
_WAITING = frozenset("SIZX")
_ENOUGH_TICKS = 3


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


class ProcessorTime:
    """Whether the server has had the processor since something last moved.

    In a server that waits for a processor nothing starts, which from outside looks like a ceiling (measured:
    0.6 s without a start beside programs with thousands of threads). It has had enough where every thread of it
    was seen waiting for something else, or where it has used some: one that tries to accept for ever never waits.
    """

    def __init__(self, pid: int, now_ns: Callable[[], int]) -> None:
        """`pid` leads the server's processes; `now_ns` is CLOCK_MONOTONIC."""
        self._pid = pid
        self._now_ns = now_ns
        self._moved: tuple[int, ...] = ()
        self._since_ns = NEVER
        self._ticks = 0
        self._enough = False

    def enough(self, *moved: int) -> bool:
        """Looks, unless it is known already.

        Args:
            moved: counts of which any shows by another value that something has moved.

        Raises:
            InconclusiveError: it had none for very long.
        """
        if self._enough and moved == self._moved:
            return True
        processes = activity(process_tree(self._pid)).processes
        ticks = sum(process.cpu_ticks for process in processes)
        if moved != self._moved:
            self._moved, self._since_ns, self._ticks = moved, self._now_ns(), ticks
        waits = all(thread.state in _WAITING for process in processes for thread in process.threads)
        self._enough = waits or ticks - self._ticks >= _ENOUGH_TICKS
        if not self._enough and self._now_ns() - self._since_ns > ANSWER_S * 1e9:
            raise InconclusiveError(
                f"The server got hardly any processor time in {ANSWER_S:.0f} s, so what it can do was not seen.",
                "Its threads were ready to run all the time, and other programs of this machine ran instead.",
                "Probe again when the machine has less to do.",
            )
        return self._enough


def look_interval_ns(held: int) -> int:
    """How often a held handler looks whether it may go, for so many of them.

    A look takes a thread some 15 us, a coroutine in a loop of its own 100 us. With 5,000 looks a
    second, beside programs that compute, 4,000 threads of Flask piled up before the GIL until nothing
    moved (measured: a false ceiling at 3,145, another at 4,123). 1 ms for each held request keeps all
    looks together at 1,000 a second, and at 2,000 for 5,000 requests.
    """
    return min(_LONGEST_LOOK_NS, max(_SHORTEST_LOOK_NS, held * _LOOK_FOR_EACH_NS))


def climb(bench: Bench, prober: Prober) -> Ramp:
    """Offers requests until one is met that no queue takes, or as many as may be offered."""
    state, held, starts, processor = State(), 0, Starts(), ProcessorTime(bench.server.pid, bench.now_ns)
    while not bench.interrupts.asked:
        bench.check()
        view = _view(bench, prober, starts)
        if view.in_service != held:
            held = view.in_service
            bench.recording.set_look_interval(look_interval_ns(held))
        action, following = decide(view, state)
        if _takes_for_stalled(action, state, following) and not processor.enough(view.entered, view.offered):
            prober.turn(TURN_NS)
            continue
        state = following
        if isinstance(action, Done):
            return Ramp(action.reason, action.plateau_ns, action.crowd)
        if isinstance(action, Open):
            prober.open(action.count)
            prober.turn(0)
        else:
            prober.turn(action.timeout_ns)
    return Ramp("interrupted", NEVER)


def _takes_for_stalled(action: Action, before: State, after: State) -> bool:
    """Whether this step rests on it that no further handler starts."""
    if isinstance(action, Done):
        return action.plateau_ns != NEVER and action.reason != "our side"
    return after.phase == "fill" and before.phase != "fill"


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
        InconclusiveError: the server is stopped, or has lost a process that held a request.
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
    check_running(bench, prober.offered)
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
