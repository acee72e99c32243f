"""Limits that the environment sets a server, and how much of them is used, read from `/proc` and the cgroups."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from functools import partial

from holdfast.model.frozen import frozen
from holdfast.model.limits import GroupUse, LimitLook, OtherLimits, ProcessUse
from holdfast.procfs import parse
from holdfast.procfs.parse import ProcessStatus, ProtocolError
from holdfast.procfs.read import count_descriptors, list_pids, read_as, read_if_readable

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


@frozen
class _Resource:
    """A controller of cgroups: its name, and its files in version 1 and 2."""

    name: str
    limit: tuple[str, str]
    used: tuple[str, str]


# Documentation/admin-guide/cgroup-v1/{pids,memory}.rst and cgroup-v2.rst.
_TASKS = _Resource("pids", ("pids.max", "pids.max"), ("pids.current", "pids.current"))
_MEMORY = _Resource("memory", ("memory.limit_in_bytes", "memory.max"), ("memory.usage_in_bytes", "memory.current"))


@frozen
class _Group:
    """The strictest cgroup around a process.

    Attributes:
        own: the directory of the process's own cgroup.
    """

    version: int
    directory: str
    own: str
    limit: int


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
    tasks, memory = _strictest(pid, _TASKS), _strictest(pid, _MEMORY)
    machine = [read_as(parse.single_number, path) for path in (_THREADS_MAX, _PID_MAX)]
    return OtherLimits(
        address_space=read_limits(pid).address_space,
        pids_max=None if tasks is None else tasks.limit,
        threads_max=min((each for each in machine if each is not None), default=None),
        memory_max=None if memory is None else memory.limit,
    )


def look_at_limits(pids: Iterable[int], accepting: Iterable[int], at_ns: int) -> LimitLook | None:
    """How much of each limit is used now; takes ~0.1 ms for each process, and where nproc binds as much for all others.

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
    nproc = read_limits(limited).nproc if _nproc_binds(limited) else None
    return LimitLook(
        at_ns=at_ns,
        processes=processes,
        nproc=nproc,
        user_tasks=None if nproc is None else _tasks_of_user(limited),
        tasks=_group_use(limited, _TASKS),
        memory=_group_use(limited, _MEMORY),
        machine_threads=read_as(parse.machine_threads, "/proc/loadavg"),
        threads_max=read_as(parse.single_number, _THREADS_MAX),
        pid_max=read_as(parse.single_number, _PID_MAX),
    )


def _status(pid: int) -> ProcessStatus | None:
    return read_as(parse.process_status, f"/proc/{pid}/status")


def _process_use(pid: int) -> ProcessUse | None:
    status = _status(pid)
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
    status = _status(pid)
    first = read_as(parse.maps_every_user_to_itself, f"/proc/{pid}/uid_map")
    exempt = status is not None and (status.uid == 0 or status.capabilities & _EXEMPT)
    return status is not None and not (exempt and first)


def _tasks_of_user(pid: int) -> int | None:
    own = _status(pid)
    if own is None:
        return None
    others = (_status(each) for each in list_pids())
    return sum(each.threads for each in others if each is not None and each.uid == own.uid)


def _strictest(pid: int, resource: _Resource) -> _Group | None:
    """The cgroup with the least limit on the way from a process's own to the root, as far as that is mounted here."""
    found = _directory(pid, resource)
    if found is None:
        return None
    version, own, top = found
    limited = []
    for directory in _upwards(own, top):
        limit = read_as(parse.group_limit, os.path.join(directory, resource.limit[version - 1]))
        if limit is not None:
            limited.append(_Group(version, directory, own, limit))
    return min(limited, key=lambda each: each.limit, default=None)


def _directory(pid: int, resource: _Resource) -> tuple[int, str, str] | None:
    """The version of the hierarchy that counts a resource, a process's directory in it, and the highest one.

    None where it is not mounted here, or the process is outside of what is.
    """
    groups = read_as(parse.cgroups, f"/proc/{pid}/cgroup") or {}
    mounts = read_as(parse.cgroup_mounts, "/proc/self/mountinfo") or ()
    for mount in mounts:
        path = groups.get("" if mount.version == 2 else resource.name)
        if path is None or (mount.version == 1 and resource.name not in mount.controllers):
            continue
        below = os.path.relpath(path, mount.root)
        own = os.path.normpath(os.path.join(mount.path, below))
        # Where both are mounted, only one of them has the controller.
        if not below.startswith("..") and (mount.version == 1 or _has(own, resource)):
            return mount.version, own, mount.path
    return None


def _has(directory: str, resource: _Resource) -> bool:
    # The root of version 2 has no such file, and a process there is not limited by one.
    return os.path.exists(os.path.join(directory, resource.limit[1]))


def _upwards(directory: str, top: str) -> Iterator[str]:
    yield directory
    while directory not in {top, "/"}:
        directory = os.path.dirname(directory)
        yield directory


def _group_use(pid: int, resource: _Resource) -> GroupUse | None:
    group = _strictest(pid, resource)
    if group is None:
        return None
    used = read_as(parse.single_number, os.path.join(group.directory, resource.used[group.version - 1]))
    return None if used is None else GroupUse(used, group.limit, _refusals(group, resource))


def _refusals(group: _Group, resource: _Resource) -> int | None:
    return _refused_tasks(group) if resource is _TASKS else _refused_memory(group)


def _refused_tasks(group: _Group) -> int | None:
    """How many forks the limit refused (kernel/cgroup/pids.c).

    `pids.events` of a cgroup counts forks of its own processes that any limit around them refused; since Linux 6.11, in
    version 2, what the limits of itself and below it refused, and `pids.events.local` what its own did.
    """
    counts = [read_as(_MET, os.path.join(group.own, "pids.events"))]
    if group.own != group.directory and group.version == 2:
        counts.append(read_as(_MET, os.path.join(group.directory, "pids.events.local")))
    known = [each for each in counts if each is not None]
    return sum(known) if known else None


def _refused_memory(group: _Group) -> int | None:
    """How often memory was asked for beyond the limit (cgroup-v1/memory.rst, cgroup-v2.rst)."""
    if group.version == 1:
        return read_as(parse.single_number, os.path.join(group.directory, "memory.failcnt"))
    # Without what happened in the cgroups below, where the kernel tells it (Linux 5.2).
    counts = (read_as(_MET, os.path.join(group.directory, f"memory.events{each}")) for each in (".local", ""))
    return next((each for each in counts if each is not None), None)


_MET = partial(parse.event_count, name=b"max")
