"""What a person asked of the load generator, and what came of it (schema 1)."""

from __future__ import annotations

from dataclasses import dataclass, field

DEFAULT_PATIENCE_S = 60.0


@dataclass(frozen=True, slots=True)
class Spread:
    """So many requests, evenly over a time, the first at once."""

    requests: int
    over_s: float


@dataclass(frozen=True, slots=True)
class Stages:
    """Rates one after the other: (requests per second, seconds) each. `poisson`: arrivals by chance, at these rates."""

    stages: tuple[tuple[float, float], ...]
    poisson: bool = False


@dataclass(frozen=True, slots=True)
class Rise:
    """A rate that changes evenly."""

    from_per_s: float
    to_per_s: float
    for_s: float


@dataclass(frozen=True, slots=True)
class Burst:
    """All at once."""

    requests: int


@dataclass(frozen=True, slots=True)
class Clients:
    """The closed model: each client sends its next request when its last is answered, on a kept connection.

    Attributes:
        requests: of all clients together; None lets the time decide.
        for_s: None lets the number decide.
    """

    clients: int
    requests: int | None = None
    for_s: float | None = None


Shape = Spread | Stages | Rise | Burst | Clients


@dataclass(frozen=True, slots=True)
class LoadExperiment:
    """One load run.

    Attributes:
        path: path and query; `{id}` in it, in a header or in the body stands for the number of the request.
        headers: further request fields, in order.
        expected: statuses that count as an answer; None are all below 400.
        patience_s: time from its begin within which a request must have ended; None waits for ever.
        verify: False takes any certificate.
        seed: of arrivals by chance.
    """

    url: str
    shape: Shape
    method: str = "GET"
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes | None = None
    expected: frozenset[int] | None = None
    patience_s: float | None = DEFAULT_PATIENCE_S
    verify: bool = True
    seed: int = 0


@dataclass(frozen=True, slots=True)
class LoadTarget:
    url: str


@dataclass(frozen=True, slots=True)
class LatencyMs:
    """Nearest-rank percentiles of answered and rejected requests in ms; None where there were none."""

    p50: float | None
    p90: float | None
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
class LoadResult:
    """What a load run came to.

    Attributes:
        outcomes: how many requests ended in each way; the sum is `offered`.
        statuses: how many replies had each HTTP status.
        rate_asked_per_s: None in the closed model and in a burst.
        throughput_per_s: replies per second.
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
    warnings: tuple[str, ...] = field(default=())
    schema: int = 1
    kind: str = "load"
