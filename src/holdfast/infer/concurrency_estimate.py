r"""How many requests are in service at once, from nothing but the times of their answers; pure.

Two ways to count, from requests that each take the service time S:

    first wave   M requests, all sent within a part of S. Those answered within S of the first answer
                 were all in service when it came: none of them can have begun after it.

                     |____S____|
                     ::::       ....
                 M sent at      wave      S later the next wave: those that waited
                 once           = ceiling

    Little       N = X S: what is in service on average is throughput times service time, over a stretch
                 in which somebody always waits.

Both fail where the service time under load is not the one measured alone: a path that computes, a loop that is
blocked and keeps finished answers back, a server that starts requests more slowly than it ends them. They fail
differently, and so they are compared; where they differ there is no number, only bounds.

Source: J. D. C. Little, "A proof for the queuing formula L = lambda W", Operations Research 9 (1961).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import ceil
from statistics import fmean, pstdev
from typing import NamedTuple

from holdfast.model.units import MS, NS_PER_S

TOO_QUICK_NS = 5 * MS
"""Below this the instrument's own pace and the server's overhead are as long as what is to be measured."""

# Of the service time: how late after the first answer one still belongs to its wave, the pause between waves, and
# the longest wave behind which another can be told from stragglers.
_WAVE = 0.8
_PAUSE = 0.1
_BUNCHED = 0.6
# How much longer the pause is than any within the wave.
_WIDER = 2
_STEADY = 0.25
_SLOWER = 1.3
_JITTER_NS = 10 * MS
# A lost SYN is repeated after a second, or what is left of it after the first look.
_SYN_LOST_NS = 900 * MS
_AGREE_LOW, _AGREE_HIGH = 0.85, 1.15
_CLOSE = 0.07
_MARGIN = 1.2
_SURE = 0.05
# How far a count may be wrong that was not the same each time.
_DOUBT = 1.1
ANOTHER_SIZE = 1.25
"""How much larger one burst must be than another to be of another size."""
_ROUNDING = 0.5
_WAITS = 1.5
_FLOW_ERROR = 0.02
_FRACTION = 0.1
# Processor time of a request, of its service time. One that waits takes a few ms at most.
_COMPUTES = 0.05


class Trip(NamedTuple):
    """One request as its client saw it, CLOCK_MONOTONIC ns, 0 for what has not happened.

    Attributes:
        sent_ns: its first byte was written.
        answered: with a status below 400.
    """

    opened_ns: int
    connected_ns: int
    sent_ns: int
    done_ns: int
    answered: bool

    @property
    def response_ns(self) -> int:
        """From the first byte of the request to the last of the answer."""
        return self.done_ns - (self.sent_ns or self.connected_ns or self.opened_ns)


@dataclass(frozen=True, slots=True)
class Service:
    """The service time of a path, measured one request after another.

    Attributes:
        spread: standard deviation by mean.
        count: requests that it was measured with.
    """

    mean_ns: float
    least_ns: int
    most_ns: int
    spread: float
    count: int

    @property
    def steady(self) -> bool:
        """Waves keep apart."""
        return self.most_ns - self.least_ns <= _STEADY * self.mean_ns


@dataclass(frozen=True, slots=True)
class Wave:
    """What one burst showed.

    Attributes:
        offered: its requests.
        together: how many were answered in the first wave.
        clear: the wave stands apart from the next, so that `together` is the number in service at one instant.
        beyond: some were not in it, because they waited or were turned away.
        cut: the burst was ended by a full accept queue.
        full: that, or so many more were offered than were in service that some who are late are no bound.
        waits: answers took half as long again, on average, as one request alone.
        responses_ns: of those that were answered, in the order in which they were sent.
        why: where it is not clear.
    """

    offered: int
    together: int
    clear: bool
    beyond: bool
    cut: bool
    full: bool
    waits: bool
    responses_ns: tuple[int, ...] = ()
    why: str = ""


@dataclass(frozen=True, slots=True)
class Flow:
    """What a stretch with always the same number of clients showed.

    Attributes:
        in_service: by Little's law.
        error: relative, two standard deviations.
        cores: that the server kept busy; None where it was not seen.
    """

    in_service: float
    error: float
    per_s: float
    cores: float | None = None

    @property
    def low(self) -> float:
        """The least that is likely."""
        return self.in_service * (1 - self.error)

    @property
    def at_least(self) -> int:
        """Places that there must be for it: a mean is never more than the most."""
        return max(1, ceil(self.low - _FLOW_ERROR * self.in_service - _FRACTION))

    @property
    def computes(self) -> bool | None:
        """Requests take a processor for a good part of their time; None where that was not seen."""
        return None if self.cores is None else self.cores > _COMPUTES * self.in_service

    @property
    def high(self) -> float:
        """The most that is likely."""
        return self.in_service * (1 + self.error)


@dataclass(frozen=True, slots=True)
class Estimate:
    """The number in service at the ceiling.

    Attributes:
        in_service: None where it cannot be told.
        bounded: False where nobody ever had to wait; None where it cannot be told.
        least, most: bounds of the number, as far as they are known; `most` None is no upper bound.
        why: why the number cannot be told, or is in doubt.
    """

    in_service: int | None
    bounded: bool | None
    least: int
    most: int | None
    why: str = ""


def service_of(trips: Sequence[Trip]) -> Service:
    """The service time; of three and more the first is left out, because it may have had to wake something."""
    times = [trip.response_ns for trip in (trips[1:] if len(trips) > 2 else trips)]
    mean = fmean(times)
    return Service(mean, min(times), max(times), pstdev(times) / mean, len(times))


def first_wave(trips: Sequence[Trip], service: Service, *, cut: bool = False) -> Wave:
    """What a burst shows.

    Args:
        cut: it was ended by a full accept queue.
    """
    answered = sorted((trip for trip in trips if trip.answered), key=lambda trip: trip.done_ns)
    offered = len(trips)
    if not answered:
        return Wave(
            offered, 0, clear=False, beyond=True, cut=cut, full=cut, waits=False, why="none of them was answered"
        )
    first = answered[0]
    end = first.done_ns + _WAVE * service.least_ns
    wave = [trip for trip in answered if trip.done_ns < end]
    rest = answered[len(wave) :]
    together = len(wave)
    why = ""
    if not service.steady:
        why = "the path takes another time each time"
    elif first.response_ns > _SLOWER * service.most_ns + _JITTER_NS:
        why = (
            f"the first answer took {first.response_ns / MS:.0f} ms, where one request alone takes "
            f"{service.mean_ns / MS:.0f} ms"
        )
    elif rest and not _apart(wave, rest[0], trips, service):
        why = _slow_starts(service)
    elif any(trip.connected_ns - trip.opened_ns >= _SYN_LOST_NS for trip in rest):
        why = "connection attempts went unanswered, and were repeated after a second"
    return Wave(
        offered=offered,
        together=together,
        clear=not why,
        beyond=together < offered,
        cut=cut,
        full=cut or offered >= _MARGIN * together + 1,
        waits=fmean(trip.response_ns for trip in answered) > _WAITS * service.mean_ns,
        responses_ns=tuple(trip.response_ns for trip in sorted(answered)),
        why=why,
    )


def _apart(wave: Sequence[Trip], then: Trip, trips: Sequence[Trip], service: Service) -> bool:
    """Whether a wave ends before the next answer as waves do, where requests start together.

    With all of it within twice the service time from the first request on, each of its requests was in service
    halfway, whenever its answer was let go.
    """
    pause_ns = then.done_ns - wave[-1].done_ns
    widest_ns = max((later.done_ns - earlier.done_ns for earlier, later in pairwise(wave)), default=0)
    return (
        wave[-1].done_ns - min(trip.opened_ns for trip in trips) < 2 * service.least_ns
        and wave[-1].done_ns - wave[0].done_ns <= _BUNCHED * service.least_ns
        and pause_ns >= max(_PAUSE * service.least_ns, _WIDER * widest_ns)
    )


def _slow_starts(service: Service) -> str:
    return (
        f"requests start one by one, and those that start first end (after {service.mean_ns / MS:.0f} ms) before "
        "the last have started: a path that waits longer would tell more"
    )


def flow_of(trips: Sequence[Trip], service: Service, stopped_ns: int, cores: float | None = None) -> Flow | None:
    """Throughput by service time, from one pause between waves to another; None where too few were answered.

    Args:
        stopped_ns: no request was begun from then on.
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
    error = 2 * service.spread * (1 / service.count + 1 / departures) ** 0.5 + _FLOW_ERROR
    return Flow(departures / took_ns * service.mean_ns, error, departures / took_ns * NS_PER_S, cores)


