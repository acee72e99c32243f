"""What can be said of a server of whose inside nothing was seen; and for all else, why not.

The places are those of the last burst while none of it was answered: the kernel, where it may be asked, tells the
accept queue from what the server has accepted; how much of the latter is in service is the estimate.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from holdfast.errors import InconclusiveError
from holdfast.infer.ceiling import TURNED_AWAY, accept_queue_full, backlog_in_force, turned_away, why_no_backlog
from holdfast.infer.census import count_places, established_at, offered_requests, placed_requests
from holdfast.infer.concurrency_estimate import Estimate, Service, Wave, estimate, first_wave, flow_of, service_of
from holdfast.infer.overflow import overflow_of
from holdfast.infer.pacing import pacing_lag_p99_us, seconds
from holdfast.infer.trips import requests_by_id, trips_of
from holdfast.model.places import Outcome, Place
from holdfast.model.timeline import NEVER, Outside, Ramp, Request, Round, Snapshot, Timeline
from holdfast.model.verdict import (
    OFFER_MORE,
    Abandoned,
    Ceiling,
    ClientGone,
    Cost,
    Limits,
    Model,
    OutsidePlaces,
    Overflow,
    Places,
    Target,
    Timing,
    Verdict,
)

_INSIDE = "nothing inside the server was looked at"
_NO_KERNEL = "the listening socket is not to be seen on this machine, so nobody tells where connections wait"
_TOO_LATE = "the first answer came before the kernel could be asked"
_NO_BOUND = "all requests were in service at once, so none ever had to wait"
_NOT_FILLED = "the queues of a running server are not driven full from outside"

_ABANDONED = tuple(f"abandoned.{name}" for name in ("left", "run_anyway", "in_service.fin", "in_service.rst"))
_ENDED_PLACES = (Place.ANSWERED, *TURNED_AWAY, Place.FAILED)


def judge_outside(timeline: Timeline, outside: Outside) -> Verdict:
    """The verdict on a server that was looked at from outside.

    Raises:
        InconclusiveError: the load side was the limit, the server ended under it, or nothing was seen.
    """
    requests = requests_by_id(timeline)
    singles = [each for each in outside.rounds if each.kind == "single"]
    bursts = [each for each in outside.rounds if each.kind == "burst"]
    _check(timeline, outside, bursts)
    service = service_of([trip for each in _before(singles, bursts[0]) for trip in trips_of(requests, each)])
    waves = [first_wave(trips_of(requests, each), service, cut=each.cut) for each in bursts]
    found = _estimate(outside, waves, service, requests)
    census = bursts[-1]
    placed = _placed(timeline, census)
    places, about_places = _places(placed, found, waves[-1], census.snapshot, kernel=outside.kernel)
    ceiling, about_ceiling = _ceiling(places, found, census.snapshot, kernel=outside.kernel)
    overflow, about_overflow = _overflow(timeline, places, placed)
    target, about_target = _target(timeline)
    timing = Timing(
        server_start_s=None,
        probe_s=seconds(timeline.marks.first_sent_ns, timeline.marks.ended_ns),
        total_s=seconds(timeline.marks.started_ns, timeline.marks.ended_ns),
        pacing_lag_p99_us=pacing_lag_p99_us(list(requests.values())),
    )
    model, about_model = _model(census.snapshot, kernel=outside.kernel)
    limits = Limits(None, None, timeline.server.somaxconn)
    unknown = {
        **about_target,
        "limits.nofile": _INSIDE,
        "limits.nproc": _INSIDE,
        **({"limits.somaxconn": _NO_KERNEL} if limits.somaxconn is None else {}),
        **about_places,
        **about_ceiling,
        **about_model,
        **about_overflow,
        **dict.fromkeys(_ABANDONED, "no client left: whoever waited was let wait for the answer"),
        **dict.fromkeys(("ceiling.at_exact_load", "ceiling.at_exact_repeats", "call"), _INSIDE),
        **{f"cost.{name}": _INSIDE for name in Cost.__dataclass_fields__},
        "binding": "from outside no setting is seen",
        "timing.server_start_s": "the server ran already",
    }
    return Verdict(
        target=target,
        limits=limits,
        offered=len(placed),
        places=places,
        established=_established(timeline, census),
        ceiling=ceiling,
        model=model,
        overflow=overflow,
        abandoned=Abandoned(None, None, ClientGone(None, None)),
        cost=Cost(None, None, None, None),
        binding=None,
        timing=timing,
        confidence="estimated",
        unknown=unknown,
        warnings=_warnings(timeline, outside, found, requests),
    )


def _check(timeline: Timeline, outside: Outside, bursts: list[Round]) -> None:
    failed = sum(request.outcome == Outcome.FAILED for request in timeline.requests)
    most = max((each.clients for each in outside.rounds), default=0)
    if failed:
        raise InconclusiveError(
            f"The load side was the limit at {most} requests at once: no verdict on the server.",
            "; ".join(timeline.notes) or "This machine has no descriptor or port left for another connection.",
            f"Offer fewer (--max-offered {max(1, most // 2)}) or raise the limit (ulimit -n).",
        )
    if not bursts:
        raise InconclusiveError(
            "The run ended before two requests were sent at once.", "", "Run it again and let it come to its end."
        )
    if outside.alive is False:
        last = max(timeline.requests, key=lambda request: request.id)
        fates = {Outcome.REFUSED: "is refused", Outcome.UNANSWERED: "stays without an answer"}
        fate = f"gets HTTP {last.status}" if last.status else fates.get(last.outcome, "is closed without an answer")
        raise InconclusiveError(
            "The server does not answer any more as it did at first.",
            f"After up to {most} requests at once, a single one {fate}. It has ended, or is still busy with them.",
            "Look into its log, and whether it runs; offer fewer (--max-offered).",
        )


def _before(singles: list[Round], burst: Round) -> list[Round]:
    return [each for each in singles if each.first < burst.first]


def _estimate(outside: Outside, waves: list[Wave], service: Service, requests: Mapping[int, Request]) -> Estimate:
    stretches = [each for each in outside.rounds if each.kind == "steady"]
    flows = [flow_of(trips_of(requests, each), service, each.stopped_ns, each.cores) for each in stretches]
    return estimate(waves, [flow for flow in flows if flow is not None], service)


def _placed(timeline: Timeline, census: Round) -> dict[int, Place]:
    """Each request of the burst; USERSPACE_QUEUE is any that is taken in, or, without the kernel, connected."""
    if census.snapshot is not None:
        return placed_requests(timeline, census.snapshot)
    # Nobody was answered before the last of them was sent, or the waves would not be clear.
    first_ns = min((each.done_ns for each in offered_requests(timeline) if each.outcome == Outcome.ANSWERED), default=0)
    at_ns = max(census.stopped_ns, first_ns - 1)
    everywhere = Snapshot(at_ns, at_ns, True, (), ())  # noqa: FBT003 - still
    return {
        each.id: Place.USERSPACE_QUEUE if place is Place.SYN and NEVER < each.connected_ns <= at_ns else place
        for each, place in zip(offered_requests(timeline), placed_requests(timeline, everywhere).values(), strict=True)
    }


def _places(
    placed: Mapping[int, Place], found: Estimate, wave: Wave, snapshot: Snapshot | None, *, kernel: bool
) -> tuple[OutsidePlaces, dict[str, str]]:
    counts = count_places(placed)
    taken = counts.userspace_queue
    in_service: int | None = None if found.in_service is None else min(found.in_service, taken)
    if found.bounded is False and not wave.beyond:
        in_service = taken
    userspace: int | None = None if in_service is None else taken - in_service
    queue: int | None = counts.accept_queue
    unplaced = 0
    unknown: dict[str, str] = {}
    if in_service is None:
        unplaced, unknown["places.in_service"] = taken, found.why
        unknown["places.userspace_queue"] = "how much of what the server has taken in is in service cannot be told"
    if snapshot is None and userspace != 0:
        reason = _why_no_kernel(snapshot, kernel=kernel)
        unplaced = taken if in_service is None else taken - in_service
        userspace = queue = None
        unknown["places.userspace_queue"] = unknown["places.accept_queue"] = reason
    ended = {place.value: getattr(counts, place.value) for place in (Place.SYN, *_ENDED_PLACES)}
    return OutsidePlaces(in_service, userspace, queue, unplaced=unplaced, **ended), unknown


def _why_no_kernel(snapshot: Snapshot | None, *, kernel: bool) -> str:
    """Why the kernel's view is missing; "" where it is there."""
    return _NO_KERNEL if not kernel else _TOO_LATE if snapshot is None else ""


