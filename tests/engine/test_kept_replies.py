"""Heads and bodies of replies, as journeys are told of them."""

from __future__ import annotations

import gzip
import zlib
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as some

from holdfast.engine.exchange import Event
from holdfast.engine.kept_replies import KeptReader, KeptReplies, Read, read_of
from holdfast.model.answers import MOST_KEPT

TEXT = b"what was sent " * 20


def heard(pieces: list[bytes], *, head: bool = False) -> tuple[Event, KeptReader]:
    """What these pieces mean, and who has read them."""
    replies = KeptReplies()
    reader = replies.reader(head=head)
    assert isinstance(reader, KeptReader)
    event = Event.BYTES
    for at, piece in enumerate(pieces):
        event = replies.heard(reader, piece, first=at == 0)
    return event, reader


def read(encoding: str, body: bytes) -> Read:
    head = f"HTTP/1.1 200 OK\r\nContent-Encoding: {encoding}\r\nContent-Length: {len(body)}\r\n\r\n".encode()
    event, reader = heard([head + body])
    assert event is Event.REPLY
    return read_of(reader)


def raw_deflate(text: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return packer.compress(text) + packer.flush()


@pytest.mark.parametrize(
    ("encoding", "body"),
    [
        ("gzip", gzip.compress(TEXT)),
        ("x-gzip", gzip.compress(TEXT)),
        ("GZIP", gzip.compress(TEXT)),
        ("deflate", zlib.compress(TEXT)),
        ("deflate", raw_deflate(TEXT)),
        ("identity", TEXT),
    ],
    ids=["gzip", "x-gzip", "capitals", "deflate", "deflate without a head", "identity"],
)
def test_a_body_is_what_its_encoding_says(encoding, body):
    """RFC 9110, 8.4.1; some servers send `deflate` without the head of zlib, as the note there says."""
    assert read(encoding, body).body == TEXT


def test_a_body_that_is_not_what_its_encoding_says_is_kept_as_it_came_and_told():
    found = read("gzip", TEXT)

    assert found.body == TEXT
    assert found.undecodable == "The body is not gzip, as its Content-Encoding says."


def test_no_more_of_a_body_is_kept_than_is_allowed_however_it_was_packed():
    found = read("gzip", gzip.compress(bytes(4 * MOST_KEPT), 1))

    assert (len(found.body), found.cut) == (MOST_KEPT, True)


def test_a_body_that_does_not_end_takes_no_more_memory_than_is_kept():
    replies, piece = KeptReplies(), bytes(1 << 20)
    reader = replies.reader(head=False)
    replies.heard(reader, b"HTTP/1.1 200 OK\r\n\r\n", first=True)
    for _ in range(3 * MOST_KEPT >> 20):
        assert replies.heard(reader, piece, first=False) is Event.BYTES

    assert len(reader.body) == MOST_KEPT


REPLY = (
    b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
    b"HTTP/1.1 404 Not\xe9 There\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"5\r\nhello\r\n0\r\nTrailer: x\r\n\r\n"
)


@given(some.lists(some.integers(0, len(REPLY)), max_size=8))
def test_however_a_reply_is_cut_head_and_body_are_the_same(cuts):
    edges = [0, *sorted({*cuts} - {0, len(REPLY)}), len(REPLY)]
    event, reader = heard([REPLY[first:last] for first, last in pairwise(edges)])

    assert event is Event.REPLY  # whatever its status: the journey says what counts
    found = read_of(reader)
    assert found.head == (
        "HTTP/1.1 404 Not\xe9 There\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\nTransfer-Encoding: chunked\r\n"
    )
    assert found.body == b"hello"


def test_a_reply_to_head_has_no_body():
    event, reader = heard([b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"], head=True)

    assert (event, read_of(reader).body) == (Event.REPLY, b"")
