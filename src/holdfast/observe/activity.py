"""Whether a server has come to rest, from what its processes did between looks. Pure.

Facts
-----
* A server listens before its workers are there, and a worker that imports an application uses CPU
  all the time. Waiting in the same system calls without a tick of CPU is rest.
* A master may start its workers with pauses in between, of up to 0.1 s (gunicorn/arbiter.py,
  spawn_workers). If the application was loaded before, the first worker rests long before
  the next one is there; but the master is in a call that waits for nothing but time.
* A timer in the server or the application may run so often that no interval passes without a tick.

Decisions
---------
* Rest for REST_NS suffices, unless a thread just sleeps: then the rest must outlast its pause. A thread of which
  that may not be read (another architecture, a sandbox that hides it) may be sleeping.
* A server that never rests like this is also ready when its tree stays the same for RESTLESS_NS and every process
  is seen waiting now and then: a process that starts is running or runnable. "Now and then" is enough, because on
  a busy machine what should take 4 ms may take 40.
* If a thread other than the main one never waits, the application works in the background. Starting up happens in
  the main thread, so a tree that stays the same for BUSY_NS with main threads seen waiting is ready too.
* A main thread that never waits may poll without ever sleeping (fastpysgi's loop, with an ASGI application). Starting
  up reads files and takes memory: a process that has done neither for BUSY_NS polls.
"""

from __future__ import annotations

from collections import Counter

from holdfast.model.frozen import frozen

# proc(5): S waits interruptibly, I is an idle kernel thread, Z and X have ended. R runs or would
# run if a core were free; D waits for a disk, as an import from a cold file system does; T is stopped.
AT_REST = frozenset("SIZX")

# CPU time is counted in ticks of 10 ms; looks closer than a few of them cannot show rest.
REST_NS = 40_000_000
PAUSED_NS = 250_000_000
RESTLESS_NS = 1_000_000_000
BUSY_NS = 3_000_000_000
_ENOUGH_LOOKS = 50
_ONE_IN = 10


@frozen
class ThreadActivity:
    """One thread.

    Attributes:
        state: letter as in proc(5).
        syscall: number of the system call in which it waits; None where it runs or may not be read.
        sleeps: it only waits for time to pass; None where it waits and for what may not be read.
    """

    tid: int
    state: str
    syscall: int | None
    sleeps: bool | None = False


@frozen
class ProcessActivity:
    """One process.

    Attributes:
        started_ticks: since boot; tells it from a later process with the same pid.
        cpu_ticks: user + system time of all its threads, in clock ticks.
        threads: by tid.
        work: what it has read, written and taken of memory until now, as the kernel tells it; None where its main
            thread waits, or where that may not be read.
    """

    pid: int
    started_ticks: int
    cpu_ticks: int
    threads: tuple[ThreadActivity, ...]
    work: bytes | None = None


@frozen
class Activity:
    """The processes of a tree that could be read, by pid."""

    processes: tuple[ProcessActivity, ...]


def settled(before: Activity, after: Activity) -> bool:
    """Whether every process had reached its waiting state when two looks were made.

    True if both looks show the same processes with the same threads, every thread waits in the same system call (as
    far as that may be read), and no clock tick of CPU was used in between. Context switches do not count: an event
    loop or a master process that wakes on a timer uses about 0.1 ms each time and is at rest. Looks less than a few
    ticks (10 ms each) apart show nothing, and a process that sleeps while it starts cannot be told from one that
    waits for requests. False if no process is left.
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
        and before.state in AT_REST
        and after.state in AT_REST
        and (before.syscall == after.syscall or before.syscall is None or after.syscall is None)
    )


class Rest:
    """Decides, look by look, whether a starting server has come to rest.

    Invariant: `_still` is the first look since which nothing has moved, `_same` the first one since which
    the tree has been the same.

    Attributes:
        busy: processes with a thread that never waits, in a server that counts as at rest.
        polling: those of them whose main thread never waits.
        unread: the last look could not tell of a waiting thread what it waits for.
    """

    def __init__(self) -> None:
        self._still = self._same = Activity(())
        self._still_ns = self._same_ns = 0
        self._looks = 0
        self._waited: Counter[int] = Counter()
        self._main_waited: Counter[int] = Counter()
        self._worked: dict[int, tuple[bytes, int]] = {}
        self.busy: tuple[int, ...] = ()
        self.unread = False
        self.polling: tuple[int, ...] = ()

    def seen(self, now_ns: int, look: Activity) -> bool:
        """Whether this look shows that the server is at rest.

        Args:
            now_ns: CLOCK_MONOTONIC of the look, ascending.
        """
        if not settled(self._still, look):
            self._still, self._still_ns = look, now_ns
        if _tree(look) != _tree(self._same):
            self._same, self._same_ns = look, now_ns
            self._looks = 0
            self._waited.clear()
            self._main_waited.clear()
        self._looks += 1
        self._waited.update(each.pid for each in look.processes if _waits(each))
        self._main_waited.update(each.pid for each in look.processes if _main_waits(each))
        self._note_work(now_ns, look)
        waits = [thread.sleeps for process in look.processes for thread in process.threads]
        self.unread = None in waits
        asleep = any(each or each is None for each in waits)
        if look.processes and now_ns - self._still_ns >= (PAUSED_NS if asleep else REST_NS):
            return True
        if not look.processes or self._looks < _ENOUGH_LOOKS or now_ns - self._same_ns < RESTLESS_NS:
            return False
        restless = [each.pid for each in look.processes if _ONE_IN * self._waited[each.pid] < self._looks]
        if not restless:
            return True
        polling = [pid for pid in restless if _ONE_IN * self._main_waited[pid] < self._looks]
        if now_ns - self._same_ns < BUSY_NS or any(not self._works_no_more(pid, now_ns) for pid in polling):
            return False
        self.busy, self.polling = tuple(restless), tuple(polling)
        return True

    def _note_work(self, now_ns: int, look: Activity) -> None:
        for each in look.processes:
            if each.work is not None and self._worked.get(each.pid, (None, 0))[0] != each.work:
                self._worked[each.pid] = each.work, now_ns

    def _works_no_more(self, pid: int, now_ns: int) -> bool:
        return pid in self._worked and now_ns - self._worked[pid][1] >= BUSY_NS


def _tree(look: Activity) -> list[tuple[int, int, int]]:
    return [(each.pid, each.started_ticks, len(each.threads)) for each in look.processes]


def _main_waits(process: ProcessActivity) -> bool:
    return all(thread.state in AT_REST for thread in process.threads if thread.tid == process.pid)


def _waits(process: ProcessActivity) -> bool:
    return all(thread.state in AT_REST for thread in process.threads)
