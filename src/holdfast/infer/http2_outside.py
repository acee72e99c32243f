"""Streams of one HTTP/2 connection, from nothing but the times of their answers and the frames that end them."""

from __future__ import annotations

from collections import Counter

from holdfast.infer.concurrency_estimate import Estimate, estimate
from holdfast.infer.flow import flows_of
from holdfast.infer.http2 import ADVERTISES_NONE, NO_CODE, NOT_SETTLED, TURNED_AWAY_AS_STREAM, sees_of
from holdfast.infer.known import NOT_SO_FAR, Known, because, missing
from holdfast.infer.signals import Service, first_wave, trips_of
from holdfast.model.outside import OutsideStreams, OutsideTimeline
from holdfast.model.places import TURNED_AWAY, Outcome
from holdfast.model.streams import BeyondLimit, Http2
from holdfast.model.timeline import NEVER, Request
from holdfast.model.verdict import HTTP2_NOT_ASKED, Ceiling

_NOT_HELD = "nothing is held from outside, so what it got is its end"
_WITHIN = 0.8
"""Of the service time: as much later than the first answer one is that ran together with it (`signals.first_wave`)."""


def http2_outside(record: OutsideTimeline, ceiling: Ceiling, service: Service) -> Known[Http2 | None]:
    """The figures of streams.

    Args:
        ceiling: estimated with one stream on each connection.
        service: the path's own time.
    """
    if not record.experiment.http2:
        return Known(None, {"http2": HTTP2_NOT_ASKED})
    streams = record.streams
    if streams is None or not streams.rounds:
        return Known(None, {"http2": (streams.why_not if streams is not None else "") or NOT_SO_FAR})
    first = streams.connections[0]
    on_one = _estimate(streams, service)
    running, advertised = on_one.in_service, first.advertised
    gone_away = running is not None and running in _ended_after(streams)
    full = gone_away or (running is not None and advertised is not None and running >= advertised)
    least = 0 if ceiling.interval is None else ceiling.interval[0]
    over = max(least if ceiling.in_service is None else ceiling.in_service, running or 0)
    beyond, limit, why_no_limit = _beyond(streams, service)
    found = Http2(
        on_one_connection=running,
        on_one_connection_bounded=None if running is None else full or bool(on_one.bounded),
        over_connections=over,
        over_connections_bounded=bool(ceiling.bounded) and over == ceiling.in_service,
        streams_advertised=advertised,
        stream_limit=limit,
        overflow_sees=beyond.sees
        if beyond is not None
        else "GOAWAY"
        if gone_away
        else _overflow(streams, waits=bool(on_one.bounded)),
        beyond_the_limit=beyond,
    )
    none_beyond = streams.why_not or (ADVERTISES_NONE if first.settled else NOT_SETTLED)
    unknown = {
        **because(on_one.why, ("http2.on_one_connection", "http2.on_one_connection_bounded")),
        **because(ADVERTISES_NONE if first.settled else NOT_SETTLED, ("http2.streams_advertised",)),
        **because(why_no_limit or none_beyond, ("http2.stream_limit",)),
        **because(none_beyond, ("http2.overflow_sees", "http2.beyond_the_limit")),
    }
    null = set(missing("http2", found))
    reasons = {name: why for name, why in unknown.items() if name in null}
    if beyond is not None:
        reasons["http2.beyond_the_limit.in_the_end"] = _NOT_HELD
        if beyond.error_code is None:
            reasons["http2.beyond_the_limit.error_code"] = NO_CODE
    return Known(found, reasons)


def _estimate(streams: OutsideStreams, service: Service) -> Estimate:
    requests, beyond = _by_id(streams), set(streams.beyond)
    within = [each for each in streams.rounds if not beyond.intersection(range(each.first, each.last))]
    bursts = [each for each in within if each.kind == "burst"]
    waves = [first_wave(trips_of(requests, each), service, queue_full=each.queue_full) for each in bursts]
    return estimate(waves, flows_of(requests, within, service), service)


def _ended_after(streams: OutsideStreams) -> set[int]:
    """After how many streams that were answered the server ended a connection (GOAWAY), of each that it ended."""
    requests = _by_id(streams)
    ended = [each for each in streams.connections if each.goaway]
    return {sum(requests[id].outcome is Outcome.ANSWERED for id in each.ids) for each in ended}


def _beyond(streams: OutsideStreams, service: Service) -> tuple[BeyondLimit | None, int | None, str]:
    """What streams beyond the advertised limit got, the limit that was found, and why none was."""
    if not streams.beyond:
        return None, None, ""
    requests = _by_id(streams)
    last = streams.rounds[-1]
    offered = [requests[id] for id in range(last.first, last.last)]
    first = requests[streams.beyond[0]]
    within = [each for each in offered if each.id not in streams.beyond]
    end = next((each for each in streams.ends if each.id == first.id), None)
    sees = sees_of(first, end) if first.outcome is not Outcome.ANSWERED else _waits_or_runs(first, within, service)
    lost = sum(each.outcome in {Outcome.CLOSED, Outcome.RESET} for each in within)
    found = BeyondLimit(len(streams.beyond), sees, None if end is None else end.code, lost, None)
    if sees in TURNED_AWAY_AS_STREAM:
        return found, sum(not NEVER < each.done_ns <= first.opened_ns for each in within), ""
    how = {"waits": "waits for its answer", "runs": "is answered with the others"}.get(sees, f"gets HTTP {sees}")
    return found, None, f"a stream beyond the advertised limit {how}, and no other limit was reached"


def _overflow(streams: OutsideStreams, *, waits: bool) -> str | None:
    """What streams within the advertised limit got that did not run: the commonest end of those that were turned away.

    A connection may be ended when it has had a number of them (GOAWAY), so that counts only in a burst, which has a
    connection of its own.

    Args:
        waits: that is what they do otherwise.
    """
    ends = {each.id: each for each in streams.ends}
    kept = {id: each.kind for each in streams.rounds for id in range(each.first, each.last)}
    ended = {id for id, each in ends.items() if each.frame == "GOAWAY" and kept.get(id) != "burst"}
    away = [each for each in streams.requests if each.id in kept and each.id not in ended]
    away = [each for each in away if each.outcome in TURNED_AWAY]
    fates = Counter(sees_of(each, ends.get(each.id)) for each in away)
    return fates.most_common(1)[0][0] if fates else "waits" if waits else None


def _waits_or_runs(request: Request, within: list[Request], service: Service) -> str:
    first_ns = min((each.done_ns for each in within if each.outcome is Outcome.ANSWERED), default=request.done_ns)
    return "runs" if request.done_ns < first_ns + _WITHIN * service.least_ns else "waits"


def _by_id(streams: OutsideStreams) -> dict[int, Request]:
    return {each.id: each for each in streams.requests}
