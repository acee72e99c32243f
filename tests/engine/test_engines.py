"""The compiled part does what Python does: the same rows for any bytes, in whatever pieces they come."""

from __future__ import annotations

import contextlib
import os
import select
import socket
import tempfile
from array import array
from collections.abc import Iterator
from importlib import import_module
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path

import pytest
from driving import MS, PATIENCE_S
from hypothesis import example, given, settings
from hypothesis import strategies as st

from holdfast.engine.columns import Columns
from holdfast.engine.compiled import CompiledConnections
from holdfast.engine.epoll import Connections
from holdfast.engine.kept import KeptConnections
from holdfast.model.places import Outcome

pytestmark = pytest.mark.skipif(
    find_spec("holdfast_fast") is None, reason="holdfast_fast is not installed: make fast builds it with a C compiler"
)
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
REPLIES = (
    OK,
    OK[:-2] + b"no",
    OK.replace(b"200 OK", b"201 OK"),
    OK.replace(b"200 OK", b"503 No"),
    OK.replace(b": 2", b": 3") + b"!",
    OK + OK,
    OK + b"x",
    b"HTTP/1.1 103 Early Hints\r\n\r\n" + OK,
    b"HTTP/1.1 204 No Content\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok",
    b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nContent-Length: 70000\r\n\r\n" + bytes(70000),
    b"HTTP/1.1 200 OK\r\n\r\nuntil the end",
)
ROWS = 24
END = b""
AT_ONCE = b"<end>"
"""Behind a piece: the server ends the connection before the client has looked."""


def cut(reply: bytes, at: list[int]) -> list[bytes]:
    edges = [0, *sorted({each % len(reply) for each in at} - {0}), len(reply)]
    return [reply[first:last] for first, last in pairwise(edges)]


# What a server says, piece by piece; no bytes end the connection.
in_pieces = st.builds(cut, st.sampled_from(REPLIES), st.lists(st.integers(0, 90), max_size=3))
whole = st.sampled_from((*REPLIES, *[OK] * len(REPLIES))).map(lambda reply: [reply])
ended = whole.map(lambda said: [said[0] + AT_ONCE])
pieces = (
    whole | whole | ended | in_pieces | st.binary(min_size=1, max_size=40).map(lambda data: [data]) | st.just([END])
)
scripts = st.lists(pieces, max_size=2 * ROWS).map(lambda parts: [piece for part in parts for piece in part])


class Peer:
    """A server that says what it is told to, on whichever connection has come last; its listener and what it read."""

    def __init__(self, listener: socket.socket) -> None:
        self.listener = listener
        self.connection: socket.socket | None = None
        self.read = b""

    def look(self) -> None:
        with contextlib.suppress(BlockingIOError):
            accepted = self.listener.accept()[0]
            accepted.setblocking(False)
            self.close()
            self.connection = accepted
        if self.connection is not None:
            with contextlib.suppress(BlockingIOError, ConnectionError):
                self.read += self.connection.recv(65536)

    def say(self, piece: bytes) -> None:
        if self.connection is None:
            return
        if piece == END:
            self.close()
            return
        with contextlib.suppress(ConnectionError):
            self.connection.settimeout(PATIENCE_S)
            self.connection.sendall(piece.removesuffix(AT_ONCE))
            self.connection.setblocking(False)
        if piece.endswith(AT_ONCE):
            self.close()

    def close(self) -> None:
        if self.connection is not None:
            self.connection.close()
            self.connection = None


@contextlib.contextmanager
def unix_listener() -> Iterator[tuple[str, socket.socket]]:
    # Over a Unix socket a piece is there when it is sent, so both engines see the same pieces.
    with tempfile.TemporaryDirectory() as directory, socket.socket(socket.AF_UNIX) as listener:
        path = str(Path(directory, "s"))
        listener.bind(path)
        listener.listen(16)
        listener.setblocking(False)
        yield path, listener


def looked(connections: Connections, peer: Peer, times: int) -> None:
    for _ in range(times):
        connections.turn(0)
        peer.look()


def what_comes_of(kind: type[Connections], script: list[bytes], *, remembers: bool, body: int = 0) -> dict[str, object]:
    """A client of the closed model with one connection, and all that is known of its rows afterwards."""
    columns = Columns(ROWS)
    with unix_listener() as (path, listener):
        connections = kind(path, 0, lambda row: b"GET /%d HTTP/1.1\r\n\r\n" % row + bytes(body), columns)
        times = 4 + body // 10_000
        connections.remembers_sent = remembers
        peer = Peer(listener)
        try:
            for piece in [*script, END]:
                begun = connections.begun
                if begun == connections.ended and begun < ROWS:
                    connections.open(begun)
                connections.refill(range(connections.begun, ROWS))
                looked(connections, peer, times)
                peer.say(piece)
                looked(connections, peer, times)
            pending = connections.pending()
            connections.give_up(pending)
        finally:
            connections.close()
            peer.close()
        return {
            "pending": pending,
            "outcome": [Outcome(value).label for value in columns.outcome],
            "status": list(columns.status),
            "received": list(columns.received),
            "resent": list(columns.resent),
            "in more pieces": [at > 0 for at in columns.first],
            "opened": [at > 0 for at in columns.opened],
            "in order": [done == 0 or due <= sent <= done for due, sent, done in ordered(columns)],
            "read": peer.read,
            "sent": list(connections.sent_rows),
            "counts": (connections.begun, connections.ended, connections.unanswered, connections.established),
        }


