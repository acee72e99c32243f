"""What this machine leaves to the load itself: descriptors, source ports, and words for their lack."""

from __future__ import annotations

import contextlib
import errno
import resource
import sys

# Observers and reports of the same process need some descriptors beside the load.
RESERVE = 32


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


def ephemeral_ports() -> int:
    """Source ports of one address towards one destination.

    Source: ip(7), ip_local_port_range.
    """
    with open("/proc/sys/net/ipv4/ip_local_port_range", encoding="ascii") as file:
        lowest, highest = (int(word) for word in file.read().split())
    return highest - lowest + 1


def failure_in_words(error: OSError) -> tuple[int, str]:
    """Number and words of a failure on our own side."""
    number = error.errno or 0
    words = {
        errno.EMFILE: "no descriptor is left for the load (RLIMIT_NOFILE of holdfast's own process)",
        errno.ENFILE: "no descriptor is left in the whole system (fs.file-max)",
        errno.EADDRNOTAVAIL: "no source port is left for the load (net.ipv4.ip_local_port_range)",
    }.get(number, "the load could not open a connection")
    return number, f"{words}: {error.strerror}"
