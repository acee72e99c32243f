"""What a probe tried with many streams of HTTP/2 on a connection, a part of the raw record, and the verdict on it."""

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


@frozen
class BeyondLimit:
    """Streams that were opened although the server's advertised limit forbids them.

    Attributes:
        offered: how many.
        sees: what the first of them got, as `Http2.overflow_sees` has it.
        error_code: by its name in RFC 9113, 7; None without one.
        others_lost: streams within the limit, on the same connection, that ended without an answer.
        in_the_end: what the first one got when all streams were let go; None if that is what it had got before.
    """

    offered: int
    sees: str
    error_code: str | None
    others_lost: int
    in_the_end: str | None


@frozen
class Http2:
    """Streams of HTTP/2, each of which is a request.

    Attributes:
        on_one_connection: most in service at once of those on one connection.
        on_one_connection_bounded: False is "at least this many, no bound reached".
        over_connections: most in service at once over several connections.
        over_connections_bounded: the same for these.
        streams_advertised: the server's SETTINGS_MAX_CONCURRENT_STREAMS.
        stream_limit: most streams that were open at once on a connection when a further one was turned away.
        overflow_sees: what a stream gets beyond the advertised limit, or where that was not reached, beyond those that
            run: waits | runs | REFUSED_STREAM | RST_STREAM | GOAWAY | reset | closed | HTTP status as a string.
        beyond_the_limit: None where none was offered.
    """

    on_one_connection: int | None
    on_one_connection_bounded: bool | None
    over_connections: int | None
    over_connections_bounded: bool | None
    streams_advertised: int | None
    stream_limit: int | None
    overflow_sees: str | None
    beyond_the_limit: BeyondLimit | None
