"""What is known of a reply on a stream, and what its server's bytes say of it; pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

from holdfast.engine.frames import FRAME_HEAD
from holdfast.engine.header_blocks import Head

What = Literal["head", "part", "end", "malformed", "rst", "refused", "again"]

NO_BODY = -1


class Reply:
    """What has come of one reply.

    Attributes:
        row: whose reply it is.
        stream: its number.
        head: None before the final one.
        block: the final head's bytes.
        received: bytes of its frames.
        length: bytes of its body.
        frames: how many came.
        body: its first bytes, as many as are kept.
    """

    __slots__ = ("block", "body", "frames", "head", "length", "received", "row", "stream", "unacknowledged")

    def __init__(self, row: int, stream: int) -> None:
        self.row = row
        self.stream = stream
        self.head: Head | None = None
        self.block = b""
        self.received = self.length = self.frames = self.unacknowledged = 0
        self.body = bytearray()

    @property
    def status(self) -> int:
        """0 before the final head."""
        return 0 if self.head is None else self.head.status


class Heard(NamedTuple):
    """What the peer said about one request.

    Attributes:
        what: "head" is that of the final reply; "part" a piece of its body; "end" its end; "malformed" breaks the rules
            for replies; "rst" is RST_STREAM and "refused" that with REFUSED_STREAM; "again" says that GOAWAY leaves
            the request out.
        words: the error code by its name, or why it is malformed.
        data: of a part.
    """

    what: What
    reply: Reply
    words: str = ""
    data: bytes = b""


class Usual(NamedTuple):
    """What the usual reply looks like.

    Attributes:
        block: of its HEADERS.
        flags: of these.
        body: bytes of its one DATA frame; -1 where it has none.
    """

    head: Head
    block: bytes
    flags: int
    body: int

    @property
    def received(self) -> int:
        """Bytes of its frames."""
        return self.head_bytes + (0 if self.body == NO_BODY else FRAME_HEAD + self.body)

    @property
    def head_bytes(self) -> int:
        """Bytes of its HEADERS."""
        return FRAME_HEAD + len(self.block)


class Progress(NamedTuple):
    """What some bytes said.

    Attributes:
        headed: rows whose usual head has come.
        ended: rows whose usual reply has ended.
        heard: of all other replies, in order.
        broken: why what came behind these is not HTTP/2; "" if it is.
    """

    headed: Sequence[int]
    ended: Sequence[int]
    heard: Sequence[Heard]
    broken: str = ""


class GoAway(NamedTuple):
    """The peer takes no further streams on this connection.

    Attributes:
        last: the highest stream that it may have processed.
        code: by its name.
    """

    last: int
    code: str