def ordered(columns: Columns) -> Iterator[tuple[int, int, int]]:
    return zip(columns.due, columns.sent, columns.done, strict=True)


@settings(max_examples=150, deadline=None)
@given(scripts, st.booleans())
@example([OK] * ROWS, True)
@example([OK, OK, END, OK, OK], False)
@example([REPLIES[2], OK, REPLIES[2], REPLIES[2], OK], False)
@example([OK, OK + AT_ONCE, OK, OK], False)
@example([OK, OK[:-2] + b"no", OK[:9], OK[9:], OK], False)
@example([OK, OK + OK, OK, b"\xff"], False)
def test_both_engines_have_the_same_rows_for_any_bytes_in_any_pieces(script, remembers):
    assert what_comes_of(CompiledConnections, script, remembers=remembers) == what_comes_of(
        KeptConnections, script, remembers=remembers
    )


@pytest.mark.parametrize("script", [[OK] * 5, [OK, OK, END, OK, OK]])
def test_both_engines_send_a_request_that_goes_out_in_parts(script):
    told = what_comes_of(CompiledConnections, script, remembers=False, body=1 << 20)

    assert told == what_comes_of(KeptConnections, script, remembers=False, body=1 << 20)
    assert len(told["read"]) > 3 << 20


def made(columns: Columns | None = None, descriptors: int = 8, **different):
    columns = columns or Columns(4)
    taken = [
        different.get(name, getattr(columns, name)) for name in ("due", "sent", "done", "status", "received", "outcome")
    ]
    return import_module("holdfast_fast").Kept(0, descriptors, tuple(taken))


@pytest.mark.parametrize("fd", [-1, 8, 1 << 31])
def test_a_descriptor_that_is_not_in_the_table_is_refused(fd):
    kept = made()

    for call in (lambda: kept.give(fd, 0), lambda: kept.row(fd), lambda: kept.forget(fd)):
        with pytest.raises(IndexError):
            call()


@pytest.mark.parametrize("row", [-1, 4, 1 << 40])
def test_a_row_that_the_columns_do_not_have_is_refused(row):
    with pytest.raises(IndexError):
        made().give(0, row)


@pytest.mark.parametrize(
    "different",
    [
        {"due": Columns(3).due},
        {"status": Columns(4).outcome},
        {"outcome": bytes(4)},
        {"sent": memoryview(array("i", [0] * 4))},
        {"done": "text"},
    ],
)
def test_columns_of_other_numbers_or_lengths_are_refused(different):
    with pytest.raises((ValueError, TypeError, BufferError)):
        made(**different)


@pytest.mark.parametrize(
    ("head", "length", "next_row", "last_row"), [(b"", 3, -1, 4), (b"", 3, 0, 5), (b"", 70000, 0, 4)]
)
def test_a_turn_beyond_the_columns_or_the_buffer_is_refused(head, length, next_row, last_row):
    with pytest.raises(ValueError, match="rows"):
        made().turn(0, head, length, 200, next_row, last_row, bytes, None)


@pytest.mark.parametrize("request_of", [lambda _row: "text", lambda _row: 1 // 0, lambda: b""])
def test_what_is_wrong_with_a_request_is_raised_and_nothing_is_lost(request_of):
    columns = Columns(4)
    ours, theirs = socket.socketpair()
    with ours, theirs, select.epoll() as epoll:
        ours.setblocking(False)
        epoll.register(ours, select.EPOLLIN | select.EPOLLOUT | select.EPOLLET)
        names = ("due", "sent", "done", "status", "received", "outcome")
        descriptors = ours.fileno() + 1
        kept = import_module("holdfast_fast").Kept(
            epoll.fileno(), descriptors, tuple(getattr(columns, name) for name in names)
        )
        kept.give(ours.fileno(), 0)
        theirs.sendall(OK)

        with pytest.raises((TypeError, ZeroDivisionError)):
            kept.turn(0, OK[:-2], len(OK), 200, 1, 4, request_of, None)

        assert (kept.row(ours.fileno()), columns.outcome[0]) == (1, Outcome.ANSWERED)


def test_a_wait_is_as_long_as_was_asked_for_and_counts_as_idle():
    columns = Columns(1)
    names = ("due", "sent", "done", "status", "received", "outcome")
    with select.epoll() as epoll:
        kept = import_module("holdfast_fast").Kept(epoll.fileno(), 8, tuple(getattr(columns, name) for name in names))

        events, taken, idle_ns, unusual = kept.turn(20 * MS, b"", -1, 0, 0, 1, bytes, None)

    assert (events, taken, unusual) == (0, 0, [])
    assert 20 * MS <= idle_ns < PATIENCE_S * 1000 * MS


def test_an_epoll_that_is_gone_is_an_error_in_words():
    reading, writing = os.pipe()
    try:
        kept = import_module("holdfast_fast").Kept(
            reading,
            8,
            tuple(getattr(Columns(1), name) for name in ("due", "sent", "done", "status", "received", "outcome")),
        )
        with pytest.raises(OSError, match="Invalid argument"):
            kept.turn(0, b"", -1, 0, 0, 1, bytes, None)
    finally:
        os.close(reading)
        os.close(writing)
