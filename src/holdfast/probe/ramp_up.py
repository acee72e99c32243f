"""The phases in which a probe on a ready server finds the ceiling: ramp, census.

Everything here looks and acts; what it means is decided elsewhere: how fast the ramp climbs in
`load.ramp`, what the records say in `infer`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from holdfast.errors import InconclusiveError
from holdfast.infer.server_ended import is_cut
from holdfast.load.prober import Prober
from holdfast.model.places import Outcome
from holdfast.model.timeline import NEVER, Entry, Ramp, Snapshot
from holdfast.observe.processes import core_use, process_tree
from holdfast.observe.starvation import FreeTime
from holdfast.probe.bench import (
    ANSWER_S,
    ASK_MANY,
    STILL_S,
    TURN_NS,
    Bench,
    KilledError,
    check_running,
    check_taking,
    counts_now,
    look_interval_ns,
    turn_until_idle,
    turn_until_still,
)
from holdfast.probe.ramp import decide
from holdfast.probe.ramp_state import TURNED_AWAY_ENOUGH, Done, Open, State, View

NO_CEILING = frozenset({"interrupted", "cut"})
"""Reasons for a ramp's end that say nothing of what there would have been beyond."""

# A shorter pause is none; looking for the reason of each would cost more than the ramp itself.
_STALLED_NS = 10_000_000


class Starts:
    """How handlers start: when the latest did, the widest gap between two, and on which threads.

    Invariant: instants only grow; a handler that is seen late is still put at its own instant.
    """

    def __init__(self) -> None:
        self.latest_ns = NEVER
        self.latest_id: int | None = None
        self.widest_gap_ns = 0
        self.pids: set[int] = set()
        self._held_on: Counter[int] = Counter()

    def take(self, entries: Sequence[Entry]) -> None:
        """Adds newly seen starts, in any order."""
        self.pids.update(entry.pid for entry in entries)
        # A loop goes on accepting whatever it holds.
        self._held_on.update(entry.tid for entry in entries if not entry.entry_loop)
        for entry in sorted(entries, key=lambda entry: entry.entered_ns):
            if entry.entered_ns <= self.latest_ns:
                continue
            if self.latest_ns != NEVER:
                self.widest_gap_ns = max(self.widest_gap_ns, entry.entered_ns - self.latest_ns)
            self.latest_ns, self.latest_id = entry.entered_ns, entry.id

    def holding(self) -> set[int]:
        """Native ids of the threads that do nothing but hold one request."""
        return {tid for tid, count in self._held_on.items() if count == 1}


def until_placed(bench: Bench, prober: Prober) -> tuple[Ramp, Snapshot]:
    """Climbs until nothing more is entered while the places are counted.

    Raises:
        InconclusiveError: as `climb` and `snapshot` say.
    """
    try:
        return _until_placed(bench, prober)
    except KilledError:
        # What it held says more of it.
        check_running(bench, prober)
        raise


def _until_placed(bench: Bench, prober: Prober) -> tuple[Ramp, Snapshot]:
    over_s = bench.experiment.over_s
    if over_s is not None:
        return keep_pace(bench, prober, over_s), snapshot(bench, prober)
    while True:
        ramp = climb(bench, prober)
        before = bench.recording.entered(0, prober.offered), bench.kernel.accept_queue(bench.listen_address).depth or 0
        placed = snapshot(bench, prober)
        after = bench.recording.entered(0, prober.offered), bench.kernel.accept_queue(bench.listen_address).depth or 0
        # A handler that started meanwhile, or a connection that was taken in, shows that the plateau was none yet.
        if ramp.reason in NO_CEILING or (after[0] == before[0] and after[1] >= before[1]):
            return ramp, placed


