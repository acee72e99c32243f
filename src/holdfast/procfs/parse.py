"""What files of `/proc` say of processes and limits: text -> records. Pure.

Input is the bytes of one file as they were read. Bytes of the wrong form raise ProtocolError and nothing else. The
forms are those of proc(5) and of the kernel functions named below.
"""

from __future__ import annotations

import re
from collections.abc import Collection

from holdfast.model.frozen import frozen

# exit_code is field 52 of proc(5), counted from the pid; the state, field 3, is the first one after the name.
_EXIT_CODE = 49


class ProtocolError(Exception):
    """Bytes from the kernel that do not have the documented form."""


@frozen
class ProcessStat:
    """`/proc/PID/stat` or `/proc/PID/task/TID/stat` (fs/proc/array.c do_task_stat).

    Attributes:
        pid: process, or thread under `task`.
        name: first 15 bytes of the program's or thread's name.
        state: R, S, D, T, t, Z, X or I.
        parent, group, session: ids; 0 where they lie outside this PID namespace.
        cpu_ticks: user + system time of all its threads, living and ended (of the one thread
            under `task`), in clock ticks (sysconf SC_CLK_TCK).
        threads: of the process.
        started_ticks: since boot; with `pid` it identifies one process for good, `pid` alone does not.
        wait_status: how a zombie ended, as wait(2) has it; 0 of others, and where it may not be read.
    """

    pid: int
    name: str
    state: str
    parent: int
    group: int
    session: int
    cpu_ticks: int
    threads: int
    started_ticks: int
    wait_status: int = 0


def process_stat(text: bytes) -> ProcessStat:
    """Parses `stat`. Raises ProtocolError."""
    # The name is in parentheses and may contain spaces and parentheses itself.
    opening, closing = text.find(b"("), text.rfind(b")")
    fields = text[closing + 1 :].split()
    if opening < 0 or closing < opening or len(fields) < 20:
        raise ProtocolError(f"not a process's stat: {text[:80]!r}")
    return ProcessStat(
        pid=number(text[:opening]),
        name=text[opening + 1 : closing].decode("utf-8", "replace"),
        state=fields[0].decode("ascii", "replace"),
        parent=number(fields[1]),
        group=number(fields[2]),
        session=number(fields[3]),
        cpu_ticks=number(fields[11]) + number(fields[12]),
        threads=number(fields[17]),
        started_ticks=number(fields[19]),
        wait_status=number(fields[_EXIT_CODE]) if len(fields) > _EXIT_CODE else 0,
    )


def thread_state(text: bytes) -> str:
    """The state alone, a letter as in proc(5); a third of the time. Raises ProtocolError."""
    at = text.rfind(b") ") + 2
    if at < 2 or at >= len(text):
        raise ProtocolError(f"not a thread's stat: {text[:80]!r}")
    return chr(text[at])


@frozen
class ProcessStatus:
    """`/proc/PID/status` (fs/proc/array.c proc_pid_status). Of a process that has ended only the ids are there.

    Attributes:
        uid: the real user, by whom RLIMIT_NPROC counts.
        gid: the real group.
        threads: of the process.
        table_size: FDSize, for how many descriptors its table has room.
        virtual_bytes: VmSize, the size of its address space.
        capabilities: CapEff, one bit for each.
    """

    uid: int
    gid: int
    threads: int
    table_size: int
    virtual_bytes: int
    capabilities: int


def process_status(text: bytes) -> ProcessStatus:
    """Parses `status`. Raises ProtocolError."""
    fields = dict(line.split(b":", 1) for line in text.splitlines() if b":" in line)
    uids, gids = ([number(each) for each in fields.get(name, b"").split()] for name in (b"Uid", b"Gid"))
    if len(uids) != 4 or len(gids) != 4:
        raise ProtocolError(f"not a process's status: {text[:80]!r}")

    def first(name: bytes, instead: bytes = b"0") -> bytes:
        return next(iter(fields.get(name, b"").split()), instead)

    return ProcessStatus(
        uid=uids[0],
        gid=gids[0],
        threads=number(first(b"Threads")),
        table_size=number(first(b"FDSize")),
        virtual_bytes=1024 * number(first(b"VmSize")),
        capabilities=hexadecimal(first(b"CapEff")),
    )


def maps_every_user_to_itself(text: bytes) -> bool:
    """Whether `/proc/PID/uid_map` is that of the first user namespace (user_namespaces(7)). Raises ProtocolError."""
    return [[number(each) for each in line.split()] for line in text.splitlines()] == [[0, 0, 0xFFFFFFFF]]


@frozen
class CgroupMount:
    """Where a hierarchy of cgroups is mounted, from `/proc/PID/mountinfo` (proc(5)).

    Attributes:
        controllers: of version 1, as its mount options name them; () of version 2.
        root: the cgroup that is at `path`.
    """

    version: int
    controllers: tuple[str, ...]
    root: str
    path: str


