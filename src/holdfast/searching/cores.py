"""What the load, the server and all others had of the machine's cores while a load ran."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from itertools import pairwise

from holdfast.engine.processes import Watched
from holdfast.infer.capacity_disturbed import Window
from holdfast.model.capacity import ProcessCores
from holdfast.model.frozen import frozen
from holdfast.model.units import NS_PER_S
from holdfast.observe.core_uses import read_core_use
from holdfast.observe.process_info import is_built_without_gil, is_python, name_of, read_program
from holdfast.observe.starvation import NOT_SEEN, CoreUse, starved_ns
from holdfast.procfs import parse
from holdfast.procfs.read import TICKS_PER_S, read_as

_EVERY_NS = 200_000_000
_BUSY_THREAD = 0.01
_MOST_PROCESSES = 8


@frozen
class _Use:
    """One look.

    Attributes:
        load: threads of the load's processes.
        server: threads of each process of the server.
        machine: its idle time, and all of its time, in clock ticks; None where that may not be read.
        ours: processor time of this process, s.
    """

    at_ns: int
    load: Mapping[int, CoreUse]
    server: Mapping[int, Mapping[int, CoreUse]]
    machine: tuple[int, int] | None
    ours: float


@frozen
class CoresSeen:
    """What each had, in cores, from the second third of a load on; None where it was not seen.

    Attributes:
        load, busiest: of the load's processes together, and of the busiest of their threads.
        load_waited: time for which these waited for a core, for each second.
        server: of each process, the busiest first.
        idle: share of the machine's time that nothing used.
        others: cores that neither the server nor holdfast used.
        windows: between each two looks of the whole load.
    """

    load: float | None = None
    busiest: float | None = None
    load_waited: float = 0.0
    server: tuple[ProcessCores, ...] = ()
    idle: float | None = None
    others: float | None = None
    windows: tuple[Window, ...] = ()


class CoreLooks:
    """Looks at the cores while a load runs."""

    def __init__(self, pids: Callable[[], tuple[int, ...]]) -> None:
        """Has seen nothing; `pids` reads the server's processes."""
        self._pids = pids
        self._uses: list[_Use] = []
        self._next_ns = 0

    def look(self, watched: Watched, until_ns: int) -> None:
        """Looks if it is time to, and requests are still due.

        Args:
            until_ns: until when they are, CLOCK_MONOTONIC.
        """
        now_ns = time.monotonic_ns()
        if not watched.start_ns <= now_ns <= until_ns or now_ns < self._next_ns:
            return
        load = read_core_use(watched.pids)
        if not load:
            return
        self._next_ns = now_ns + _EVERY_NS
        # Our own load processes are children of ours, as orphans of the server are that we adopt.
        pids = set(self._pids()) - set(watched.pids)
        server = {pid: read_core_use((pid,)) or {} for pid in sorted(pids)}
        self._uses.append(_Use(now_ns, load, server, read_as(parse.core_ticks, "/proc/stat"), time.process_time()))

    def seen(self, *, has_gil: bool = False) -> CoresSeen:
        """What was seen; at least two looks are needed.

        Args:
            has_gil: an interpreter of the server that was built to do without its lock was seen to run with it.
        """
        later = self._uses[len(self._uses) // 3 :]
        windows = tuple(_window(*pair) for pair in pairwise(self._uses))
        if len(later) < 2:
            return CoresSeen(windows=windows)
        before, after = later[0], later[-1]
        wall_ns = after.at_ns - before.at_ns
        ran = [
            (use.ran_ns - before.load[tid].ran_ns) / wall_ns for tid, use in after.load.items() if tid in before.load
        ]
        waited = sum(
            use.waited_ns - before.load[tid].waited_ns for tid, use in after.load.items() if tid in before.load
        )
        server = [
            _process(pid, before.server.get(pid, {}), use, wall_ns, has_gil=has_gil)
            for pid, use in after.server.items()
            if use
        ]
        idle, others = _idle_and_others(before, after, sum(ran) + sum(each.cores for each in server))
        in_order = tuple(sorted(server, key=lambda each: -each.cores)[:_MOST_PROCESSES])
        return CoresSeen(round(sum(ran), 3), max(ran, default=0.0), waited / wall_ns, in_order, idle, others, windows)


def _idle_and_others(before: _Use, after: _Use, used: float) -> tuple[float | None, float | None]:
    """The share of the machine's time that nothing used, and the cores that other programs did; None is not known.

    Args:
        used: cores of the load and the server.
    """
    if before.machine is None or after.machine is None or after.machine[1] <= before.machine[1]:
        return None, None
    wall_s = (after.at_ns - before.at_ns) / NS_PER_S
    still, whole = (now - then for now, then in zip(after.machine, before.machine, strict=True))
    ours = (after.ours - before.ours) / wall_s
    others = max(0.0, (whole - still) / TICKS_PER_S / wall_s - ours - used)
    return round(still / whole, 4), round(others, 3)


def _window(before: _Use, after: _Use) -> Window:
    wall_ns = after.at_ns - before.at_ns
    theirs = {tid: use for each in before.server.values() for tid, use in each.items()}
    now = {tid: use for each in after.server.values() for tid, use in each.items()}
    ran_ns = sum(
        use.ran_ns - then[tid].ran_ns
        for then, use_of in ((before.load, after.load), (theirs, now))
        for tid, use in use_of.items()
        if tid in then
    )
    starved = max(starved_ns(before.load, after.load, wall_ns), starved_ns(theirs, now, wall_ns))
    return Window(before.at_ns, after.at_ns, starved, _idle_and_others(before, after, ran_ns / wall_ns)[1])


def _process(
    pid: int, before: Mapping[int, CoreUse], after: Mapping[int, CoreUse], wall_ns: int, *, has_gil: bool
) -> ProcessCores:
    ran = waited = threads = 0
    shares = [0.0]
    for tid, use in after.items():
        then = before.get(tid, NOT_SEEN)
        own, own_wait = use.ran_ns - then.ran_ns, use.waited_ns - then.waited_ns
        ran, waited = ran + own, waited + own_wait
        shares.append((own + own_wait) / wall_ns)
        threads += own / wall_ns >= _BUSY_THREAD
    program = read_program(pid)
    free = program is not None and is_built_without_gil(program)
    return ProcessCores(
        pid=pid,
        name=(name_of(program.arguments) if program is not None else None) or "?",
        python=program is not None and is_python(program),
        cores=round(ran / wall_ns, 4),
        waited=round(waited / wall_ns, 4),
        busiest=round(max(shares), 4),
        threads=threads,
        gil=not free or has_gil,
    )


def cores_here() -> int:
    """How many cores the server and the load may use."""
    return len(os.sched_getaffinity(0))


def until_ns(watched: Watched, seconds: float) -> int:
    """Until when requests are due, CLOCK_MONOTONIC."""
    return watched.start_ns + round(seconds * NS_PER_S)
