"""A server as a waiting line on paper: requests come in, so many are served at once, answers go out.

The truth that the estimates are compared with; it shares no code with them.
"""

from __future__ import annotations

import heapq
import random
from collections.abc import Callable
from dataclasses import dataclass, field

from holdfast.attaching.rounds import next_burst, next_clients
from holdfast.infer.concurrency_estimate import estimate
from holdfast.infer.flow import Flow, flow_of
from holdfast.infer.signals import Service, Trip, Wave, first_wave, service_of

MS = 1_000_000
BEGIN = 1000 * MS
QUICK = 1 * MS


@dataclass
class Line:
    """A server.

    Attributes:
        places: served at once.
        service_ns: of the next request.
        start_ns: time between two starts at least (a fork, the one thread that accepts).
        turns_away: nobody waits: who finds no place gets an error at once.
        keeps_back: answers go out only when nobody waits any more.
    """

    places: int
    service_ns: Callable[[], float]
    start_ns: float = 0.1 * MS
    turns_away: bool = False
    keeps_back: bool = False
    _ends: list[float] = field(default_factory=list)
    _last_start: float = 0.0

    def done(self, at_ns: float) -> tuple[float, bool]:
        """When a request that comes then is answered, and whether it is served. Requests come in order."""
        while self._ends and self._ends[0] <= at_ns:
            heapq.heappop(self._ends)
        start = at_ns
        if len(self._ends) >= self.places:
            if self.turns_away:
                return at_ns + QUICK, False
            start = sorted(self._ends)[len(self._ends) - self.places]
        start = self._last_start = max(start, self._last_start + self.start_ns)
        end = start + self.service_ns()
        heapq.heappush(self._ends, end)
        return end, True

    def rest(self) -> None:
        self._ends.clear()
        self._last_start = 0.0


class Workers:
    """Several lines, of which each request gets into one by lot and stays there."""

    keeps_back = False

    def __init__(self, lines: list[Line], seed: int = 1) -> None:
        self._lines = lines
        self._lots = random.Random(seed)

    def done(self, at_ns: float) -> tuple[float, bool]:
        return self._lots.choice(self._lines).done(at_ns)

    def rest(self) -> None:
        for line in self._lines:
            line.rest()


def _trip(line: Line | Workers, at_ns: float) -> Trip:
    end, served = line.done(at_ns)
    return Trip(int(at_ns), int(at_ns), int(at_ns), int(end), served)


def _released(line: Line | Workers, trips: list[Trip]) -> list[Trip]:
    """As the client sees them where answers are kept back: all but the first with the last."""
    if not line.keeps_back or len(trips) < 2:
        return trips
    last = max(trip.done_ns for trip in trips)
    return [trips[0], *(trip._replace(done_ns=last) for trip in trips[1:])]


def singles(line: Line | Workers, count: int = 6) -> Service:
    trips, now = [], float(BEGIN)
    for _ in range(count):
        line.rest()
        trips.append(_trip(line, now))
        now = trips[-1].done_ns + MS
    return service_of(trips)


def burst(line: Line | Workers, count: int, service: Service) -> Wave:
    line.rest()
    gap = min(20 * MS, service.mean_ns / 4 / count)
    return first_wave(_released(line, [_trip(line, BEGIN + index * gap) for index in range(count)]), service)


def steady(line: Line | Workers, clients: int, service: Service, cores: float | None = 0.0) -> Flow | None:
    line.rest()
    stop = BEGIN + 5.5 * service.mean_ns
    trips: list[Trip] = []
    coming = [float(BEGIN + index * MS / 10) for index in range(clients)]
    heapq.heapify(coming)
    while coming and (now := heapq.heappop(coming)) < stop:
        trip = _trip(line, now)
        trips.append(trip)
        heapq.heappush(coming, trip.done_ns + MS / 5 if trip.answered else now + service.mean_ns / 8)
    return flow_of(trips, service, int(stop), clients, cores)


def looked_at(line: Line | Workers, most: int = 1000, cores: float | None = 0.0):
    """The estimate, by the same rounds as `holdfast attach` goes through."""
    service = singles(line, 6)
    if not service.steady:
        service = singles(line, 20)
    waves: list[Wave] = []
    while (count := next_burst(waves, most)) is not None:
        waves.append(burst(line, count, service))
    flows: list[Flow | None] = []
    while (count := next_clients(waves, flows, most)) is not None:
        flows.append(steady(line, count, service, cores))
    return estimate(waves, [flow for flow in flows if flow is not None], service)


def varied(mean_ns: float, spread: float, seed: int = 1) -> Callable[[int], float]:
    lots = random.Random(seed)
    return lambda: mean_ns * (1 + spread * (2 * lots.random() - 1))
