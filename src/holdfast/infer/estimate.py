"""What can be said of a server that was looked at from outside alone; and for everything else, why not.

The places are those of the last burst while none of it was answered. The kernel, where it may be asked, tells the
accept queue from what the server has accepted; how much of the latter is in service is the estimate.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace

from holdfast.errors import InconclusiveError
from holdfast.infer.ceiling import (
    accept_queue_full,
    backlog_in_force,
    took_everything,
    turned_away,
    why_no_backlog,
)
from holdfast.infer.census import count_places, established_at, offered_requests, placed_requests
from holdfast.infer.concurrency_estimate import Estimate, estimate
from holdfast.infer.exact import FIELDS as AT_EXACT_LOAD
from holdfast.infer.flow import flows_of
from holdfast.infer.http2_outside import http2_outside
from holdfast.infer.known import Known, Unknown, because, fields_of, missing
from holdfast.infer.overflow import client_sees, order_of, overflow_of
from holdfast.infer.pacing import pacing_lag_p99_us, seconds
from holdfast.infer.process_model import listen_queues_of
from holdfast.infer.signals import Service, Wave, first_wave, service_of, trips_of
from holdfast.model.frozen import frozen
from holdfast.model.outside import OutsideTimeline, Round
from holdfast.model.places import TURNED_AWAY_PLACES, Outcome, Place
from holdfast.model.timeline import NEVER, Listener, Request, Snapshot
from holdfast.model.verdict import (
    NOT_SAVED,
    OFFER_MORE,
    PLAIN_HTTP,
    Abandoned,
    Ceiling,
    ClientGone,
    Cost,
    Limits,
    Model,
    OutsidePlaces,
    Overflow,
    OverTls,
    Target,
    Timing,
    Verdict,
)

_INSIDE = "nothing inside the server was looked at"
_NO_KERNEL = "the listening socket cannot be seen on this machine, so where connections wait is not known"
_TOO_LATE = "the first answer came before the kernel could be asked"
_NO_BOUND = "all requests were in service at once, so none had to wait"
_NOT_FILLED = "the queues of a running server are not filled from outside"
_NO_CLIENT_LEFT = "no client left: those that waited were allowed to wait for the answer"
_NO_SETTING = "no setting can be seen from outside"
_RAN_ALREADY = "the server was already running"

_ABANDONED = tuple(f"abandoned.{name}" for name in ("left", "run_anyway", "in_service.fin", "in_service.rst"))
_ENDED_PLACES = (Place.ANSWERED, *TURNED_AWAY_PLACES, Place.FAILED)
_FATES = {
    Outcome.REFUSED: "is refused",
    Outcome.NO_ROOM: "is refused",
    Outcome.RESET: "is reset",
    Outcome.CLOSED: "is closed without an answer",
    Outcome.CONNECT_TIMEOUT: "gets no connection",
    Outcome.MALFORMED: "gets an answer that is not HTTP",
}
_LOST = frozenset(
    {
        Outcome.REFUSED,
        Outcome.RESET,
        Outcome.CLOSED,
        Outcome.UNANSWERED,
        Outcome.CONNECT_TIMEOUT,
        Outcome.MALFORMED,
    }
)


@frozen
class _Seen:
    """What the verdict is made of.

    Attributes:
        requests: all, by id.
        census: the burst whose requests are placed.
        service: the path's own time.
        wave: the first wave of its answers.
        placed: the place of each of its requests, by id. USERSPACE_QUEUE is everything that the server has taken in,
            in service or not; without the kernel, everything that is connected.
    """

    record: OutsideTimeline
    requests: Mapping[int, Request]
    census: Round
    service: Service
    wave: Wave
    estimate: Estimate
    placed: Mapping[int, Place]

    @property
    def listeners(self) -> tuple[Listener, ...]:
        """As the kernel had them at the census."""
        return () if self.census.snapshot is None else self.census.snapshot.listeners

    @property
    def why_no_kernel(self) -> str:
        """Why the kernel's view of the census is missing; "" where it is there."""
        if not self.record.kernel:
            return _NO_KERNEL
        return _TOO_LATE if self.census.snapshot is None else ""


