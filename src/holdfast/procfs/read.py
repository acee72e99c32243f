"""Reads `/proc`: processes, their descriptors, and limits of this machine.

Processes end while they are read, and those of other users may be hidden. A function returns None for what is gone or
may not be read, unless it says otherwise.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import TypeVar

from holdfast.procfs import parse
from holdfast.procfs.parse import ProcessStat, ProcessStatus, ProtocolError

# `/proc/PID/stat` and `limits` are shorter; a longer file is read in pieces.
_PIECE = 4096

TICKS_PER_S = os.sysconf("SC_CLK_TCK")
"""The clock ticks in which `/proc` counts processor time."""

Record = TypeVar("Record")


def read(path: str) -> bytes:
    """The whole of a file. Raises OSError."""
    # os.read, because open() and its buffers cost more than the kernel's own work: 7 us instead of 11 us.
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        text = piece = os.read(descriptor, _PIECE)
        while len(piece) == _PIECE:
            piece = os.read(descriptor, _PIECE)
            text += piece
        return text
    finally:
        os.close(descriptor)


def read_if_readable(path: str) -> bytes | None:
    """The whole of a file; None where it cannot be read."""
    try:
        return read(path)
    except OSError:
        return None


def read_as(form: Callable[[bytes], Record], path: str) -> Record | None:
    """A file, parsed by a function of `parse`; None also where it has another form."""
    text = read_if_readable(path)
    try:
        return None if text is None else form(text)
    except ProtocolError:
        return None


def read_stat(pid: int) -> ProcessStat | None:
    """What `/proc/PID/stat` says of a process, zombies included; None where it is gone, or hidden."""
    return read_as(parse.process_stat, f"/proc/{pid}/stat")


def read_stats() -> Iterator[ProcessStat]:
    """The same of every process of this PID namespace; ~12 us each."""
    for pid in list_pids():
        stat = read_stat(pid)
        if stat is not None:
            yield stat


def read_status(pid: int) -> ProcessStatus | None:
    """What `/proc/PID/status` says of a process."""
    return read_as(parse.process_status, f"/proc/{pid}/status")


def read_namespace(process: str, kind: str) -> tuple[int, int] | None:
    """Which namespace a process is in: two are the same if these are. Source: namespaces(7).

    Args:
        process: its number, or "self".
        kind: "net", "time" and so on.
    """
    try:
        found = os.stat(f"/proc/{process}/ns/{kind}")
    except OSError:
        return None
    return found.st_dev, found.st_ino


def list_pids() -> list[int]:
    """Every process of this PID namespace, in no particular order."""
    return [int(name) for name in os.listdir("/proc") if name.isdecimal()]


def is_alive(pid: int) -> bool:
    """Whether a process, or a thread by its tid, exists and has not ended; a zombie has."""
    stat = read_stat(pid)
    return stat is not None and stat.state not in "ZX"


def count_descriptors(pid: int) -> int:
    """How many descriptors a process has open. Raises OSError."""
    folder = f"/proc/{pid}/fd"
    # The directory's size is the count since Linux 6.2: 3 us instead of 2 ms for 5,000 descriptors.
    return os.stat(folder).st_size or len(os.listdir(folder))


def read_ephemeral_ports() -> range:
    """The ports that the kernel gives to sockets that ask for none in particular; empty where they may not be read.

    Source: ip(7), ip_local_port_range.
    """
    return read_as(parse.port_range, "/proc/sys/net/ipv4/ip_local_port_range") or range(0)
