"""What is concluded from streams of HTTP/2, from records that are written down here."""

from __future__ import annotations

from dataclasses import replace

import msgspec
import pytest
from records import AT, entry, request, snapshot, socket, timeline

from holdfast.infer.judge import judge
from holdfast.model.phase import Phase
from holdfast.model.places import Outcome
from holdfast.model.streams import BeyondLimit, Http2, StreamConnection, StreamEnd, Streams
from holdfast.model.timeline import FirstRequest, Timeline

ONE, SEVERAL, BEYOND, RELEASED = 5 * AT, 6 * AT, 7 * AT, 8 * AT
FIRST = 100


def stream(id: int, opened_ns: int = 4 * AT, **changed: object):
    return request(id, **{"phase": Phase.STREAM, "opened_ns": opened_ns} | changed)


def ran(count: int, first: int = FIRST, entered_ns: int = 4 * AT):
    return [entry(id, entered_ns=entered_ns) for id in range(first, first + count)]


def record(streams: Streams, requests, entries, *, in_service: int = 2, offered: int = 3) -> Timeline:
    """A run in which that many of those offered, one stream on each connection, were in service."""
    plain = timeline(
        [request(id) for id in range(offered)],
        [entry(id) for id in range(in_service)],
        snapshot(*(socket(id, accepted=True) for id in range(offered))),
        "max-offered",
    )
    return replace(
        plain,
        experiment=replace(plain.experiment, http2=True),
        requests=(*plain.requests, *requests),
        streams=streams,
        stream_entries=tuple(entries),
    )


def held(*ids: int, advertised: int | None = 4, **changed: object) -> Streams:
    plain = Streams((StreamConnection(ids, advertised, settled=True),), one_ns=ONE, several_ns=SEVERAL)
    return replace(plain, **changed)


def http2(found: Timeline) -> tuple[Http2 | None, dict[str, str]]:
    verdict = judge(found)
    reasons = {name.removeprefix("http2."): why for name, why in verdict.unknown.items() if name.startswith("http2")}
    nulls = {name for name, value in leaves(msgspec.to_builtins(verdict.http2), "") if value is None}
    assert verdict.http2 is None or nulls == reasons.keys()
    return verdict.http2, reasons


def leaves(tree, stem):
    for name, value in tree.items() if tree is not None else ():
        if isinstance(value, dict):
            yield from leaves(value, f"{stem}{name}.")
        else:
            yield stem + name, value


def test_streams_that_wait_behind_the_one_that_runs_bound_the_connection():
    found, reasons = http2(record(held(*range(100, 104)), map(stream, range(100, 104)), ran(1)))

    assert found is not None
    assert (found.on_one_connection, found.on_one_connection_bounded) == (1, True)
    assert (found.over_connections, found.over_connections_bounded) == (2, True)
    assert (found.streams_advertised, found.stream_limit, found.overflow_sees) == (4, None, "waits")
    assert reasons.keys() == {"stream_limit", "beyond_the_limit"}


def test_a_connection_that_runs_as_many_as_it_advertises_is_bounded_by_that():
    found, _ = http2(record(held(*range(100, 104)), map(stream, range(100, 104)), ran(4), in_service=3))

    assert found is not None
    assert (found.on_one_connection, found.on_one_connection_bounded, found.overflow_sees) == (4, True, None)


def test_streams_that_all_run_below_the_advertised_limit_are_at_least_as_many():
    found, reasons = http2(record(held(100, 101), map(stream, (100, 101)), ran(2), in_service=3))

    assert found is not None
    assert (found.on_one_connection, found.on_one_connection_bounded) == (2, False)
    assert reasons["stream_limit"] == "2 streams were offered on one connection, fewer than the advertised limit of 4"


def test_more_streams_at_once_than_connections_show_that_connections_were_the_bound():
    streams = replace(
        held(100, 101, 102, 103),
        connections=(
            StreamConnection((100, 101, 102, 103), 4, settled=True),
            StreamConnection((104, 105), 4, settled=True),
        ),
    )

    found, _ = http2(record(streams, map(stream, range(100, 106)), ran(6)))

    assert found is not None
    assert (found.over_connections, found.over_connections_bounded) == (6, False)