def estimate(waves: Sequence[Wave], flows: Sequence[Flow], service: Service) -> Estimate:
    """What waves and throughput say together.

    Args:
        waves: of all bursts, in their order.
        flows: of all steady stretches, in their order.
    """
    clear = [wave for wave in waves if wave.clear]
    bounds = [wave for wave in clear if wave.beyond]
    if bounds:
        return _bounded(max(wave.together for wave in clear), bounds, flows, service)
    if clear and waves[-1].clear:
        return Estimate(clear[-1].together, False, clear[-1].together, None)  # noqa: FBT003 - bounded: one of three
    least = max([1, *(wave.together for wave in clear), *(int(flow.low) for flow in flows)])
    if service.steady or not flows:
        return Estimate(None, None, least, None, waves[-1].why if waves else "no burst was sent")
    return _by_flow(least, waves, flows, service, "the path takes another time each time, so only throughput tells")


def _bounded(least: int, bounds: Sequence[Wave], flows: Sequence[Flow], service: Service) -> Estimate:
    """The estimate where bursts met a bound.

    Args:
        least: the most that were seen in service at one instant.
    """
    counts = [wave.together for wave in bounds]
    if not flows:
        why = "too few requests were answered while others waited to compare with"
        return Estimate(None, None, least, None, why)
    flow = max(flows, key=lambda flow: flow.in_service)
    if flow.low > _AGREE_HIGH * least + _ROUNDING:
        why = (
            f"{least} are answered at once, but it takes {flow.in_service:.1f} at once for the throughput, as when "
            "some workers get more of a burst than others"
        )
        return _by_flow(max(least, flow.at_least), bounds, flows, service, why)
    same = all(count == least for count in counts)
    if flow.high >= _AGREE_LOW * least - _ROUNDING:
        # The first wave is a count, Little's law a mean, which the pauses between two requests only make smaller.
        number = max(least, flow.at_least)
        sure = same and (1 - _SURE) * number - _FRACTION <= flow.in_service <= (1 + _FLOW_ERROR) * number
        most = max(number, round(flow.high)) if sure else ceil(_DOUBT * number)
        return Estimate(number, True, min(*counts, number, round(flow.high)), most)  # noqa: FBT003
    why = (
        f"{least} are answered at once, but for the throughput {flow.in_service:.1f} at once would do: requests take "
        "longer when there are many (they compute, or wait for each other), or answers are kept back"
    )
    sizes = [wave.offered for wave in bounds if close(wave.together, least)]
    if sizes and max(sizes) >= ANOTHER_SIZE * min(sizes) and max(wave.offered for wave in bounds) == max(sizes):
        # However many more are sent, no more are in the first wave: a bound, whatever holds them up afterwards.
        return Estimate(least, True, min(least, *counts), ceil(_DOUBT * least), why)  # noqa: FBT003
    return Estimate(None, None, least, None, why)