def judge_outside(record: OutsideTimeline) -> Verdict:
    """The verdict on a server that was looked at from outside.

    Raises:
        InconclusiveError: the load side was the limit, the server ended under it, or nothing was seen.
    """
    seen = _seen(record)
    unknown = Unknown()
    places = unknown.take(_places(seen))
    unknown.because(_NO_CLIENT_LEFT, *_ABANDONED)
    unknown.because(
        _INSIDE,
        *fields_of("cost", Cost),
        *("call", "front", "pressure", "places.before_view", "waiting", "libraries", *AT_EXACT_LOAD),
    )
    unknown.because(_NO_SETTING, "binding")
    unknown.because(NOT_SAVED, "run")
    ceiling = unknown.take(_ceiling(seen, places))
    return Verdict(
        target=unknown.take(_target(record)),
        limits=unknown.take(_limits(record)),
        offered=len(seen.placed),
        places=places,
        established=_established(seen),
        ceiling=ceiling,
        model=unknown.take(_model(seen)),
        overflow=unknown.take(_overflow(seen, places)),
        abandoned=Abandoned(None, None, ClientGone(None, None)),
        cost=Cost.unknown(),
        binding=None,
        timing=unknown.take(_timing(record)),
        confidence="estimated",
        http2=unknown.take(http2_outside(record, ceiling, seen.service)),
        unknown=unknown.reasons,
        warnings=_warnings(seen),
        tls=unknown.take(_over_tls(record)),
    )


def _seen(record: OutsideTimeline) -> _Seen:
    bursts = [each for each in record.rounds if each.kind == "burst"]
    _check(record, bursts)
    requests = {request.id: request for request in record.requests}
    before = [each for each in record.rounds if each.kind == "single" and each.first < bursts[0].first]
    service = service_of([trip for each in before for trip in trips_of(requests, each)])
    waves = [first_wave(trips_of(requests, each), service, queue_full=each.queue_full) for each in bursts]
    return _Seen(
        record=record,
        requests=requests,
        census=bursts[-1],
        service=service,
        wave=waves[-1],
        estimate=_estimate(record, waves, service, requests),
        placed=_placed(record, bursts[-1]),
    )


def _check(record: OutsideTimeline, bursts: list[Round]) -> None:
    failed = sum(request.outcome == Outcome.FAILED for request in record.requests)
    most = max((each.clients for each in record.rounds), default=0)
    if failed:
        raise InconclusiveError(
            f"The load side was the limit at {most} requests at once: no verdict on the server.",
            "; ".join(record.notes) or "This machine has no descriptor or port left for another connection.",
            f"Offer fewer (--max-offered {max(1, most // 2)}) or raise the limit (ulimit -n).",
        )
    if not bursts:
        raise InconclusiveError(
            "The run ended before two requests were sent at once.", "", "Run it again and let it finish."
        )
    if record.alive is False:
        last = max(record.requests, key=lambda request: request.id)
        fate = f"gets HTTP {last.status}" if last.status else _FATES.get(last.outcome, "is not answered")
        raise InconclusiveError(
            "The server no longer answers as it did at first.",
            f"After up to {most} requests at once, a single one {fate}. The server has ended, or is still busy with "
            "them.",
            "Check its log and whether it is running, or offer fewer (--max-offered).",
        )


def _estimate(
    record: OutsideTimeline, waves: list[Wave], service: Service, requests: Mapping[int, Request]
) -> Estimate:
    return estimate(waves, flows_of(requests, record.rounds, service), service)