def test_without_an_advertised_limit_there_is_none_to_go_beyond():
    found, reasons = http2(record(held(100, 101, advertised=None), map(stream, (100, 101)), ran(2), in_service=3))

    assert found is not None
    assert (found.streams_advertised, found.stream_limit, found.beyond_the_limit) == (None, None, None)
    assert "RFC 9113, 6.5.2" in reasons["streams_advertised"]
    assert "RFC 9113, 6.5.2" in reasons["beyond_the_limit"]


@pytest.mark.parametrize(
    ("changed", "frame", "sees", "code", "limit"),
    [
        ({"outcome": Outcome.RESET}, ("RST_STREAM", "REFUSED_STREAM"), "REFUSED_STREAM", "REFUSED_STREAM", 2),
        ({"outcome": Outcome.RESET}, ("RST_STREAM", "PROTOCOL_ERROR"), "RST_STREAM", "PROTOCOL_ERROR", 2),
        ({"outcome": Outcome.CLOSED}, ("GOAWAY", "NO_ERROR"), "GOAWAY", "NO_ERROR", 2),
        ({"outcome": Outcome.CLOSED}, None, "closed", None, 2),
        ({"outcome": Outcome.RESET}, None, "reset", None, 2),
        ({"outcome": Outcome.REJECTED, "status": 503}, None, "503", None, None),
    ],
)
def test_what_a_stream_beyond_the_limit_gets_at_once(changed, frame, sees, code, limit):
    streams = held(
        100,
        101,
        102,
        advertised=2,
        beyond=(102,),
        beyond_ns=BEYOND,
        ends=() if frame is None else (StreamEnd(102, *frame),),
    )
    beyond = stream(102, SEVERAL, done_ns=SEVERAL + 1, **changed)

    found, _ = http2(record(streams, [stream(100), stream(101), beyond], ran(2)))

    assert found is not None
    assert (found.overflow_sees, found.stream_limit) == (sees, limit)
    assert found.beyond_the_limit == BeyondLimit(1, sees, code, 0, None)


def test_the_others_that_a_stream_beyond_the_limit_costs_are_counted():
    streams = held(
        100,
        101,
        102,
        advertised=2,
        beyond=(102,),
        beyond_ns=BEYOND,
        released_ns=RELEASED,
        ends=tuple(StreamEnd(id, "GOAWAY", "PROTOCOL_ERROR") for id in (100, 101, 102)),
    )
    gone = {"done_ns": SEVERAL + 1, "outcome": Outcome.CLOSED}

    found, _ = http2(record(streams, [stream(100, **gone), stream(101, **gone), stream(102, SEVERAL, **gone)], ran(2)))

    assert found is not None
    assert found.beyond_the_limit == BeyondLimit(1, "GOAWAY", "PROTOCOL_ERROR", 2, None)
    assert (found.on_one_connection, found.stream_limit) == (2, 2)


def test_a_stream_beyond_the_limit_that_waits_has_another_fate_in_the_end():
    streams = held(
        100,
        101,
        102,
        advertised=2,
        beyond=(102,),
        beyond_ns=BEYOND,
        released_ns=RELEASED,
        ends=(StreamEnd(102, "GOAWAY", "REFUSED_STREAM"),),
    )
    last = stream(102, SEVERAL, done_ns=RELEASED + 1, outcome=Outcome.CLOSED)

    found, reasons = http2(record(streams, [stream(100), stream(101), last], ran(1)))

    assert found is not None
    assert found.beyond_the_limit == BeyondLimit(1, "waits", "REFUSED_STREAM", 0, "GOAWAY")
    assert found.stream_limit is None
    assert "nothing shows whether the server has taken it" in reasons["stream_limit"]


def test_a_stream_beyond_the_limit_that_runs_shows_that_the_limit_is_not_enforced():
    streams = held(100, 101, 102, advertised=2, beyond=(102,), beyond_ns=BEYOND)
    entries = [*ran(2), entry(102, entered_ns=SEVERAL + 1)]

    found, reasons = http2(record(streams, [stream(100), stream(101), stream(102, SEVERAL)], entries, in_service=3))

    assert found is not None
    assert (found.on_one_connection, found.overflow_sees, found.stream_limit) == (2, "runs", None)
    assert "not enforced" in reasons["stream_limit"]


