"""What runs at once on the streams of HTTP/2 connections, as sentences."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from holdfast.model.streams import BeyondLimit, Http2

_SEES = {
    "waits": "waits",
    "runs": "runs too",
    "REFUSED_STREAM": "is refused (RST_STREAM, REFUSED_STREAM)",
    "RST_STREAM": "is reset (RST_STREAM)",
    "GOAWAY": "ends the connection (GOAWAY)",
    "closed": "is closed without an answer, with its connection",
    "reset": "is reset with its connection",
    "answered": "is answered",
}


def sentences(http2: Http2, unknown: Mapping[str, str]) -> Iterator[str]:
    """Each finding as one sentence."""
    one, over = http2.on_one_connection, http2.over_connections
    if one is None:
        why = _why(unknown, "on_one_connection")
        yield f"HTTP/2: how many requests run at once on one connection is not known: {why}."
    else:
        several = "not known over several"
        if over is not None:
            several = f"{_at_least(http2.over_connections_bounded)}{over} over several"
        yield f"HTTP/2: {_at_least(http2.on_one_connection_bounded)}{one} at once on one connection, {several}."
    if http2.streams_advertised is None:
        yield f"Stream limit: {_why(unknown, 'streams_advertised')}."
    elif http2.stream_limit is None:
        yield f"Stream limit: {http2.streams_advertised} advertised; {_why(unknown, 'stream_limit')}."
    else:
        yield f"Stream limit: {http2.streams_advertised} advertised, {http2.stream_limit} found."
    if http2.beyond_the_limit is not None:
        yield _beyond(http2.beyond_the_limit)
    elif http2.stream_limit is None and http2.overflow_sees == "GOAWAY":
        yield "A further stream takes another connection."
    elif http2.overflow_sees is not None:
        yield f"A further stream on that connection {_in_words(http2.overflow_sees)}."


def _beyond(beyond: BeyondLimit) -> str:
    code = f", {beyond.error_code}" if beyond.error_code not in {None, beyond.sees} else ""
    lost = f"; {beyond.others_lost} other streams of the connection are lost with it" if beyond.others_lost else ""
    end = f"; once the others are done, it {_in_words(beyond.in_the_end)}" if beyond.in_the_end else ""
    return f"A stream beyond that limit {_in_words(beyond.sees)}{end}{code}{lost}."


def _in_words(sees: str) -> str:
    return _SEES.get(sees, f"gets HTTP {sees}")


def _at_least(bounded: bool | None) -> str:  # noqa: FBT001 - a value of three, not a switch
    return "" if bounded else "at least "


def _why(unknown: Mapping[str, str], field: str) -> str:
    return unknown.get(f"http2.{field}", "it was not measured")
