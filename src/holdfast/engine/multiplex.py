"""One HTTP/2 connection that carries many requests at once: bytes <-> what became of each; pure.

This file does not know what a socket is, what a row of the load is for, or what time it is. However the peer's bytes
are cut into pieces, it says the same. Bytes from outside raise nothing but `ProtocolError`.

Facts
-----
* A client may send requests before the server's settings have come (RFC 9113, 3.4), but only these say how many the
  server takes at once (5.1.2).
* GOAWAY names the last stream that the server has taken. Those beyond it were not processed, and may be sent again;
  a later GOAWAY may name a lower one (6.8).

Decisions
---------
* Before the server's settings have come, one request is sent.
* Both windows are so large that no reply ever waits for us, and are opened again when half of one is used up (5.2).
"""

from __future__ import annotations

import struct
from collections.abc import Sequence

from holdfast.engine import frames
from holdfast.engine.frames import BROKEN, FRAME_BYTES, HEAD
from holdfast.engine.header_blocks import RequestBlocks
from holdfast.engine.http1 import ProtocolError
from holdfast.engine.stream_replies import WINDOW, StreamReplies
from holdfast.engine.uploads import Uploads

_WHOLE_REQUEST = frames.END_STREAM | frames.END_HEADERS
_LIMITS = {
    frames.ENABLE_PUSH: (0, 0),
    frames.INITIAL_WINDOW_SIZE: (0, frames.LARGEST_WINDOW),
    frames.MAX_FRAME_SIZE: (FRAME_BYTES, 2**24 - 1),
}


class Multiplex(StreamReplies):
    """Our end of one connection.

    Attributes:
        settled: the server's settings have come.
        advertised: SETTINGS_MAX_CONCURRENT_STREAMS as it was last sent; None where it never was.
    """

    __slots__ = ("_next_stream", "_requests", "_streams", "advertised", "settled")

    def __init__(self, scheme: str, streams: int, *, most_kept: int = 0, head_only: bool = False) -> None:
        """Has the preface and our settings to send.

        Args:
            streams: the most that are opened at once.
            most_kept: bytes of each body that are kept.
            head_only: requests are HEAD, so that no body follows whatever the head says.
        """
        super().__init__(Uploads(), most_kept=most_kept, head_only=head_only)
        self.settled = False
        self.advertised: int | None = None
        self._streams = streams
        self._requests = RequestBlocks(scheme)
        self._next_stream = 1
        self._out += (
            frames.PREFACE,
            frames.settings(((frames.ENABLE_PUSH, 0), (frames.INITIAL_WINDOW_SIZE, WINDOW))),
            frames.of_number(frames.WINDOW_UPDATE, 0, WINDOW - frames.FIRST_WINDOW),
        )

    @property
    def leaving(self) -> bool:
        """Whether it takes no further request, whatever comes."""
        return self.goaway is not None or self._next_stream > frames.LAST_STREAM

    @property
    def room(self) -> int:
        """How many more requests may be sent now."""
        numbers = (frames.LAST_STREAM - self._next_stream) // 2 + 1
        return max(0, min(self.capacity - self.in_flight, numbers))

    @property
    def capacity(self) -> int:
        """How many may be in flight at once, as far as is known."""
        if self.leaving:
            return 0
        if not self.settled:
            return 1
        return self._streams if self.advertised is None else min(self._streams, self.advertised)

    @property
    def _highest_stream(self) -> int:
        return self._next_stream - 2

    def request(self, row: int, request: bytes) -> None:
        """Opens a stream with a request, as `http1.request_head` writes it."""
        head, _, body = request.partition(b"\r\n\r\n")
        stream, self._next_stream = self._next_stream, self._next_stream + 2
        self.waiting[stream] = row
        self._out.append(_headers(self._requests.of(head), 0 if body else frames.END_STREAM, stream))
        if body:
            self._out += self.uploads.begin(stream, body)

    def same_requests(self, rows: Sequence[int], request: bytes) -> None:
        """Opens a stream for each row with the same request; there must be room for all."""
        block = self._requests.known(request[:-4])
        if block is None or len(block) > FRAME_BYTES:
            for row in rows:
                self.request(row, request)
            return
        pack = struct.Struct(f">5sI{len(block)}s").pack
        begin = HEAD.pack(len(block) >> 8, len(block) & 0xFF, frames.HEADERS, _WHOLE_REQUEST, 0)[:5]
        first, self._next_stream = self._next_stream, self._next_stream + 2 * len(rows)
        streams = range(first, self._next_stream, 2)
        self.waiting.update(zip(streams, rows, strict=True))
        self._out.append(b"".join([pack(begin, stream, block) for stream in streams]))

    def cancel(self, stream: int) -> None:
        """Gives a request up; nothing is said of it any more."""
        if self._forget(stream) is not None:
            self._reset(stream, frames.CANCEL)

    def leave(self) -> None:
        """Says that we are about to close the connection (6.8)."""
        self._out.append(frames.go_away(frames.NO_ERROR))

    def to_send(self) -> bytes:
        """What is to be sent now and was not given out yet; of large bodies a part, more when that is sent."""
        self._out += self.uploads.more()
        out = b"".join(self._out)
        self._out.clear()
        return out

    def _settings(self, payload: bytes) -> None:
        for number, value in frames.read_settings(payload):
            least, most = _LIMITS.get(number, (0, value))
            if not least <= value <= most:
                raise ProtocolError(f"{BROKEN}: its settings have the value {value} for number {number}")
            if number == frames.HEADER_TABLE_SIZE:
                self._requests.limit_table(value)
            elif number == frames.MAX_CONCURRENT_STREAMS:
                self.advertised = value
            elif number == frames.INITIAL_WINDOW_SIZE:
                self.uploads.resize(value)
            elif number == frames.MAX_FRAME_SIZE:
                self.uploads.frame_bytes = value
        self.settled = True
        self._out.append(frames.frame(frames.SETTINGS, frames.ACK, 0))


def _headers(block: bytes, flags: int, stream: int) -> bytes:
    """HEADERS, and CONTINUATION where one frame is not enough (6.10)."""
    if len(block) <= FRAME_BYTES:
        return frames.frame(frames.HEADERS, flags | frames.END_HEADERS, stream, block)
    pieces = [block[at : at + FRAME_BYTES] for at in range(0, len(block), FRAME_BYTES)]
    first, *others = pieces
    *between, last = others
    return b"".join(
        (
            frames.frame(frames.HEADERS, flags, stream, first),
            *(frames.frame(frames.CONTINUATION, 0, stream, each) for each in between),
            frames.frame(frames.CONTINUATION, frames.END_HEADERS, stream, last),
        )
    )
