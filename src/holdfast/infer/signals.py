"""What is asked of the records both while measuring and when judging; pure.

Acquisition steers by these: it stops a ramp when the server ends requests itself, sends more requests where reuse has
not been seen, and chooses the next burst by what the last one showed. The verdict is drawn by the same functions, so
that the two cannot disagree. Nothing else of this room is known to acquisition.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import accumulate, pairwise
from math import inf
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
NOT_LOOKED_AT = Outlived(process=None, entry_thread=None, thread=None)
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
# Of the service time: a pause before an answer that is not a wait for others.
_HOLE = 2
_JITTER_NS = 10 * MS
# A lost SYN is repeated after a second, or what is left of it after the first look.
_SYN_LOST_NS = 900 * MS
_CLOSE = 0.07
MARGIN = 1.2
"""How many times as many must be offered as are in service, so that a few late answers do not look like a bound."""
ANOTHER_SIZE = 1.25
"""How much larger one burst must be than another to be of another size."""
_WAITS = 1.5


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


def reused(sequence: Iterable[int], later: int, *, outlived: bool | None = False, again: bool = False) -> bool | None:
    """Whether threads or processes serve again; None where too little was seen.

    One that is idle may wait for its turn behind many that are too, so that those which came later show nothing.

    Args:
        sequence: how many requests its thread or process had entered when each request was entered, itself included.
        later: how many requests were entered after others had left, so that there was something to reuse.
        outlived: the one that ran the first of all was still there when that had long been answered; None where that
            is not known.
        again: a later request had the id of that one. So it was the same, if it outlived, also where it counts anew
            each time: a thread that Python did not start is new to it whenever it comes back (PyGILState_Release).
    """
    if any(number > 1 for number in sequence) or (outlived and again):
        return True
    return False if later >= _FEW and outlived is False else None


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
    elif (longest_ns := _unexplained_ns(answered, together, service)) is not None:
        why = (
            f"{longest_ns / MS:.0f} ms passed without an answer, longer than those that were left had to wait for each "
            "other: the path's time varies"
        )
    return Wave(
        offered=offered,
        together=together,
        clear=not why,
        beyond=together < offered,
        queue_full=queue_full,
        full=queue_full or offered >= MARGIN * together + 1,
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


def _unexplained_ns(answered: Sequence[Trip], together: int, service: Service) -> int | None:
    """A pause between two answers that is longer than working off all that were left takes; None where there is none.

    While a request waits or is in service, one that is in service ends within the service time. Where a blocked loop
    keeps answers back, the last ones come together when all has been done.
    """
    for number, (earlier, later) in enumerate(pairwise(answered), 1):
        turns = max(1.0, (len(answered) - number) / together)
        pause_ns = later.done_ns - earlier.done_ns
        if pause_ns > _HOLE * turns * service.most_ns + _JITTER_NS:
            return pause_ns
    return None


def _slow_starts(service: Service) -> str:
    return (
        f"requests start one by one, and those that start first end (after {service.mean_ns / MS:.0f} ms) before "
        "the last have started: a path that waits longer would show more"
    )


def close(count: float, other: float) -> bool:
    """Whether two counts of the same thing may be called the same."""
    return abs(count - other) <= _CLOSE * other
