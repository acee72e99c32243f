"""What so many requests held at once take, as a model with measured constants; docs/scale.md explains it.

    python -m benchmarks.scale_model REQUESTS [HOSTS [CORES]]

The constants are of Python 3.11 on Linux 6.18 (x86-64), measured by benchmarks.million.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass

# Load side, holdfast's own.
START_BYTES = 30_000_000
PROCESS_BYTES = 2_400_000
CONNECTION_BYTES = 440
# The host that puts the rows together: for each of all requests, while it summarises them.
SUMMARY_BYTES = 270
SUMMARY_US = 0.7
ROW_BYTES = 60
# The kernel, for each end of a connection: socket, inode, file, directory entry, place in an epoll.
KERNEL_BYTES = 4_100
# CPU for a request from its connection to its answer, where a few processes are busy all the time.
LOAD_US = 63
PER_PROCESS = 19_960
FAST_PORTS = 14_116


@dataclass(frozen=True, slots=True)
class Taken:
    """What a load takes.

    Attributes:
        own_bytes, kernel_bytes, processes: of each load host; the kernel's for the load's ends alone.
        opening_s: shortest time to open them, with all cores of the load hosts.
        pairs: (source address, destination address, port) triples, for each source to have fast ports only.
        summary_s, summary_bytes: of the host that puts the rows together.
    """

    own_bytes: int
    kernel_bytes: int
    processes: int
    opening_s: float
    pairs: int
    summary_s: float
    summary_bytes: int


def taken(requests: int, hosts: int = 1, cores: int = 2) -> Taken:
    """What so many requests at once take of so many load hosts."""
    share = -(-requests // hosts)
    processes = -(-share // PER_PROCESS)
    forked = processes if processes > 1 else 0
    return Taken(
        own_bytes=START_BYTES + forked * PROCESS_BYTES + share * CONNECTION_BYTES,
        kernel_bytes=share * KERNEL_BYTES,
        processes=processes,
        opening_s=share * LOAD_US / 1e6 / cores,
        pairs=-(-requests // FAST_PORTS),
        summary_s=requests * SUMMARY_US / 1e6,
        summary_bytes=requests * (SUMMARY_BYTES + ROW_BYTES),
    )


def main() -> None:
    numbers = [int(word) for word in sys.argv[1:]]
    told = taken(*numbers)
    print(
        f"each load host: {told.own_bytes / 1e9:.2f} GB of holdfast's own in {told.processes} processes, "
        f"{told.kernel_bytes / 1e9:.2f} GB of the kernel's"
    )
    print(f"opened in {told.opening_s:.1f} s or more; {told.pairs} pairs of source and destination")
    print(f"summary: {told.summary_s:.1f} s, {told.summary_bytes / 1e9:.2f} GB on the host that has all rows")


if __name__ == "__main__":
    main()
