"""Bodies of requests on the streams of one connection, no faster than the server's windows let them; pure.

RFC 9113, 5.2 and 6.9: DATA may be sent as far as both its stream's window and the connection's are open. A change of
SETTINGS_INITIAL_WINDOW_SIZE moves every stream's window, which may then be below zero (6.9.2).
"""

from __future__ import annotations

from collections.abc import Iterator

from holdfast.engine import frames
from holdfast.engine.frames import BROKEN
from holdfast.engine.http1 import ProtocolError

MOST_AT_ONCE = 1 << 18
"""Bytes that are made into frames before any of them is sent."""


class _Upload:
    __slots__ = ("left", "window")

    def __init__(self, body: bytes, window: int) -> None:
        self.left = memoryview(body)
        self.window = window


class Uploads:
    """What is still to be sent of the bodies on one connection.

    Attributes:
        stream_window: with which a stream begins.
        frame_bytes: the most that a frame may carry.
    """

    __slots__ = ("_open", "_window", "frame_bytes", "stream_window")

    def __init__(self) -> None:
        self.stream_window = self._window = frames.FIRST_WINDOW
        self.frame_bytes = frames.FRAME_BYTES
        self._open: dict[int, _Upload] = {}

    def __contains__(self, stream: int) -> bool:
        """Whether something of the stream's body is still to be sent."""
        return stream in self._open

    def __len__(self) -> int:
        """How many bodies are not sent out."""
        return len(self._open)

    def streams(self) -> tuple[int, ...]:
        """Whose bodies those are."""
        return tuple(self._open)

    def begin(self, stream: int, body: bytes) -> Iterator[bytes]:
        """Takes a body, and gives its frames if all of it can be sent now."""
        self._open[stream] = _Upload(body, self.stream_window)
        if len(body) <= min(self.frame_bytes, self._window, self.stream_window):
            yield self._next(stream)

    def drop(self, stream: int) -> None:
        """Sends nothing further of a body."""
        self._open.pop(stream, None)

    def more(self) -> Iterator[bytes]:
        """Frames that can be sent now, of each stream in turn, MOST_AT_ONCE bytes or a little more."""
        made, able = 0, bool(self._open)
        while able and made < MOST_AT_ONCE and self._window > 0:
            able = False
            for stream in [stream for stream, each in self._open.items() if each.window > 0]:
                if made >= MOST_AT_ONCE or self._window <= 0:
                    return
                able = True
                frame = self._next(stream)
                made += len(frame)
                yield frame

    def widen(self, stream: int, more: int) -> bool:
        """A WINDOW_UPDATE of the server; 0 is the connection's.

        Returns:
            False where the stream's window has become larger than is allowed, so that the stream is to be given up.

        Raises:
            ProtocolError: the connection's has.
        """
        if stream == 0:
            self._window += more
            if self._window > frames.LARGEST_WINDOW:
                raise ProtocolError(f"{BROKEN}: it opened its window beyond 2^31-1 bytes")
            return True
        if (upload := self._open.get(stream)) is None:
            return True
        upload.window += more
        return upload.window <= frames.LARGEST_WINDOW

    def resize(self, stream_window: int) -> None:
        """A change of the window with which streams begin, which moves those of open ones too."""
        for each in self._open.values():
            each.window += stream_window - self.stream_window
            if each.window > frames.LARGEST_WINDOW:
                raise ProtocolError(f"{BROKEN}: its settings open a window beyond 2^31-1 bytes")
        self.stream_window = stream_window

    def _next(self, stream: int) -> bytes:
        """The next frame of a body, as large as it may be."""
        upload = self._open[stream]
        size = min(len(upload.left), self.frame_bytes, self._window, upload.window)
        piece, upload.left = upload.left[:size], upload.left[size:]
        upload.window -= size
        self._window -= size
        if upload.left:
            return frames.frame(frames.DATA, 0, stream, bytes(piece))
        del self._open[stream]
        return frames.frame(frames.DATA, frames.END_STREAM, stream, bytes(piece))
