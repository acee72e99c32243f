"""The frames of HTTP/2 (RFC 9113, 4 and 6): their form, their numbers, and how one is written; pure."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator

from holdfast.engine.http1 import ProtocolError

BROKEN = "the server broke HTTP/2"
"""How a `ProtocolError` begins where it is a breach of RFC 9113."""

FRAME_HEAD = 9
HEAD = struct.Struct(">HBBBI")
"""Length in two parts, kind, flags, and the stream with a reserved bit in front (4.1)."""

DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PUSH_PROMISE, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = range(10)
END_STREAM = ACK = 0x1
END_HEADERS = 0x4
PADDED = 0x8
WITH_PRIORITY = 0x20

HEADER_TABLE_SIZE, ENABLE_PUSH, MAX_CONCURRENT_STREAMS, INITIAL_WINDOW_SIZE, MAX_FRAME_SIZE = range(1, 6)

NO_ERROR, PROTOCOL_ERROR, FLOW_CONTROL_ERROR, REFUSED_STREAM, CANCEL = 0x0, 0x1, 0x3, 0x7, 0x8
CODES = (
    "NO_ERROR",
    "PROTOCOL_ERROR",
    "INTERNAL_ERROR",
    "FLOW_CONTROL_ERROR",
    "SETTINGS_TIMEOUT",
    "STREAM_CLOSED",
    "FRAME_SIZE_ERROR",
    "REFUSED_STREAM",
    "CANCEL",
    "COMPRESSION_ERROR",
    "CONNECT_ERROR",
    "ENHANCE_YOUR_CALM",
    "INADEQUATE_SECURITY",
    "HTTP_1_1_REQUIRED",
)
"""Error codes by their number (7)."""

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
LARGEST_WINDOW = 2**31 - 1
LAST_STREAM = 2**31 - 1
FIRST_WINDOW = 65_535
FRAME_BYTES = 16_384
"""The most that a frame carries unless its receiver allows more (4.2), and as we leave it."""
STREAM_BITS = 2**31 - 1


def frame(kind: int, flags: int, stream: int, payload: bytes = b"") -> bytes:
    """A frame as bytes."""
    return HEAD.pack(len(payload) >> 8, len(payload) & 0xFF, kind, flags, stream) + payload


def settings(values: Iterable[tuple[int, int]]) -> bytes:
    """A SETTINGS frame."""
    return frame(SETTINGS, 0, 0, b"".join(struct.pack(">HI", number, value) for number, value in values))


def read_settings(payload: bytes) -> Iterator[tuple[int, int]]:
    """Number and value of each setting; the payload's length is a multiple of six."""
    return struct.iter_unpack(">HI", payload)


def of_number(kind: int, stream: int, number: int) -> bytes:
    """A frame whose payload is one number: RST_STREAM with its code, WINDOW_UPDATE with its increment."""
    return frame(kind, 0, stream, struct.pack(">I", number))


def go_away(code: int) -> bytes:
    """A GOAWAY frame of a client, which has taken no stream of its server."""
    return frame(GOAWAY, 0, 0, struct.pack(">II", 0, code))


def code_name(code: int) -> str:
    """An error code by its name in RFC 9113, 7."""
    return CODES[code] if code < len(CODES) else f"error code {code}"


def check_length(length: int) -> None:
    """Of a frame.

    Raises:
        ProtocolError: it has more bytes than we allow.
    """
    if length > FRAME_BYTES:
        raise ProtocolError(f"{BROKEN}: a frame of {length:,} bytes came, which is more than we allow")


def unpadded(flags: int, payload: bytes) -> bytes:
    """What a frame holds without its padding (6.1).

    Raises:
        ProtocolError: it has more padding than bytes.
    """
    if not flags & PADDED:
        return payload
    if not payload or payload[0] >= len(payload):
        raise ProtocolError(f"{BROKEN}: a frame has more padding than bytes")
    return payload[1 : len(payload) - payload[0]]
