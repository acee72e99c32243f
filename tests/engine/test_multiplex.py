"""Our end of a connection with many requests, towards another implementation of HTTP/2 (h2), without sockets."""

from __future__ import annotations

import struct

import h2.config
import h2.connection
import h2.events
import h2.settings
import pytest
from h2.settings import SettingCodes
from hypothesis import given
from hypothesis import strategies as st

from holdfast.engine import frames
from holdfast.engine.http1 import ProtocolError, request_head
from holdfast.engine.multiplex import Multiplex
from holdfast.engine.stream_reply import Heard

REQUEST = request_head("GET", "/", "localhost")


class Server:
    """The other end.

    Attributes:
        bodies: of requests, by stream.
        requested: streams in the order in which their requests came.
    """

    def __init__(self, **settings: int) -> None:
        self.h2 = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False, header_encoding=None))
        values = {getattr(SettingCodes, name.upper()): value for name, value in settings.items()}
        self.h2.local_settings = h2.settings.Settings(client=False, initial_values=values)
        self.h2.max_inbound_frame_size = settings.get("max_frame_size", 16_384)
        self.h2.initiate_connection()
        self.bodies: dict[int, bytes] = {}
        self.requested: list[int] = []
        self.ended: list[int] = []
        self.reset: list[int] = []

    def take(self, data: bytes) -> None:
        for event in self.h2.receive_data(data) if data else ():
            match event:
                case h2.events.RequestReceived():
                    self.requested.append(event.stream_id)
                    self.bodies[event.stream_id] = b""
                case h2.events.DataReceived():
                    self.bodies[event.stream_id] += event.data
                case h2.events.StreamEnded():
                    self.ended.append(event.stream_id)
                case h2.events.StreamReset():
                    self.reset.append(event.stream_id)

    def answer(self, stream: int, body: bytes = b"ok", status: str = "200", *fields: tuple[str, str]) -> None:
        self.h2.send_headers(stream, [(":status", status), *fields])
        self.h2.send_data(stream, body, end_stream=True)

    def give(self) -> bytes:
        return self.h2.data_to_send()


def connected(streams: int = 100, **settings: int) -> tuple[Multiplex, Server]:
    client, server = Multiplex("http", streams), Server(**settings)
    exchange(client, server)
    assert client.settled
    return client, server


def play(server: Server, stream: int, kind: str) -> None:
    """A reply of a kind."""
    match kind:
        case "usual":
            server.answer(stream)
        case "other":
            server.answer(stream, b"more", "404", ("x-stream", str(stream)))
        case "empty":
            server.h2.send_headers(stream, [(":status", "204")], end_stream=True)
        case "rst":
            server.h2.reset_stream(stream, 2)
        case "big":
            server.answer(stream, b"x" * 1200)
        case "trailers":
            server.h2.send_headers(stream, [(":status", "200")])
            server.h2.send_data(stream, b"x")
            server.h2.send_headers(stream, [("t", "1")], end_stream=True)


def exchange(client: Multiplex, server: Server) -> list[Heard]:
    """Lets both speak until neither has anything to say; what the client heard of replies that are not usual."""
    heard: list[Heard] = []
    while True:
        to_server = client.to_send()
        server.take(to_server)
        to_client = server.give()
        if not to_server and not to_client:
            return heard
        if to_client:
            heard += client.receive(to_client).heard


def answered(heard: list[Heard]) -> list[int]:
    return [each.reply.row for each in heard if each.what == "end"]


def test_one_request_is_sent_before_the_settings_have_come_and_then_as_many_as_they_allow() -> None:
    client, server = Multiplex("http", 50), Server(max_concurrent_streams=7)
    assert (client.capacity, client.settled) == (1, False)
    exchange(client, server)
    assert (client.capacity, client.advertised) == (7, 7)
    for row in range(7):
        client.request(row, REQUEST)
    assert client.room == 0


