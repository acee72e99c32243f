"""What every phase of a probe works with: both ends, the observers, and the ways of waiting for a state.

Nothing is waited for by time alone: a wait ends in a state, and its limit only says that the state
did not come.
"""

from __future__ import annotations

import signal
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from holdfast.errors import InconclusiveError
from holdfast.infer.server_ended import CUT_NS, peak
from holdfast.interrupts import Interrupts
from holdfast.load.prober import Prober
from holdfast.model.address import shown
from holdfast.model.experiment import Experiment
from holdfast.model.timeline import NEVER, Entry
from holdfast.observe.kernel import KernelView
from holdfast.observe.process_exits import Ends
from holdfast.observe.processes import activity, core_use, holders, process_tree
from holdfast.observe.record_reader import Recording
from holdfast.observe.routes import ListenAddress
from holdfast.observe.sampler import Sampler
from holdfast.observe.starvation import CoreUse, FreeTime, busiest
from holdfast.probe.readiness import check_alive, last_lines
from holdfast.servers.process import ServerProcess

WAVE = 8
"""Requests sent one after another at the end, to see which threads and processes serve again."""

NEWCOMERS = 2
"""Requests sent to see whether a place has become free, one for each way in which a client can leave."""

EXACT_PLACES = 128
EXACT_REPEATS = 5
"""So often exactly as many requests as there are places are offered, where there are at most EXACT_PLACES."""

EXACT_PASSES = 2
"""While a router in front still holds requests of before, and again if that told nothing."""

EXTRA_SLOTS = 1 + WAVE + NEWCOMERS + EXACT_PLACES * EXACT_REPEATS * EXACT_PASSES

ASK_MANY = 32
"""So often it is asked whether a place is free where several processes accept, each with places of its own.

Whoever asks is dealt to one of them. That 32 times in a row a full one is awake first, while another has room,
has one chance in four thousand millions where there are two and lots are fair.
"""

ANSWER_S = 10.0
"""How long the server may take for an answer that nothing stands in the way of."""

STILL_S = 1.0
AT_WORK_S = 1.0
REST_NS = 60_000_000
"""A server that has started nothing and ended nothing for so long is still."""

# A loop that looks after five thousand held coroutines takes a tenth of a core (measured), one that works all of it.
_AT_WORK = 0.5

TURN_NS = 1_000_000

OPEN_STATES = frozenset({"ESTABLISHED", "CLOSE_WAIT", "SYN_RECV"})
"""Of the server's end of a connection, as long as the server has not closed it (tcp(7))."""

_SHORTEST_LOOK_NS = 2_000_000
_LOOK_FOR_EACH_NS = 1_000_000
_LONGEST_LOOK_NS = 2_500_000_000

# States of threads as in proc(5).
_STOPPED = frozenset("Tt")
_DEAD = frozenset("ZX")


class KilledError(InconclusiveError):
    """A process of the server was killed: what had been counted before stands, and nothing after it."""


@dataclass(frozen=True, slots=True)
class Bench:
    """What a phase works with: the two ends, the observers, and the person's wish to stop.

    Attributes:
        address, port: where to connect to, as of `model.address`.
        listen_address: the same, as the kernel's view takes it.
        pids: the server's processes when it was ready.
        accepting: those of them that listen.
        inner_ports: further ports on which the server's own processes reach each other.
        head_of: slot -> the request's bytes.
        ends: of `pids`.
        hello: what the processes of a person's own command said; None where an adapter made the command.
        now_ns: CLOCK_MONOTONIC.
    """

    experiment: Experiment
    server: ServerProcess
    address: str
    port: int
    listen_address: ListenAddress
    inner_ports: tuple[int, ...]
    pids: tuple[int, ...]
    accepting: tuple[int, ...]
    recording: Recording
    kernel: KernelView
    sampler: Sampler
    interrupts: Interrupts
    head_of: Callable[[int], bytes]
    ends: Ends
    hello: Path | None = None
    now_ns: Callable[[], int] = time.monotonic_ns

    @property
    def reached_at(self) -> str:
        """Where it is reached, as a person writes it."""
        return shown(self.address, self.port)

    @property
    def slots(self) -> int:
        """How many requests the records of a run are about; what else there is of slots served its preparation."""
        return self.experiment.max_offered + EXTRA_SLOTS

    @property
    def canary_slot(self) -> int:
        """Id of the first request, behind those of the ramp."""
        return self.experiment.max_offered

    @property
    def wave_slot(self) -> int:
        """First id of the requests that are sent at the end."""
        return self.canary_slot + 1

    @property
    def newcomer_slot(self) -> int:
        """First id of the requests that are sent to see whether a place has become free."""
        return self.wave_slot + WAVE

    @property
    def exact_slot(self) -> int:
        """First id of the requests of the repeats at exact load."""
        return self.newcomer_slot + NEWCOMERS

    def check(self) -> None:
        """Raises InconclusiveError if the server's first process is gone, KilledError if another one was killed."""
        check_alive(self.server, "in the middle of the probe", InconclusiveError)
        for pid, number in self.ends.killed().items():
            raise KilledError(
                f"A process of the server died in the middle of the probe (pid {pid}).",
                f"It was ended by signal {number} ({signal.strsignal(number)}), which no process does to itself in "
                f"good order. The server's log ends with:\n{last_lines(self.server)}",
                "If it has a time limit for requests (a worker time-out), raise it; otherwise find out who killed it.",
            )


