"""How far a load run has come, while it runs."""

from __future__ import annotations

from typing import Literal

from holdfast.model.frozen import frozen
from holdfast.model.load import LagUs, LatencyMs


@frozen
class Times:
    """How many times did not exceed certain bounds.

    Attributes:
        counts: (seconds, times that did not exceed them), ascending.
        sum_s: of all of them.
        count: how many in all.
    """

    counts: tuple[tuple[float, int], ...]
    sum_s: float
    count: int


@frozen
class LabelProgress:
    """The requests of one label so far.

    Attributes:
        outcomes: as in `Progress`.
        latency_ms: of those that were replied to, from due, since the start; to within 1 %.
        latency: the same, counted.
    """

    label: str
    outcomes: dict[str, int]
    latency_ms: LatencyMs
    latency: Times

    @property
    def ended(self) -> int:
        """Requests that have ended, in whatever way."""
        return sum(self.outcomes.values())


@frozen
class OwnUse:
    """What the load processes use.

    Attributes:
        processes: those that are alive.
        cpu_s: of all of them since their start.
        share: cores that all of them used over the last seconds; None before the second look.
        busiest: the highest share of one of them; 1.0 is all that a process can do.
        descriptors: None if the kernel does not say.
        memory_bytes: their private memory, and the rows that have been written.
    """

    processes: int
    cpu_s: float
    share: float | None
    busiest: float | None
    descriptors: int | None
    memory_bytes: int


@frozen
class Progress:
    """A load run at one instant.

    Attributes:
        elapsed_s: since its start.
        planned_s: for how long requests are begun; None if their number decides.
        planned: how many requests are begun in all; None if time decides.
        due: requests that are due by the schedule so far; None without one.
        outcomes: how many ended in each way, by label; ways that did not occur are left out.
        window_s: length of the window of the recent figures.
        asked_per_s, begun_per_s, replied_per_s: over the window; None without a schedule, or at
            the start.
        recent_ms, whole_ms: latency from due of the requests that were replied to within the window, and of all;
            percentiles to within 1 %.
        lag_us: pacing lag since the start, to within 1 %; None in the closed model.
        lag: the same, counted.
        labels: one for each.
    """

    elapsed_s: float
    planned_s: float | None
    planned: int | None
    due: int | None
    begun: int
    outcomes: dict[str, int]
    window_s: float
    asked_per_s: float | None
    begun_per_s: float | None
    replied_per_s: float | None
    recent_ms: LatencyMs
    whole_ms: LatencyMs
    lag_us: LagUs | None
    lag: Times
    labels: tuple[LabelProgress, ...]
    own: OwnUse | None = None

    @property
    def ended(self) -> int:
        """Requests that have ended, in whatever way."""
        return sum(self.outcomes.values())

    @property
    def in_flight(self) -> int:
        """Requests that have begun and not ended."""
        return max(0, self.begun - self.ended)


@frozen
class HostProgress:
    """One host of a cluster, and how far its share of a load is, as it last said.

    Attributes:
        begun, ended: requests of its share.
        unanswered: of those that ended, the ones that were not answered.
        begun_per_s: over the last seconds; None before it has told twice, and of a lost host.
        lost: why it counts as lost, in words; None if it does not.
    """

    name: str
    begun: int
    ended: int
    unanswered: int
    begun_per_s: float | None
    lost: str | None

    @property
    def in_flight(self) -> int:
        """Requests that have begun and not ended."""
        return max(0, self.begun - self.ended)


@frozen
class SharedProgress:
    """A load that several hosts share, at one instant.

    Attributes:
        elapsed_s, planned_s, planned: as in `Progress`.
        ending: whether requests in flight are waited for, or given up; "" while further ones are begun.
    """

    elapsed_s: float
    planned_s: float | None
    planned: int | None
    hosts: tuple[HostProgress, ...]
    ending: Literal["", "draining", "giving up"] = ""

    @property
    def begun(self) -> int:
        """Requests of all hosts that have begun."""
        return sum(host.begun for host in self.hosts)

    @property
    def ended(self) -> int:
        """Requests of all hosts that have ended."""
        return sum(host.ended for host in self.hosts)

    @property
    def in_flight(self) -> int:
        """Requests that have begun and not ended; those of a lost host are not in flight any more."""
        return sum(host.in_flight for host in self.hosts if host.lost is None)
