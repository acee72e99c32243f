"""What is concluded from streams of HTTP/2 from outside: from the times of their answers, and how they ended."""

from __future__ import annotations

from dataclasses import replace

import pytest
from test_outside import MS, Record, check, looked_at

from holdfast.infer.judge import judge
from holdfast.model.outside import OutsideStreams, OutsideTimeline
from holdfast.model.places import Outcome
from holdfast.model.streams import BeyondLimit, StreamConnection, StreamEnd


def over_http2(streams: OutsideStreams | None, places: int = 4) -> OutsideTimeline:
    """A server with so many places, looked at with one stream on each connection and then on one connection."""
    plain = looked_at(Record(places))
    return replace(plain, experiment=replace(plain.experiment, http2=True), streams=streams)


def of_one_connection(places: int, advertised: int | None, *, beyond: int = 0, outcome=None, ends=()) -> OutsideStreams:
    """So many of its streams run at once; some more than it advertises are sent in a last burst."""
    record = Record(places)
    if advertised == places:
        record.burst(places)
    else:
        record.burst(4).burst(16).burst(7).steady()
    last: tuple[int, ...] = ()
    if beyond:
        record.burst(places + beyond)
        first, stop = record.rounds[-1].first, record.rounds[-1].last
        last = tuple(range(first + places, stop))
        for id in last:
            sent = record.requests[id].sent_ns
            record.requests[id] = replace(record.requests[id], outcome=outcome, status=0, done_ns=sent + MS)
    connection = StreamConnection(tuple(range(len(record.requests))), advertised, settled=True)
    found = tuple(StreamEnd(id, *ends) for id in last) if ends else ()
    return OutsideStreams((connection,), tuple(record.rounds), tuple(record.requests), last, found)


def test_a_connection_whose_streams_take_turns_is_told_from_a_server_that_runs_several():
    verdict = check(judge(over_http2(of_one_connection(1, 100))))

    assert verdict.http2 is not None
    assert (verdict.http2.on_one_connection, verdict.http2.on_one_connection_bounded) == (1, True)
    assert (verdict.http2.over_connections, verdict.http2.over_connections_bounded) == (4, True)
    assert (verdict.http2.streams_advertised, verdict.http2.overflow_sees) == (100, "waits")


def test_streams_that_are_turned_away_within_the_limit_do_not_wait():
    streams = of_one_connection(1, 100)
    last = streams.rounds[-1]
    away = {id: {"outcome": Outcome.REJECTED, "status": 503} for id in range(last.first + 2, last.last)}
    requests = tuple(replace(each, **away.get(each.id, {})) for each in streams.requests)

    verdict = check(judge(over_http2(replace(streams, requests=requests))))

    assert verdict.http2 is not None
    assert verdict.http2.overflow_sees == "503"


def test_a_stream_beyond_the_limit_that_is_refused_shows_the_limit():
    refused = ("RST_STREAM", "REFUSED_STREAM")
    streams = of_one_connection(4, 4, beyond=3, outcome=Outcome.RESET, ends=refused)

    verdict = check(judge(over_http2(streams)))

    assert verdict.http2 is not None
    assert (verdict.http2.on_one_connection, verdict.http2.on_one_connection_bounded) == (4, True)
    assert (verdict.http2.stream_limit, verdict.http2.overflow_sees) == (4, "REFUSED_STREAM")
    assert verdict.http2.beyond_the_limit == BeyondLimit(3, "REFUSED_STREAM", "REFUSED_STREAM", 0, None)


def test_without_an_advertised_limit_there_is_none_to_go_beyond():
    verdict = check(judge(over_http2(of_one_connection(4, None))))

    assert verdict.http2 is not None
    assert (verdict.http2.streams_advertised, verdict.http2.stream_limit) == (None, None)
    assert "RFC 9113, 6.5.2" in verdict.unknown["http2.stream_limit"]


@pytest.mark.parametrize(
    ("streams", "why"),
    [
        (None, "the run ended before this step"),
        (OutsideStreams((), (), (), why_not="the server ended the connection"), "the server ended the connection"),
    ],
)
def test_why_there_are_no_figures_is_said(streams, why):
    verdict = check(judge(over_http2(streams)))

    assert verdict.http2 is None
    assert verdict.unknown["http2"] == why
