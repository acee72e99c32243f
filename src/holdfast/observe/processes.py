"""What the processes of a server are and use, read from `/proc`.

Processes may end while they are read, and those of other users may not be readable: a process that is gone is left
out, and a figure that may not be read is None, never a smaller sum.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Collection, Iterable
from itertools import chain
from stat import S_ISSOCK

from holdfast.model.address import NO_PORT
from holdfast.model.samples import Usage
from holdfast.model.timeline import Listener
from holdfast.observe.activity import Activity, ProcessActivity, ThreadActivity
from holdfast.observe.kernel import KernelView
from holdfast.observe.sock_diag import UnixListener
from holdfast.procfs import parse
from holdfast.procfs.parse import ProtocolError
from holdfast.procfs.read import (
    TICKS_PER_S,
    count_descriptors,
    is_alive,
    list_pids,
    read,
    read_as,
    read_if_readable,
    read_stats,
)

# nanosleep and clock_nanosleep; select and pselect6 (asm/unistd.h of each architecture).
_SLEEPS, _SELECTS = {
    "x86_64": (frozenset({35, 230}), frozenset({23, 270})),
    "aarch64": (frozenset({101, 115}), frozenset({72})),
}.get(os.uname().machine, (frozenset[int](), frozenset[int]()))
# Calls that take their timeout in ms, and which argument it is: poll, epoll_wait, epoll_pwait (the same).
_TIMEOUTS: dict[int, int] = {"x86_64": {7: 2, 232: 3, 281: 3}, "aarch64": {22: 3}}.get(os.uname().machine, {})
# With so many threads, their lists of children may take longer to read than all processes of the machine.
_MANY_LISTS = 64

# proc(5): it runs, is a kernel thread, or has ended.
_NOT_WAITING = frozenset("RIZX")


def read_process_tree(*roots: int) -> tuple[int, ...]:
    """Processes and everything that descends from them, ascending; () when all have ended.

    A process whose parent has ended gets another parent. It is still found if it is in the session or process group
    that a root leads; that is why a server is started in its own session (setsid). A process that has left its
    session too, as a daemon does, must be a root itself: the nearest ancestor that adopts orphans becomes its parent.

    Zombies are included. Takes ~12 us for each process of the machine.
    """
    stats = list(read_stats())
    children: dict[int, list[int]] = {}
    for stat in stats:
        children.setdefault(stat.parent, []).append(stat.pid)
    waiting = [stat.pid for stat in stats if not {stat.pid, stat.session, stat.group}.isdisjoint(roots)]
    found: set[int] = set()
    while waiting:
        pid = waiting.pop()
        if pid not in found:
            found.add(pid)
            waiting += children.get(pid, ())
    return tuple(sorted(found))


def read_descendants(*roots: int) -> tuple[int, ...]:
    """As `read_process_tree`, but without processes that only share a root's session: ~10 us for each thread.

    It is for a server whose orphans we adopt, so that they are roots. A process that is started or ends meanwhile may
    be missing (proc(5), children): for looks that are repeated.
    """
    found, waiting, lists, most = set[int](), list(roots), 0, _MANY_LISTS
    while waiting:
        pid = waiting.pop()
        if pid in found:
            continue
        try:
            tids = os.listdir(f"/proc/{pid}/task")
            lists += len(tids)
            if lists > most and lists > (most := len(list_pids())):
                return read_process_tree(*roots)
            for tid in tids:
                waiting += map(int, read(f"/proc/{pid}/task/{tid}/children").split())
        except OSError:
            if os.path.exists(f"/proc/{pid}/task/{pid}/stat"):
                # A thread has ended, or the kernel has no such lists (CONFIG_PROC_CHILDREN).
                return read_process_tree(*roots)
            continue
        found.add(pid)
    return tuple(sorted(found))


def started_at(pid: int, tid: int) -> int | None:
    """When a thread began, in clock ticks since boot; None where there is none of that number, or it has ended."""
    text = read_if_readable(f"/proc/{pid}/task/{tid}/stat")
    stat = parse.process_stat(text) if text else None
    return None if stat is None or stat.state in "ZX" else stat.started_ticks


def find_holders(inodes: Iterable[int], pids: Iterable[int] | None = None) -> dict[int, tuple[int, ...]]:
    """Which processes hold sockets open.

    Args:
        inodes: of the sockets.
        pids: where to look; None is every process of the machine.

    Returns:
        For each inode the pids, ascending; () where no process that may be read holds it.
        Reading a process takes ~5 us for each of its descriptors.
    """
    found: dict[int, list[int]] = {inode: [] for inode in inodes}
    for pid in sorted(set(list_pids() if pids is None else pids)):
        for inode in socket_inodes(pid) & found.keys():
            found[inode].append(pid)
    return {inode: tuple(of_inode) for inode, of_inode in found.items()}


def find_listeners(pids: Iterable[int], kernel: KernelView) -> tuple[Listener, ...]:
    """Listening TCP sockets that these processes hold, with `pids` filled, by inode.

    Costs what `holders` costs: for before the load comes, not for each look.
    """
    listening = kernel.listening_inodes()
    held = find_holders(listening, pids)
    return tuple(
        Listener(
            inode=inode,
            address=listening[inode].address,
            port=listening[inode].port,
            depth=listening[inode].depth,
            limit=listening[inode].limit,
            pids=held[inode],
        )
        for inode in sorted(listening)
        if held[inode]
    )


def find_unix_listeners(pids: Iterable[int], kernel: KernelView, start: str) -> tuple[Listener, ...]:
    """Listening Unix sockets that these processes hold and that can be connected to, by inode.

    Their addresses are as `model.address` has them: a name is absolute, or that of an abstract socket. The kernel
    keeps it as it was given to bind(2), which may be relative to a directory that the server has since left, or lie
    below another root directory.

    Args:
        start: the directory in which the server was started.
    """
    named = {each.inode: each for each in kernel.unix_listeners() or () if each.path}
    held = {inode: of_inode for inode, of_inode in find_holders(named, pids).items() if of_inode}
    places = {inode: _address_of(named[inode], of_inode, start) for inode, of_inode in sorted(held.items())}
    sure = {address for address, exact in places.values() if exact}
    return tuple(
        Listener(inode, address, NO_PORT, named[inode].depth, named[inode].limit, held[inode])
        for inode, (address, exact) in places.items()
        # Of two with one name, the one whose file is there is reached by it.
        if address is not None and (exact or address not in sure)
    )


def _address_of(unix: UnixListener, pids: Iterable[int], start: str) -> tuple[str | None, bool]:
    """Where clients reach it (None: nowhere), and whether the file there is known to be its own."""
    path = unix.path or ""
    if path.startswith("@"):
        return path, True
    places = [start, *(f"/proc/{pid}/cwd" for pid in pids)]
    candidates = [_with_real_directory(os.path.join(place, path)) for place in places]
    candidates += [f"/proc/{pid}/root{path}" for pid in pids if path.startswith("/")]
    inodes = {each: _socket_file(each) for each in candidates}
    same = (each for each, inode in inodes.items() if inode and unix.is_file(inode))
    # A server may bind to a passing name and rename the file when all is ready; the kernel keeps the first name.
    renamed = (found for each in candidates if (found := _named_in(os.path.dirname(each), unix)))
    if (exact := next(chain(same, renamed), None)) is not None:
        return exact, True
    # Where file systems lie on one another (overlayfs), a file may have another number than its socket says.
    return next((each for each, inode in inodes.items() if inode), None), False


def _named_in(directory: str, unix: UnixListener) -> str | None:
    """The file of this socket in a directory; None where there is none."""
    try:
        with os.scandir(directory) as entries:
            found = [each.path for each in entries if unix.is_file(each.inode())]
    except OSError:
        return None
    return next((each for each in found if unix.is_file(_socket_file(each) or 0)), None)


def _with_real_directory(path: str) -> str:
    directory, name = os.path.split(path)
    return os.path.join(os.path.realpath(directory), name)


def _socket_file(path: str) -> int | None:
    """Inode of a socket's file; None where there is none."""
    try:
        status = os.stat(path)
    except OSError:
        return None
    return status.st_ino if S_ISSOCK(status.st_mode) else None


