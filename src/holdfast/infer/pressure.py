"""How close the server came to each limit that the environment sets it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence

from holdfast.infer.known import Known
from holdfast.model.limits import (
    ADDRESS_SPACE,
    MEMORY_MAX,
    NOFILE,
    NPROC,
    PIDS_MAX,
    THREADS_MAX,
    GroupUse,
    LimitLook,
    LimitName,
    Pressure,
    ProcessUse,
)
from holdfast.model.timeline import Entry, Timeline

# kernel/pid.c, RESERVED_PIDS: once all ids were given out, these first ones are not given out again.
_RESERVED_IDS = 300
# glibc's stack of a thread where RLIMIT_STACK is unlimited (ARCH_STACK_DEFAULT_SIZE, nptl).
_USUAL_STACK = 2 << 20
# strerror(3) of EMFILE; that of ENFILE, which is not about the process, has more words.
_RAN_OUT = re.compile(r"Too many open files(?! in system)")
_UNREADABLE = "what the server had used of its limits could not be read"
_NOT_KEPT = "the run was saved before that was kept"


def pressure_of(timeline: Timeline, held: Sequence[Entry]) -> Known[tuple[Pressure, ...] | None]:
    """Each limit in force, with what was used of it when every place was full.

    Args:
        held: the handlers that ran then.
    """
    if len(timeline.limit_looks) < 2:
        kept = timeline.server.other_limits is not None
        return Known(None, {"pressure": _UNREADABLE if kept else _NOT_KEPT})
    before, full = timeline.limit_looks[0], timeline.limit_looks[-1]
    told = _RAN_OUT.search(timeline.server_log) is not None
    found = (
        _of_descriptors(before, full, Counter(each.pid for each in held), told=told),
        _of_user(before, full),
        _of_group(PIDS_MAX, before.tasks, full.tasks),
        _of_machine(before, full),
        _of_address_space(before, full),
        _of_group(MEMORY_MAX, before.memory, full.memory),
    )
    return Known(tuple(each for each in found if each is not None))


def limits_met(pressure: Sequence[Pressure] | None) -> tuple[str, ...]:
    """The names of the limits that were met for certain."""
    return tuple(each.name for each in pressure or () if each.hit)


def _nearest(
    processes: Sequence[ProcessUse], part: Callable[[ProcessUse], tuple[int | None, int | None]]
) -> ProcessUse | None:
    """The process that has used most of its limit; None where none has one."""

    def rated() -> Iterator[tuple[float, ProcessUse]]:
        for each in processes:
            used, limit = part(each)
            if used is not None and limit is not None:
                yield used / max(1, limit), each

    return max(rated(), key=lambda each: each[0], default=(0.0, None))[1]


def _same(process: ProcessUse, look: LimitLook) -> ProcessUse | None:
    return next((each for each in look.processes if each.pid == process.pid), None)


def _of_descriptors(before: LimitLook, full: LimitLook, held: Counter[int], *, told: bool) -> Pressure | None:
    """Descriptors.

    Args:
        told: the server has written that it ran out of them.
    """
    nearest = _nearest(full.processes, lambda each: (each.descriptors, each.nofile))
    if nearest is None or nearest.descriptors is None or nearest.nofile is None:
        return None
    at_rest = None if (same := _same(nearest, before)) is None else same.descriptors
    room, holds = nearest.nofile - nearest.descriptors, held[nearest.pid]
    each_takes = 0 if at_rest is None or not holds else round((nearest.descriptors - at_rest) / holds)
    never = all(each.nofile is None or each.table_size < each.nofile for each in full.processes)
    # A handler may need some for a moment only, which were free again at the look.
    met = room < max(1, each_takes) or (told and 2 * nearest.descriptors > nearest.nofile)
    hit = True if met else False if never else None
    return Pressure(NOFILE, nearest.descriptors, nearest.nofile, at_rest, hit)


def _of_user(before: LimitLook, full: LimitLook) -> Pressure | None:
    if full.user_tasks is None or full.nproc is None:
        return None
    return Pressure(NPROC, full.user_tasks, full.nproc, before.user_tasks, _if_reached(full.user_tasks, full.nproc))


def _of_machine(before: LimitLook, full: LimitLook) -> Pressure | None:
    used, ids = full.machine_threads, full.pid_max
    most = [each for each in (full.threads_max, ids) if each is not None]
    if used is None or not most:
        return None
    last_id = used >= ids - _RESERVED_IDS if ids is not None else False
    hit = True if last_id else _if_reached(used, min(most))
    return Pressure(THREADS_MAX, used, min(most), before.machine_threads, hit)


def _of_address_space(before: LimitLook, full: LimitLook) -> Pressure | None:
    nearest = _nearest(full.processes, lambda each: (each.virtual_bytes, each.address_space))
    if nearest is None or nearest.address_space is None:
        return None
    same = _same(nearest, before)
    hit = True if same is not None and _no_thread_fits(same, nearest) else None
    at_rest = None if same is None else same.virtual_bytes
    return Pressure(ADDRESS_SPACE, nearest.virtual_bytes, nearest.address_space, at_rest, hit)


def _no_thread_fits(before: ProcessUse, full: ProcessUse) -> bool:
    """Whether a process that has started threads, each with a stack of the usual size, has no room for another one."""
    threads, stack = full.threads - before.threads, full.stack_bytes or _USUAL_STACK
    grown = full.virtual_bytes - before.virtual_bytes
    return threads > 0 and grown >= threads * stack and (full.address_space or 0) - full.virtual_bytes < stack


def _of_group(name: LimitName, before: GroupUse | None, full: GroupUse | None) -> Pressure | None:
    if full is None:
        return None
    moved = None
    if before is not None and before.refusals is not None and full.refusals is not None:
        moved = full.refusals > before.refusals
    hit = True if full.used >= full.limit else moved
    return Pressure(name, full.used, full.limit, None if before is None else before.used, hit)


def _if_reached(used: int, limit: int) -> bool | None:
    return True if used >= limit else None
