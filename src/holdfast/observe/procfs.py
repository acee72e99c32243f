"""What `/proc` says: text -> records.

Rules of this file: no I/O; input is the bytes of one file as they were read; bytes of the wrong
form raise ProtocolError and nothing else. Forms: proc(5) and the kernel functions named below.
"""

from __future__ import annotations

import sys
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from holdfast.model.timeline import ServerSocket
from holdfast.observe.tcp import (
    AF_INET,
    AF_INET6,
    LISTEN,
    ProtocolError,
    TcpRecord,
    accepted,
    address_text,
    peer_text,
    state_name,
)

_WORDS_LITTLE = sys.byteorder == "little"
_ADDRESS_DIGITS = {AF_INET: 8, AF_INET6: 32}


@dataclass(frozen=True, slots=True)
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
        started_ticks: since boot; with `pid` it names one process for ever, `pid` alone does not.
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


def process_stat(text: bytes) -> ProcessStat:
    """Parses `stat`. Raises ProtocolError."""
    # The name stands in parentheses and may hold spaces and parentheses itself.
    opening, closing = text.find(b"("), text.rfind(b")")
    fields = text[closing + 1 :].split()
    if opening < 0 or closing < opening or len(fields) < 20:
        raise ProtocolError(f"not a process's stat: {text[:80]!r}")
    return ProcessStat(
        pid=_number(text[:opening]),
        name=text[opening + 1 : closing].decode("utf-8", "replace"),
        state=fields[0].decode("ascii", "replace"),
        parent=_number(fields[1]),
        group=_number(fields[2]),
        session=_number(fields[3]),
        cpu_ticks=_number(fields[11]) + _number(fields[12]),
        threads=_number(fields[17]),
        started_ticks=_number(fields[19]),
    )


def proportional_bytes(text: bytes) -> int:
    """Anonymous memory of a process from `/proc/PID/smaps_rollup`, each shared page divided by its sharers.

    Raises:
        ProtocolError: it has no Pss_Anon (Linux before 5.4).
    """
    for line in text.splitlines():
        if line.startswith(b"Pss_Anon:"):
            return 1024 * _number(line.split()[1])
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
            return _number(b"".join(soft))
    raise ProtocolError(f"no {name.decode('ascii', 'replace')!r} in a process's limits")


def syscall_number(text: bytes) -> int | None:
    """System call in which a thread waits, from `/proc/PID/task/TID/syscall`; None while it runs.

    -1 is a thread that waits outside a system call (a page fault). Raises ProtocolError.
    """
    first = text.split(None, 1)[:1]
    return None if first == [b"running"] else _number(b"".join(first))


def core_times(text: bytes) -> tuple[int, int]:
    """Time on a core and time on run queues, ns, from `schedstat` (fs/proc/base.c proc_pid_schedstat).

    Raises ProtocolError.
    """
    fields = text.split()
    if len(fields) != 3:
        raise ProtocolError(f"not a thread's schedstat: {text[:80]!r}")
    return _number(fields[0]), _number(fields[1])


def only_sleeps(text: bytes, sleeps: Collection[int], selects: Collection[int]) -> bool:
    """Whether a thread waits for nothing but time, from `/proc/PID/task/TID/syscall`.

    Args:
        sleeps: numbers of the calls that do nothing else (nanosleep).
        selects: of those that do so when they are given no descriptors (select; Python before 3.11 sleeps by it).

    Source: proc(5): the number, then the arguments; select(2): the first is one more than the highest descriptor.
    """
    words = text.split(None, 2)
    number = syscall_number(text)
    return number in sleeps or (number in selects and len(words) > 1 and words[1] == b"0x0")


def single_number(text: bytes) -> int:
    """A file that holds one number, e.g. `/proc/sys/net/core/somaxconn`. Raises ProtocolError."""
    return _number(text.strip())


def socket_inode(link: str) -> int | None:
    """Inode of a `/proc/PID/fd/N` link's target if it is a socket, else None."""
    if not link.startswith("socket:[") or not link.endswith("]"):
        return None
    digits = link[8:-1]
    return int(digits) if digits.isascii() and digits.isdigit() else None


def tcp_rows(text: bytes, family: int, port: int = 0) -> Iterator[TcpRecord]:
    """Rows of `/proc/net/tcp` or `tcp6`.

    A LISTEN row shows the accept queue's depth as rx_queue and no limit (net/ipv4/tcp_ipv4.c
    get_tcp4_sock); a SYN_RECV or TIME_WAIT row has inode 0 (get_openreq4, get_timewait4_sock).

    Args:
        family: AF_INET for `tcp`, AF_INET6 for `tcp6`.
        port: only rows with this local port; 0 is every row.
    """
    for row in _rows(text, port):
        state = _hexadecimal(row[3])
        address, local_port = _endpoint(row[1], family)
        peer, peer_port = _endpoint(row[2], family)
        written, _, unread = row[4].partition(b":")
        yield TcpRecord(
            family=family,
            state=state_name(state),
            address=address_text(family, address),
            port=local_port,
            peer_address=address_text(family, peer),
            peer_port=peer_port,
            inode=_number(row[9]),
            rqueue=_hexadecimal(unread),
            wqueue=None if state == LISTEN else _hexadecimal(written),
            uid=_number(row[7]),
        )


def tcp_connections(text: bytes, family: int, port: int) -> dict[bytes, ServerSocket]:
    """Server-side sockets of one local port, by the identity of the connection. Raises ProtocolError."""
    found: dict[bytes, ServerSocket] = {}
    for row in _rows(text, port):
        state = _hexadecimal(row[3])
        if state != LISTEN:
            peer, peer_port = _endpoint(row[2], family)
            held = accepted(state, _number(row[9]))
            found[row[1] + row[2]] = ServerSocket(peer_text(family, peer), peer_port, state_name(state), held)
    return found


def _rows(text: bytes, port: int) -> Iterator[list[bytes]]:
    ending = b":%04X" % port
    for line in text.splitlines()[1:]:
        row = line.split()
        if len(row) < 10:
            raise ProtocolError(f"not a row of a socket table: {line[:80]!r}")
        if not port or row[1].endswith(ending):
            yield row


def _endpoint(text: bytes, family: int) -> tuple[bytes, int]:
    """Address in network order and port, from the kernel's hexadecimal words in its own byte order."""
    digits, _, port = text.partition(b":")
    if len(digits) != _ADDRESS_DIGITS[family]:
        raise ProtocolError(f"not an address of a socket table: {text[:80]!r}")
    try:
        packed = bytes.fromhex(digits.decode("ascii"))
    except ValueError:
        raise ProtocolError(f"not an address of a socket table: {text[:80]!r}") from None
    if len(packed) * 2 != len(digits):
        raise ProtocolError(f"not an address of a socket table: {text[:80]!r}")
    if _WORDS_LITTLE:
        packed = b"".join(packed[word : word + 4][::-1] for word in range(0, len(packed), 4))
    return packed, _hexadecimal(port)


def _number(digits: bytes) -> int:
    try:
        return int(digits)
    except ValueError:
        raise ProtocolError(f"not a number: {digits[:80]!r}") from None


def _hexadecimal(digits: bytes) -> int:
    try:
        return int(digits, 16)
    except ValueError:
        raise ProtocolError(f"not a hexadecimal number: {digits[:80]!r}") from None
