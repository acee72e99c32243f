"""The highest rate that holds, and what ends it: loads at one rate after another, and what was seen in the server."""

from __future__ import annotations

from typing import Literal

from holdfast.model.frozen import frozen
from holdfast.model.load import Expectation, LatencyMs
from holdfast.model.waiting import WaitingPoint

DEFAULT_RUN_S = 5.0
DEFAULT_ERRORS = "errors<1%"
"""Holds where no threshold is about errors: a server that turns requests away is quick."""

FullKind = Literal[
    "handlers", "inside the view", "server's own queue", "accept queue", "cpu", "gil", "machine's cpu", "outside"
]
"""What a place that is full is called."""

NearKind = Literal["edge", "at least", "none", "not stationary", "unknown"]
"""What became of a search: the edge was found; the load's own limit, or the highest rate asked for, came first; no
rate holds; the server changed meanwhile; it was ended before anything was known."""


@frozen
class CapacityAsked:
    """What is searched, and how.

    Attributes:
        thresholds: as they were written.
        run_s: length of each load; it is longer where that would be too few requests.
        from_per_s: the first rate; None begins at half of what one request after another comes to.
        up_to_per_s: the highest rate that is tried; None tries any.
        poisson: arrivals are random instead of even.
        keep_alive: connections are used again.
        at_most_s: the search ends after this time; None lets it take what it needs.
    """

    thresholds: tuple[str, ...]
    run_s: float = DEFAULT_RUN_S
    from_per_s: float | None = None
    up_to_per_s: float | None = None
    poisson: bool = False
    keep_alive: bool = False
    at_most_s: float | None = None


@frozen
class AtRate:
    """One load of the search.

    Attributes:
        rate_per_s: at which requests were due.
        seconds: in which they were due.
        began_s: since the search began.
        offered: requests that were due.
        outcomes: how many ended in each way.
        latency_from_due_ms: of those that were replied to.
        answered_per_s: in the last two thirds of the load; None where none was due then.
        growth: how much later each second's requests were answered than those of the second before, s/s; 0.05 is a
            queue that grows because 5 % more come than are served. None with too few replies.
        pacing_lag_p99_us: how much later than due requests were begun, the load's own error; None if none was begun.
        thresholds: what came of each.
        held: every threshold held, and no queue grew.
        why: what did not hold, in words; "" where all did.
        limited: why the load and not the server decided what was seen, in words; "" where it did not.
        alone_ms: the quickest of a few single requests just before; None where none was answered.
        load_cores: processor time of the load's processes for each second; None where it was not seen.
        server_cores: the same of the server's; None where its processes were not seen.
        taken: share of the processor time that the server's computing needed and other programs took; 0 where it did
            not compute all the time, or got all that it needed.
    """

    rate_per_s: float
    seconds: float
    began_s: float
    offered: int
    outcomes: dict[str, int]
    latency_from_due_ms: LatencyMs
    answered_per_s: float | None
    growth: float | None
    pacing_lag_p99_us: int | None
    thresholds: tuple[Expectation, ...]
    held: bool
    why: str = ""
    limited: str = ""
    alone_ms: float | None = None
    load_cores: float | None = None
    server_cores: float | None = None
    taken: float = 0.0


@frozen
class ProcessCores:
    """What one process of the server had of the cores while it was watched.

    Attributes:
        pid: of the process.
        name: what it runs.
        python: it has an interpreter in it.
        cores: processor time for each second.
        waited: time on run queues for each second, of all its threads.
        busiest: share of the time that its busiest thread ran or waited for a core.
        threads: how many of its threads ran for more than a hundredth of the time.
        gil: of a Python, its threads run Python code in turns, under one lock; False where it was built to do without
            and was not seen to run with it.
    """

    pid: int
    name: str
    python: bool
    cores: float
    waited: float
    busiest: float
    threads: int
    gil: bool = True


@frozen
class PlacesLook:
    """Where requests were at one instant; None is not known.

    Attributes:
        at_s: since the load began.
        in_flight: begun and not ended.
        in_service: in handlers.
        accept_queue: connections that the server has not accepted.
        accepted: connections that the server holds.
    """

    at_s: float
    in_flight: int
    in_service: int | None = None
    accept_queue: int | None = None
    accepted: int | None = None


@frozen
class HandlersSeen:
    """Handlers, as the recorder inside the server wrote them, in the later half of a load.

    Attributes:
        peak: most at once.
        at_peak: share of the time in which so many ran.
        mean: how many ran on average.
        took_ms: the median of their times.
        alone_ms: how long one took without any load; None where that was not seen.
        held: how many ran at once when a few more than `peak` were held afterwards; None where that was not tried.
    """

    peak: int
    at_peak: float
    mean: float
    took_ms: float
    alone_ms: float | None
    held: int | None = None


@frozen
class WatchedLoad:
    """A load a little above the edge, during which the server was watched.

    Attributes:
        load: the load itself.
        looks: where requests were, in order.
        processes: of the server, the busiest first.
        accept_limit: connections that the accept queue holds; None where it is not known.
        handlers: None where no recorder was inside the server, or no handler ran.
        waiting: lines at which requests were in the application; () where none told.
        idle: share of the machine's processor time that nothing used; None where it is not known.
        cores: that the server and the load may use.
        started: holdfast started the server.
    """

    load: AtRate
    looks: tuple[PlacesLook, ...]
    processes: tuple[ProcessCores, ...]
    accept_limit: int | None
    handlers: HandlersSeen | None
    waiting: tuple[WaitingPoint, ...]
    idle: float | None
    cores: int
    started: bool


