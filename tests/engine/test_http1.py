from __future__ import annotations

import h11
import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.engine.http1 import MAX_HEAD_BYTES, ProtocolError, ReplyReader, host_field, numbered, request_head

OK = b"HTTP/1.1 200 OK\r\n"


def read(data: bytes, *, head: bool = False, piece: int | None = None) -> ReplyReader:
    """A reader that was fed all of this, whole or in pieces of one size, and then EOF."""
    reader = ReplyReader(head=head)
    for begin in range(0, len(data), piece or len(data) or 1):
        reader.feed(data[begin : begin + piece] if piece else data)
    reader.eof()
    return reader


def facts(reader: ReplyReader) -> tuple[int, bool, bool, bool]:
    return reader.status, reader.complete, reader.complete and reader.keep_alive, reader.excess


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        # status, complete, keep-alive, excess
        (OK + b"Content-Length: 2\r\n\r\nab", (200, True, True, False)),
        (OK + b"Content-Length: 0\r\n\r\n", (200, True, True, False)),
        (OK + b"Content-Length: 2\r\nConnection: close\r\n\r\nab", (200, True, False, False)),
        (OK + b"Content-Length: 2\r\n\r\nabc", (200, True, False, True)),
        (OK + b"Content-Length: 2\r\n\r\nab\r\n", (200, True, True, False)),
        (OK + b"Content-Length: 3\r\n\r\nab", (200, False, False, False)),
        (OK + b"\r\nuntil close", (200, True, False, False)),
        (OK + b"Transfer-Encoding: chunked\r\n\r\n2;x=y\r\nab\r\n0\r\nT: 1\r\n\r\n", (200, True, True, False)),
        (OK + b"Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\nx", (200, True, False, True)),
        (OK + b"Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n", (200, False, False, False)),
        (OK + b"Transfer-Encoding: gzip\r\n\r\nabc", (200, True, False, False)),
        (b"HTTP/1.1 100 Continue\r\n\r\n" + OK + b"Content-Length: 1\r\n\r\na", (200, True, True, False)),
        (b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n", (0, False, False, False)),
        (b"HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n", (304, True, True, False)),
        (b"HTTP/1.1 204 No Content\r\n\r\n", (204, True, True, False)),
        (b"HTTP/1.1 101 X\r\nUpgrade: h2c\r\nConnection: upgrade\r\n\r\nabc", (101, True, False, True)),
        (b"HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\na", (200, True, False, False)),
        (b"HTTP/1.0 200 OK\r\nConnection: Keep-Alive\r\nContent-Length: 1\r\n\r\na", (200, True, True, False)),
        (b"\r\n\r\n" + OK + b"Content-Length: 0\r\n\r\n", (200, True, True, False)),
        (b"", (0, False, False, False)),
        (b"HTT", (0, False, False, False)),
    ],
)
@pytest.mark.parametrize("piece", [None, 1, 2, 3, 7])
def test_replies_are_framed_as_they_announce_however_they_are_cut(reply, expected, piece):
    assert facts(read(reply, piece=piece)) == expected


def test_the_reply_to_head_has_no_body_whatever_it_announces():
    assert facts(read(OK + b"Content-Length: 5\r\n\r\n", head=True)) == (200, True, True, False)


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        (b"SSH-2.0-OpenSSH_9.9\r\n", "the reply is not HTTP/1: it begins with b'SSH-2.0-OpenSSH_9.9\\\\r\\\\n'"),
        (b"HTTP/2.0 200 OK\r\n\r\n", "the reply is not HTTP/1"),
        (b"RTSP/1.0 200 OK\r\n\r\n", "the reply is not HTTP/1"),
        (b"\x15\x03\x01\x00\x02\x02\x16", "the reply is not HTTP/1"),
        (OK + b"X: " + b"x" * MAX_HEAD_BYTES, "the head of the reply does not end within 64 KiB"),
        (OK + b"X: x\r\n" * 12_000, "the head of the reply does not end within 64 KiB"),
        (OK + b"Content-Length: x\r\n\r\n", "the head of the reply is not HTTP/1: .*Content-Length"),
        (OK + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\n", "the head of the reply is not HTTP/1"),
        (b"HTTP/1.1 99 Low\r\n\r\n", "the head of the reply is not HTTP/1"),
        (b"HTTP/1.1 099 Low\r\n\r\n", "the status of the reply is 099"),
        (b"HTTP/1.1 101 X\r\nUpgrade: h2c\r\n\r\nabc", "the server switches to another protocol .status 101., unasked"),
        (OK + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n", "the body of the reply is not HTTP/1: .*chunk size"),
        (OK + b"Transfer-Encoding: chunked\r\n\r\n1\r\nab\r\n", "the body of the reply is not HTTP/1"),
    ],
)
def test_what_is_no_reply_is_told_in_words(reply, words):
    with pytest.raises(ProtocolError, match=words):
        read(reply)


