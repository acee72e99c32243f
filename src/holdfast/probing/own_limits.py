"""Which limits a server has set itself, so that those that were asked for are not in force."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from holdfast.model.limits import ADDRESS_SPACE, NOFILE, NPROC, OwnLimit
from holdfast.observe.limits import ProcessLimits, read_limits
from holdfast.observe.process_info import name_of, read_arguments
from holdfast.procfs.read import read_stat
from holdfast.servers.limits import AskedLimit


def limits_of_its_own(pids: Iterable[int], asked: Iterable[AskedLimit]) -> tuple[OwnLimit, ...]:
    """Those of the limits asked for in whose place another one is in force in a process of the server."""
    wanted = tuple(asked)
    return tuple(_own_limits(pids, wanted)) if wanted else ()


def _own_limits(pids: Iterable[int], asked: Iterable[AskedLimit]) -> Iterator[OwnLimit]:
    stats = {pid: stat for pid in pids if (stat := read_stat(pid)) is not None and stat.state not in "ZX"}
    # One that has ended meanwhile has none; no other is without a limit of descriptors (kernel/sys.c, fs.nr_open).
    limits = {pid: found for pid in stats if (found := read_limits(pid)).nofile is not None}
    for each in asked:
        others = [pid for pid in sorted(limits) if _in_force(limits[pid], each) != each.value]
        # The first one by descent: what it starts has its limits from it.
        first = next((pid for pid in others if stats[pid].parent not in others), None)
        if first is not None:
            program = name_of(read_arguments(first)) or stats[first].name
            yield OwnLimit(each.kind.name, each.value, _in_force(limits[first], each), first, program)


def _in_force(limits: ProcessLimits, asked: AskedLimit) -> int | None:
    return {NOFILE: limits.nofile, NPROC: limits.nproc, ADDRESS_SPACE: limits.address_space}[asked.kind.name]