def climb(bench: Bench, prober: Prober) -> Ramp:
    """Offers requests until one is met that no queue takes, or as many as may be offered.

    Raises:
        InconclusiveError: the server had no core to run on for very long, or lost a process that takes requests.
    """
    state, held, starts, cuts, gone = State(), 0, Starts(), Cuts(), bench.ends.ended()
    free = FreeTime(lambda holding: core_use(process_tree(*bench.server.roots()), holding), bench.now_ns)
    bench.sampler.resume(bench.now_ns())
    while not bench.interrupts.asked:
        bench.check()
        view = _view(bench, prober, starts, free, cuts)
        if not view.cut and bench.ends.ended() != gone:
            gone = bench.ends.ended()
            bench.check()
            check_running(bench, prober)
            check_taking(bench)
        if view.in_service != held:
            held = view.in_service
            bench.recording.set_look_interval(look_interval_ns(held))
        action, state = decide(view, state)
        if isinstance(action, Done):
            return Ramp(action.reason, action.plateau_ns, action.crowd)
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
        InconclusiveError: the server is stopped, has lost a process that held a request, or has one that takes
            no requests any more.
    """
    if bench.kernel.accept_queue(bench.listen_address).full:
        turn_until_still(bench, prober, STILL_S)
    else:
        # Connections in a queue with room may be about to be accepted; with a full one the server does not accept.
        turn_until_idle(bench, prober)
    deadline = bench.now_ns() + int(STILL_S * 1e9)
    while True:
        before, began = counts_now(bench, prober), bench.now_ns()
        sockets = bench.kernel.server_sockets(bench.listen_address)
        listeners = bench.kernel.listeners(bench.listen_address)
        ended = bench.now_ns()
        prober.turn(0)
        still = counts_now(bench, prober) == before
        if still or bench.now_ns() > deadline:
            break
    check_running(bench, prober)
    if not Cuts().look(bench, prober):
        check_taking(bench)
    return Snapshot(began, ended, still, listeners, sockets)


def _view(bench: Bench, prober: Prober, starts: Starts, free: FreeTime, cuts: Cuts) -> View:
    now = bench.now_ns()
    recording, offered = bench.recording, prober.offered
    starts.take([entry for id in recording.newly_entered(0, offered) for entry in recording.entries(id, id + 1)])
    last_sent_ns = max(prober.columns.opened[max(0, offered - 1)], 0)
    _look_whether_free(bench, free, starts, stalled_ns=now - max(starts.latest_ns, last_sent_ns))
    _look(bench, prober, now)
    queue = bench.kernel.accept_queue(bench.listen_address)
    return View(
        now_ns=now,
        offered=offered,
        established=prober.established,
        connecting=prober.connecting,
        in_service=recording.in_service(0, offered),
        entered=recording.entered(0, offered),
        processes=len(starts.pids),
        turned_away_enough=ASK_MANY if len(bench.accepting) > 1 else TURNED_AWAY_ENOUGH,
        last_entry_ns=starts.latest_ns,
        max_entry_gap_ns=starts.widest_gap_ns,
        last_entry_sent_ns=NEVER if starts.latest_id is None else prober.columns.opened[starts.latest_id],
        depth=queue.depth,
        limit=queue.limit,
        one_full=prober.connecting > 0 and _one_full(bench),
        free_ns=free.total_ns,
        ended=prober.outcome_counts(),
        cut=cuts.look(bench, prober),
        max_offered=bench.experiment.max_offered,
        last_sent_ns=last_sent_ns,
    )


class Cuts:
    """How many held requests the server has ended. Invariant: each ended request is looked at once."""

    def __init__(self) -> None:
        self.number = 0
        self._looked_at: set[int] = set()

    def look(self, bench: Bench, prober: Prober) -> int:
        """Takes in what has ended meanwhile, and gives the number."""
        if prober.ended > len(self._looked_at):
            columns = prober.columns
            for id in range(prober.offered):
                if columns.outcome[id] and id not in self._looked_at:
                    self._looked_at.add(id)
                    entered_ns = bench.recording.entered_ns(id) if bench.recording.is_entered(id) else NEVER
                    self.number += is_cut(Outcome(columns.outcome[id]), entered_ns, columns.done[id])
        return self.number


def _one_full(bench: Bench) -> bool:
    return any(each.queue.full for each in bench.kernel.listeners(bench.listen_address))


def _look_whether_free(bench: Bench, free: FreeTime, starts: Starts, stalled_ns: int) -> None:
    if stalled_ns < _STALLED_NS:
        free.pause()
        return
    free.look(starts.holding)
    if free.starved_ns > ANSWER_S * 1e9:
        check_running(bench)
        raise InconclusiveError(
            f"The server got hardly any processor time in {ANSWER_S:.0f} s, so what it can do was not seen.",
            "Its threads were ready to run, and other programs of this machine ran instead.",
            "Probe again when the machine has less to do.",
        )


def _look(bench: Bench, prober: Prober, now_ns: int) -> None:
    if bench.sampler.due(now_ns):
        entered = bench.recording.entered(0, prober.offered)
        bench.sampler.look(now_ns, prober.offered, prober.established, entered)
