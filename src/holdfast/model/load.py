"""What a person asked of the load generator, and the result (schema 1)."""

from __future__ import annotations

from dataclasses import KW_ONLY, field
from typing import TYPE_CHECKING

from holdfast.model.frozen import frozen
from holdfast.model.scenario import Group

if TYPE_CHECKING:
    from holdfast.model.journey import Journeys  # a load that is fixed beforehand does without


@frozen
class StopRule:
    """When a load is ended early; requests in flight are then still waited for.

    Attributes:
        first_failure: at the first request that is not answered.
        error_share: at this share of unanswered requests among those that have ended (0 to 1), once MIN_ENDED have.
    """

    first_failure: bool = False
    error_share: float | None = None


MIN_ENDED = 20
"""So many, so that a chance does not end a load; also of connections that are all refused (`engine.plan`)."""
MOST_REQUESTS = 50_000_000
"""Of one load. Each takes 61 bytes, in pages that are allocated when they are first written."""
MOST_PROCESSES = 256
"""That send one load from a host."""


@frozen
class LoadExperiment:
    """One load run: groups that begin together, or journeys.

    Attributes:
        groups: () for journeys.
        verify: False accepts any certificate.
        seed: of everything random.
        sources: our own addresses; () leaves them to holdfast.
        processes: load processes of each group; None takes as many as descriptors require.
        journeys: None sends what the groups say.
        allowed_hosts: that journeys may lead to although they are not loopback.
    """

    groups: tuple[Group, ...]
    verify: bool = True
    seed: int = 0
    sources: tuple[str, ...] = ()
    stop: StopRule = StopRule()
    processes: int | None = None
    journeys: Journeys | None = None
    allowed_hosts: tuple[str, ...] = ()


@frozen
class LoadTarget:
    """What was loaded.

    Attributes:
        url: as it was given.
    """

    url: str


@frozen
class LatencyMs:
    """Nearest-rank percentiles of answered and rejected requests in ms; None if there were none.

    Attributes:
        p50: the median.
        p90: the 90th percentile.
        p95: the 95th.
        p99: the 99th.
        p999: the 99.9th.
        max: the longest.
    """

    p50: float | None
    p90: float | None
    p95: float | None
    p99: float | None
    p999: float | None
    max: float | None


@frozen
class LagUs:
    """How much later than due requests were begun, in us: the generator's own error; None if none was begun.

    Attributes:
        p50: the median.
        p99: the 99th percentile.
        max: the longest.
    """

    p50: int | None
    p99: int | None
    max: int | None


@frozen
class Expectation:
    """One threshold and what came of it; `held` is None if there was nothing to compare.

    Attributes:
        text: as it was given: `p99<200ms`.
        value: what was measured; None if there was nothing to compare.
        held: whether it held.
    """

    text: str
    value: float | None
    held: bool | None


@frozen
class StepResult:
    """What became of the requests of one label.

    Attributes:
        label: as in the rows.
        offered: requests that were begun or were due.
        outcomes: how many ended in each way.
        latency_from_due_ms: of those that were replied to.
    """

    label: str
    offered: int
    outcomes: dict[str, int]
    latency_from_due_ms: LatencyMs


@frozen
class TransactionResult:
    """What came of requests that are a result together, for one label; they are not requests themselves.

    Attributes:
        label: its name.
        ended: how often it was passed through to its end.
        answered: how often each of its requests was answered.
        took_ms: how long it took.
    """

    label: str
    ended: int
    answered: int
    took_ms: LatencyMs


