"""What is asked of the records both while measuring and when judging; pure.

Acquisition steers by these: it stops a ramp when the server ends requests itself, sends more requests where reuse has
not been seen, and chooses the next burst by what the last one showed. The verdict is drawn by the same functions, so
that the two cannot disagree. Nothing else of this room is known to acquisition.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import accumulate, pairwise
from math import ceil, inf
from operator import attrgetter
from typing import TYPE_CHECKING, NamedTuple

from holdfast.model.frozen import frozen
from holdfast.model.places import Outcome
from holdfast.model.timeline import NEVER, Entry, Outlived, Request
from holdfast.model.units import MS

if TYPE_CHECKING:
    from holdfast.model.outside import Round  # of attach alone

HELD_NS = 200 * MS
"""A request that ended sooner than this was not held: its handler failed at its start."""

_NOT_BY_THE_SERVER = frozenset({Outcome.PENDING, Outcome.GIVEN_UP, Outcome.FAILED})
NOTHING_OUTLIVED = Outlived(process=False, entry_thread=False, thread=False)
_ALIKE = 2
_FEW = 4  # later requests without a sign of reuse that suffice to exclude it

TOO_QUICK_NS = 5 * MS
"""Below this the instrument's own pace and the server's overhead are as long as what is to be measured."""

# Of the service time: how late after the first answer one still belongs to its wave, the pause between waves, and
# the longest wave behind which another can be told from stragglers.
_WITHIN_WAVE = 0.8
_PAUSE = 0.1
_BUNCHED = 0.6
# How much longer the pause is than any within the wave.
_WIDER = 2
_STEADY = 0.25
_SLOWER = 1.3
_JITTER_NS = 10 * MS
# A lost SYN is repeated after a second, or what is left of it after the first look.
_SYN_LOST_NS = 900 * MS
_CLOSE = 0.07
_MARGIN = 1.2
ANOTHER_SIZE = 1.25
"""How much larger one burst must be than another to be of another size."""
_WAITS = 1.5
FLOW_ERROR = 0.02
"""Relative error of Little's law, in addition to that of the service time."""
FRACTION = 0.1
"""Of one request: as much as a mean may exceed a whole number by chance."""
# Processor time of a request, of its service time. One that waits takes a few ms at most.
_COMPUTES = 0.05


def ended_by_server(outcome: Outcome, entered_ns: int, done_ns: int) -> bool:
    """Whether a request was ended by the server while it was held, before holdfast released it.

    Args:
        entered_ns: when its handler was entered; NEVER if it was not.
        done_ns: when its client saw the end.
    """
    return outcome not in _NOT_BY_THE_SERVER and NEVER < entered_ns < done_ns - HELD_NS


def peak(entries: Iterable[Entry], before_ns: int) -> int:
    """Most handlers that ran at once before an instant."""
    return most_at_once(
        (each.entered_ns, each.left_ns if each.left_ns < before_ns else NEVER)
        for each in entries
        if NEVER < each.entered_ns < before_ns
    )


def most_at_once(spans: Iterable[tuple[int, int]]) -> int:
    """Most of these that had begun and not ended at one instant.

    Args:
        spans: begin and end of each, CLOCK_MONOTONIC ns; the end is NEVER where it did not come.
    """
    # At the same nanosecond the end comes first: half-open, as everywhere.
    moves = sorted(move for begun, ended in spans for move in ((begun, 1), (ended, -1)) if move[0] != NEVER)
    return max(accumulate((change for _, change in moves), initial=0))


def told_alike(numbers: Iterable[int]) -> int | None:
    """What several looks told alike: two more of them than told any other number; None where there is no such number.

    A look may come while one has given something back and has not ended: then it counts that one too.
    """
    most = Counter(numbers).most_common(2)
    second = most[1][1] if len(most) > 1 else 0
    return most[0][0] if most and most[0][1] - second >= _ALIKE else None


def later_entries(entries: Sequence[Entry]) -> int:
    """Requests entered after another one had left."""
    first_left_ns = min((each.left_ns for each in entries if each.left_ns != NEVER), default=inf)
    return sum(each.entered_ns >= first_left_ns for each in entries)


def reused(sequence: Iterable[int], later: int, *, outlived: bool = False, again: bool = False) -> bool | None:
    """Whether threads or processes serve again; None where too little was seen.

    One that is idle may wait for its turn behind many that are too, so that those which came later show nothing.

    Args:
        sequence: how many requests its thread or process had entered when each request was entered, itself included.
        later: how many requests were entered after others had left, so that there was something to reuse.
        outlived: the one that ran the first of all was still there when that had long been answered.
        again: a later request had the id of that one. So it was the same, if it outlived, also where it counts anew
            each time: a thread that Python did not start is new to it whenever it comes back (PyGILState_Release).
    """
    if any(number > 1 for number in sequence) or (outlived and again):
        return True
    return False if later >= _FEW and not outlived else None


def first_again(entries: Iterable[Entry], thread: Callable[[Entry], int]) -> bool:
    """Whether the thread that ran the first handler has the id of one that ran a later one."""
    ids = [(each.pid, thread(each)) for each in sorted(entries, key=attrgetter("entered_ns"))]
    return ids[0] in ids[1:] if ids else False


