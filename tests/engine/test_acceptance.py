"""What counts as an answer."""

from __future__ import annotations

import gzip

import pytest

from holdfast.engine.acceptance import Acceptance, body_holds
from holdfast.engine.exchange import Event
from holdfast.engine.replies import Replies
from holdfast.model.scenario import Check


@pytest.mark.parametrize(
    ("check", "body", "holds"),
    [
        (Check("ok"), b"all ok", True),
        (Check("ok"), b"no", False),
        (Check("ok", wanted=False), b"no", True),
        (Check("ok", whole=True), b"ok", True),
        (Check("ok", whole=True), b"all ok", False),
        (Check("o.", pattern=True), b"xoxx", True),
        (Check("o.", pattern=True, whole=True), b"xoxx", False),
        (Check("ü"), "für".encode(), True),
    ],
)
def test_a_check_holds_for_the_bodies_that_it_is_meant_for(check, body, holds):
    assert body_holds([check], body) is holds


def heard(replies: Replies, *pieces: bytes) -> Event:
    """As a connection does it: the usual reply needs no reader."""
    if len(pieces) == 1 and replies.is_usual(pieces[0]):
        return Event.REPLY
    reader = replies.reader(head=False)
    events = [replies.heard(reader, piece, first=at == 0) for at, piece in enumerate(pieces)]
    assert set(events[:-1]) <= {Event.BYTES}
    return events[-1]


def reply(body: bytes, *fields: bytes) -> bytes:
    return b"\r\n".join([b"HTTP/1.1 200 OK", *fields, b"Content-Length: %d" % len(body), b"", body])


def test_each_body_is_checked_also_of_replies_that_look_alike():
    replies = Replies(Acceptance(checks=(Check("yes"),)))

    assert heard(replies, reply(b"yes1")) is Event.REPLY
    assert heard(replies, reply(b"yes2")) is Event.REPLY
    assert heard(replies, reply(b"none")) is Event.WRONG_BODY
    assert heard(replies, reply(b"yes3")) is Event.REPLY


def test_a_body_is_checked_however_it_comes():
    replies = Replies(Acceptance(checks=(Check("abcdef", whole=True),)))
    whole = reply(b"abcdef")

    for cut in range(1, len(whole)):
        assert heard(replies, whole[:cut], whole[cut:]) is Event.REPLY
    chunks = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n3\r\ndef\r\n0\r\n\r\n"
    for cut in range(1, len(chunks)):
        assert heard(replies, chunks[:cut], chunks[cut:]) is Event.REPLY
    assert heard(replies, b"HTTP/1.1 200 OK\r\n\r\nabc", b"def", b"") is Event.REPLY


def test_an_encoded_body_is_checked_as_what_it_says():
    replies = Replies(Acceptance(checks=(Check("hello"),)))

    for _ in range(2):
        assert heard(replies, reply(gzip.compress(b"hello"), b"Content-Encoding: gzip")) is Event.REPLY
        assert heard(replies, reply(gzip.compress(b"other"), b"Content-Encoding: gzip")) is Event.WRONG_BODY
        assert heard(replies, reply(b"hello", b"Content-Encoding: gzip")) is Event.WRONG_BODY


def test_a_wrong_status_is_rejected_whatever_the_body_is():
    replies = Replies(Acceptance(frozenset({201}), (Check("yes"),)))

    assert heard(replies, reply(b"yes")) is Event.ERROR_REPLY