def test_a_head_of_just_64_kib_is_read_and_one_byte_more_is_not():
    start, end = OK + b"Content-Length: 0\r\nX: ", b"\r\n\r\n"
    filler = b"x" * (MAX_HEAD_BYTES - len(start) - len(end))

    assert read(start + filler + end, piece=1000).complete
    with pytest.raises(ProtocolError):
        read(start + filler + b"x" + end, piece=1000)


token = st.text("abcXYZ019-_", min_size=1, max_size=12).map(lambda name: "X-" + name)
value = st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=30)
body = st.binary(max_size=300)


@st.composite
def replies(draw: st.DrawFn) -> bytes:
    """Whole replies of every framing, with whatever fields and body."""
    status = draw(st.sampled_from([200, 201, 204, 301, 304, 404, 500, 503]))
    version = draw(st.sampled_from(["1.0", "1.1"]))
    fields = draw(st.lists(st.tuples(token, value), max_size=5))
    connection = draw(st.sampled_from([None, "close", "keep-alive", "Keep-Alive, X-Y"]))
    if connection:
        fields.append(("Connection", connection))
    payload = draw(body)
    # HTTP/1.0 knows no chunks.
    framing = draw(st.sampled_from(["length", "chunked", "close"] if version == "1.1" else ["length", "close"]))
    if status in (204, 304):
        framing, payload = "close", b""
    if framing == "length":
        fields.append(("Content-Length", str(len(payload))))
    elif framing == "chunked":
        fields.append(("Transfer-Encoding", "chunked"))
        cut = draw(st.integers(1, 100))
        pieces = [payload[begin : begin + cut] for begin in range(0, len(payload), cut)]
        payload = b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"
    head = f"HTTP/{version} {status} Reason\r\n" + "".join(f"{name}: {text}\r\n" for name, text in fields) + "\r\n"
    interim = draw(st.sampled_from([b"", b"HTTP/1.1 100 Continue\r\n\r\n"]))
    return interim + head.encode() + payload


def oracle(data: bytes) -> tuple[int, bool, bool]:
    """Status, completeness and keep-alive as h11 sees them."""
    client = h11.Connection(h11.CLIENT)
    client.send(h11.Request(method="GET", target="/", headers=[("Host", "x")]))
    client.send(h11.EndOfMessage())
    client.receive_data(data)
    status, complete, ended_by_eof = 0, False, False
    while not complete:
        event = client.next_event()
        if isinstance(event, h11.Response):
            status = event.status_code
        if event is h11.NEED_DATA:
            ended_by_eof = True
            client.receive_data(b"")
        complete = isinstance(event, h11.EndOfMessage)
    return status, complete, client.their_state is h11.DONE and not ended_by_eof


@given(replies(), st.integers(1, 40))
def test_h11_and_the_reader_agree_on_every_valid_reply(reply, piece):
    reader = read(reply, piece=piece)

    status, complete, keep_alive = oracle(reply)
    assert (reader.status, reader.complete) == (status, complete)
    # h11 never keeps a connection with an HTTP/1.0 server; many servers answer a keep-alive so.
    assert reader.keep_alive == keep_alive or b"HTTP/1.0" in reply
    assert not reader.excess


def test_a_request_is_whole_and_names_its_host():
    head = request_head("POST", "/a?b=c", host_field("::1", 80), [("X-Token", "t")], b"body")

    assert head == b"POST /a?b=c HTTP/1.1\r\nHost: [::1]:80\r\nX-Token: t\r\nContent-Length: 4\r\n\r\nbody"


def test_a_host_of_the_persons_own_replaces_ours():
    assert request_head("GET", "/", "a", [("host", "b")]) == b"GET / HTTP/1.1\r\nhost: b\r\n\r\n"


def test_a_numbered_request_differs_in_its_number_alone():
    head_of = numbered(request_head("GET", "/", "a"), "X-Id", "secret-")

    assert head_of(7) == b"GET / HTTP/1.1\r\nX-Id: secret-7\r\nHost: a\r\n\r\n"


@pytest.mark.parametrize(
    ("method", "path", "headers"),
    [
        ("GET ", "/", []),
        ("GET", "/a b", []),
        ("GET", "/é", []),
        ("GET", "", []),
        ("GET", "/", [("X", "a\r\nY: b")]),
        ("GET", "/", [("X Y", "a")]),
    ],
)
def test_a_request_that_would_break_apart_is_refused(method, path, headers):
    with pytest.raises(ValueError, match=r"method|path|header"):
        request_head(method, path, "a", headers)