def test_a_stream_that_is_refused_below_the_advertised_limit_shows_the_real_one():
    refused = stream(102, 4 * AT + 5, done_ns=4 * AT + 6, outcome=Outcome.RESET)
    streams = held(100, 101, 102, advertised=9, ends=(StreamEnd(102, "RST_STREAM", "REFUSED_STREAM"),))

    found, reasons = http2(record(streams, [stream(100), stream(101), refused], ran(2)))

    assert found is not None
    assert (found.streams_advertised, found.stream_limit, found.overflow_sees) == (9, 2, "REFUSED_STREAM")
    assert reasons["beyond_the_limit"] == "streams within the limit were turned away already"


def test_handlers_that_end_with_their_connection_are_counted_as_they_were_before():
    gone = {"done_ns": 4 * AT + 9, "outcome": Outcome.CLOSED}
    streams = held(
        100, 101, 102, advertised=9, ends=tuple(StreamEnd(id, "GOAWAY", "NO_ERROR") for id in range(100, 103))
    )
    entries = [entry(id, entered_ns=4 * AT + 1, left_ns=4 * AT + 8) for id in (100, 101)]

    found, _ = http2(record(streams, [stream(id, 4 * AT + id - 100, **gone) for id in (100, 101, 102)], entries))

    assert found is not None
    assert (found.on_one_connection, found.on_one_connection_bounded) == (2, True)
    assert (found.stream_limit, found.overflow_sees) == (2, "GOAWAY")


@pytest.mark.parametrize("goaway", ["NO_ERROR", ""])
def test_a_connection_that_the_server_gives_up_while_its_streams_run_is_bounded_by_that(goaway):
    one = StreamConnection((100, 101), 9, settled=True, goaway=goaway)
    further = StreamConnection((102,), 9, settled=True)

    found, reasons = http2(
        record(held(100, connections=(one, further)), map(stream, range(100, 103)), ran(3), in_service=3)
    )

    assert found is not None
    given_up = bool(goaway)
    assert (found.on_one_connection, found.on_one_connection_bounded) == (2, given_up)
    assert (found.stream_limit, found.overflow_sees) == (None, "GOAWAY" if given_up else None)
    words = "the server gave the connection up (GOAWAY, NO_ERROR) when it had 2 streams"
    assert (reasons["stream_limit"] == words, reasons["beyond_the_limit"] == words) == (given_up, given_up)


def test_a_connection_that_ends_after_all_that_may_be_offered_ran_is_not_bounded():
    one = StreamConnection((100, 101), 9, settled=True, goaway="NO_ERROR")

    found, _ = http2(record(held(100, connections=(one,)), map(stream, (100, 101)), ran(2), in_service=3))

    assert found is not None
    assert (found.on_one_connection_bounded, found.overflow_sees) == (False, None)


def test_of_an_entry_no_number_of_streams_is_claimed():
    plain = record(held(*range(100, 104)), map(stream, range(100, 104)), ran(1))

    found, reasons = http2(replace(plain, first_request=FirstRequest(200, "ASGI entry", "", "unknown")))

    assert found is not None
    assert (found.on_one_connection, found.over_connections, found.streams_advertised) == (None, None, 4)
    assert "did not find the function behind it" in reasons["on_one_connection"]


def test_why_there_are_no_figures_is_said():
    assert http2(replace(record(Streams(why_not="a process died"), [], []))) == (None, {"http2": "a process died"})
    plain = record(held(100), [stream(100)], ran(1))
    _, reasons = http2(replace(plain, experiment=replace(plain.experiment, http2=False)))
    assert reasons == {"http2": "--http2 was not asked for"}


def test_where_no_stream_entered_a_handler_none_is_claimed():
    found, reasons = http2(record(held(100), [stream(100)], []))

    assert found is not None
    assert (found.on_one_connection, found.overflow_sees) == (None, "waits")
    assert reasons["on_one_connection"] == "no stream entered a handler while everything else was idle"
