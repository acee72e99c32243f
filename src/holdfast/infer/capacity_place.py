"""Which place is full beyond the edge, from what was seen of a server under a little more load than it takes; pure.

Decisions
---------
* Processor time comes first. A server whose one thread computes all the time is full at once everywhere else too: its
  handler never ends, its queue grows. Time on a run queue counts as computing: with more processors it would have been.
* Threads that together have one core and none of which has it alone take turns at the interpreter's lock (the GIL).
* Handlers that take much longer than alone, without using a core, wait for each other within the view.
* Otherwise handlers are full if as many ran all the time, and no more did when a few more were held. Without the second
  half, a server that accepts too slowly looks the same: what it accepts runs, and nothing else is there (Little's law).
* What is left waits where no handler is: in the accept queue, or in the server's own.
* From outside only the processors, the accept queue and Little's law are known. Of a load that met its own limit, that
  law tells how many requests the load had under way.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePosixPath
from statistics import median

from holdfast.infer.capacity_cores import ALL_THE_TIME, computes, takes_turns
from holdfast.model.capacity import FullPlace, HandlersSeen, PlacesLook, WaitingIn, WatchedLoad
from holdfast.model.waiting import WaitingPoint

_NEARLY = 0.8
_TWICE = 2.0
_LEAST_LONGER_MS = 5.0
_NO_IDLE = 0.05
_NEAR = 0.2


def full_place(seen: WatchedLoad, directory: str) -> FullPlace | None:
    """The place that is full; None where what was seen does not show it."""
    waiting = waiting_in(seen)
    return (
        _computing(seen)
        or _within_the_view(seen, directory)
        or _handlers(seen)
        or _queue(seen, waiting)
        or _from_outside(seen, waiting)
    )


def waiting_in(seen: WatchedLoad) -> WaitingIn:
    """Where requests were in the later half of the load."""
    later = seen.looks[len(seen.looks) // 2 :]
    in_service, depth = _median(later, "in_service"), _median(later, "accept_queue")
    accepted, in_flight = _median(later, "accepted"), _median(later, "in_flight")
    own = None if accepted is None or in_service is None else max(0, accepted - in_service)
    known = None if accepted is None or depth is None or in_flight is None else accepted + depth
    syn = None if known is None or in_flight is None else max(0, in_flight - known)
    return WaitingIn(in_service, own, depth, syn)


def _median(looks: Sequence[PlacesLook], name: str) -> int | None:
    values = [value for each in looks if (value := getattr(each, name)) is not None]
    return round(median(values)) if values else None


def _computing(seen: WatchedLoad) -> FullPlace | None:
    busy = [each for each in seen.processes if computes(each)]
    if not busy:
        return None
    first = busy[0]
    threads = first.busiest < ALL_THE_TIME and takes_turns(first)
    evidence = [
        f"Process {first.pid} ({first.name}) had {first.cores:.2f} cores"
        + (f" and waited for one for {first.waited:.2f} s of each second" if first.waited >= 0.1 else "")
        + f", on {first.threads} thread{'s' if first.threads > 1 else ''} that computed."
    ]
    if seen.idle is not None:
        evidence.append(f"Of the machine's processor time {seen.idle:.0%} was idle ({seen.cores} cores for all).")
    if seen.load.load_cores is not None:
        evidence.append(f"The load itself used {seen.load.load_cores:.2f} cores.")
    several = len(busy) > 1 or (not takes_turns(first) and first.threads > 1 and first.cores + first.waited > 1 + _NEAR)
    if several and seen.idle is not None and seen.idle < _NO_IDLE:
        those = f"{len(busy)} processes" if len(busy) > 1 else f"{first.threads} threads of one process"
        words = f"the machine's {seen.cores} cores: {those} of the server compute, and none is left"
        return FullPlace("machine's cpu", None, first.pid, first.name, None, words, tuple(evidence))
    if threads:
        words = (
            f"the GIL of process {first.pid} ({first.name}): {first.threads} threads compute in turns, and together "
            "have one core"
        )
        return FullPlace("gil", None, first.pid, first.name, None, words, tuple(evidence))
    each = f"each of {len(busy)} processes, such as {first.pid}" if len(busy) > 1 else f"process {first.pid}"
    words = f"the CPU of {each} ({first.name}): one thread computes all the time"
    return FullPlace("cpu", None, first.pid, first.name, None, words, tuple(evidence))


def _within_the_view(seen: WatchedLoad, directory: str) -> FullPlace | None:
    handlers = seen.handlers
    if handlers is None or handlers.alone_ms is None:
        return None
    longer = handlers.took_ms - handlers.alone_ms
    if handlers.took_ms < _TWICE * handlers.alone_ms or longer < _LEAST_LONGER_MS:
        return None
    point = _where(seen.waiting)
    where = None if point is None else _line(point, directory)
    took = (
        f"A handler took {handlers.took_ms:,.0f} ms, and {handlers.alone_ms:,.0f} ms without load; "
        f"{handlers.peak} ran at once at most, and no thread computed all the time."
    )
    evidence = [took]
    if point is not None:
        what = f" ({point.library})" if point.library else ""
        evidence.append(f"{point.requests} requests of process {point.pid} waited at {where}{what}.")
    at = f" at {where}" if where else ""
    return FullPlace(
        "inside the view",
        _little(seen, handlers.alone_ms),
        None,
        None,
        where,
        f"something that handlers wait for in turns within the view{at}",
        tuple(evidence),
    )


def _where(points: Sequence[WaitingPoint]) -> WaitingPoint | None:
    """Where most wait for their turn."""
    return max((each for each in points if each.waits and each.file), key=lambda each: each.requests, default=None)


def _line(point: WaitingPoint, directory: str) -> str:
    path = PurePosixPath(point.file)
    file = path.relative_to(directory) if path.is_relative_to(directory) else path
    return f"{file}:{point.line}"


def _handlers(seen: WatchedLoad) -> FullPlace | None:
    handlers = seen.handlers
    if handlers is None or handlers.mean < _NEARLY * handlers.peak or _more_were_held(handlers):
        return None
    some = "handler" if handlers.peak == 1 else "handlers"
    evidence = [f"{handlers.mean:.1f} of {handlers.peak} {some} ran on average while more requests waited."]
    if handlers.held is not None:
        evidence.append(f"When {handlers.peak + EXTRA_HELD} requests were held, {handlers.held} ran at once.")
    words = f"the {some}: {handlers.peak} at once, {handlers.took_ms:,.0f} ms each"
    return FullPlace("handlers", handlers.peak, None, None, None, words, tuple(evidence))


EXTRA_HELD = 4
"""So many more requests than ran at once are held to see whether more could."""


def _more_were_held(handlers: HandlersSeen) -> bool:
    return handlers.held is not None and handlers.held > handlers.peak


def _queue(seen: WatchedLoad, waiting: WaitingIn) -> FullPlace | None:
    """Requests wait for a handler although one would be free: the server does not get to them."""
    if seen.handlers is None:
        return None
    accept, own = waiting.accept_queue or 0, waiting.userspace_queue or 0
    syn = waiting.syn or 0
    running = f"{seen.handlers.mean:.1f} handlers ran on average, and at most {seen.handlers.peak} did."
    held = (
        (f"When {seen.handlers.peak + EXTRA_HELD} requests were held, {seen.handlers.held} ran at once.",)
        if _more_were_held(seen.handlers)
        else ()
    )
    if accept + syn > own and accept:
        limit = f" of {seen.accept_limit + 1}" if seen.accept_limit is not None else ""
        unconnected = "" if waiting.syn is None else f", and {syn} had no connection"
        evidence = (running, *held, f"{accept}{limit} connections waited to be accepted{unconnected}.")
        words = "the accept queue: the server accepts too slowly, although handlers are free"
        at_once = None if seen.accept_limit is None else seen.accept_limit + 1
        return FullPlace("accept queue", at_once, None, None, None, words, evidence)
    if own:
        evidence = (running, *held, f"{own} accepted requests were in no handler.")
        words = "the server's own queue: requests are accepted, and wait for a handler although no limit was met"
        return FullPlace("server's own queue", None, None, None, None, words, evidence)
    return None


def _from_outside(seen: WatchedLoad, waiting: WaitingIn) -> FullPlace | None:
    if seen.handlers is not None or not seen.processes or seen.load.alone_ms is None:
        return None
    at_once = _little(seen, seen.load.alone_ms)
    if at_once is None:
        return None
    busy = (seen.load.answered_per_s or 0.0) * seen.load.alone_ms / 1000
    law = (
        f"{seen.load.answered_per_s:,.1f} requests were answered each second, and one alone takes "
        f"{seen.load.alone_ms:,.1f} ms: {busy:.1f} at once (Little's law). No thread of the server computed all the "
        "time."
    )
    if busy < 1 - _NEAR and waiting.accept_queue:
        words = "the accept queue: the server accepts too slowly"
        more = f"{waiting.accept_queue} connections waited to be accepted."
        limit = None if seen.accept_limit is None else seen.accept_limit + 1
        return FullPlace("accept queue", limit, None, None, None, words, (law, more))
    if busy < 1 - _NEAR or seen.load.limited:
        return None
    words = f"about {at_once} requests at once: handlers, or what they wait for in turns; from outside both look alike"
    return FullPlace("handlers", at_once, None, None, None, words, (law,))


def _little(seen: WatchedLoad, alone_ms: float) -> int | None:
    """How many requests were served at once, by Little's law."""
    if not seen.load.answered_per_s:
        return None
    return max(1, round(seen.load.answered_per_s * alone_ms / 1000))
