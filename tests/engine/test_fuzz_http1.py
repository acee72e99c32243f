"""Invariants: bytes from a peer raise only ProtocolError, and however they are cut, the reader says the same."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import example, given, settings
from hypothesis import strategies as st

from holdfast.engine.http1 import ProtocolError, ReplyReader

WORDS = [
    b"HTTP/1.1 200 OK\r\n",
    b"HTTP/1.0 404 \r\n",
    b"HTTP/1.1 100 Continue\r\n\r\n",
    b"HTTP/1.1 101 S\r\n",
    b"HTTP/1.1 304 N\r\n",
    b"HTTP/1.1 199 \r\n",
    b"HTTP/1.1 99999 \r\n",
    b"Content-Length: 3\r\n",
    b"Content-Length: 0\r\n",
    b"Content-Length: 99999999999999999999999\r\n",
    b"Content-Length: 3, 3\r\n",
    b"Transfer-Encoding: chunked\r\n",
    b"Transfer-Encoding: gzip, chunked\r\n",
    b"Transfer-Encoding: gzip\r\n",
    b"Connection: close\r\n",
    b"Connection: keep-alive, upgrade\r\n",
    b"Upgrade: websocket\r\n",
    b"Trailer: X\r\n",
    b" folded\r\n",
    b"\r\n",
    b"\r",
    b"\n",
    b"\r\n\r\n",
    b"3\r\nabc\r\n",
    b"ffffffffffffffff\r\n",
    b"fffffffffffffffff\r\n",
    b"3;a=b\r\nabc\r\n",
    b"0\r\n\r\n",
    b"0\r\n",
    b"abc",
    b"\0",
    b"\xff",
    b"SSH-2.0-x\r\n",
    b"X: " + b"x" * 40_000 + b"\r\n",
]
messages = st.lists(st.sampled_from(WORDS) | st.binary(max_size=12), max_size=14).map(b"".join)


def told(data: bytes, cuts: list[int], *, head: bool) -> tuple[object, ...]:
    """All that the reader says of these bytes, fed in the pieces that the cuts make."""
    reader = ReplyReader(head=head)
    edges = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    try:
        for begin, end in pairwise(edges):
            reader.feed(data[begin:end])
        reader.eof()
    except ProtocolError as error:
        return ("malformed", str(error).partition(":")[0])
    return reader.status, reader.complete, reader.complete and reader.keep_alive, reader.excess


@settings(deadline=None)  # a busy machine is no failure
@given(messages, st.lists(st.integers(0, 300), max_size=8), st.booleans())
@example(data=b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nx", cuts=[51], head=False)
@example(
    data=b"HTTP/1.1 200 OK\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nx", cuts=[70], head=False
)
def test_a_reply_in_pieces_tells_the_same_as_the_whole(data, cuts, head):
    assert told(data, cuts, head=head) == told(data, [], head=head)


@settings(deadline=None)  # a busy machine is no failure
@given(messages, st.booleans())
def test_a_reply_byte_by_byte_tells_the_same_as_the_whole(data, head):
    data = data[:2000]

    assert told(data, list(range(len(data))), head=head) == told(data, [], head=head)
