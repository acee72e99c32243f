"""Limits that the environment sets a server: which there are, what is in force, and how much of each is used."""

from __future__ import annotations

from typing import Literal

from holdfast.model.frozen import frozen

LimitName = Literal["nofile", "nproc", "pids.max", "threads-max", "address space", "memory.max"]

NOFILE: LimitName = "nofile"
NPROC: LimitName = "nproc"
PIDS_MAX: LimitName = "pids.max"
THREADS_MAX: LimitName = "threads-max"
ADDRESS_SPACE: LimitName = "address space"
MEMORY_MAX: LimitName = "memory.max"

UNLIMITED = "unlimited"
NO_GROUP = "no cgroup around the server limits it, as far as they can be read here"
"""Reasons of a limit that is null because there is none."""
UNREADABLE = "not readable from /proc"


@frozen
class OtherLimits:
    """Limits in force for the server beside descriptors and processes; None where there is none, or it is unreadable.

    Attributes:
        address_space: RLIMIT_AS, bytes for each of its processes.
        pids_max: tasks in the strictest of the cgroups around it.
        threads_max: threads of the whole machine (`kernel.threads-max`), or ids for them (`kernel.pid_max`) where
            those are fewer.
        memory_max: bytes, in the strictest of the cgroups around it.
    """

    address_space: int | None
    pids_max: int | None
    threads_max: int | None
    memory_max: int | None


@frozen
class OwnLimit:
    """A limit that was asked for, and a process of the server in which another one is in force.

    Attributes:
        in_force: None is unlimited.
        pid, program: the first such process, by descent, and what it runs; "" where that is not known.
    """

    name: LimitName
    asked: int
    in_force: int | None
    pid: int
    program: str


@frozen
class ProcessUse:
    """What one process has used of its own limits. A limit that is None is unlimited.

    Attributes:
        descriptors: open now; None where that may not be read.
        table_size: FDSize: for how many descriptors its table has room. It never shrinks, and no descriptor is refused
            before it has room for as many as the limit allows (fs/file.c, alloc_fd and expand_files).
        virtual_bytes: size of its address space (VmSize).
        stack_bytes: RLIMIT_STACK, which the C library takes as the size of a thread's stack.
    """

    pid: int
    threads: int
    descriptors: int | None
    nofile: int | None
    table_size: int
    virtual_bytes: int
    address_space: int | None
    stack_bytes: int | None


@frozen
class GroupUse:
    """What a cgroup has used of a limit of its own.

    Attributes:
        refusals: how often that limit was met since the cgroup is there; None where the kernel does not count it.
    """

    used: int
    limit: int
    refusals: int | None


@frozen
class LimitLook:
    """How much of each limit was used at one instant. A limit that is None is unlimited, or not known.

    Attributes:
        processes: of the server.
        nproc: RLIMIT_NPROC of the server; None also where it does not bind (root), and where the whole machine has less
            than half as many threads: to count those of one user takes a look at every process.
        user_tasks: threads of the server's user, which that one limits; None with it.
        tasks, memory: of the strictest cgroup; None where none limits it.
        machine_threads: threads of the whole machine.
        threads_max, pid_max: most threads of the machine, and one more than the highest id.
    """

    at_ns: int
    processes: tuple[ProcessUse, ...]
    nproc: int | None
    user_tasks: int | None
    tasks: GroupUse | None
    memory: GroupUse | None
    machine_threads: int | None
    threads_max: int | None
    pid_max: int | None


@frozen
class Pressure:
    """How close the server came to a limit.

    Attributes:
        name: which limit.
        used: when every place was full: by the process nearest to it for `nofile` and `address space`, by all threads
            of the user for `nproc`, by the cgroup for `pids.max` and `memory.max`, by the machine for `threads-max`.
        limit: its value.
        at_rest: the same before the first request; None where that process was not there yet.
        hit: True where it certainly was met, False where it certainly was not, None where neither shows.
    """

    name: LimitName
    used: int
    limit: int
    at_rest: int | None
    hit: bool | None