def read_usage(pids: Iterable[int], at_ns: int) -> Usage | None:
    """What these processes use together.

    Memory is their anonymous resident pages, a page that a fork shares divided by its sharers, so
    that the sum is what they use together; the interpreter's and libraries' file pages are not in
    it. Reading it walks the page tables under the process's memory lock, in which a server that is
    starting a thread would wait: not to be called while handlers start. CPU time is that of living processes only.

    Args:
        at_ns: CLOCK_MONOTONIC of this look; it is put into the result.

    Returns:
        None where a living process may not be read, or none lives; its memory is None where the kernel
        does not show that (before Linux 5.4). Takes ~0.3 ms for each process.
    """
    processes = threads = descriptors = ticks = 0
    memory: int | None = 0
    for pid in pids:
        try:
            stat = parse.process_stat(read(f"/proc/{pid}/stat"))
            if stat.state in "ZX":
                continue
            held = count_descriptors(pid)
            of_one = read_as(parse.proportional_bytes, f"/proc/{pid}/smaps_rollup")
        except PermissionError:
            return None
        except (OSError, ProtocolError):
            continue
        processes += 1
        threads += stat.threads
        descriptors += held
        memory = None if memory is None or of_one is None else memory + of_one
        ticks += stat.cpu_ticks
    if not processes:
        return None
    return Usage(at_ns, processes, threads, descriptors, memory, ticks / TICKS_PER_S)