def test_a_reply_that_looks_like_the_last_one_is_told_by_its_row_alone() -> None:
    client, server = connected()
    for row in range(3):
        client.request(row, REQUEST)
    server.take(client.to_send())
    server.answer(1)
    (end,) = [each for each in client.receive(server.give()).heard if each.what == "end"]
    server.answer(3)
    end = client.receive(server.give()).heard[-1]
    client.adopt(end.reply)
    server.answer(5)
    data = server.give()
    progress = client.receive(data)
    assert (progress.headed, progress.ended, progress.heard) == ([2], [2], [])
    assert client.usual is not None
    assert client.usual.received == len(data)
    assert client.in_flight == 0


@given(st.data())
def test_what_is_said_does_not_depend_on_how_the_bytes_are_cut(data) -> None:
    client, server = connected()
    order = data.draw(st.lists(st.sampled_from(["usual", "other", "empty", "rst", "trailers", "big"]), max_size=40))
    for row in range(len(order)):
        client.request(row, REQUEST)
    exchange(client, server)
    for row, kind in enumerate(order):
        play(server, 2 * row + 1, kind)
    wire = server.give()
    cuts = sorted(data.draw(st.lists(st.integers(0, len(wire)), max_size=12)))
    ends: dict[int, str] = {}
    for first, last in zip([0, *cuts], [*cuts, len(wire)], strict=True):
        progress = client.receive(wire[first:last])
        ends.update((row, "usual") for row in progress.ended)
        for each in progress.heard:
            if each.what in ("end", "rst"):
                status = each.reply.status
                ends[each.reply.row] = each.what if each.what == "rst" else str(status)
            if each.what == "end" and each.reply.status == 200:
                client.adopt(each.reply)
    wanted = {"usual": "200", "other": "404", "empty": "204", "rst": "rst", "trailers": "200", "big": "200"}
    assert {row: "200" if end == "usual" else end for row, end in ends.items()} == {
        row: wanted[kind] for row, kind in enumerate(order)
    }
    assert client.in_flight == 0


@pytest.mark.parametrize("window", [1, 10, 1000, 65_535, 2**20])
@pytest.mark.parametrize("frame", [16_384, 100_000])
def test_a_body_goes_as_fast_as_the_windows_let_it(window, frame) -> None:
    client, server = connected(initial_window_size=window, max_frame_size=frame)
    body = bytes(range(256)) * (1 if window == 1 else 40 if window < 1000 else 1200)
    client.request(0, request_head("POST", "/", "localhost", (), body))
    server.take(client.to_send())
    for _ in range(len(body) + 10):
        if server.ended:
            break
        sent = len(server.bodies[1])
        server.h2.increment_flow_control_window(min(window, 65_535))
        server.h2.increment_flow_control_window(min(window, max(1, sent)), 1)
        exchange(client, server)
    assert server.bodies == {1: body}


def test_a_window_that_settings_make_smaller_may_be_below_zero() -> None:
    """RFC 9113, 6.9.2."""
    client, server = connected()
    client.request(0, request_head("POST", "/", "localhost", (), bytes(100_000)))
    server.take(client.to_send())
    assert len(server.bodies[1]) == 65_535
    server.h2.update_settings({SettingCodes.INITIAL_WINDOW_SIZE: 1000})
    exchange(client, server)
    server.h2.increment_flow_control_window(65_535)
    # The stream's window is now 1,000 - 65,535.
    server.h2.increment_flow_control_window(64_535, 1)
    exchange(client, server)
    assert len(server.bodies[1]) == 65_535
    server.h2.increment_flow_control_window(7, 1)
    exchange(client, server)
    assert len(server.bodies[1]) == 65_542


def test_a_request_that_is_answered_early_sends_nothing_further() -> None:
    """RFC 9113, 8.1."""
    client, server = connected()
    client.request(0, request_head("POST", "/", "localhost", (), bytes(1_000_000)))
    server.take(client.to_send())
    server.h2.send_headers(1, [(":status", "413")], end_stream=True)
    heard = exchange(client, server)
    assert answered(heard) == [0]
    assert server.reset == [1]
    assert client.in_flight == 0
    assert not client.to_send()