def check_running(bench: Bench, prober: Prober | None = None) -> None:
    """Looks whether what was counted was counted in a server that is whole.

    Args:
        prober: of the ramp, none of whose requests was released, and whose handlers and processes must still be there.

    Raises:
        InconclusiveError: it is stopped, so that nothing *can* move in it; or a process that held a
            request has died, so that a place for requests is missing; or it has broken off a handler, so
            that a place for requests became free which was taken.
    """
    entries = bench.recording.entries(0, 0 if prober is None else prober.offered)
    running = [entry for entry in entries if entry.left_ns == NEVER]
    holding = {entry.pid for entry in running}
    processes = activity(process_tree(*bench.server.roots())).processes
    states = {process.pid: {thread.state for thread in process.threads} for process in processes}
    stopped = [pid for pid in states if states[pid] & _STOPPED]
    if stopped:
        raise InconclusiveError(
            "The server was stopped (SIGSTOP, or a debugger) in the middle of the probe.",
            f"Process {stopped[0]} of it takes no request, so what could be counted is not its ceiling.",
            "Let it run, and probe again.",
        )
    dead = {pid for pid in holding if states.get(pid, _DEAD) <= _DEAD}
    # A server in a pid namespace of its own writes numbers that mean nothing out here.
    if prober is not None and dead and (holding - dead or not dead.isdisjoint(bench.pids)):
        ends = [(prober.columns.done[each.id] or bench.now_ns(), each) for each in running if each.pid in dead]
        held_s, pid = max(((done - each.entered_ns) / 1e9, each.pid) for done, each in ends)
        most = peak(entries, min(done for done, _ in ends))
        raise InconclusiveError(
            f"A process of the server died in the middle of the probe, {held_s:.1f} s after a request that it held "
            f"had entered its handler (pid {pid}).",
            f"A time limit for requests does that (a worker time-out), here one of about {held_s:.1f} s. What could be "
            f"counted is not the whole server's ceiling; before that, {most} were in service at once. Its log ends "
            f"with:\n{last_lines(bench.server)}",
            "If it has a time limit for requests (a worker time-out), raise it; otherwise find out who killed it.",
        )
    broken_off = [entry for entry in entries if entry.left_ns != NEVER]
    if broken_off:
        longest_ns = max(entry.left_ns - entry.entered_ns for entry in broken_off)
        most = peak(entries, min(entry.left_ns for entry in broken_off))
        limit = f"A time limit for requests does that, here one of about {longest_ns / 1e9:.1f} s. "
        raise InconclusiveError(
            f"The server broke off requests that were held in their handlers ({len(broken_off)} of {len(entries)}).",
            f"{limit if longest_ns > CUT_NS else ''}Their places became free, so what could be counted is not its "
            f"ceiling; before that, {most} were in service at once. Its log ends with:\n{last_lines(bench.server)}",
            "If it has a time limit for requests (a worker time-out), raise it.",
        )


def takes_no_more(bench: Bench) -> tuple[int, ...]:
    """Processes that listened when the server was ready and do not any more, or have ended."""
    inodes = [each.inode for each in bench.kernel.listeners(bench.listen_address)]
    still = {pid for pids in holders(inodes, bench.accepting).values() for pid in pids}
    return tuple(sorted(set(bench.accepting) - still))


def check_taking(bench: Bench) -> None:
    """Looks whether every process that took requests at first still does.

    Raises:
        InconclusiveError: one does not, so that its places are missing or are about to be taken by another.
    """
    if gone := takes_no_more(bench):
        raise InconclusiveError(
            f"A process of the server stopped taking requests in the middle of the probe (pid {gone[0]}).",
            "It has closed its listening socket, or has ended. A server that replaces its processes after a number of "
            "requests does that; what could be counted is what was left of it, and not the ceiling.",
            "Let it take more before it is replaced (its maximum of requests for each worker), and probe again.",
        )


