"""What the server's processes used, at the instants at which the probe looked."""

from __future__ import annotations

from holdfast.model.frozen import frozen
from holdfast.model.samples import Usage
from holdfast.model.timeline import Timeline


@frozen
class UsageLook:
    """One look.

    Attributes:
        at_ns: since the server was started.
        in_service: handlers that ran just then.
        cpu_s: as in `Usage`.
    """

    at_ns: int
    in_service: int
    processes: int
    threads: int
    descriptors: int
    memory_bytes: int | None
    cpu_s: float


def usage_of(timeline: Timeline) -> tuple[UsageLook, ...]:
    """All looks, in order."""
    looks = sorted((*timeline.usage, *timeline.usage_again), key=lambda each: each.at_ns)
    return tuple(_look(each, timeline) for each in dict.fromkeys(looks))


def _look(usage: Usage, timeline: Timeline) -> UsageLook:
    running = sum(
        0 < each.entered_ns <= usage.at_ns and not 0 < each.left_ns <= usage.at_ns for each in timeline.entries
    )
    return UsageLook(
        at_ns=usage.at_ns - timeline.marks.started_ns,
        in_service=running,
        processes=usage.processes,
        threads=usage.threads,
        descriptors=usage.descriptors,
        memory_bytes=usage.memory_bytes,
        cpu_s=usage.cpu_s,
    )
