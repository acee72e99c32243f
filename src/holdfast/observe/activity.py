"""Whether a server has come to rest: what its processes did between two looks. Pure."""

from __future__ import annotations

from dataclasses import dataclass

# proc(5): S waits interruptibly, I is an idle kernel thread, Z and X have ended. R runs or would
# run if a core were free; D waits for a disk, as an import from a cold file system does; T is stopped.
_AT_REST = frozenset("SIZX")


@dataclass(frozen=True, slots=True)
class ThreadActivity:
    """One thread.

    Attributes:
        state: letter as in proc(5).
        syscall: number of the system call in which it waits; None where it runs or may not be read.
    """

    tid: int
    state: str
    syscall: int | None


@dataclass(frozen=True, slots=True)
class ProcessActivity:
    """One process.

    Attributes:
        started_ticks: since boot; tells it from a later process with the same pid.
        cpu_ticks: user + system time of all its threads, in clock ticks.
        threads: by tid.
    """

    pid: int
    started_ticks: int
    cpu_ticks: int
    threads: tuple[ThreadActivity, ...]


@dataclass(frozen=True, slots=True)
class Activity:
    """The processes of a tree that could be read, by pid."""

    processes: tuple[ProcessActivity, ...]


def settled(before: Activity, after: Activity) -> bool:
    """Whether every process had reached its waiting state when two looks were made.

    True where both looks show the same processes with the same threads, every thread waits in the
    same system call (as far as that may be read), and no clock tick of CPU was used in between.
    Context switches do not count: an event loop or a master process that wakes on a timer of its
    own uses some 0.1 ms each time and is at rest. Looks less than a few ticks (10 ms each) apart
    show nothing, and a process that sleeps as part of its start is not told from one that waits
    for requests. False where no process is left.
    """
    if not after.processes or len(before.processes) != len(after.processes):
        return False
    return all(map(_same_rest, before.processes, after.processes))


def _same_rest(before: ProcessActivity, after: ProcessActivity) -> bool:
    return (
        before.pid == after.pid
        and before.started_ticks == after.started_ticks
        and before.cpu_ticks == after.cpu_ticks
        and len(before.threads) == len(after.threads)
        and all(map(_same_wait, before.threads, after.threads))
    )


def _same_wait(before: ThreadActivity, after: ThreadActivity) -> bool:
    return (
        before.tid == after.tid
        and before.state in _AT_REST
        and after.state in _AT_REST
        and (before.syscall == after.syscall or before.syscall is None or after.syscall is None)
    )
