"""Servers in a time namespace of their own: their CLOCK_MONOTONIC is not ours, so their instants mean nothing here.

Source: time_namespaces(7); the offsets are those of a process's future children (fs/timens, `timens_for_children`),
which are in its own namespace unless it has just called unshare(2).
"""

from __future__ import annotations

import os
from collections.abc import Iterable

from holdfast.procfs import parse
from holdfast.procfs.read import read_as


def runs_on_another_clock(pids: Iterable[int]) -> int | None:
    """A process whose CLOCK_MONOTONIC is set apart from ours; None if none is, or none that may be asked.

    Costs ~3 us for each process.
    """
    namespace, offset = _namespace("self"), _offset("self")
    for pid in pids:
        theirs = _namespace(str(pid))
        if theirs not in (namespace, None) and _offset(str(pid)) not in (offset, None):
            return pid
    return None


def _namespace(process: str) -> tuple[int, int] | None:
    try:
        found = os.stat(f"/proc/{process}/ns/time")
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _offset(process: str) -> tuple[int, int] | None:
    return read_as(parse.monotonic_offset, f"/proc/{process}/timens_offsets")
