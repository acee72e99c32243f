"""What this machine leaves to the load: descriptors and source ports, and what to say when they run out."""

from __future__ import annotations

import contextlib
import errno
import os
import resource
import sys

from holdfast.errors import EnvironmentFailure
from holdfast.procfs.read import read_ephemeral_ports

# Observers and reports of the same process need some descriptors too.
RESERVE = 32
# Of a load process's own: its epoll and its pipe.
OWN = 4
_DEFAULT_PORTS = 60999 - 32768 + 1
# Both ends of a connection over loopback, with their places in an epoll (measured on Linux 6.18).
PAIR_BYTES = 8_200


def raise_descriptor_limit() -> int:
    """Raises this process's soft RLIMIT_NOFILE to the hard one; returns the soft one from before."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        # Infinity, where the kernel's fs.nr_open is lower: then the soft limit stays.
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return soft


def restore_descriptor_limit(soft: int) -> None:
    """Undoes `raise_descriptor_limit`, so that processes started later do not inherit its effect."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def descriptors_for_load() -> int:
    """Descriptors from this number on are not the load's: the kernel gives out the lowest free one."""
    soft = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    if soft == resource.RLIM_INFINITY:
        return sys.maxsize
    return soft - min(RESERVE, soft // 4)


def connections_of_one_process() -> int:
    """Connections that a load process forked from this one has descriptors for."""
    return max(1, descriptors_for_load() - len(os.listdir("/proc/self/fd")) - OWN)


def ephemeral_ports() -> int:
    """Source ports of one address towards one destination; the kernel's default where they may not be read.

    Source: ip(7), ip_local_port_range.
    """
    return len(read_ephemeral_ports()) or _DEFAULT_PORTS


def longest_send_buffer() -> int | None:
    """The most bytes that the kernel takes of what a TCP peer does not read; None where that may not be read.

    Source: tcp(7), tcp_wmem: the third number.
    """
    try:
        return _sysctl("net/ipv4/tcp_wmem")[-1]
    except OSError:
        return None


def _sysctl(name: str) -> list[int]:
    with open(f"/proc/sys/{name}", encoding="ascii") as file:
        return [int(word) for word in file.read().split()]


def failure_in_words(error: OSError) -> tuple[int, str]:
    """Number and words of a failure on our own side."""
    number = error.errno or 0
    words = {
        errno.EMFILE: "no descriptor is left for the load (RLIMIT_NOFILE of holdfast's own process)",
        errno.ENFILE: "no descriptor is left in the whole system (fs.file-max)",
        errno.EADDRNOTAVAIL: "no source port is left for the load (net.ipv4.ip_local_port_range)",
        errno.ENOSPC: "the load has no place left in an epoll (fs.epoll.max_user_watches)",
        errno.ENOBUFS: "the kernel has no memory left for the load's connections (net.ipv4.tcp_mem)",
        errno.ENOMEM: "the kernel has no memory left for the load's connections",
    }.get(number, "the load could not open a connection")
    return number, f"{words}: {error.strerror}"


def remedy(number: int, connections: int, of_one_process: int) -> str:
    """What this many connections at once would need, and the command that provides it; "" if none is known.

    Args:
        number: the errno of what our own side lacked.
        of_one_process: how many of the connections one process has.
    """
    words = ""
    if number == errno.EMFILE:
        limit = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
        needed = _rounded_up(of_one_process + RESERVE + OWN)
        processes = -(-connections // connections_of_one_process())
        words = (
            f"{of_one_process:,} connections of one process need {needed:,} descriptors, and it may have {limit:,}: "
            f"run `ulimit -n {needed}` first (as root, if the hard limit is lower), or give --processes {processes}."
        )
    elif number == errno.ENFILE:
        used, _, most = _sysctl("fs/file-nr")
        needed = _rounded_up(used + 2 * connections)
        words = f"There may be {most:,}, and {needed:,} are needed: run `sysctl -w fs.file-max={needed}` as root."
    elif number == errno.EADDRNOTAVAIL:
        words = _ports_in_words(connections)
    elif number == errno.ENOSPC:
        needed = _rounded_up(2 * connections)
        words = f"Run `sysctl -w fs.epoll.max_user_watches={needed}` as root: one for each end of a connection."
    elif number == errno.ENOBUFS:
        pages = " ".join(str(2 * each) for each in _sysctl("net/ipv4/tcp_mem"))
        words = f"Run `sysctl -w net.ipv4.tcp_mem='{pages}'` as root, which doubles it."
    elif number == errno.ENOMEM:
        words = (
            f"{connections:,} connections take {connections * PAIR_BYTES / 1e9:.1f} GB of the kernel's memory, both "
            "ends on this machine: hold fewer at once, or have the server elsewhere."
        )
    return words


def no_process(error: OSError, number: int, many: int) -> EnvironmentFailure:
    """The failure to start load process `number` of `many`."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    what_to_do = {
        errno.EMFILE: f"Run `ulimit -n {_rounded_up(4 * hard)}` first, as root, so that fewer suffice.",
        errno.EAGAIN: f"Raise the limit of processes by {many} (`ulimit -u`, kernel.pid_max, a container's pids.max), "
        f"or that of descriptors, which is {hard:,} (`ulimit -n`), so that fewer suffice.",
    }.get(error.errno or 0, "Hold fewer connections at once, or free memory.")
    return EnvironmentFailure(
        f"Load process {number} of {many} could not be started.", f"{error.strerror or error}.", what_to_do
    )


def _ports_in_words(connections: int) -> str:
    ports = ephemeral_ports()
    if connections <= ports:
        return (
            f"A source address has {ports:,}, and one that we have closed stays taken for a minute: give more "
            "addresses (--source), keep connections (--keep-alive), or run "
            "`sysctl -w net.ipv4.ip_local_port_range='1024 65535'` as root."
        )
    sources = -(-connections // max(1, ports // 2))
    return (
        f"{connections:,} connections at once to one address and port need as many, and a source address has "
        f"{ports:,}: give {sources} addresses of this machine (--source, each once), or run "
        "`sysctl -w net.ipv4.ip_local_port_range='1024 65535'` as root, which gives each 64,512."
    )


def _rounded_up(number: int) -> int:
    return -(-number // 100) * 100
