"""How much memory this machine has left for a server."""

from __future__ import annotations

from pathlib import Path

_KIB = 1024


def available_bytes() -> int:
    """Memory that can be taken without swapping, bytes.

    Raises:
        OSError: /proc/meminfo cannot be read.

    Source: proc_meminfo(5), MemAvailable.
    """
    for line in Path("/proc/meminfo").read_text(encoding="ascii").splitlines():
        name, _, rest = line.partition(":")
        if name == "MemAvailable":
            return int(rest.split()[0]) * _KIB
    raise OSError("/proc/meminfo has no MemAvailable")
