"""Replies whose heads and bodies are kept: what a journey reads.

Facts
-----
* A load that is fixed beforehand needs nothing of a reply but its length and its status, and has a short way for the
  usual one. A journey looks into each, so here every reply is read in full.

Decisions
---------
* What is kept is bounded: a body by `MOST_KEPT`, as it came and as it is once it is decoded.
* A body is decoded once its exchange is over: one that ends before that needs no decoding.
"""

from __future__ import annotations

import zlib
from typing import Any

from holdfast.engine.acceptance import Acceptance
from holdfast.engine.connection import Connection
from holdfast.engine.endpoint import Tls
from holdfast.engine.epoll import Connections
from holdfast.engine.exchange import Event
from holdfast.engine.http1 import ReplyReader
from holdfast.engine.replies import Replies
from holdfast.model.answers import MOST_KEPT
from holdfast.model.frozen import frozen

_ANY_STATUS = Acceptance(frozenset(range(1000)))
_ANY_ZLIB = 32 + zlib.MAX_WBITS


class KeptReader(ReplyReader):
    """A reader that keeps the head of a reply and, up to `MOST_KEPT` bytes, its body.

    Attributes:
        head: of the final reply, as it came.
    """

    __slots__ = ("head",)

    def __init__(self, *, head: bool = False) -> None:
        """Reads nothing yet; `head`: the request was HEAD."""
        super().__init__(head=head, most_kept=MOST_KEPT)
        self.head = bytearray()

    def _more_head(self, data: bytes) -> bytes:
        interim = self.interim
        rest = super()._more_head(data)
        self.head += data[: len(data) - len(rest)]
        if self.interim != interim:
            self.head.clear()
        return rest


class KeptReplies(Replies):
    """As `Replies`, with readers that keep what they read; each reply that is whole counts, whatever its status."""

    __slots__ = ()

    def __init__(self) -> None:
        super().__init__(_ANY_STATUS)

    def is_usual(self, _data: bytes) -> bool:
        """As of `Replies`: none is, so that each one is read."""
        return False

    def reader(self, *, head: bool) -> ReplyReader:
        """As of `Replies`."""
        return KeptReader(head=head)


@frozen
class Read:
    """A reply in full.

    Attributes:
        head: status line and fields, each ended by CRLF.
        body: decoded, at most `MOST_KEPT` bytes.
        cut: there was more of it.
        undecodable: it is not what its Content-Encoding says; it is then as it came.
        location: as of `ReplyReader`.
    """

    head: str
    body: bytes
    cut: bool
    undecodable: str
    location: str


def read_of(reader: KeptReader) -> Read:
    """What a reader has read, once the reply is whole."""
    body, undecodable = bytes(reader.body), ""
    cut = len(body) >= MOST_KEPT
    if body and reader.encoding in ("gzip", "deflate", "x-gzip"):
        try:
            body = _decoded(body, reader.encoding)
            cut = cut or len(body) >= MOST_KEPT
        except zlib.error:
            undecodable = f"The body is not {reader.encoding}, as its Content-Encoding says."
    head = reader.head.decode("latin-1")
    return Read(head[:-2] if head.endswith("\r\n\r\n") else head, body, cut, undecodable, reader.location)


def _decoded(body: bytes, encoding: str) -> bytes:
    try:
        return zlib.decompressobj(_ANY_ZLIB).decompress(body, MOST_KEPT)
    except zlib.error:
        if encoding != "deflate":
            raise
        # Some servers send what zlib makes without its own head (RFC 9110, 8.4.1.2, note).
        return zlib.decompressobj(-zlib.MAX_WBITS).decompress(body, MOST_KEPT)


class KeepingConnections(Connections):
    """As `Connections`, with replies in full.

    Attributes:
        read: by row, the readers of replies that are whole, until someone takes them.
    """

    def __init__(self, *given: Any, **named: Any) -> None:  # noqa: ANN401 - as of `Connections`
        """Opens no connection yet; the arguments are those of `Connections`."""
        super().__init__(*given, **named)
        self.read: dict[int, KeptReader] = {}
        self.replies = (KeptReplies(),)
        self.remembers_finished = True

    def fileno(self) -> int:
        """A descriptor that is readable as long as `turn` has something to do."""
        return self._waiting.fileno()

    def forget(self, client: int) -> None:
        """Closes the connections that a client has kept."""
        for connection in self._idle.pop(client, ()):
            self._let_go(connection)

    def _move(self, connection: Connection, event: Event) -> None:
        if event is Event.REPLY and isinstance(connection.reader, KeptReader):
            self.read[connection.row] = connection.reader
        super()._move(connection, event)


def keeping_connections(*given: Any, tls: Tls | None = None) -> KeepingConnections:  # noqa: ANN401
    """Connections that keep replies in full, plain or over TLS; the arguments are those of `connections_to`."""
    if tls is None:
        return KeepingConnections(*given)
    from holdfast.engine.tls import TlsConnections  # noqa: PLC0415 - 5 MB, as `connecting` says

    class KeepingTlsConnections(KeepingConnections, TlsConnections):
        """Both."""

    return KeepingTlsConnections(*given, tls=tls)
