"""Watches the server during one load: where requests are, what its processes have of the cores, what they wait for."""

from __future__ import annotations

import time
from collections.abc import Sequence
from statistics import median

from holdfast.engine.processes import Watched
from holdfast.model.capacity import HandlersSeen, PlacesLook, WatchedLoad
from holdfast.model.timeline import NEVER, Entry
from holdfast.model.units import MS, NS_PER_S
from holdfast.probing.asking import Lookout
from holdfast.probing.session import Session
from holdfast.searching.cores import cores_here
from holdfast.searching.offer import SINGLES, Bench, Offered, alone_ms, offer, send_singles
from holdfast.searching.subject import MOST_ROWS, Subject

# Looking at the server's sockets takes the kernel a few microseconds for each.
_MOST_SOCKETS = 2_000


class _Looks:
    """What is seen of the server while a load runs."""

    def __init__(self, subject: Subject, slots: range, seconds: float, lookout: Lookout | None) -> None:
        self.places: list[PlacesLook] = []
        self.accept_limit: int | None = None
        self._subject = subject
        self._slots = slots
        self._half_ns = _ns(seconds / 2)
        self._end_ns = _ns(seconds)
        self._lookout = lookout

    def look(self, watched: Watched) -> None:
        """Looks, if requests are still due."""
        now_ns = time.monotonic_ns()
        at_ns = now_ns - watched.start_ns
        if not 0 <= at_ns <= self._end_ns:
            return
        self.places.append(self._places(watched, at_ns))
        if at_ns >= self._half_ns and self._lookout is not None:
            self._lookout.look()

    def _places(self, watched: Watched, at_ns: int) -> PlacesLook:
        subject, session = self._subject, self._subject.session
        in_flight = sum(watched.tally.begun) - sum(watched.tally.ended)
        in_service = None
        if session is not None and self._slots:
            in_service = session.recording.in_service(self._slots.start, self._slots.stop)
        depth = accepted = None
        if subject.kernel is not None and subject.listen_address is not None:
            queue = subject.kernel.accept_queue(subject.listen_address)
            depth, self.accept_limit = queue.depth, queue.limit
            if in_flight <= _MOST_SOCKETS:
                sockets = subject.kernel.server_sockets(subject.listen_address)
                accepted = sum(each.accepted and each.state == "ESTABLISHED" for each in sockets)
        return PlacesLook(round(at_ns / NS_PER_S, 3), in_flight, in_service, depth, accepted)


def watch_load(bench: Bench, rate_per_s: float, seconds: float) -> WatchedLoad:
    """Runs a load, with the server watched meanwhile."""
    subject, session = bench.subject, bench.subject.session
    planned = round(rate_per_s * seconds)
    slots = range(0)
    if session is not None and bench.sent.method == "GET" and bench.sent.body is None:
        slots = session.slots.ramp[: min(MOST_ROWS, planned + SINGLES)]
    if session is None or len(slots) <= SINGLES:
        looks = _Looks(subject, range(0), seconds, None)
        return _seen(subject, offer(bench, rate_per_s, seconds, looks.look), looks, None, ())
    alone = _alone_handlers_ms(bench, session, slots[:SINGLES])
    own = slots[SINGLES:]
    lookout = Lookout(session, own)
    looks = _Looks(subject, own, seconds, lookout)
    limited = session.experiment.nproc is not None or session.experiment.address_space is not None
    try:
        _let_through(session, own, bodies=subject.runs_body)
        session.recording.questions.let_bodies_be_asked(allowed=not limited)

        def request(row: int) -> bytes:
            return session.head_of(own[row % len(own)])

        offered = offer(bench, rate_per_s, seconds, looks.look, request)
    finally:
        session.recording.questions.let_bodies_be_asked(allowed=False)
    entries = session.recording.entries(own.start, own.stop)
    handlers = _handlers(entries, offered.start_ns, seconds, alone)
    return _seen(subject, offered, looks, handlers, lookout.best.waiting or ())


def _let_through(session: Session, slots: range, *, bodies: bool) -> None:
    if bodies:
        session.recording.call(slots, session.now_ns())
        return
    for slot in slots:
        session.recording.release(slot)


def _alone_handlers_ms(bench: Bench, session: Session, slots: range) -> float | None:
    """How long a handler takes without any load."""
    _let_through(session, slots, bodies=bench.subject.runs_body)
    singles = send_singles(bench, lambda row: session.head_of(slots[row % len(slots)]))
    entries = session.recording.entries(slots.start, slots.stop)
    took = [each.left_ns - each.entered_ns for each in entries if each.left_ns != NEVER]
    return round(min(took) / MS, 3) if took and alone_ms(singles) is not None else None


def _handlers(entries: Sequence[Entry], start_ns: int, seconds: float, alone: float | None) -> HandlersSeen | None:
    """The handlers of the later half of a load."""
    from_ns, to_ns = start_ns + _ns(seconds / 2), start_ns + _ns(seconds)
    changes: list[tuple[int, int]] = []
    took: list[int] = []
    for each in entries:
        left = each.left_ns if each.left_ns != NEVER else to_ns
        if each.entered_ns >= to_ns or left <= from_ns:
            continue
        changes += [(max(from_ns, each.entered_ns), 1), (min(to_ns, left), -1)]
        took.append(left - each.entered_ns)
    if not changes or to_ns <= from_ns:
        return None
    running, at_ns, lasted = 0, from_ns, dict[int, int]()
    # One that leaves at the instant at which another enters makes room for it.
    for when, change in [*sorted(changes), (to_ns, 0)]:
        lasted[running] = lasted.get(running, 0) + when - at_ns
        running, at_ns = running + change, when
    whole = to_ns - from_ns
    peak = max(number for number, ns in lasted.items() if ns)
    return HandlersSeen(
        peak=peak,
        at_peak=round(lasted[peak] / whole, 4),
        mean=round(sum(number * ns for number, ns in lasted.items()) / whole, 3),
        took_ms=round(median(took) / MS, 3),
        alone_ms=alone,
    )


def _seen(
    subject: Subject, offered: Offered, looks: _Looks, handlers: HandlersSeen | None, waiting: Sequence[object]
) -> WatchedLoad:
    return WatchedLoad(
        load=offered.at_rate,
        looks=tuple(looks.places),
        processes=offered.cores.server,
        accept_limit=looks.accept_limit,
        handlers=handlers,
        waiting=tuple(waiting),  # type: ignore[arg-type]
        idle=offered.cores.idle,
        cores=cores_here(),
        started=subject.started,
    )


def _ns(seconds: float) -> int:
    return round(seconds * NS_PER_S)
