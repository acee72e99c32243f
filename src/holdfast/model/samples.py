"""What is read again and again while a server is measured. Instants as in `timeline`."""

from __future__ import annotations

from holdfast.model.frozen import frozen


@frozen
class Usage:
    """What the server's process tree uses at one instant.

    Attributes:
        memory_bytes: anonymous resident memory, pages shared by a fork once; None where it is not known.
        cpu_s: user and system time of the processes that live.
    """

    at_ns: int
    processes: int
    threads: int
    descriptors: int
    memory_bytes: int | None
    cpu_s: float


@frozen
class Sample:
    """One look of the observers while the probe ran.

    Attributes:
        late_ns: how much later than intended this look was.
        depth: sum of the accept queues of the probed port; None where it is not known.
    """

    at_ns: int
    late_ns: int
    depth: int | None
    offered: int
    established: int
    entered: int