def reuse_seen(entries: Sequence[Entry], outlived: Outlived | None = None) -> bool:
    """Whether these handler runs suffice to tell if threads and processes are reused."""
    later, idle = later_entries(entries), outlived or NOTHING_OUTLIVED
    processes = reused((each.process_seq for each in entries), later, outlived=idle.process)
    again = first_again(entries, attrgetter("tid"))
    threads = reused((each.thread_seq for each in entries), later, outlived=idle.thread, again=again)
    return processes is not None and threads is not None


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


@frozen
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


@frozen
class Wave:
    """What one burst showed.

    Attributes:
        offered: its requests.
        together: how many were answered in the first wave.
        clear: the wave is apart from the next, so `together` is the number in service at one instant.
        beyond: some were not in it, because they waited or were turned away.
        queue_full: the burst was cut short because the accept queue did not drain.
        full: that, or so many more were offered than were in service that a few late answers do not look like a bound.
        waits: answers took half as long again, on average, as one request alone.
        responses_ns: of those that were answered, in the order in which they were sent.
        why: where it is not clear.
    """

    offered: int
    together: int
    clear: bool
    beyond: bool
    queue_full: bool
    full: bool
    waits: bool
    responses_ns: tuple[int, ...] = ()
    why: str = ""


@frozen
class Flow:
    """What a stretch with a constant number of clients showed.

    Attributes:
        in_service: by Little's law.
        error: relative, two standard deviations.
        cores: that the server kept busy; None where it was not seen.
    """

    in_service: float
    error: float
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
    def computes(self) -> bool | None:
        """Requests take a processor for a good part of their time; None where that was not seen."""
        return None if self.cores is None else self.cores > _COMPUTES * self.in_service

    @property
    def high(self) -> float:
        """The most that is likely."""
        return self.in_service * (1 + self.error)


def trip_of(request: Request) -> Trip:
    """One request as its client saw it."""
    answered = request.outcome == Outcome.ANSWERED
    return Trip(request.opened_ns, request.connected_ns, request.sent_ns, request.done_ns, answered)


def trips_of(requests: Mapping[int, Request], round_: Round) -> list[Trip]:
    """The requests of one round."""
    return [trip_of(requests[id_]) for id_ in range(round_.first, round_.last)]


def service_of(trips: Sequence[Trip]) -> Service:
    """The service time; of three and more the first is left out, because it may have had to wake something."""
    times = [trip.response_ns for trip in (trips[1:] if len(trips) > 2 else trips)]
    from statistics import fmean, pstdev  # noqa: PLC0415 - it brings decimal and fractions, and only attach needs it

    mean = fmean(times)
    return Service(mean, min(times), max(times), pstdev(times) / mean, len(times))


def usual_of(trips: Sequence[Trip]) -> float:
    """The median time, in ns: one request of five that waited for a core makes no slow path of a quick one."""
    from statistics import median  # noqa: PLC0415 - as above

    return float(median(trip.response_ns for trip in trips))


def first_wave(trips: Sequence[Trip], service: Service, *, queue_full: bool = False) -> Wave:
    """What a burst shows.

    Args:
        queue_full: it was cut short because the accept queue did not drain.
    """
    answered = sorted((trip for trip in trips if trip.answered), key=lambda trip: trip.done_ns)
    offered = len(trips)
    if not answered:
        return Wave(
            offered,
            0,
            clear=False,
            beyond=True,
            queue_full=queue_full,
            full=queue_full,
            waits=False,
            why="none of them was answered",
        )
    from statistics import fmean  # noqa: PLC0415 - it brings decimal and fractions, and only attach needs it

    first = answered[0]
    end = first.done_ns + _WITHIN_WAVE * service.least_ns
    wave = [trip for trip in answered if trip.done_ns < end]
    rest = answered[len(wave) :]
    together = len(wave)
    why = ""
    if not service.steady:
        why = "the path's time varies"
    elif first.response_ns > _SLOWER * service.most_ns + _JITTER_NS:
        why = (
            f"the first answer took {first.response_ns / MS:.0f} ms, where one request alone takes "
            f"{service.mean_ns / MS:.0f} ms"
        )
    elif rest and not _apart(wave, rest[0], trips, service):
        why = _slow_starts(service)
    elif any(trip.connected_ns - trip.opened_ns >= _SYN_LOST_NS for trip in rest):
        why = "SYNs went unanswered and were repeated after a second"
    return Wave(
        offered=offered,
        together=together,
        clear=not why,
        beyond=together < offered,
        queue_full=queue_full,
        full=queue_full or offered >= _MARGIN * together + 1,
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
        "the last have started: a path that waits longer would show more"
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
    error = 2 * service.spread * (1 / service.count + 1 / departures) ** 0.5 + FLOW_ERROR
    error += _uneven(done[begin : end + 1], service)
    return Flow(departures / took_ns * service.mean_ns, error, cores)


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


def close(count: float, other: float) -> bool:
    """Whether two counts of the same thing may be called the same."""
    return abs(count - other) <= _CLOSE * other