def cgroup_mounts(text: bytes) -> tuple[CgroupMount, ...]:
    """The hierarchies of cgroups in `/proc/PID/mountinfo`; lines of another form are left out."""
    found = []
    for line in text.splitlines():
        before, _, after = line.partition(b" - ")
        fields, kind = before.split(b" "), after.split(b" ")
        if len(fields) < 6 or len(kind) < 3 or kind[0] not in {b"cgroup", b"cgroup2"}:
            continue
        version = 2 if kind[0] == b"cgroup2" else 1
        controllers = kind[2].decode("ascii", "replace").split(",") if version == 1 else ()
        found.append(CgroupMount(version, tuple(controllers), _unescaped(fields[3]), _unescaped(fields[4])))
    return tuple(found)


def cgroups(text: bytes) -> dict[str, str]:
    """The cgroups of a process, from `/proc/PID/cgroup` (cgroups(7)).

    Returns:
        By controller the path within its hierarchy; under "" that of version 2. Lines of another form are left out.
    """
    found = {}
    for line in text.splitlines():
        fields = line.split(b":", 2)
        if len(fields) == 3 and fields[2].startswith(b"/"):
            for controller in fields[1].split(b","):
                found[controller.decode("ascii", "replace")] = os_text(fields[2])
    return found


# No machine has as much: version 1 of the memory controller writes about 2 ** 63 for "no limit" (PAGE_COUNTER_MAX).
_UNLIMITED = 1 << 62


def group_limit(text: bytes) -> int | None:
    """A limit of a cgroup, such as `pids.max`; None is unlimited. Raises ProtocolError."""
    limit = None if text.strip() == b"max" else number(text.strip())
    return None if limit is None or limit >= _UNLIMITED else limit


def event_count(text: bytes, name: bytes) -> int:
    """How often something happened in a cgroup, from a file such as `pids.events`. Raises ProtocolError."""
    for line in text.splitlines():
        words = line.split()
        if len(words) == 2 and words[0] == name:
            return number(words[1])
    raise ProtocolError(f"no {name.decode('ascii', 'replace')!r} in a cgroup's events: {text[:80]!r}")


def machine_threads(text: bytes) -> int:
    """Threads of the whole machine, from `/proc/loadavg` (fs/proc/loadavg.c). Raises ProtocolError."""
    fields = text.split()
    if len(fields) < 4:
        raise ProtocolError(f"not a loadavg: {text[:80]!r}")
    return number(fields[3].partition(b"/")[2])


def core_ticks(text: bytes) -> tuple[int, int]:
    """Time in which the machine's cores did nothing, and all of their time, in clock ticks, from `/proc/stat`.

    Raises ProtocolError. Source: proc(5): user, nice, system, idle, iowait, irq, softirq, steal; what guests use is in
    user and nice already.
    """
    fields = text.split(b"\n", 1)[0].split()
    if len(fields) < 6 or fields[0] != b"cpu":
        raise ProtocolError(f"not a machine's stat: {text[:80]!r}")
    ticks = [number(each) for each in fields[1:9]]
    return ticks[3] + ticks[4], sum(ticks)


def available_bytes(text: bytes) -> int:
    """Memory that can be taken without swapping, from `/proc/meminfo`.

    Raises ProtocolError. Source: proc_meminfo(5), MemAvailable.
    """
    for line in text.splitlines():
        if line.startswith(b"MemAvailable:"):
            return 1024 * number(line.split()[1])
    raise ProtocolError("/proc/meminfo has no MemAvailable")


def proportional_bytes(text: bytes) -> int:
    """Anonymous memory of a process from `/proc/PID/smaps_rollup`, each shared page divided by its sharers.

    Raises:
        ProtocolError: it has no Pss_Anon (Linux before 5.4).
    """
    for line in text.splitlines():
        if line.startswith(b"Pss_Anon:"):
            return 1024 * number(line.split()[1])
    raise ProtocolError(f"not a process's smaps_rollup: {text[:80]!r}")


def soft_limit(text: bytes, name: bytes) -> int | None:
    """Soft limit from `/proc/PID/limits`; None is unlimited.

    Args:
        name: as the kernel prints it, e.g. b"Max open files" (fs/proc/base.c lnames).
    """
    for line in text.splitlines():
        if line.startswith(name + b" "):
            soft = line[len(name) :].split()[:1]
            if soft == [b"unlimited"]:
                return None
            return number(b"".join(soft))
    raise ProtocolError(f"no {name.decode('ascii', 'replace')!r} in a process's limits")