def read_somaxconn() -> int | None:
    """Cap on every backlog of this network namespace; None where it may not be read."""
    return read_as(parse.single_number, "/proc/sys/net/core/somaxconn")


def read_abort_on_overflow() -> bool | None:
    """Whether a full accept queue answers with RST instead of silence; None where it may not be read."""
    value = read_as(parse.single_number, "/proc/sys/net/ipv4/tcp_abort_on_overflow")
    return None if value is None else value != 0


def read_activity(pids: Iterable[int]) -> Activity:
    """What each process is doing now, for `activity.settled`; takes ~25 us for each thread."""
    looks = (_activity_of(pid) for pid in sorted(set(pids)))
    return Activity(tuple(look for look in looks if look is not None))


def _activity_of(pid: int) -> ProcessActivity | None:
    try:
        stat = parse.process_stat(read(f"/proc/{pid}/stat"))
        tids = sorted(map(int, os.listdir(f"/proc/{pid}/task")))
    except (OSError, ProtocolError):
        return None
    looks = (_thread_activity(f"/proc/{pid}/task/{tid}") for tid in tids)
    threads = tuple(look for look in looks if look is not None)
    return ProcessActivity(pid, stat.started_ticks, stat.cpu_ticks, threads, _work(pid) if stat.state == "R" else None)


def _work(pid: int) -> bytes | None:
    read_and_written, memory = (read_if_readable(f"/proc/{pid}/{name}") for name in ("io", "statm"))
    return None if read_and_written is None or memory is None else read_and_written + memory


def _thread_activity(folder: str) -> ThreadActivity | None:
    stat = read_as(parse.process_stat, f"{folder}/stat")
    if stat is None:
        return None
    text = read_if_readable(f"{folder}/syscall")
    number: int | None = None
    sleeps: bool | None = None
    with contextlib.suppress(ProtocolError):
        if text is not None:
            number = parse.syscall_number(text)
            # Of an architecture whose numbers are not known it cannot be told what is waited for.
            sleeps = parse.only_sleeps(text, _SLEEPS, _SELECTS) if _SLEEPS or number is None else None
    if stat.state in _NOT_WAITING:
        sleeps = False
    return ThreadActivity(stat.pid, stat.state, number, sleeps)


def main_thread_sleeps(pid: int) -> bool:
    """Whether the main thread of a process waits for nothing but time; False also where that may not be read."""
    look = _thread_activity(f"/proc/{pid}/task/{pid}")
    return look is not None and look.sleeps is True


def sleep_of_main_thread(pid: int) -> int | None:
    """Which sleep the main thread of a process is in: a number that is another one in the next sleep.

    Returns:
        None where it does not only wait for time, or where that may not be read.
    """
    lines = (read_if_readable(f"/proc/{pid}/task/{pid}/status") or b"").splitlines()
    # How often it has given up its core by itself (proc(5)).
    found = [line.split()[1] for line in lines if line.startswith(b"voluntary_ctxt_switches:")]
    return int(found[0]) if found and main_thread_sleeps(pid) else None


def will_be_woken(pids: Iterable[int], within_ns: int, without: Collection[int] = ()) -> bool:
    """Whether a thread of these processes sleeps for a time, or waits with a timeout of at most this.

    True also where that may not be read. Takes ~10 us for each thread.

    Args:
        without: tids to leave out.
    """
    for pid in pids:
        try:
            tids = set(map(int, os.listdir(f"/proc/{pid}/task"))).difference(without)
        except OSError:
            continue
        for tid in tids:
            text = read_if_readable(f"/proc/{pid}/task/{tid}/syscall")
            if is_alive(tid) if text is None else _wakes_soon(text, within_ns):
                return True
    return False


def _wakes_soon(text: bytes, within_ns: int) -> bool:
    try:
        call = parse.syscall(text)
        if call is None or parse.only_sleeps(text, _SLEEPS, _SELECTS):
            return True
    except ProtocolError:
        return True
    number, arguments = call
    if number not in _TIMEOUTS:
        return False
    timeout_ms = arguments[_TIMEOUTS[number]] & 0xFFFFFFFF
    return timeout_ms < 1 << 31 and timeout_ms * 1_000_000 <= within_ns


def socket_inodes(pid: int) -> set[int]:
    """The sockets that a process holds; none where it may not be read, or has ended. ~5 us for each descriptor."""
    found = set()
    try:
        numbers = os.listdir(f"/proc/{pid}/fd")
    except OSError:
        return set()
    for number in numbers:
        try:
            inode = parse.socket_inode(os.readlink(f"/proc/{pid}/fd/{number}"))
        except OSError:
            continue
        if inode is not None:
            found.add(inode)
    return found
