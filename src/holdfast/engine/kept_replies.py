"""Replies whose heads and bodies are kept: what a journey reads.

Facts
-----
* A load that is fixed beforehand needs nothing of a reply but its length and its status, and has a short way for the
  usual one. A journey may look into each, so here every reply is kept in full.
* A server's heads are mostly ones that it has sent before: the same within the second that their Date names.

Decisions
---------
* What is kept is bounded: a body by `MOST_KEPT`, as it came and as it is once it is decoded.
* A body is decoded once its exchange is over: one that ends before that needs no decoding.
* A reply in one piece whose head is known, with a body as long as that says, needs no reader: 1 us instead of 11 us
  (measured).
"""

from __future__ import annotations

import zlib
from typing import Any, NamedTuple

from holdfast.engine.acceptance import Acceptance
from holdfast.engine.connection import Connection
from holdfast.engine.endpoint import Tls
from holdfast.engine.epoll import Connections
from holdfast.engine.exchange import Event
from holdfast.engine.http1 import ReplyReader
from holdfast.engine.replies import Replies
from holdfast.model.answers import MOST_KEPT

MOST_HEADS = 256
"""Heads that are remembered; a server has few in a second."""
_HEAD_END = b"\r\n\r\n"
_ANY_STATUS = Acceptance(frozenset(range(1000)))
_REPLY = Event.REPLY  # as the states in `exchange`
_ANY_ZLIB = 32 + zlib.MAX_WBITS


class KeptReader(ReplyReader):
    """A reader that keeps the head of a reply and, up to `MOST_KEPT` bytes, its body.

    Attributes:
        head: of the final reply, as it came.
        has_body: its request was not HEAD.
    """

    __slots__ = ("has_body", "head")

    def __init__(self, *, head: bool = False) -> None:
        """Reads nothing yet; `head`: the request was HEAD."""
        super().__init__(head=head, most_kept=MOST_KEPT)
        self.head = bytearray()
        self.has_body = not head

    def _more_head(self, data: bytes) -> bytes:
        interim = self.interim
        rest = super()._more_head(data)
        self.head += data[: len(data) - len(rest)]
        if self.interim != interim:
            self.head.clear()
        return rest


class Head(NamedTuple):
    """The head of a reply that was read before, and that another one may begin with.

    Attributes:
        length: of the body.
        keep_alive: as of `ReplyReader`.
        read: of a reply that has no body.
    """

    status: int
    length: int
    keep_alive: bool
    read: Read


class KeptReplies(Replies):
    """As `Replies`, with readers that keep what they read; each reply that is whole counts, whatever its status.

    Attributes:
        heads: known ones, as bytes.
    """

    __slots__ = ("heads",)

    def __init__(self) -> None:
        super().__init__(_ANY_STATUS)
        self.heads: dict[bytes, Head] = {}

    def is_usual(self, _data: bytes) -> bool:
        """As of `Replies`: none is, so that each one is kept."""
        return False

    def heard(self, reader: ReplyReader, data: bytes, *, first: bool) -> Event:
        """As of `Replies`; remembers the head of a reply that came in one piece."""
        event = super().heard(reader, data, first=first)
        if first and event is _REPLY and isinstance(reader, KeptReader) and reader.has_body:
            head, length = bytes(reader.head), len(data) - len(reader.head)
            if reader.length == length and not reader.encoding and not reader.excess and data.startswith(head):
                if len(self.heads) >= MOST_HEADS:
                    self.heads.clear()
                self.heads[head] = Head(reader.status, length, reader.keep_alive, read_of(reader)._replace(body=b""))
        return event

    def reader(self, *, head: bool) -> ReplyReader:
        """As of `Replies`."""
        return KeptReader(head=head)


class Read(NamedTuple):
    """A reply in full.

    Attributes:
        head: status line and fields, each ended by CRLF.
        message: the reason phrase.
        sets_cookies: it has a Set-Cookie.
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
    message: str = ""
    sets_cookies: bool = False


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
    return Read(
        head[:-2] if head.endswith("\r\n\r\n") else head,
        body,
        cut,
        undecodable,
        reader.location,
        message=head.partition("\r\n")[0].partition(" ")[2].partition(" ")[2],
        sets_cookies="set-cookie" in head.lower(),
    )


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
        read: by row, replies that are whole, or their readers, until someone takes them.
    """

    replies: tuple[KeptReplies, ...]

    def __init__(self, *given: Any, **named: Any) -> None:  # noqa: ANN401 - as of `Connections`
        """Opens no connection yet; the arguments are those of `Connections`."""
        super().__init__(*given, **named)
        self.read: dict[int, KeptReader | Read] = {}
        self.replies = (KeptReplies(),)
        self.remembers_finished = True

    def fileno(self) -> int:
        """A descriptor that is readable as long as `turn` has something to do."""
        return self._waiting.fileno()

    def forget(self, client: int) -> None:
        """Closes the connections that a client has kept."""
        for connection in self._idle.pop(client, ()):
            self._let_go(connection)

    def _take(self, connection: Connection, data: bytes) -> None:
        if connection.reader is None and not connection.head_only:
            begin = data.find(_HEAD_END) + len(_HEAD_END)
            head = self.replies[0].heads.get(data[:begin])
            if head is not None and head.length == len(data) - begin:
                row, columns = connection.row, self._columns
                columns.status[row] = head.status
                columns.received[row] = len(data)
                connection.keep_alive = head.keep_alive
                self.read[row] = head.read._replace(body=data[begin:]) if head.length else head.read
                self._move(connection, _REPLY)
                return
        super()._take(connection, data)

    def _move(self, connection: Connection, event: Event) -> None:
        if event is _REPLY and isinstance(connection.reader, KeptReader):
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
