"""What a person asked of the load generator, and what came of it (schema 1)."""

from __future__ import annotations

from dataclasses import dataclass, field

from holdfast.model.scenario import Group


@dataclass(frozen=True, slots=True)
class StopRule:
    """When a load is ended before its time: what is on its way then comes to its end.

    Attributes:
        first_failure: at the first request that is not answered.
        error_share: when so many of all that have ended were not answered (0 to 1), as soon as MIN_ENDED have.
    """

    first_failure: bool = False
    error_share: float | None = None


MIN_ENDED = 20


@dataclass(frozen=True, slots=True)
class LoadExperiment:
    """One load run: groups that begin together.

    Attributes:
        verify: False takes any certificate.
        seed: of everything that comes by chance.
        sources: our own addresses; none leaves them to holdfast.
        processes: load processes of each group; None takes as many as descriptors make necessary.
    """

    groups: tuple[Group, ...]
    verify: bool = True
    seed: int = 0
    sources: tuple[str, ...] = ()
    stop: StopRule = StopRule()
    processes: int | None = None


@dataclass(frozen=True, slots=True)
class LoadTarget:
    url: str


@dataclass(frozen=True, slots=True)
class LatencyMs:
    """Nearest-rank percentiles of answered and rejected requests in ms; None where there were none."""

    p50: float | None
    p90: float | None
    p95: float | None
    p99: float | None
    p999: float | None
    max: float | None


@dataclass(frozen=True, slots=True)
class LagUs:
    """How much later than due requests were begun, in us: the generator's own error."""

    p50: int | None
    p99: int | None
    max: int | None


@dataclass(frozen=True, slots=True)
class Expectation:
    """One threshold and what came of it; `held` is None where there was nothing to compare."""

    text: str
    value: float | None
    held: bool | None


@dataclass(frozen=True, slots=True)
class StepResult:
    """What became of the requests of one label."""

    label: str
    offered: int
    outcomes: dict[str, int]
    latency_from_due_ms: LatencyMs


@dataclass(frozen=True, slots=True)
class HostResult:
    """What one of several hosts did of the load.

    Attributes:
        name: by which its requests are told from others' in warnings.
        address: of its worker in the cluster.
        share: its number, counted from 1, and of how many.
        begun: requests that it began; of a host that was lost, as far as it had told.
        pacing_lag_p99_us: None where it began none, or was lost.
        clock_offset_ms: its CLOCK_MONOTONIC minus ours.
        clock_uncertainty_ms: so far the offset may be wrong in either direction, over the whole run.
        clock_drift_us: the offset after the run minus the one before; None where it was not measured again.
        lost: how the host was lost, in words; None if it was not.
        failed: requests that count as failed because it was lost.
    """

    name: str
    address: str
    share: tuple[int, int]
    begun: int
    pacing_lag_p99_us: int | None
    clock_offset_ms: float
    clock_uncertainty_ms: float
    clock_drift_us: float | None
    lost: str | None = None
    failed: int = 0


@dataclass(frozen=True, slots=True)
class LoadResult:
    """What a load run came to.

    Attributes:
        outcomes: how many requests ended in each way; the sum is `offered`.
        statuses: how many replies had each HTTP status.
        rate_asked_per_s: None in the closed model and in a burst.
        throughput_per_s: replies per second.
        steps: one for each label, where there are several.
        stopped: why the load ended before its time by its own rule, in words; None if it did not.
        interrupted: somebody ended it before its time.
        wall_clock_offset_ns: what makes an instant of the rows (CLOCK_MONOTONIC) one since the epoch, as it was when
            the load began; None is not known.
        hosts: those that shared the load; () where this one alone sent it.
    """

    target: LoadTarget
    offered: int
    outcomes: dict[str, int]
    statuses: dict[str, int]
    rate_asked_per_s: float | None
    rate_reached_per_s: float | None
    throughput_per_s: float | None
    peak_in_flight: int
    latency_from_due_ms: LatencyMs
    latency_from_sent_ms: LatencyMs
    pacing_lag_us: LagUs
    generator_limited: bool
    duration_s: float
    thresholds: tuple[Expectation, ...] = ()
    steps: tuple[StepResult, ...] = ()
    stopped: str | None = None
    interrupted: bool = False
    wall_clock_offset_ns: int | None = None
    hosts: tuple[HostResult, ...] = ()
    warnings: tuple[str, ...] = field(default=())
    schema: int = 1
    kind: str = "load"