def _placed(record: OutsideTimeline, census: Round) -> dict[int, Place]:
    """As `_Seen.placed`."""
    if census.snapshot is not None:
        return placed_requests(record, census.snapshot)
    # None was answered before the last of them was sent, or the waves would not be clear.
    offered = offered_requests(record)
    first_ns = min((each.done_ns for each in offered if each.outcome == Outcome.ANSWERED), default=0)
    at_ns = max(census.stopped_ns, first_ns - 1)
    everywhere = Snapshot(at_ns, at_ns, True, (), ())  # noqa: FBT003 - still
    return {
        each.id: Place.USERSPACE_QUEUE if place is Place.SYN and NEVER < each.connected_ns <= at_ns else place
        for each, place in zip(offered, placed_requests(record, everywhere).values(), strict=True)
    }


def _places(seen: _Seen) -> Known[OutsidePlaces]:
    counts, found = count_places(seen.placed), seen.estimate
    taken = counts.userspace_queue
    in_service: int | None = None if found.in_service is None else min(found.in_service, taken)
    if found.bounded is False and not seen.wave.beyond:
        in_service = taken
    userspace: int | None = None if in_service is None else taken - in_service
    queue: int | None = counts.accept_queue
    unplaced = 0
    unknown: dict[str, str] = {}
    if in_service is None:
        unplaced, unknown["places.in_service"] = taken, found.why
        unknown["places.userspace_queue"] = "how many of the requests the server has taken in are in service is unknown"
    if seen.census.snapshot is None and userspace != 0:
        unplaced = taken if in_service is None else taken - in_service
        userspace = queue = None
        unknown["places.userspace_queue"] = unknown["places.accept_queue"] = seen.why_no_kernel
    ended = {place.value: getattr(counts, place.value) for place in (Place.SYN, *_ENDED_PLACES)}
    return Known(OutsidePlaces(in_service, userspace, queue, unplaced=unplaced, **ended), unknown)


def _ceiling(seen: _Seen, places: OutsidePlaces) -> Known[Ceiling]:
    found, unknown = seen.estimate, Unknown()
    if found.in_service is None:
        unknown.because(found.why, "ceiling.in_service", "ceiling.bounded")
    userspace, userspace_bounded = unknown.take(_own_queue(seen, places))
    queue = places.accept_queue if accept_queue_full(seen.listeners) and places.accept_queue else None
    if queue is None:
        unknown.because(_NOT_FILLED, "ceiling.accept_queue")
    limit = backlog_in_force(seen.listeners)
    if limit is None:
        unknown.because(seen.why_no_kernel or why_no_backlog(seen.listeners), "ceiling.accept_queue_limit")
    ceiling = Ceiling(
        found.in_service,
        found.bounded,
        userspace,
        userspace_bounded,
        queue,
        limit,
        interval=(found.least, found.most),
    )
    return Known(ceiling, unknown.reasons)


def _own_queue(seen: _Seen, places: OutsidePlaces) -> Known[tuple[int | None, bool | None]]:
    """The most in the server's own queue, and whether that is its bound."""
    names = ("ceiling.userspace_queue", "ceiling.userspace_queue_bounded")
    if seen.estimate.bounded is False:
        return Known((None, None), because(_NO_BOUND, names))
    if places.userspace_queue is None:
        return Known((None, None), because(seen.why_no_kernel or seen.estimate.why, names))
    if (places.accept_queue or 0) + places.syn + turned_away(places):
        return Known((places.userspace_queue, True))
    return Known((None, False), because(took_everything(places.userspace_queue), names[:1]))


def _overflow(seen: _Seen, places: OutsidePlaces) -> Known[Overflow]:
    requests = {each.id: each for each in offered_requests(seen.record)}
    counts = Counter(seen.placed.values())
    in_service, userspace, queue = places.in_service, places.userspace_queue, places.accept_queue
    full = bool(queue) and accept_queue_full(seen.listeners)

    def sees_of(placed: Mapping[Place, int]) -> str | None:
        return client_sees(placed, requests, seen.placed, syn_lost=places.syn > 0, queue_full=full)

    if in_service is not None and userspace is not None and queue is not None:
        own = {Place.IN_SERVICE: in_service, Place.USERSPACE_QUEUE: userspace, Place.ACCEPT_QUEUE: queue}
        known = {**counts, **own}
        return overflow_of(order_of(known), sees_of(known))
    unknown = {"overflow.first": "where the requests beyond the ceiling wait is unknown"}
    sees = sees_of(counts)
    if not (turned_away(places) or places.syn or in_service is not None):
        sees = None
    if sees is None:
        unknown["overflow.client_sees"] = "whether any request had to wait is unknown"
    return Known(Overflow(None, (), sees), unknown)