@frozen
class CapacityRecord:
    """A search as it is saved.

    Attributes:
        target: what was loaded, as a person names it.
        url: where the requests went.
        asked: what was searched.
        loads: of the search, in order.
        watched: the load that shows what is full; None where there was none.
        not_watched: why there was none; "" where there was one.
        notes: doubts about the whole, in words.
        seconds: of the whole.
        alone_ms: the quickest of a few single requests at the beginning; None where none was sent.
        last_alone_ms: the same after the last load, if that held; None where none was sent.
        interrupted: a person ended it early.
        out_of_time: it was to take no longer, and ended before it was done.
        directory: of the run, from which files are named.
        explain: the command that finds the setting; "" where holdfast did not start the server.
        command: what makes the same search again, as a shell reads it.
    """

    target: str
    url: str
    asked: CapacityAsked
    loads: tuple[AtRate, ...]
    watched: WatchedLoad | None
    not_watched: str
    notes: tuple[str, ...]
    seconds: float
    alone_ms: float | None = None
    last_alone_ms: float | None = None
    interrupted: bool = False
    out_of_time: bool = False
    directory: str = "."
    explain: str = ""
    command: str = ""


@frozen
class Interval:
    """Where the edge lies: at `low` everything held, at `high` it did not; None is not known.

    Attributes:
        low: requests per second.
        high: requests per second.
    """

    low: float | None
    high: float | None


@frozen
class FullPlace:
    """What requests wait for beyond the edge.

    Attributes:
        kind: which place it is.
        at_once: how many requests it takes; None where that is not known, or it is not such a place.
        pid: of the process whose CPU or GIL it is; None otherwise.
        process: what that runs; None otherwise.
        where: file and line in the application; None where no line is known.
        words: in a sentence.
        evidence: what shows it, in sentences.
    """

    kind: FullKind
    at_once: int | None
    pid: int | None
    process: str | None
    where: str | None
    words: str
    evidence: tuple[str, ...]


@frozen
class WaitingIn:
    """How many requests wait beyond the edge, and where: medians of the later half of the load; None is not known.

    Attributes:
        in_service: in handlers.
        userspace_queue: accepted, and in no handler.
        accept_queue: connections that the server has not accepted.
        syn: begun without a connection.
    """

    in_service: int | None
    userspace_queue: int | None
    accept_queue: int | None
    syn: int | None


@frozen
class Capacity:
    """The highest rate at which every threshold holds, and what ends it.

    Attributes:
        target: what was loaded.
        url: where the requests went.
        thresholds: what had to hold.
        rate_per_s: the highest rate at which everything held; None where there is none.
        bounded: False is "at least": the load's own limit, or the highest rate asked for, came first. None where no
            rate is known.
        interval: of the edge.
        status: what became of the search: edge, at least, none, not stationary or unknown.
        words: the answer in a sentence.
        ended_by: what did not hold beyond the edge, or why the search ended before; None where neither is known.
        place: what is full beyond the edge; None where it is not known, with the reason in `unknown`.
        waiting: where requests wait then; None likewise.
        loads: every load, in the order of the search.
        watched: the load during which the server was watched; None where there was none.
        warnings: doubts.
        unknown: what was not found out, with the reason.
        explain: the command that finds the setting; None where it cannot help.
        command: what makes the same search again, as a shell reads it.
        alone_ms: how long a single request takes; None where none was sent.
        seconds: of the whole.
        interrupted: a person ended it early.
        out_of_time: it was to take no longer, and ended before it was done.
        run: number of the saved run; None where it was not saved.
        schema: version of this form of the object.
        kind: tells it from other objects.
    """

    target: str
    url: str
    thresholds: tuple[str, ...]
    rate_per_s: float | None
    bounded: bool | None
    interval: Interval
    status: NearKind
    words: str
    ended_by: str | None
    place: FullPlace | None
    waiting: WaitingIn | None
    loads: tuple[AtRate, ...]
    watched: WatchedLoad | None
    warnings: tuple[str, ...]
    unknown: dict[str, str]
    explain: str | None
    command: str
    alone_ms: float | None
    seconds: float
    interrupted: bool = False
    out_of_time: bool = False
    run: int | None = None
    schema: int = 1
    kind: str = "capacity"


@frozen
class LiveSearch:
    """A search as it is now.

    Attributes:
        elapsed_s: since its beginning.
        loads: those that are over, in order.
        interval: of the edge, as far as it is known.
        rate_per_s: of the load that runs.
        seconds: for which its requests are due.
        load_s: since its beginning.
        begun, ended: its requests.
        why: it is run, in a few words.
        asked_to_end: the person has asked for the end.
    """

    elapsed_s: float
    loads: tuple[AtRate, ...]
    interval: Interval
    rate_per_s: float
    seconds: float
    load_s: float
    begun: int
    ended: int
    why: str
    asked_to_end: bool = False
