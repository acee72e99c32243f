"""What a probe tried with many streams of HTTP/2 on one connection: a part of the raw record."""

from __future__ import annotations

from typing import Literal

from holdfast.model.frozen import frozen
from holdfast.model.units import NEVER


@frozen
class StreamConnection:
    """One connection that carries many streams of HTTP/2.

    Attributes:
        ids: of the requests on its streams, in the order in which these were opened.
        advertised: the server's SETTINGS_MAX_CONCURRENT_STREAMS on it; None where it sent none.
        settled: its settings came.
        goaway: the error code, by its name, of the GOAWAY that came on it; "" where none did.
    """

    ids: tuple[int, ...]
    advertised: int | None
    settled: bool
    goaway: str = ""


@frozen
class StreamEnd:
    """A stream that the server ended by a frame for that.

    Attributes:
        frame: "RST_STREAM", or "GOAWAY": of the whole connection.
        code: the error code by its name in RFC 9113, 7.
    """

    id: int
    frame: Literal["RST_STREAM", "GOAWAY"]
    code: str


@frozen
class Streams:
    """What was tried with many streams on one connection, and then on several.

    Attributes:
        connections: in the order in which they were opened; the first one is filled.
        beyond: ids of requests on the first connection that were opened in spite of its advertised limit.
        one_ns: the first connection had been filled, and nothing moved; NEVER where it did not come so far.
        several_ns: the same of all; beyond_ns: after those of `beyond` were opened.
        released_ns: they were let go.
        ends: streams that RST_STREAM or GOAWAY ended.
        why_not: why it did not come to its end, in words; "" where it did.
    """

    connections: tuple[StreamConnection, ...] = ()
    beyond: tuple[int, ...] = ()
    one_ns: int = NEVER
    several_ns: int = NEVER
    beyond_ns: int = NEVER
    released_ns: int = NEVER
    ends: tuple[StreamEnd, ...] = ()
    why_not: str = ""
