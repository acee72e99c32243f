"""One HTTP/2 connection without a socket, held against the server's side of the h2 library."""

from __future__ import annotations

from itertools import pairwise

import h2.config
import h2.connection
import h2.events
import pytest
from h2.errors import ErrorCodes
from h2.settings import SettingCodes
from hypothesis import example, given, settings
from hypothesis import strategies as st

from holdfast.engine.http1 import IS_HTTP2, ProtocolError, ReplyReader, request_head
from holdfast.engine.http2 import Heard, Http2Client, request_fields
from holdfast.engine.stream_reply import GoAway

FIELDS = request_fields(request_head("GET", "/p?q=1", "localhost:80", [("Connection", "close")]), "http")
OK = [(b":status", b"200")]
FRAME_HEAD = 9


def serving(limit: int | None = None) -> h2.connection.H2Connection:
    server = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False, header_encoding=None))
    if limit is None:
        del server.local_settings[SettingCodes.MAX_CONCURRENT_STREAMS]
    else:
        server.local_settings = h2.settings.Settings(
            client=False, initial_values={SettingCodes.MAX_CONCURRENT_STREAMS: limit}
        )
    server.initiate_connection()
    return server


def exchange(client: Http2Client, server: h2.connection.H2Connection) -> tuple[list[Heard], list[h2.events.Event]]:
    """Carries bytes to and fro until neither side has any."""
    heard, events = [], []
    while True:
        out, back = client.to_send(), server.data_to_send()
        if not out and not back:
            return heard, events
        if out:
            events += server.receive_data(out)
        if back:
            heard += client.receive(back)


def opened(count: int, limit: int | None = 100) -> tuple[Http2Client, h2.connection.H2Connection, list[int]]:
    client, server = Http2Client(), serving(limit)
    streams = [client.request(FIELDS) for _ in range(count)]
    exchange(client, server)
    return client, server, streams


def test_a_request_written_for_http1_has_the_fields_that_http2_wants():
    fields = request_fields(
        request_head("GET", "/a?b=c", "shop:80", [("Connection", "close"), ("X-Token", "T"), ("Cookie", "a=b; c")]),
        "https",
    )

    assert fields == [
        (b":method", b"GET"),
        (b":scheme", b"https"),
        (b":authority", b"shop:80"),
        (b":path", b"/a?b=c"),
        (b"x-token", b"T"),
        (b"cookie", b"a=b; c"),
    ]


def test_a_request_with_a_body_is_not_sent_on_a_stream():
    with pytest.raises(ValueError, match="body"):
        request_fields(request_head("POST", "/", "h", body=b"x"), "http")


def test_a_server_gets_the_requests_and_the_acknowledgement_of_its_settings():
    client, server = Http2Client(), serving(100)
    streams = [client.request(FIELDS) for _ in range(3)]

    _, events = exchange(client, server)

    requests = [each for each in events if isinstance(each, h2.events.RequestReceived)]
    assert [each.stream_id for each in requests] == streams == [1, 3, 5]
    assert [list(map(tuple, each.headers)) for each in requests] == [FIELDS] * 3
    assert any(isinstance(each, h2.events.SettingsAcknowledged) for each in events)
    assert (client.settled, client.advertised) == (True, 100)


def test_without_the_setting_no_limit_is_advertised():
    client, _, _ = opened(1, limit=None)

    assert (client.settled, client.advertised) == (True, None)


def test_a_limit_that_is_lowered_later_is_the_one_advertised():
    client, server, _ = opened(1)
    server.update_settings({SettingCodes.MAX_CONCURRENT_STREAMS: 7})

    exchange(client, server)

    assert client.advertised == 7


def test_the_client_opens_streams_beyond_the_limit_when_it_is_told_to():
    client, server, _ = opened(2, limit=2)

    client.request(FIELDS)

    with pytest.raises(h2.exceptions.TooManyStreamsError):
        server.receive_data(client.to_send())


def test_a_reply_is_heard_from_its_head_to_its_end_with_what_came_before_it():
    client, server, (stream,) = opened(1)
    server.send_headers(stream, [(b":status", b"103")])
    server.send_headers(stream, [(b":status", b"404")])
    server.send_data(stream, b"no", end_stream=True)

    heard, _ = exchange(client, server)

    assert heard == [
        Heard(stream, "interim"),
        Heard(stream, "head", 404),
        Heard(stream, "part", 404),
        Heard(stream, "end", 404),
    ]
    assert client.open == 0


def test_a_reply_that_is_larger_than_every_window_comes_to_its_end():
    client, server, (stream,) = opened(1)
    server.send_headers(stream, OK)
    left, ended = 1_000_000, False
    while left:
        count = min(left, server.local_flow_control_window(stream), server.max_outbound_frame_size)
        server.send_data(stream, b"x" * count, end_stream=count == left)
        left -= count
        heard, _ = exchange(client, server)
        ended = ended or Heard(stream, "end", 200) in heard

    assert ended


def test_a_stream_that_is_reset_ends_with_its_code_and_the_others_go_on():
    client, server, (first, second) = opened(2)
    server.reset_stream(second, ErrorCodes.REFUSED_STREAM)
    server.send_headers(first, OK, end_stream=True)

    heard, _ = exchange(client, server)

    assert heard == [Heard(second, "rst", 0, "REFUSED_STREAM"), Heard(first, "head", 200), Heard(first, "end", 200)]