def _ceiling(
    places: OutsidePlaces, found: Estimate, snapshot: Snapshot | None, *, kernel: bool
) -> tuple[Ceiling, dict[str, str]]:
    unknown: dict[str, str] = {}
    listeners = () if snapshot is None else snapshot.listeners
    if found.in_service is None:
        unknown["ceiling.in_service"] = unknown["ceiling.bounded"] = found.why
    userspace: int | None = None
    userspace_bounded: bool | None = None
    reason = _why_no_kernel(snapshot, kernel=kernel) or found.why
    if found.bounded is False:
        reason = _NO_BOUND
    elif places.userspace_queue is not None:
        beyond = (places.accept_queue or 0) + places.syn + _gone(places)
        if beyond:
            userspace, userspace_bounded = places.userspace_queue, True
        else:
            userspace_bounded = False
            reason = f"it took all {places.userspace_queue} requests that were offered beyond the ceiling: no bound met"
    if userspace is None:
        unknown["ceiling.userspace_queue"] = reason
    if userspace_bounded is None:
        unknown["ceiling.userspace_queue_bounded"] = reason
    queue = places.accept_queue if accept_queue_full(listeners) and places.accept_queue else None
    if queue is None:
        unknown["ceiling.accept_queue"] = _NOT_FILLED
    limit = backlog_in_force(listeners)
    if limit is None:
        unknown["ceiling.accept_queue_limit"] = _why_no_kernel(snapshot, kernel=kernel) or why_no_backlog(listeners)
    ceiling = Ceiling(
        found.in_service,
        found.bounded,
        userspace,
        userspace_bounded,
        queue,
        limit,
        interval=(found.least, found.most),
    )
    return ceiling, unknown