def test_what_goaway_leaves_out_is_told_and_what_it_names_goes_on() -> None:
    client, server = connected()
    for row in range(4):
        client.request(row, REQUEST)
    exchange(client, server)
    goaway = frames.frame(frames.GOAWAY, 0, 0, struct.pack(">II", 3, 0))
    heard = client.receive(goaway).heard
    assert [(each.what, each.reply.row) for each in heard] == [("again", 2), ("again", 3)]
    assert (client.leaving, client.in_flight) == (True, 2)
    server.answer(1)
    server.answer(3)
    assert answered(exchange(client, server)) == [0, 1]


def test_goaway_may_come_twice_and_then_name_a_lower_stream() -> None:
    """RFC 9113, 6.8: the first of a graceful end names 2^31-1."""
    client, server = connected()
    for row in range(3):
        client.request(row, REQUEST)
    exchange(client, server)
    client.receive(frames.frame(frames.GOAWAY, 0, 0, struct.pack(">II", 2**31 - 1, 0)))
    assert (client.leaving, client.in_flight) == (True, 3)
    heard = client.receive(frames.frame(frames.GOAWAY, 0, 0, struct.pack(">II", 1, 0))).heard
    assert [each.reply.row for each in heard] == [1, 2]


def test_what_has_ended_before_bytes_that_are_not_http2_is_told_with_them() -> None:
    client, server = connected()
    client.request(0, REQUEST)
    client.request(1, REQUEST)
    exchange(client, server)
    server.answer(1, b"ok", "200")

    found = client.receive(server.give() + b"\xff" * 50)

    assert [each.reply.row for each in found.heard if each.what == "end"] == [0]
    assert "a frame of 16,777,215 bytes" in found.broken
    assert client.rows() == {3: 1}


def test_frames_of_a_cancelled_stream_are_passed_over_but_change_the_table() -> None:
    client, server = connected()
    client.request(0, REQUEST)
    client.request(1, REQUEST)
    exchange(client, server)
    server.answer(1, b"ok", "200", ("x-new", "1"))
    late = server.give()
    client.cancel(1)
    assert client.receive(late) == ([], [], [], "")
    exchange(client, server)
    server.answer(3, b"ok", "200", ("x-new", "1"))
    assert answered(exchange(client, server)) == [1]


def test_the_windows_of_a_long_reply_are_opened_again(monkeypatch) -> None:
    monkeypatch.setattr("holdfast.engine.stream_replies.WINDOW", 65_535)
    client, server = connected()
    client.request(0, REQUEST)
    exchange(client, server)
    server.h2.send_headers(1, [(":status", "200")])
    for _ in range(200):
        server.h2.send_data(1, bytes(10_000))
        exchange(client, server)
    server.h2.end_stream(1)
    assert answered(exchange(client, server)) == [0]


S = frames.frame
SETTINGS = frames.settings(())