def _target(record: OutsideTimeline) -> Known[Target]:
    experiment = record.experiment
    target = Target("attach", None, (), experiment.target.url, None, experiment.path, None, None)
    return Known(target, because(_INSIDE, missing("target", target)))


def _over_tls(record: OutsideTimeline) -> Known[OverTls | None]:
    target = record.experiment.target
    if not target.url.lower().startswith("https:"):
        return Known(None, {"tls": PLAIN_HTTP})
    over_tls = OverTls(certificate_checked=not target.insecure, before_handshake=None)
    return Known(over_tls, because(_INSIDE, missing("tls", over_tls)))


def _limits(record: OutsideTimeline) -> Known[Limits]:
    limits = Limits(None, None, record.server.somaxconn)
    unknown = because(_INSIDE, missing("limits", limits))
    if limits.somaxconn is None:
        unknown["limits.somaxconn"] = _NO_KERNEL
    return Known(limits, unknown)


def _model(seen: _Seen) -> Known[Model]:
    unknown = Unknown()
    queues = unknown.take(listen_queues_of(seen.listeners, seen.why_no_kernel or why_no_backlog(())))
    model = replace(Model.unknown(), listen_queues=queues)
    unknown.because(_INSIDE, *(set(missing("model", model)) - unknown.reasons.keys()))
    return Known(model, unknown.reasons)


def _timing(record: OutsideTimeline) -> Known[Timing]:
    timing = Timing(
        server_start_s=None,
        probe_s=seconds(record.first_sent_ns, record.ended_ns),
        total_s=seconds(record.started_ns, record.ended_ns),
        pacing_lag_p99_us=pacing_lag_p99_us(record.requests),
    )
    return Known(timing, because(_RAN_ALREADY, ("timing.server_start_s",)) | because(_INSIDE, ("timing.watched_s",)))


def _established(seen: _Seen) -> int:
    if seen.census.snapshot is not None:
        return established_at(seen.record, seen.census.snapshot)
    at_ns = seen.census.stopped_ns
    return sum(NEVER < each.connected_ns <= at_ns < each.done_ns for each in offered_requests(seen.record))


def _warnings(seen: _Seen) -> tuple[str, ...]:
    record, found = seen.record, seen.estimate
    warnings = list(record.notes)
    if found.bounded is False:
        warnings.append(
            f"All {found.least} requests that were offered at once were in service at once: the ceiling is higher. "
            f"{_why_no_more(seen)}"
        )
    if found.in_service is not None and found.why:
        warnings.append(f"{found.why[0].upper()}{found.why[1:]}.")
    if record.others:
        warnings.append(
            f"Others had {record.others} connections to the server when this began; whatever they have in service "
            "takes places that the estimate does not count."
        )
    lost = Counter(request.outcome.label for request in seen.requests.values() if request.outcome in _LOST)
    if lost:
        words = ", ".join(f"{count} {name.replace('-', ' ')}" for name, count in sorted(lost.items()))
        warnings.append(f"Of {len(seen.requests)} requests, some were not served when many were sent at once: {words}.")
    return tuple(warnings)


def _why_no_more(seen: _Seen) -> str:
    if seen.estimate.least >= seen.record.experiment.max_offered:
        return OFFER_MORE
    if seen.record.alive is None:
        return "The run was interrupted before more were offered."
    return (
        "It accepts too slowly for more to be sent before the first is answered: a path that waits longer would show "
        "more."
    )