def test_goaway_ends_the_streams_that_were_not_processed_and_the_others_are_still_answered():
    client, server, (first, second) = opened(2)
    server.send_headers(first, OK)
    answer_head = server.data_to_send()
    goaway = frame(0x7, (first).to_bytes(4, "big") + int(ErrorCodes.ENHANCE_YOUR_CALM).to_bytes(4, "big") + b"why")
    server.send_data(first, b"x", end_stream=True)

    heard = client.receive(answer_head + goaway + server.data_to_send())

    assert heard == [
        Heard(first, "head", 200),
        Heard(second, "goaway", 0, "ENHANCE_YOUR_CALM"),
        Heard(first, "part", 200),
        Heard(first, "end", 200),
    ]
    assert client.goaway == GoAway(first, "ENHANCE_YOUR_CALM")


def test_an_error_code_that_nobody_has_named_is_given_by_its_number():
    client, server, (stream,) = opened(1)
    server.reset_stream(stream, 0xABC)

    heard, _ = exchange(client, server)

    assert heard == [Heard(stream, "rst", 0, "error code 2748")]


@pytest.mark.parametrize("reply", [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"HTTP/2.0 405 METHOD NOT ALLOWED\r\n\r\n"])
def test_a_server_that_answers_in_text_is_found_out(reply):
    with pytest.raises(ProtocolError, match=r"^the reply is in HTTP/1: 'HTTP/\d"):
        Http2Client().receive(reply)


def test_a_server_that_begins_with_anything_but_its_settings_is_found_out():
    with pytest.raises(ProtocolError, match=r"^the reply is not HTTP/2: it begins with b'SSH-2"):
        Http2Client().receive(b"SSH-2.0-OpenSSH\r\n")


def test_a_reader_of_http1_says_that_a_reply_is_in_http2():
    server = serving(100)

    with pytest.raises(ProtocolError) as error:
        ReplyReader().feed(server.data_to_send())

    assert str(error.value) == IS_HTTP2


def frame(kind: int, body: bytes, stream: int = 0, flags: int = 0) -> bytes:
    return len(body).to_bytes(3, "big") + bytes([kind, flags]) + stream.to_bytes(4, "big") + body


SETTINGS = frame(0x4, b"")
FRAMES = [
    SETTINGS,
    frame(0x4, b"", flags=1),
    frame(0x4, b"\x00\x03\x00\x00\x00\x05"),
    frame(0x4, b"\x00\x03\x00"),
    frame(0x1, b"\x88", 1, 4),
    frame(0x1, b"\x88", 1, 5),
    frame(0x1, b"\x48\x01a", 1, 4),
    frame(0x1, b"\xff\xff\xff\xff\xff\xff", 3, 4),
    frame(0x1, b"\x88", 9, 5),
    frame(0x0, b"abc", 1),
    frame(0x0, b"abc", 1, 1),
    frame(0x0, b"\x09abc", 1, 8),
    frame(0x3, b"\x00\x00\x00\x07", 1),
    frame(0x3, b"\x00", 1),
    frame(0x5, b"\x00\x00\x00\x02\x88", 1, 4),
    frame(0x6, b"01234567"),
    frame(0x7, b"\x00\x00\x00\x01\x00\x00\x00\x00bye"),
    frame(0x7, b"\x00"),
    frame(0x8, b"\x00\x00\x00\x00", 1),
    frame(0x8, b"\x7f\xff\xff\xff"),
    frame(0x9, b"\x88", 1),
    frame(0xBE, b"unknown", 1),
    b"\xff\xff\xff\x00\x00",
    b"HTTP/1.1 200 OK\r\n",
]
connections = st.lists(st.sampled_from(FRAMES) | st.binary(max_size=12), max_size=10).map(b"".join)


def told(data: bytes, cuts: list[int]) -> tuple[object, ...]:
    """All that a client with two streams says of these bytes, fed in the pieces that the cuts make."""
    client = Http2Client()
    client.request(FIELDS)
    client.request(FIELDS)
    client.to_send()
    heard: list[Heard] = []
    edges = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    try:
        for begin, end in pairwise(edges):
            heard += client.receive(data[begin:end])
    except ProtocolError as error:
        return "broken", str(error).partition(":")[0]
    return heard, client.to_send(), client.goaway, client.advertised, client.open


@settings(max_examples=300, deadline=None)
@given(connections, st.lists(st.integers(0, 120), max_size=6))
@example(SETTINGS + FRAMES[4] + FRAMES[9] + FRAMES[10], [3, 9, 12, 20])
@example(SETTINGS + FRAMES[16] + FRAMES[5], [FRAME_HEAD + 4])
def test_bytes_from_a_peer_raise_only_protocol_errors_and_mean_the_same_however_they_are_cut(data, cuts):
    assert told(data, cuts) == told(data, [])


@settings(max_examples=200, deadline=None)
@given(connections)
def test_no_stream_is_heard_after_its_end(data):
    found = told(SETTINGS + data, [])
    if found[0] == "broken":
        return
    ended: set[int] = set()
    for heard in found[0]:
        assert heard.stream not in ended or heard.what in {"part", "head", "interim"}
        if heard.what in {"end", "rst", "goaway"}:
            assert heard.stream not in ended
            ended.add(heard.stream)
