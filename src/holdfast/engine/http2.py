"""HTTP/2 as bytes <-> events: requests out on the streams of one connection, the progress of their replies in.

This file does not know what a socket is, which request a stream belongs to, or what time it is. However the peer's
bytes are cut into pieces, the client says the same. Bytes from outside raise nothing but `ProtocolError`.

Facts
-----
* A server's first frame is SETTINGS (RFC 9113, 3.4). What begins otherwise is not HTTP/2.
* SETTINGS_MAX_CONCURRENT_STREAMS is a limit that the client is to keep; without it there is none (6.5.2). What a
  server does with a stream beyond it only shows if the client does not keep it.
* GOAWAY names the last stream that the server has taken; the streams up to it continue, and those beyond it were not
  processed (6.8).

Decisions
---------
* The `h2` library takes a connection for ended once it has seen GOAWAY, and would refuse the replies that still come.
  So GOAWAY is read here, and `h2` gets all other frames.
* `h2` keeps the client from opening more streams than were advertised. The number is noted and `h2` told of none.
* What comes is given back to both windows at once, so that no reply ever waits for us (6.9).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Literal, NamedTuple

import h2.config
import h2.connection
import h2.events
import h2.exceptions
import h2.settings
from h2.errors import ErrorCodes
from h2.settings import SettingCodes

from holdfast.engine.frames import BROKEN, FRAME_HEAD, GOAWAY, STREAM_BITS
from holdfast.engine.header_blocks import Field
from holdfast.engine.header_blocks import request_fields as fields_of
from holdfast.engine.http1 import SHOWN_BYTES, ProtocolError
from holdfast.engine.http2_begin import Begin
from holdfast.engine.stream_reply import GoAway

What = Literal["interim", "head", "part", "end", "rst", "goaway"]

_NO_LIMIT = 2**32 - 1
_STATUS = re.compile(rb"[1-9]\d\d")


class Heard(NamedTuple):
    """What the peer said about one stream.

    Attributes:
        what: "interim" is a 1xx head; "head" that of the reply, "part" a piece of its body, "end" its end; "rst" is
            RST_STREAM; "goaway" says that the stream was not processed and will not be.
        status: HTTP status, 0 where no head came.
        code: the error code by its name in RFC 9113, 7; "" where there is none.
    """

    stream: int
    what: What
    status: int = 0
    code: str = ""


def request_fields(request: bytes, scheme: str) -> list[Field]:
    """The fields of a request that was written for HTTP/1 by `http1.request_head`.

    Raises:
        ValueError: it has a body, which requests that are held have not.
    """
    head, _, body = request.partition(b"\r\n\r\n")
    if body:
        raise ValueError("A request with a body cannot be sent on a stream.")
    return fields_of(head, scheme)


class Http2Client:
    """Our end of one connection.

    Attributes:
        settled: the server's settings have come.
        advertised: SETTINGS_MAX_CONCURRENT_STREAMS as the server last sent it; None before, and where it never did.
        goaway: the first one that came; None before.
    """

    __slots__ = ("_begin", "_connection", "_left", "_open", "_statuses", "advertised", "goaway", "settled")

    def __init__(self) -> None:
        """Has the connection's preface to send, and our settings."""
        self.settled = False
        self.advertised: int | None = None
        self.goaway: GoAway | None = None
        self._begin: Begin | None = Begin()
        self._left = b""
        self._open: set[int] = set()
        self._statuses: dict[int, int] = {}
        config = h2.config.H2Configuration(client_side=True, header_encoding=None, validate_outbound_headers=False)
        self._connection = h2.connection.H2Connection(config)
        self._connection.local_settings.update({SettingCodes.ENABLE_PUSH: 0})
        self._connection.local_settings.acknowledge()
        self._connection.initiate_connection()

    def request(self, fields: Sequence[Field]) -> int:
        """Opens a stream with a request that has no body, and gives its number.

        Raises:
            ValueError: the connection has ended.
        """
        try:
            stream = self._connection.get_next_available_stream_id()
            self._connection.send_headers(stream, list(fields), end_stream=True)
        except h2.exceptions.H2Error as error:
            raise ValueError(f"No stream can be opened: {error}") from error
        self._open.add(stream)
        return stream

    def to_send(self) -> bytes:
        """What is to be sent and was not given out yet."""
        return self._connection.data_to_send() or b""

    @property
    def open(self) -> int:
        """Streams whose end has not come."""
        return len(self._open)

    def receive(self, data: bytes) -> list[Heard]:
        """Takes the next bytes of the connection, and gives what they say, in order; `to_send` may have more then.

        Raises:
            ProtocolError: these bytes, after those before, are not HTTP/2.
        """
        if self._begin is not None and self._begin.is_over(data):
            self._begin = None
        heard: list[Heard] = []
        for kind, frame in self._frames(data):
            if kind == GOAWAY:
                heard += self._gone_away(frame)
            else:
                heard += self._frame(frame)
        return heard

    def _frames(self, data: bytes) -> Iterator[tuple[int, bytes]]:
        """Complete frames, with the kind of each; what is left of the data waits for more."""
        data = self._left + data
        at = 0
        while len(data) - at >= FRAME_HEAD:
            length = int.from_bytes(data[at : at + 3], "big")
            if length > self._connection.max_inbound_frame_size:
                raise ProtocolError(f"a frame of {length:,} bytes came, which is more than HTTP/2 allows here")
            end = at + FRAME_HEAD + length
            if len(data) < end:
                break
            yield data[at + 3], data[at:end]
            at = end
        self._left = data[at:]

    def _frame(self, frame: bytes) -> Iterator[Heard]:
        try:
            events = self._connection.receive_data(frame)
        except h2.exceptions.H2Error as error:
            raise ProtocolError(f"{BROKEN}: {_in_words(error)}") from error
        except (ValueError, KeyError, IndexError, OverflowError) as error:
            # Of damaged bytes, the library's parsers have raised all of these.
            raise ProtocolError(f"{BROKEN}: {_in_words(error)}") from error
        for event in events:
            yield from self._heard(event)

    def _heard(self, event: h2.events.Event) -> Iterator[Heard]:
        match event:
            case h2.events.RemoteSettingsChanged():
                self._settings(event)
            case h2.events.InformationalResponseReceived():
                yield Heard(event.stream_id or 0, "interim")
            case h2.events.ResponseReceived():
                yield self._head(event)
            case h2.events.DataReceived():
                yield self._data(event)
            case h2.events.StreamEnded():
                yield from self._ended(event.stream_id or 0, "end", "")
            case h2.events.StreamReset():
                yield from self._ended(event.stream_id or 0, "rst", _code_name(int(event.error_code or 0)))

    def _gone_away(self, frame: bytes) -> Iterator[Heard]:
        body = frame[FRAME_HEAD:]
        if len(body) < 8 or any(frame[5:9]):
            raise ProtocolError(f"{BROKEN}: a GOAWAY frame that is cut short, or on a stream")
        last = int.from_bytes(body[:4], "big") & STREAM_BITS
        code = _code_name(int.from_bytes(body[4:8], "big"))
        self.goaway = self.goaway or GoAway(last, code)
        for stream in sorted(each for each in self._open if each > last):
            yield from self._ended(stream, "goaway", code)

    def _settings(self, event: h2.events.RemoteSettingsChanged) -> None:
        self.settled = True
        changed = event.changed_settings.get(SettingCodes.MAX_CONCURRENT_STREAMS)
        if changed is not None:
            self.advertised = changed.new_value
            self._connection.remote_settings[SettingCodes.MAX_CONCURRENT_STREAMS] = _NO_LIMIT
            self._connection.remote_settings.acknowledge()

    def _head(self, event: h2.events.ResponseReceived) -> Heard:
        stream = event.stream_id or 0
        status = next((bytes(value) for name, value in event.headers or () if name == b":status"), b"")
        if not _STATUS.fullmatch(status):
            raise ProtocolError(f"{BROKEN}: a reply has the status {status[:SHOWN_BYTES]!r}")
        self._statuses[stream] = int(status)
        return Heard(stream, "head", int(status))

    def _data(self, event: h2.events.DataReceived) -> Heard:
        stream = event.stream_id or 0
        if event.flow_controlled_length:
            try:
                self._connection.acknowledge_received_data(event.flow_controlled_length, stream)
            except h2.exceptions.H2Error as error:
                raise ProtocolError(f"{BROKEN}: {_in_words(error)}") from error
        return Heard(stream, "part", self._statuses.get(stream, 0))

    def _ended(self, stream: int, what: What, code: str) -> Iterator[Heard]:
        if stream in self._open:
            self._open.discard(stream)
            yield Heard(stream, what, self._statuses.pop(stream, 0), code)


def _code_name(code: int) -> str:
    try:
        return ErrorCodes(code).name
    except ValueError:
        return f"error code {code}"


def _in_words(error: Exception) -> str:
    return str(error)[:200] or type(error).__name__