def _start_at_once(waves: Sequence[Wave], number: int, service: Service) -> bool:
    """Whether the first requests of a burst, as many as there would be places, take no longer than one alone.

    Where starting is the limit, and so many start within the time that one takes, each begins a `number`th of that
    time after the one before: on average they take (number - 1) / (2 number) of it longer. False also where
    service times differ too much for so few requests to tell such a difference from none.
    """
    responses = [each for wave in waves if wave.offered > number for each in wave.responses_ns[:number]]
    longer = (number - 1) / (2 * number)
    if not responses or service.spread * (1 / len(responses) + 1 / service.count) ** 0.5 > longer / 6:
        return False
    return fmean(responses) <= (1 + longer / 3) * service.mean_ns


def close(count: float, other: float) -> bool:
    """Whether two counts of the same thing may be called the same."""
    return abs(count - other) <= _CLOSE * other


def _by_flow(least: int, waves: Sequence[Wave], flows: Sequence[Flow], service: Service, why: str) -> Estimate:
    """The estimate from throughput alone, where more clients brought no more of it."""
    flow = flows[-1]
    if any(each.computes is None for each in flows):
        why += "; whether requests wait for a place or for a processor cannot be seen from here"
    elif any(each.computes for each in flows):
        why += f"; and the path computes ({flow.cores:.1f} cores are busy), so that places and processors look alike"
    elif not _start_at_once(waves, round(flow.in_service), service):
        why += (
            f"; and the first {round(flow.in_service)} of a burst do not start at once, so that starting is the limit"
        )
    elif len(flows) > 1 and close(flows[-2].in_service, flow.in_service):
        number = max(1, round(flow.in_service))
        return Estimate(number, True, min(least, number), max(number, ceil(flow.high)), why)  # noqa: FBT003
    else:
        why += ", and more clients still brought more of it"
    return Estimate(None, None, least, None, why)