def look_interval_ns(held: int) -> int:
    """How often a held handler looks whether it may go, for so many of them.

    A look takes a thread some 15 us, a coroutine in a loop of its own 100 us. With 5,000 looks a
    second, beside programs that compute, 4,000 threads of Flask piled up before the GIL until nothing
    moved (measured: a false ceiling at 3,145, another at 4,123). 1 ms for each held request keeps all
    looks together at 1,000 a second, and at 2,000 for 5,000 requests.
    """
    return min(_LONGEST_LOOK_NS, max(_SHORTEST_LOOK_NS, held * _LOOK_FOR_EACH_NS))


def turn_until(
    bench: Bench,
    prober: Prober,
    reached: Callable[[], bool],
    limit_s: float,
    moving: Callable[[], object] | None = None,
) -> bool:
    """Turns the load's loop until a state is reached; False when it did not come within the limit.

    Once the person has asked for the end the limit is STILL_S.

    Args:
        moving: the limit begins anew whenever this gives another value; None leaves it.
    """
    deadline = bench.now_ns() + int(limit_s * 1e9)
    hurried = False
    seen = moving() if moving else None
    while not reached():
        bench.check()
        if bench.interrupts.asked and not hurried:
            hurried, deadline = True, min(deadline, bench.now_ns() + int(STILL_S * 1e9))
        if moving and not hurried and (now := moving()) != seen:
            seen, deadline = now, bench.now_ns() + int(limit_s * 1e9)
        if bench.now_ns() > deadline:
            return False
        prober.turn(TURN_NS)
    return True


def counts_now(bench: Bench, prober: Prober) -> tuple[int, ...]:
    """Everything that moves while a server takes, starts and ends requests."""
    depth = bench.kernel.accept_queue(bench.listen_address).depth
    states = bench.recording.entered(0, prober.offered), bench.recording.in_service(0, prober.offered)
    return (*states, prober.connecting, prober.established, prober.ended, -1 if depth is None else depth)


def turn_until_still(bench: Bench, prober: Prober, limit_s: float) -> bool:
    """Turns the load's loop until nothing has changed for a while; False when it never rested."""
    deadline = bench.now_ns() + int(limit_s * 1e9)
    counts, since = counts_now(bench, prober), bench.now_ns()
    while bench.now_ns() - since < REST_NS:
        bench.check()
        if bench.now_ns() > deadline:
            return False
        prober.turn(TURN_NS)
        if (now := counts_now(bench, prober)) != counts:
            counts, since = now, bench.now_ns()
    return True


def turn_until_idle(bench: Bench, prober: Prober) -> None:
    """Turns the load's loop until the server is still and no thread of it is at work.

    One that works for AT_WORK_S and shows nothing of it is taken for one that turns in a circle, as some do
    that have no descriptor left for a connection.
    """
    holding = threads_that_hold(bench.recording.entries(0, prober.offered))
    counts, since = counts_now(bench, prober), bench.now_ns()
    while bench.now_ns() - since < AT_WORK_S * 1e9:
        before, began = core_use(process_tree(*bench.server.roots()), holding), bench.now_ns()
        if not turn_until_still(bench, prober, STILL_S):
            return
        after = core_use(process_tree(*bench.server.roots()), holding)
        if not at_work(before, after, bench.now_ns() - began):
            return
        if (now := counts_now(bench, prober)) != counts:
            counts, since = now, bench.now_ns()


def at_work(before: Mapping[int, CoreUse] | None, after: Mapping[int, CoreUse] | None, wall_ns: int) -> bool:
    """Whether a thread of the server computed for most of the time between two looks; False also where that is unseen.

    Args:
        before, after: as of `busiest`; None where they may not be read.
    """
    return before is not None and after is not None and busiest(before, after, wall_ns) >= _AT_WORK


def threads_that_hold(entries: Iterable[Entry]) -> set[int]:
    """Native ids of the threads that do nothing but hold one request."""
    # A loop goes on accepting whatever it holds.
    held_on = Counter(entry.tid for entry in entries if entry.left_ns == NEVER and not entry.entry_loop)
    return {tid for tid, count in held_on.items() if count == 1}


def watch(bench: Bench, prober: Prober, holding: Collection[int], reached: Callable[[], bool], for_ns: int) -> bool:
    """Turns the load's loop until a state is reached, or the server had time enough in which it was free to reach it.

    Args:
        holding: native ids of threads that do nothing but hold one request.
        for_ns: time in which the server was not kept from running.

    Returns:
        False if the server hardly got a core, so that nothing can be said.
    """
    free = FreeTime(lambda without: core_use(process_tree(*bench.server.roots()), without), bench.now_ns)
    began = bench.now_ns()
    while not reached():
        bench.check()
        free.look(lambda: holding)
        now = bench.now_ns()
        if (now - began if free.total_ns is None else free.total_ns) >= for_ns:
            return True
        if bench.interrupts.asked or now - began > ANSWER_S * 1e9:
            return False
        prober.turn(TURN_NS)
    return True
