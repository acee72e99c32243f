"""The verdict: what was measured, null where it was not, and why (schema 1)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

SCHEMA = 1

ModelKind = Literal[
    "serial",
    "thread-per-request",
    "thread-pool",
    "process-per-request",
    "process-pool",
    "event-loop",
    "event-loop+thread-pool",
    "greenlets",
]


@dataclass(frozen=True, slots=True)
class Target:
    server: str
    version: str | None
    command: tuple[str, ...]
    app: str
    view: str | None
    path: str
    held_in: str | None
    python: str | None


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits in force for the server; None where they could not be read."""

    nofile: int | None
    nproc: int | None
    somaxconn: int | None


@dataclass(frozen=True, slots=True)
class Places:
    """How many requests were in each place; the sum is the number offered."""

    in_service: int = 0
    userspace_queue: int = 0
    accept_queue: int = 0
    syn: int = 0
    answered: int = 0
    rejected: int = 0
    refused: int = 0
    reset: int = 0
    closed: int = 0
    failed: int = 0


@dataclass(frozen=True, slots=True)
class OutsidePlaces:
    """The same as far as it can be told from outside; None where it cannot.

    Attributes:
        unplaced: requests that are in one of the places that are None; with them the sum is the number offered.
    """

    in_service: int | None
    userspace_queue: int | None
    accept_queue: int | None
    syn: int
    answered: int
    rejected: int
    refused: int
    reset: int
    closed: int
    failed: int
    unplaced: int


@dataclass(frozen=True, slots=True)
class Ceiling:
    """The most that each place takes; None where it was not driven full.

    Attributes:
        bounded: False is "at least this many, no bound met".
        accept_queue_limit: the backlog in force, read from the kernel.
        interval: least and most that `in_service` may be where it is an estimate, the most None where there
            is no upper bound; None where it was counted.
    """

    in_service: int | None
    bounded: bool | None
    userspace_queue: int | None
    userspace_queue_bounded: bool | None
    accept_queue: int | None
    accept_queue_limit: int | None
    interval: tuple[int, int | None] | None = None


@dataclass(frozen=True, slots=True)
class Model:
    """What ran the handlers.

    Attributes:
        handler_threads_reused: the threads that ran the views, where they are others than the
            threads on which the server called the application; None where they are the same.
        spread: held requests of each handler process, largest first.
    """

    kind: ModelKind | None
    processes: int | None
    threads_per_process: int | None
    threads_reused: bool | None
    processes_reused: bool | None
    handler_threads_reused: bool | None
    globals_shared: bool | None
    listen_queues: Literal["shared", "per-worker"] | None
    spread: tuple[int, ...] | None


@dataclass(frozen=True, slots=True)
class Overflow:
    """Where requests go that find no free handler, in order, and what the last one gets."""

    first: str | None
    then: tuple[str, ...]
    client_sees: str | None


@dataclass(frozen=True, slots=True)
class Abandoned:
    """Clients that left while queued, and how many of their handlers ran all the same."""

    left: int | None
    run_anyway: int | None


@dataclass(frozen=True, slots=True)
class Cost:
    """What each held request added to the server's process tree; None where it was not measured.

    Attributes:
        memory_bytes: anonymous resident memory.
    """

    descriptors: float | None
    threads: float | None
    processes: float | None
    memory_bytes: int | None


@dataclass(frozen=True, slots=True)
class Binding:
    setting: str
    formula: str
    evidence: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Timing:
    """Durations in seconds; probe_s is from the server's readiness to ceiling and places."""

    server_start_s: float | None
    probe_s: float | None
    total_s: float | None
    pacing_lag_p99_us: int | None


@dataclass(frozen=True, slots=True)
class Verdict:
    target: Target
    limits: Limits
    offered: int
    places: Places | OutsidePlaces
    established: int
    ceiling: Ceiling
    model: Model
    overflow: Overflow
    abandoned: Abandoned
    cost: Cost
    binding: Binding | None
    timing: Timing
    confidence: Literal["exact", "estimated"]
    unknown: dict[str, str] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    schema: int = SCHEMA
