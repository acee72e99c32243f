"""Limits that the environment sets a server, and how much of them is used."""

from __future__ import annotations

from collections.abc import Iterable

from holdfast.model.frozen import frozen
from holdfast.model.limits import GroupUse, LimitLook, OtherLimits, ProcessUse
from holdfast.observe.cgroups import MEMORY, TASKS, Resource, strictest, use_of
from holdfast.procfs import parse
from holdfast.procfs.parse import ProtocolError
from holdfast.procfs.read import count_descriptors, list_pids, read, read_as, read_if_readable, read_status

# capability.h; kernel/fork.c, copy_process(): RLIMIT_NPROC does not bind a process that has one of them, nor root.
_EXEMPT = 1 << 21 | 1 << 24  # CAP_SYS_ADMIN, CAP_SYS_RESOURCE
_THREADS_MAX = "/proc/sys/kernel/threads-max"
_PID_MAX = "/proc/sys/kernel/pid_max"


@frozen
class ProcessLimits:
    """Soft limits of a process; None is unlimited or unreadable.

    Attributes:
        nofile: descriptors.
        nproc: threads of its user.
        address_space, stack: bytes.
    """

    nofile: int | None
    nproc: int | None
    address_space: int | None
    stack: int | None


def read_limits(pid: int) -> ProcessLimits:
    """Soft limits of a process."""
    text = read_if_readable(f"/proc/{pid}/limits")
    names = (b"Max open files", b"Max processes", b"Max address space", b"Max stack size")
    return ProcessLimits(*(_limit(text, name) for name in names))


def _limit(text: bytes | None, name: bytes) -> int | None:
    try:
        return None if text is None else parse.soft_limit(text, name)
    except ProtocolError:
        return None


def read_other_limits(pid: int) -> OtherLimits:
    """What else limits a process."""
    tasks, memory = strictest(pid, TASKS), strictest(pid, MEMORY)
    machine = [read_as(parse.single_number, path) for path in (_THREADS_MAX, _PID_MAX)]
    return OtherLimits(
        address_space=read_limits(pid).address_space,
        pids_max=None if tasks is None else tasks.limit,
        threads_max=min((each for each in machine if each is not None), default=None),
        memory_max=None if memory is None else memory.limit,
    )


def look_at_limits(pids: Iterable[int], accepting: Iterable[int], at_ns: int) -> LimitLook | None:
    """How much of each limit is used now; takes ~0.1 ms for each process (all of them, if nproc is near).

    Args:
        pids: processes of the server.
        accepting: those of them that take requests; the user and the cgroups of one of these count, if possible of one
            that RLIMIT_NPROC limits (a master may run as root).
        at_ns: CLOCK_MONOTONIC of this look; it is put into the result.

    Returns:
        None where no process that takes requests can be read.
    """
    processes = tuple(each for each in map(_process_use, pids) if each is not None)
    candidates = sorted(set(accepting) & {each.pid for each in processes})
    if not candidates:
        return None
    limited = next(filter(_nproc_binds, candidates), candidates[0])
    machine_threads = read_as(parse.machine_threads, "/proc/loadavg")
    nproc = read_limits(limited).nproc if _nproc_binds(limited) else None
    if nproc is not None and machine_threads is not None and 2 * machine_threads < nproc:
        nproc = None
    return LimitLook(
        at_ns=at_ns,
        processes=processes,
        nproc=nproc,
        user_tasks=None if nproc is None else _tasks_of_user(limited),
        tasks=_group_use(limited, TASKS),
        memory=_group_use(limited, MEMORY),
        machine_threads=machine_threads,
        threads_max=read_as(parse.single_number, _THREADS_MAX),
        pid_max=read_as(parse.single_number, _PID_MAX),
    )


def available_memory() -> int:
    """Memory of this machine that can be taken without swapping, bytes. Raises OSError, ProtocolError."""
    return parse.available_bytes(read("/proc/meminfo"))


def _process_use(pid: int) -> ProcessUse | None:
    status = read_status(pid)
    if status is None or not status.table_size:
        return None  # it has ended
    limits = read_limits(pid)
    try:
        descriptors = count_descriptors(pid)
    except OSError:
        descriptors = None
    return ProcessUse(
        pid=pid,
        threads=status.threads,
        descriptors=descriptors,
        nofile=limits.nofile,
        table_size=status.table_size,
        virtual_bytes=status.virtual_bytes,
        address_space=limits.address_space,
        stack_bytes=limits.stack,
    )


def _nproc_binds(pid: int) -> bool:
    """Whether RLIMIT_NPROC limits a process. It does not limit root of the first user namespace, nor the exempt."""
    status = read_status(pid)
    first = read_as(parse.maps_every_user_to_itself, f"/proc/{pid}/uid_map")
    exempt = status is not None and (status.uid == 0 or status.capabilities & _EXEMPT)
    return status is not None and not (exempt and first)


def _tasks_of_user(pid: int) -> int | None:
    own = read_status(pid)
    if own is None:
        return None
    others = (read_status(each) for each in list_pids())
    return sum(each.threads for each in others if each is not None and each.uid == own.uid)


def _group_use(pid: int, resource: Resource) -> GroupUse | None:
    group = strictest(pid, resource)
    return None if group is None else use_of(group, resource)