@pytest.mark.parametrize(
    "data",
    [
        b"HTTP/1.1 400 Bad Request\r\n\r\n",
        b"SSH-2.0-OpenSSH_9.9\r\n",
        S(frames.HEADERS, 4, 1, b"\x88"),
        SETTINGS + S(frames.PUSH_PROMISE, 4, 1, b"\0\0\0\2"),
        SETTINGS + S(frames.HEADERS, 4, 3, b"\x88"),
        SETTINGS + S(frames.HEADERS, 4, 2, b"\x88"),
        SETTINGS + S(frames.DATA, 1, 0, b"x"),
        SETTINGS + S(frames.CONTINUATION, 4, 1, b"\x88"),
        SETTINGS + S(frames.HEADERS, 0, 1, b"\x88") + S(frames.PING, 0, 0, bytes(8)),
        SETTINGS + S(frames.HEADERS, 4, 1, b"\xff\xff\xff\xff\xff\x7f"),
        SETTINGS + S(frames.DATA, 0, 1, bytes(16_385)),
        SETTINGS + S(frames.PING, 0, 0, bytes(7)),
        SETTINGS + S(frames.WINDOW_UPDATE, 0, 0, bytes(4)),
        SETTINGS + S(frames.WINDOW_UPDATE, 0, 0, struct.pack(">I", 2**31 - 1)),
        SETTINGS + S(frames.RST_STREAM, 0, 1, b""),
        SETTINGS + S(frames.GOAWAY, 0, 0, bytes(7)),
        SETTINGS + S(frames.SETTINGS, 0, 0, bytes(5)),
        frames.settings(((frames.INITIAL_WINDOW_SIZE, 2**31),)),
        frames.settings(((frames.MAX_FRAME_SIZE, 100),)),
        frames.settings(((frames.ENABLE_PUSH, 1),)),
    ],
    ids=lambda data: data[:40].hex(),
)
def test_a_connection_that_breaks_the_rules_is_told_from_a_reply_that_does(data) -> None:
    """RFC 9113, 3.4, 4.2, 5.1, 6.2 to 6.10."""
    client = Multiplex("http", 10)
    client.request(0, REQUEST)
    with pytest.raises(ProtocolError):
        client.receive(data)


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        (S(frames.DATA, 1, 1, b"x"), "a body before its head"),
        (S(frames.HEADERS, 5, 1, b"\x08\x0320x"), "status"),
        (S(frames.HEADERS, 4, 1, b"\x88") + S(frames.HEADERS, 4, 1, b"\x88"), "wrong place"),
        (S(frames.HEADERS, 5, 1, b"\x08\x03103"), "ends with the status 103"),
        (S(frames.HEADERS, 4, 1, b"\x88\x0f\x0d\x015") + S(frames.DATA, 1, 1, b"x"), "5 bytes was announced"),
        (S(frames.WINDOW_UPDATE, 0, 1, bytes(4)), "opened by nothing"),
    ],
)
def test_a_reply_that_breaks_the_rules_leaves_the_others_as_they_are(reply, words) -> None:
    client = Multiplex("http", 10)
    client.receive(SETTINGS)
    client.request(0, REQUEST)
    client.request(1, REQUEST)
    (heard,) = [each for each in client.receive(reply).heard if each.what == "malformed"]
    assert words in heard.words
    assert answered(client.receive(S(frames.HEADERS, 5, 3, b"\x88")).heard) == [1]


@given(st.lists(st.tuples(st.integers(0, 12), st.integers(0, 255), st.integers(0, 9), st.binary(max_size=40))))
def test_frames_of_any_kind_raise_nothing_but_a_protocol_error(parts) -> None:
    client = Multiplex("http", 10)
    client.receive(SETTINGS)
    for row in range(3):
        client.request(row, REQUEST)
    try:
        client.receive(b"".join(S(kind, flags, stream, payload) for kind, flags, stream, payload in parts))
        client.to_send()
    except ProtocolError:
        return
    assert 0 <= client.in_flight <= 3


def test_a_connection_whose_streams_are_numbered_to_the_end_takes_no_further_one() -> None:
    """RFC 9113, 5.1.1: numbers have 31 bits and are not used again."""
    client, _ = connected(streams=10)
    client._next_stream = 2**31 - 5
    assert client.room == 3
    client.same_requests(range(3), REQUEST)
    assert (client.room, client.leaving, client.in_flight) == (0, True, 3)


def test_a_reply_to_head_may_announce_a_body_that_does_not_come() -> None:
    """RFC 9110, 9.3.2."""
    client = Multiplex("http", 10, head_only=True)
    client.receive(SETTINGS)
    client.request(0, request_head("HEAD", "/", "localhost"))
    heard = client.receive(S(frames.HEADERS, 5, 1, b"\x88\x0f\x0d\x015")).heard
    assert answered(list(heard)) == [0]
