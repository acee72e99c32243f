"""Throughput by service time: how many requests are in service on average, from outside."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import pairwise
from math import ceil

from holdfast.infer.signals import MARGIN, Service, Trip, trips_of
from holdfast.model.frozen import frozen
from holdfast.model.outside import Round
from holdfast.model.timeline import Request

FLOW_ERROR = 0.02
"""Relative error of Little's law, in addition to that of the service time."""
FRACTION = 0.1
"""Of one request: as much as a mean may exceed a whole number by chance."""
# Processor time of a request, of its service time. One that waits takes a few ms at most.
_COMPUTES = 0.05


@frozen
class Flow:
    """What a stretch with a constant number of clients showed.

    Attributes:
        in_service: by Little's law.
        error: relative, two standard deviations.
        clients: how many there were.
        cores: that the server kept busy; None where it was not seen.
    """

    in_service: float
    error: float
    clients: int
    cores: float | None = None

    @property
    def low(self) -> float:
        """The least that is likely."""
        return self.in_service * (1 - self.error)

    @property
    def at_least(self) -> int:
        """Places that there must be for it: a mean is never more than the most."""
        return max(1, ceil(self.low - FLOW_ERROR * self.in_service - FRACTION))

    @property
    def all_in_service(self) -> bool:
        """Whether it may be that no client had to wait: there were too few of them to meet a bound."""
        return self.clients < MARGIN * self.in_service

    @property
    def computes(self) -> bool | None:
        """Requests take a processor for a good part of their time; None where that was not seen."""
        return None if self.cores is None else self.cores > _COMPUTES * self.in_service

    @property
    def high(self) -> float:
        """The most that is likely."""
        return self.in_service * (1 + self.error)


def flow_of(
    trips: Sequence[Trip], service: Service, stopped_ns: int, clients: int, cores: float | None = None
) -> Flow | None:
    """Throughput by service time, from one pause between waves to another; None where too few were answered.

    Args:
        stopped_ns: no request was begun from then on.
        clients: how many there were, each replaced when its request had ended.
        cores: that the server kept busy meanwhile.
    """
    answered = [trip for trip in trips if trip.answered]
    done = sorted(trip.done_ns for trip in answered)
    counted = sum(at <= stopped_ns for at in done)
    if counted < 3 or len(done) < 4:
        return None
    # From the end of a wave to the end of a wave: elsewhere a part of a wave would count for none of its time.
    gaps = [later - earlier for earlier, later in pairwise(done)] + [0]
    early = [i for i in range(counted) if done[i] <= done[0] + 1.1 * service.mean_ns]
    late = [i for i in range(counted) if done[i] >= done[counted - 1] - 1.1 * service.mean_ns]
    begin, end = max(early, key=gaps.__getitem__), max(late, key=gaps.__getitem__)
    departures, took_ns = end - begin, done[end] - done[begin]
    if departures < 2 or took_ns <= 0:
        return None
    error = 2 * service.spread * (1 / service.count + 1 / departures) ** 0.5 + FLOW_ERROR
    error += _uneven(done[begin : end + 1], service)
    return Flow(departures / took_ns * service.mean_ns, error, clients, cores)


def flows_of(requests: Mapping[int, Request], rounds: Sequence[Round], service: Service) -> list[Flow]:
    """What the steady stretches among these rounds showed, without those in which too few were answered."""
    flows = (
        flow_of(trips_of(requests, each), service, each.stopped_ns, each.clients, each.cores)
        for each in rounds
        if each.kind == "steady"
    )
    return [flow for flow in flows if flow is not None]


def _uneven(done: Sequence[int], service: Service) -> float:
    """How much less, or more, may be counted of waves that differ, relative: what the largest has over the smallest.

    A framework may let a request wait for a thread twice, for its view and for its answer: then twice as many as there
    are threads are answered in every second wave.
    """
    if not service.steady:
        return 0.0
    waves = Counter(round((at - done[0]) / service.mean_ns) for at in done[1:])
    counts = [waves[number] for number in range(1, max(waves) + 1)]
    # Where there are no waves, the stretch may end in the middle of the last one's time.
    return (max(counts) - min(counts[:-1])) / (len(done) - 1) if len(counts) > 1 else 0.0
