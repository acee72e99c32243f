"""Field sections: what ours mean to another implementation (hpack), and what those of others mean to us (RFC 7541)."""

from __future__ import annotations

import contextlib

import hpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.engine.header_blocks import ReplyBlocks, RequestBlocks, forms, integer, request_fields
from holdfast.engine.http1 import ProtocolError, request_head

NAMES = st.sampled_from([b"server", b"date", b"x-request", b"etag", b"content-type", b"set-cookie"])
VALUES = st.sampled_from([b"", b"a", b"nginx", b"Sun, 29 Nov 2026 18:00:00 GMT", b"\xff", b"x" * 300, b"y" * 3000])
REPLIES = st.lists(st.tuples(NAMES, VALUES), max_size=5).map(lambda fields: [(b":status", b"200"), *fields])


def head(path: str, *fields: tuple[str, str]) -> bytes:
    return request_head("GET", path, "shop:80", fields)[:-4]


@pytest.mark.parametrize(
    ("value", "bits", "wanted"),
    [(10, 5, b"\x0a"), (1337, 5, b"\x1f\x9a\x0a"), (42, 8, b"\x2a")],
)
def test_integers_are_those_of_the_rfcs_examples(value, bits, wanted) -> None:
    """RFC 7541, C.1."""
    assert integer(value, bits, 0) == wanted


@given(st.lists(st.integers(0, 30), min_size=1, max_size=200))
def test_a_decoder_reads_the_fields_of_each_request(numbers) -> None:
    blocks, decoder = RequestBlocks("http"), hpack.Decoder()
    for number in numbers:
        each = head(f"/{number}", ("X-Number", str(number)), ("X-Long", "x" * 40 * number))
        assert decoder.decode(blocks.of(each), raw=True) == request_fields(each, "http")


def test_the_third_request_of_a_kind_is_the_same_bytes_as_the_second() -> None:
    blocks, each = RequestBlocks("https"), head("/orders", ("User-Agent", "holdfast"))
    assert blocks.known(each) is None
    first, second, third = (blocks.of(each) for _ in range(3))
    assert len(first) > len(second) == 5
    assert second == third == blocks.known(each)


def test_a_server_that_allows_a_smaller_table_gets_none_of_it() -> None:
    """RFC 7541, 4.2: the change is told at the beginning of the next section."""
    blocks, decoder, each = RequestBlocks("http"), hpack.Decoder(), head("/a", ("X-A", "1"))
    decoder.decode(blocks.of(each))
    blocks.limit_table(100)
    decoder.max_allowed_table_size = 100
    for _ in range(3):
        assert decoder.decode(blocks.of(each), raw=True) == request_fields(each, "http")
    assert decoder.header_table_size == 0


@given(st.lists(REPLIES, min_size=1, max_size=6), st.lists(st.integers(0, 5), min_size=1, max_size=150))
def test_sections_that_come_again_leave_the_table_as_reading_each_of_them_does(kinds, order) -> None:
    encoder, blocks, oracle = hpack.Encoder(), ReplyBlocks(), hpack.Decoder()
    for at in order:
        block = encoder.encode(kinds[at % len(kinds)])
        blocks.read(block)
        oracle.decode(block, raw=True)
    blocks._pay()
    assert blocks._decoder.header_table.dynamic_entries == oracle.header_table.dynamic_entries


@given(st.lists(st.tuples(REPLIES, st.integers(1, 400)), min_size=1, max_size=5))
def test_sections_that_only_add_to_the_table_need_to_be_read_once(kinds) -> None:
    """As nginx writes each of its own: literals with incremental indexing, which refer to nothing that was added."""
    blocks, oracle = ReplyBlocks(), hpack.Decoder()
    for fields, times in kinds:
        block = b"".join(
            b"\x40" + integer(len(name), 7, 0) + name + integer(len(value), 7, 0) + value for name, value in fields
        )
        known = blocks.read(block)
        assert blocks.read(block) is known
        blocks.repeated(known, times)
        for _ in range(times + 2):
            oracle.decode(block, raw=True)
    blocks._pay()
    assert blocks._decoder.header_table.dynamic_entries == oracle.header_table.dynamic_entries


@given(st.lists(REPLIES, min_size=1, max_size=20))
def test_the_forms_of_fields_are_told_for_each_of_them(replies) -> None:
    encoder, decoder = hpack.Encoder(), hpack.Decoder()
    for fields in replies:
        block = encoder.encode(fields)
        before = len(decoder.header_table.dynamic_entries)
        decoder.decode(block, raw=True)
        depends, entered = forms(block)
        assert len(entered) == len(fields)
        if sum(entered) and len(decoder.header_table.dynamic_entries) > before:
            assert sum(entered) >= len(decoder.header_table.dynamic_entries) - before
        assert depends or decoder is not None


@given(st.binary(max_size=200))
def test_bytes_that_are_no_section_raise_nothing_but_a_protocol_error(block) -> None:
    blocks = ReplyBlocks()
    status = 0
    with contextlib.suppress(ProtocolError):
        status = blocks.read(block).status
    assert status == 0 or 100 <= status <= 999


@pytest.mark.parametrize(
    "fields",
    [
        [(":status", "20")],
        [(":status", "abc")],
        [(":status", "200"), (":status", "200")],
        [("server", "x"), (":status", "200")],
        [(":status", "200"), (":path", "/")],
        [(":status", "200"), ("connection", "close")],
        [(":status", "200"), ("content-length", "1"), ("content-length", "2")],
        [(":status", "200"), ("content-length", "-1")],
    ],
    ids=str,
)
def test_fields_that_a_reply_must_not_have_are_named(fields) -> None:
    """RFC 9113, 8.1.1, 8.2.2 and 8.3."""
    assert ReplyBlocks().read(hpack.Encoder().encode(fields)).broken