def syscall_number(text: bytes) -> int | None:
    """System call in which a thread waits, from `/proc/PID/task/TID/syscall`; None while it runs.

    -1 is a thread that waits outside a system call (a page fault). Raises ProtocolError.
    """
    first = text.split(None, 1)[:1]
    return None if first == [b"running"] else number(b"".join(first))


def syscall(text: bytes) -> tuple[int, tuple[int, ...]] | None:
    """Number and arguments of the system call in which a thread waits, from `/proc/PID/task/TID/syscall`.

    None while it runs, and where it waits outside a system call. Raises ProtocolError.
    """
    words = text.split()
    if words[:1] == [b"running"] or words[:1] == [b"-1"]:
        return None
    if len(words) < 7:
        raise ProtocolError(f"not a thread's syscall: {text[:80]!r}")
    return number(words[0]), tuple(hexadecimal(each) for each in words[1:7])


def epoll_targets(text: bytes) -> tuple[int, ...]:
    """Descriptors in an epoll set, from `/proc/PID/fdinfo/N` (proc(5)). Raises ProtocolError."""
    return tuple(number(line.split()[1]) for line in text.splitlines() if line.startswith(b"tfd:"))


def core_times(text: bytes) -> tuple[int, int]:
    """Time on a core and time on run queues, ns, from `schedstat` (fs/proc/base.c proc_pid_schedstat).

    Raises ProtocolError.
    """
    fields = text.split()
    if len(fields) != 3:
        raise ProtocolError(f"not a thread's schedstat: {text[:80]!r}")
    return number(fields[0]), number(fields[1])


def only_sleeps(text: bytes, sleeps: Collection[int], selects: Collection[int]) -> bool:
    """Whether a thread waits for nothing but time, from `/proc/PID/task/TID/syscall`.

    Args:
        sleeps: numbers of the calls that do nothing else (nanosleep).
        selects: of those that do so when they are given no descriptors (select; Python before 3.11 sleeps by it).

    Source: proc(5): the number, then the arguments; select(2): the first is one more than the highest descriptor.
    """
    words = text.split(None, 2)
    call = syscall_number(text)
    return call in sleeps or (call in selects and len(words) > 1 and words[1] == b"0x0")


def private_pages(text: bytes) -> int:
    """Resident pages that are neither a file's nor shared memory, from `/proc/PID/statm`. Raises ProtocolError.

    Pages that a fork has in common with its parent are included.
    """
    fields = text.split()
    if len(fields) < 3:
        raise ProtocolError(f"not a process's statm: {text[:80]!r}")
    return number(fields[1]) - number(fields[2])


def port_range(text: bytes) -> range:
    """The ports of `/proc/sys/net/ipv4/ip_local_port_range`, which names the first and the last.

    Raises ProtocolError.
    """
    fields = text.split()
    if len(fields) != 2:
        raise ProtocolError(f"not a range of ports: {text[:80]!r}")
    return range(number(fields[0]), number(fields[1]) + 1)


def monotonic_offset(text: bytes) -> tuple[int, int]:
    """By how much `/proc/PID/timens_offsets` sets CLOCK_MONOTONIC forward: seconds and nanoseconds.

    Source: time_namespaces(7). Raises ProtocolError.
    """
    for line in text.splitlines():
        match line.split():
            case [b"monotonic", seconds, nanoseconds]:
                return number(seconds), number(nanoseconds)
    raise ProtocolError(f"not the offsets of a time namespace: {text[:80]!r}")


def single_number(text: bytes) -> int:
    """A file that holds one number, e.g. `/proc/sys/net/core/somaxconn`. Raises ProtocolError."""
    return number(text.strip())


def socket_inode(link: str) -> int | None:
    """Inode of a `/proc/PID/fd/N` link's target if it is a socket, else None."""
    if not link.startswith("socket:[") or not link.endswith("]"):
        return None
    digits = link[8:-1]
    return int(digits) if digits.isascii() and digits.isdigit() else None


_OCTAL = re.compile(rb"\\([0-7]{3})")


def _unescaped(path: bytes) -> str:
    # Space, tab, newline and backslash are written in octal (fs/proc_namespace.c).
    return os_text(_OCTAL.sub(lambda found: bytes([int(found[1], 8) & 0xFF]), path))


def os_text(name: bytes) -> str:
    """A file name of any bytes as Python has it."""
    return name.decode("utf-8", "surrogateescape")


def number(digits: bytes) -> int:
    """A decimal number. Raises ProtocolError."""
    try:
        return int(digits)
    except ValueError:
        raise ProtocolError(f"not a number: {digits[:80]!r}") from None


def hexadecimal(digits: bytes) -> int:
    """A hexadecimal number. Raises ProtocolError."""
    try:
        return int(digits, 16)
    except ValueError:
        raise ProtocolError(f"not a hexadecimal number: {digits[:80]!r}") from None
