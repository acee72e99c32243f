"""Which processes of a server take connections from a listening socket, and how many they have taken; from `/proc`.

Every process that a master forks holds the listening socket, and so does the master, which may never accept. The
difference shows in what a process waits for: one that accepts has the socket in an epoll set (`fdinfo`, proc(5)), or a
thread of it is in poll(2), select(2) or accept(2) on it. Of the latter the arguments are in `syscall`, and the sets of
descriptors to which they point in the process's memory; the kernel writes there only when the call returns.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Collection, Iterable, Iterator, Mapping

from holdfast.model.timeline import Acceptor
from holdfast.procfs import parse
from holdfast.procfs.parse import ProtocolError
from holdfast.procfs.read import read_if_readable, read_stat

# accept and accept4; poll and ppoll; select and pselect6 (asm/unistd.h of each architecture).
_ACCEPTS, _POLLS, _SELECTS = {
    "x86_64": (frozenset({43, 288}), frozenset({7, 271}), frozenset({23, 270})),
    "aarch64": (frozenset({202, 242}), frozenset({73}), frozenset({72})),
}.get(os.uname().machine, (frozenset[int](), frozenset[int](), frozenset[int]()))
# epoll_wait, epoll_pwait and epoll_pwait2.
_EPOLL_WAITS = {"x86_64": frozenset({232, 281, 441}), "aarch64": frozenset({22, 441})}.get(
    os.uname().machine, frozenset[int]()
)
# recvfrom and recvmsg.
_RECEIVES = {"x86_64": frozenset({45, 47}), "aarch64": frozenset({207, 212})}.get(os.uname().machine, frozenset[int]())
# All of these and msgrcv: what waits there is ready for something.
_RESTS = (_ACCEPTS | _POLLS | _SELECTS | _EPOLL_WAITS | _RECEIVES) | {
    "x86_64": frozenset({70}),
    "aarch64": frozenset({188}),
}.get(os.uname().machine, frozenset[int]())
_EPOLL = "anon_inode:[eventpoll]"
_POLLFD = struct.Struct("=ihh")
_MOST_DESCRIPTORS = 65_536


def read_acceptors(
    pids: Iterable[int], listening: Collection[int], connected: frozenset[int] | None
) -> tuple[Acceptor, ...]:
    """Those of these processes that hold a listening socket, ascending; ~10 us for each descriptor of theirs.

    Args:
        listening: inodes of listening sockets.
        connected: inodes of connections that were accepted from them; None where these are not known.
    """
    read = {pid: _links(pid) for pid in sorted(set(pids))}
    links = {pid: each for pid, each in read.items() if each is not None}
    sockets = {pid: _sockets(each) for pid, each in links.items()}
    found = (_acceptor(pid, links[pid], sockets, frozenset(listening), connected) for pid in links)
    return tuple(each for each in found if each is not None)


def _sockets(links: Mapping[int, str]) -> dict[int, int]:
    """The inode of each descriptor that is a socket."""
    return {number: inode for number, link in links.items() if (inode := parse.socket_inode(link)) is not None}


def _acceptor(
    pid: int,
    links: Mapping[int, str],
    sockets: Mapping[int, Mapping[int, int]],
    listening: frozenset[int],
    connected: frozenset[int] | None,
) -> Acceptor | None:
    stat, inodes = read_stat(pid), sockets[pid]
    if stat is None:
        return None
    held = {number: inode for number, inode in inodes.items() if inode in listening}
    if not held:
        return None
    epolls = _epolls(pid, [number for number, link in links.items() if link == _EPOLL])
    waited = None if epolls is None else _waited(pid, epolls)
    listeners, connections = tuple(sorted(set(held.values()))), None
    if connected is not None:
        connections = len(connected.intersection(inodes.values()))
    if epolls is None or waited is None:
        return Acceptor(pid, stat.parent, listeners, None, connections)
    watched = waited.union(*_own(epolls, stat.parent, {*held}))
    waits_on = tuple(sorted({held[each] for each in watched if each in held}))
    if waits_on and connections:
        # A worker that another worker has forked has inherited what that one had accepted by then.
        inherited = sockets.get(stat.parent, {}).values()
        connections = len((connected or frozenset()).intersection(inodes.values()).difference(inherited))
    looks = not waited.isdisjoint(held)
    rests = bool(waits_on) or _rests(pid, links, _links(stat.parent) or {})
    return Acceptor(pid, stat.parent, listeners, waits_on, connections, rests, looks)


def _own(epolls: Mapping[int, frozenset[int]], parent: int, held: Collection[int]) -> Iterator[frozenset[int]]:
    """These epoll sets without those with a listening socket that the parent has too.

    What a server's process forks for other work, a pool say, inherits the loop's set and never looks at it.

    Args:
        held: the listening sockets' descriptors.
    """
    for number, watched in epolls.items():
        shared = watched.intersection(held)
        if not shared or not shared & (_epolls(parent, [number]) or {}).get(number, frozenset()):
            yield watched


def _rests(pid: int, links: Mapping[int, str], of_parent: Mapping[int, str]) -> bool:
    """Whether the main thread waits for descriptors or a message; one that starts runs, reads or sleeps for a time.

    Or it waits for a single descriptor that its parent does not have: it has opened that itself, for a database say.

    Args:
        links, of_parent: its own descriptors and those of its parent.
    """
    text = read_if_readable(f"/proc/{pid}/task/{pid}/syscall")
    try:
        call = None if text is None else parse.syscall(text)
    except ProtocolError:
        return True
    if text is None or call is None or call[0] not in _RESTS:
        return text is None
    waited = {call[1][0]} if call[0] in _RECEIVES else set(_waited_for(pid, text, {}))
    shared = {links.get(each) for each in waited} & {*of_parent.values(), None}
    return len(waited) != 1 or bool(shared)


def _links(pid: int) -> dict[int, str] | None:
    """What each descriptor of a process is; None where that may not be read."""
    found = {}
    try:
        for number in os.listdir(f"/proc/{pid}/fd"):
            try:
                found[int(number)] = os.readlink(f"/proc/{pid}/fd/{number}")
            except FileNotFoundError:
                continue
    except OSError:
        return None
    return found


def _epolls(pid: int, epolls: Iterable[int]) -> dict[int, frozenset[int]] | None:
    """The descriptors in each of these epoll sets; None where that may not be read."""
    found = {}
    for number in epolls:
        text = read_if_readable(f"/proc/{pid}/fdinfo/{number}")
        if text is None:
            return None
        found[number] = frozenset(parse.epoll_targets(text))
    return found


def _waited(pid: int, epolls: Mapping[int, frozenset[int]]) -> set[int] | None:
    """Descriptors for which a thread of a process waits right now; None where that may not be read."""
    found: set[int] = set()
    try:
        tids = os.listdir(f"/proc/{pid}/task")
    except OSError:
        return None
    for tid in tids:
        text = read_if_readable(f"/proc/{pid}/task/{tid}/syscall")
        if text is None:
            return None
        found.update(_waited_for(pid, text, epolls))
    return found


def _waited_for(pid: int, syscall: bytes, epolls: Mapping[int, frozenset[int]]) -> Collection[int]:
    try:
        call = parse.syscall(syscall)
    except ProtocolError:
        call = None
    if call is None:
        return set()
    number, arguments = call
    if number in _ACCEPTS:
        return {arguments[0]}
    if number in _EPOLL_WAITS:
        return epolls.get(arguments[0], frozenset())
    if number in _POLLS:
        count = min(arguments[1], _MOST_DESCRIPTORS)
        rows = _memory(pid, arguments[0], count * _POLLFD.size)
        return {fd for fd, _, _ in _POLLFD.iter_unpack(rows)}
    if number in _SELECTS and arguments[1]:
        bits = int.from_bytes(_memory(pid, arguments[1], (min(arguments[0], _MOST_DESCRIPTORS) + 7) // 8), "little")
        return {each for each in range(arguments[0]) if bits >> each & 1}
    return set()


def _memory(pid: int, address: int, size: int) -> bytes:
    """A stretch of a process's memory; empty where it may not be read."""
    try:
        with open(f"/proc/{pid}/mem", "rb", buffering=0) as memory:
            found = os.pread(memory.fileno(), size, address)
    except (OSError, OverflowError):
        return b""
    return found if len(found) == size else b""