def _gone(places: OutsidePlaces) -> int:
    return sum(getattr(places, place.value) for place in TURNED_AWAY)


def _overflow(
    timeline: Timeline, places: OutsidePlaces, placed: Mapping[int, Place]
) -> tuple[Overflow, dict[str, str]]:
    requests = {each.id: each for each in offered_requests(timeline)}
    in_service, userspace, queue = places.in_service, places.userspace_queue, places.accept_queue
    counts = Counter(placed.values())
    ended = {place.value: counts[place] for place in (Place.SYN, *_ENDED_PLACES)}
    known = None not in (in_service, userspace, queue)
    all_known = Places(in_service or 0, (userspace or 0) + places.unplaced, queue or 0, **ended)
    ramp = Ramp("syn" if places.syn else "max-offered", NEVER)
    overflow, unknown = overflow_of(all_known, ramp, requests, placed)
    if known:
        return overflow, unknown
    unknown["overflow.first"] = "where the requests beyond the ceiling wait cannot be told"
    sees = overflow.client_sees if turned_away(all_known) or places.syn or in_service is not None else None
    if sees is None:
        unknown["overflow.client_sees"] = "whether any request had to wait cannot be told"
    return Overflow(None, (), sees), unknown


def _target(timeline: Timeline) -> tuple[Target, dict[str, str]]:
    experiment = timeline.experiment
    target = Target(timeline.server.name, None, (), experiment.url, None, experiment.path, None, None)
    names = ("version", "view", "held_in", "python")
    return target, dict.fromkeys((f"target.{name}" for name in names), _INSIDE)


def _model(snapshot: Snapshot | None, *, kernel: bool) -> tuple[Model, dict[str, str]]:
    unknown = {f"model.{name}": _INSIDE for name in Model.__dataclass_fields__}
    queues = 0 if snapshot is None else len(snapshot.listeners)
    if not queues:
        unknown["model.listen_queues"] = _why_no_kernel(snapshot, kernel=kernel) or why_no_backlog(())
        return Model(None, None, None, None, None, None, None, None, None), unknown
    del unknown["model.listen_queues"]
    return Model(None, None, None, None, None, None, None, "shared" if queues == 1 else "per-worker", None), unknown


def _established(timeline: Timeline, census: Round) -> int:
    if census.snapshot is not None:
        return established_at(timeline, census.snapshot)
    at_ns = census.stopped_ns
    return sum(NEVER < each.connected_ns <= at_ns < each.done_ns for each in offered_requests(timeline))


def _warnings(
    timeline: Timeline, outside: Outside, found: Estimate, requests: Mapping[int, Request]
) -> tuple[str, ...]:
    warnings = list(timeline.notes)
    if found.bounded is False:
        warnings.append(
            f"All {found.least} requests that were offered at once were in service at once: the ceiling is higher. "
            f"{_why_no_more(timeline, outside, found)}"
        )
    if found.in_service is not None and found.why:
        warnings.append(f"{found.why[0].upper()}{found.why[1:]}.")
    if outside.others:
        warnings.append(
            f"Others had {outside.others} connections to it when this began; whatever they have in service takes "
            "places that are missing in the estimate."
        )
    lost = Counter(request.outcome.label for request in requests.values() if request.outcome in _LOST)
    if lost:
        words = ", ".join(f"{count} {name.replace('-', ' ')}" for name, count in sorted(lost.items()))
        warnings.append(f"Of {len(requests)} requests in all some were not served while there were many: {words}.")
    return tuple(warnings)


def _why_no_more(timeline: Timeline, outside: Outside, found: Estimate) -> str:
    if found.least >= timeline.experiment.max_offered:
        return OFFER_MORE
    if outside.alive is None:
        return "The run was interrupted before more were offered."
    return (
        "It accepts too slowly for more to be sent before the first is answered: a path that waits longer would tell "
        "more."
    )


_LOST = (Outcome.REFUSED, Outcome.RESET, Outcome.CLOSED, Outcome.UNANSWERED, Outcome.CONNECT_TIMEOUT, Outcome.MALFORMED)