@frozen
class HostResult:
    """One host's share of the load.

    Attributes:
        name: names the host in warnings.
        address: of its worker in the cluster.
        share: its number, counted from 1, and the number of shares.
        begun: requests that it began; for a lost host, as far as it had reported.
        pacing_lag_p99_us: None if it began none, or was lost.
        clock_offset_ms: its CLOCK_MONOTONIC minus ours.
        clock_uncertainty_ms: the offset's error in either direction is at most this, over the whole run.
        clock_drift_us: the offset after the run minus the one before; None if it was not measured again.
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


@frozen
class EventsResult:
    """Events in the replies of a load.

    Attributes:
        events: how many came.
        streams: replies that had any.
        ended_by_us: of these, how many holdfast ended, because their time was over.
        first_ms: from when the request was sent to the first event of its reply.
        gap_ms: between two events of one reply.
        kept: events that have rows, of which the times are.
    """

    events: int
    streams: int
    ended_by_us: int
    first_ms: LatencyMs
    gap_ms: LatencyMs
    kept: int


@frozen
class StreamsResult:
    """What became of the connections and streams of a load over HTTP/2.

    Attributes:
        streams: most requests at once on a connection, as asked.
        advertised: the server's SETTINGS_MAX_CONCURRENT_STREAMS; None where it sent none.
        connections: how many were opened.
        unprocessed: streams that GOAWAY left out, so that their requests were sent again on another connection.
        resets: streams that the server ended by RST_STREAM, by the name of the error code.
        goaways: connections on which it sent GOAWAY, by the name of the error code.
        unsettled: connections that it closed before its settings came.
    """

    streams: int
    advertised: int | None = None
    connections: int = 0
    unprocessed: int = 0
    resets: dict[str, int] = field(default_factory=dict)
    goaways: dict[str, int] = field(default_factory=dict)
    unsettled: int = 0


@frozen
class LoadSummary:
    """What the rows of a load come to.

    Attributes:
        offered: requests that were begun or were due.
        outcomes: how many ended in each way, by label; the sum is `offered`.
        rate_asked_per_s: the schedule's mean rate; None in the closed model and in a burst.
        rate_reached_per_s: the rate at which connections were opened, or in the closed model requests were sent;
            None with fewer than two.
        throughput_per_s: replies per second, from the first request's begin to the last reply.
        peak_in_flight: most requests at once that had begun and not ended.
        latency_from_due_ms, latency_from_sent_ms: of the requests that were replied to.
        pacing_lag_us: from due to begun, the generator's own error.
        generator_limited: the load could not do what was asked: it was late, lacked resources, or lost a process.
        duration_s: from the first due instant to the last end.
        resent: requests that were sent again on a new connection, because the server had ended a kept one before any
            byte of a reply, or over HTTP/2 had left them out.
        warnings: doubts about the result, in words.
    """

    _: KW_ONLY
    offered: int
    outcomes: dict[str, int]
    rate_asked_per_s: float | None
    rate_reached_per_s: float | None
    throughput_per_s: float | None
    peak_in_flight: int
    latency_from_due_ms: LatencyMs
    latency_from_sent_ms: LatencyMs
    pacing_lag_us: LagUs
    generator_limited: bool
    duration_s: float
    resent: int = 0
    warnings: tuple[str, ...] = ()


@frozen
class LoadResult(LoadSummary):
    """The result of a load run.

    Attributes:
        target: what was loaded.
        statuses: how many replies had each HTTP status.
        thresholds: what came of each.
        steps: one for each label, if there are several.
        transactions: of journeys, what came of requests that are a result together.
        redirects: requests that followed a redirect.
        embedded: requests for what a page embeds.
        stopped: why the load's own rule ended it early, in words; None if it did not.
        interrupted: a person ended it early.
        wall_clock_offset_ns: turns an instant of the rows (CLOCK_MONOTONIC) into one since the epoch, as it was when
            the load began; None is not known.
        hosts: those that shared the load; empty if this host alone sent it.
        events: in its replies; None where none were looked for.
        http2: of its streams; None over HTTP/1.1.
        run: number of the saved run; None where it was not saved.
        schema: version of this form of the object.
        kind: tells it from other objects.
    """

    _: KW_ONLY
    target: LoadTarget
    statuses: dict[str, int]
    thresholds: tuple[Expectation, ...] = ()
    steps: tuple[StepResult, ...] = ()
    transactions: tuple[TransactionResult, ...] = ()
    redirects: int = 0
    embedded: int = 0
    stopped: str | None = None
    interrupted: bool = False
    wall_clock_offset_ns: int | None = None
    hosts: tuple[HostResult, ...] = ()
    events: EventsResult | None = None
    http2: StreamsResult | None = None
    run: int | None = None
    schema: int = 1
    kind: str = "load"
