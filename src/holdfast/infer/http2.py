"""How many requests run at once on the streams of one HTTP/2 connection, and what bounds them.

A request in service is counted as everywhere: its handler had been entered and not left. With one stream on each
connection the places of the verdict have been counted before; what is judged here are many streams on one connection,
and on several.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from holdfast.infer.census import in_service_at
from holdfast.infer.known import NOT_SO_FAR, Known, because, missing
from holdfast.infer.signals import peak
from holdfast.model.frozen import frozen
from holdfast.model.phase import Phase
from holdfast.model.places import Outcome
from holdfast.model.streams import BeyondLimit, Http2, StreamConnection, StreamEnd, Streams
from holdfast.model.timeline import NEVER, Entry, Request, Timeline
from holdfast.model.verdict import HTTP2_NOT_ASKED, Ceiling

NOT_SETTLED = "the server's settings did not come"
ADVERTISES_NONE = (
    "the server's settings have no SETTINGS_MAX_CONCURRENT_STREAMS, which allows any number of streams (RFC 9113, "
    "6.5.2)"
)
_NONE_RAN = "no stream entered a handler while everything else was idle"
_ALL_RAN = "every stream that was offered on one connection ran"
_AT_ONCE = "it got that at once"
NO_CODE = "no frame with an error code came"
_TURNED_AWAY = frozenset({Outcome.CLOSED, Outcome.RESET, Outcome.MALFORMED})
TURNED_AWAY_AS_STREAM = frozenset({"REFUSED_STREAM", "RST_STREAM", "GOAWAY", "closed", "reset"})


@frozen
class _Seen:
    """The streams of a run, by the ids of their requests.

    Attributes:
        first: the connection that was filled.
        within: ids of its streams within its limit, in the order in which they were opened.
    """

    streams: Streams
    first: StreamConnection
    within: Sequence[int]
    requests: dict[int, Request]
    entries: dict[int, Entry]
    ends: dict[int, StreamEnd]

    def runs(self, id: int, at_ns: int) -> bool:
        return in_service_at(self.entries.get(id), at_ns)

    def entered(self, id: int, at_ns: int) -> bool:
        entry = self.entries.get(id)
        return entry is not None and NEVER < entry.entered_ns <= at_ns

    def most_at_once(self, ids: Iterable[int], until_ns: int) -> int:
        """A server may end handlers together with their connection, so the last instant need not have the most."""
        return peak([self.entries[id] for id in ids if id in self.entries], until_ns + 1)

    def ended(self, id: int, at_ns: int) -> bool:
        done_ns = self.requests[id].done_ns
        return NEVER < done_ns <= at_ns

    def fate(self, id: int, at_ns: int) -> str:
        """What had become of a stream by then, as `Http2.overflow_sees` has it; "answered" for one that was."""
        if not self.ended(id, at_ns):
            return "runs" if self.runs(id, at_ns) else "waits"
        return sees_of(self.requests[id], self.ends.get(id))


def sees_of(request: Request, end: StreamEnd | None) -> str:
    """How a stream ended, as `Http2.overflow_sees` has it; "answered" for one that was.

    Args:
        end: the frame by which the server ended it; None where it was none for that.
    """
    if end is not None:
        return end.code if end.code == "REFUSED_STREAM" and end.frame == "RST_STREAM" else end.frame
    return str(request.status) if request.outcome is Outcome.REJECTED else request.outcome.label


def http2_of(timeline: Timeline, ceiling: Ceiling) -> Known[Http2 | None]:
    """The figures of streams.

    Args:
        ceiling: met with one stream on each connection.
    """
    if not timeline.experiment.http2:
        return Known(None, {"http2": HTTP2_NOT_ASKED})
    streams = timeline.streams
    if streams is None or not streams.connections or streams.one_ns == NEVER:
        return Known(None, {"http2": (streams.why_not if streams is not None else "") or NOT_SO_FAR})
    seen = _seen(timeline, streams)
    running = seen.most_at_once(seen.within, streams.one_ns)
    advertised = seen.first.advertised
    full = advertised is not None and running >= advertised
    waiting = len(seen.within) > running and not timeline.server.grows_by
    given_up = _given_up(seen, running)
    over, over_bounded, over_reason = _over_connections(seen, ceiling, running)
    limit, limit_reason = _limit(seen)
    overflow = "GOAWAY" if given_up else _overflow(seen)
    beyond = _beyond(seen)
    found = Http2(
        on_one_connection=running or None,
        on_one_connection_bounded=(full or waiting or bool(given_up)) if running else None,
        over_connections=over,
        over_connections_bounded=over_bounded,
        streams_advertised=advertised,
        stream_limit=limit,
        overflow_sees=overflow,
        beyond_the_limit=beyond.value,
    )
    unknown = {
        **because("" if running else _NONE_RAN, ("http2.on_one_connection", "http2.on_one_connection_bounded")),
        **because(over_reason, ("http2.over_connections", "http2.over_connections_bounded")),
        **because(ADVERTISES_NONE if seen.first.settled else NOT_SETTLED, ("http2.streams_advertised",)),
        **because(given_up or limit_reason, ("http2.stream_limit",)),
        **because(_ALL_RAN, ("http2.overflow_sees",)),
        **because(given_up or _why_none_beyond(seen), ("http2.beyond_the_limit",)),
    }
    null = set(missing("http2", found))
    return Known(found, {**{name: why for name, why in unknown.items() if name in null}, **beyond.unknown})


def _seen(timeline: Timeline, streams: Streams) -> _Seen:
    first, beyond = streams.connections[0], set(streams.beyond)
    return _Seen(
        streams=streams,
        first=first,
        within=[id for id in first.ids if id not in beyond],
        requests={each.id: each for each in timeline.requests if each.phase is Phase.STREAM},
        entries={each.id: each for each in timeline.stream_entries},
        ends={each.id: each for each in streams.ends},
    )


def _over_connections(seen: _Seen, ceiling: Ceiling, on_one: int) -> tuple[int | None, bool | None, str]:
    """Most at once over connections, whether that is a bound, and why it is not known."""
    at_ns = seen.streams.several_ns
    several = seen.most_at_once(seen.entries, at_ns) if at_ns != NEVER else on_one
    if ceiling.in_service is None:
        return None, None, "the ceiling with one stream on each connection was not reached"
    most = max(ceiling.in_service, several)
    # More streams than connections: what bounded the requests before was the number of connections.
    return most, bool(ceiling.bounded) and several <= ceiling.in_service, ""


def _limit(seen: _Seen) -> tuple[int | None, str]:
    """Most streams that were open when one more was turned away as a stream, and why that is not known."""
    streams, advertised = seen.streams, seen.first.advertised
    beyond_ns = streams.beyond_ns or streams.one_ns
    for id in seen.first.ids:
        until_ns = beyond_ns if id in streams.beyond else streams.one_ns
        # One that had entered its handler was lost with the connection, for another one's sake.
        if seen.fate(id, until_ns) in TURNED_AWAY_AS_STREAM and not seen.entered(id, until_ns):
            return _open_before(seen, id), ""
    if advertised is None or len(seen.within) < advertised:
        count = len(seen.within)
        if advertised is not None and count < advertised:
            return None, _too_few(count, advertised)
        return None, f"none of the {count} streams that were offered on one connection was turned away"
    if not streams.beyond:
        return None, _why_none_beyond(seen)
    fate = seen.fate(streams.beyond[0], beyond_ns)
    if fate == "waits":
        return None, (
            "a stream beyond the advertised limit waits, and nothing shows whether the server has taken it or left it "
            "unread"
        )
    how = "runs" if fate == "runs" else f"gets HTTP {fate}, as a request"
    return None, f"a stream beyond the advertised limit {how}, so that limit is not enforced, and no other was reached"


def _open_before(seen: _Seen, id: int) -> int:
    """Streams of the first connection that were open when this one was opened."""
    at_ns = seen.requests[id].opened_ns
    before = seen.first.ids[: seen.first.ids.index(id)]
    return sum(not seen.ended(each, at_ns) for each in before)


def _given_up(seen: _Seen, running: int) -> str:
    """That GOAWAY kept the first connection from taking more than those that ran, in words; "" where it did not.

    Of fewer streams than are allowed, none of which waits, either that ended the climb or what may be offered. In the
    latter case no connection follows.
    """
    first, count = seen.first, len(seen.within)
    fewer = first.advertised is None or count < first.advertised
    if not (first.goaway and fewer and running == count and len(seen.streams.connections) > 1):
        return ""
    return f"the server gave the connection up (GOAWAY, {first.goaway}) when it had {count} streams"


def _overflow(seen: _Seen) -> str | None:
    streams = seen.streams
    if streams.beyond and streams.beyond_ns != NEVER:
        return seen.fate(streams.beyond[0], streams.beyond_ns)
    others = (id for id in seen.within if not seen.entered(id, streams.one_ns))
    return next((seen.fate(id, streams.one_ns) for id in others), None)


def _beyond(seen: _Seen) -> Known[BeyondLimit | None]:
    streams = seen.streams
    if not streams.beyond or streams.beyond_ns == NEVER:
        return Known(None)
    first = streams.beyond[0]
    sees, end = seen.fate(first, streams.beyond_ns), seen.ends.get(first)
    later = seen.fate(first, max(streams.beyond_ns, seen.requests[first].done_ns))
    opened_ns = seen.requests[first].opened_ns
    lost = [id for id in seen.within if not seen.ended(id, opened_ns) and seen.requests[id].outcome in _TURNED_AWAY]
    in_the_end = later if sees in {"waits", "runs"} and later not in {"waits", "runs"} else None
    found = BeyondLimit(len(streams.beyond), sees, None if end is None else end.code, len(lost), in_the_end)
    unended = f"it had not ended {'when the run did' if sees in {'waits', 'runs'} else ''}".rstrip()
    reasons = {
        "http2.beyond_the_limit.error_code": NO_CODE,
        "http2.beyond_the_limit.in_the_end": unended if sees in {"waits", "runs"} else _AT_ONCE,
    }
    null = set(missing("http2.beyond_the_limit", found))
    return Known(found, {name: why for name, why in reasons.items() if name in null})


def _why_none_beyond(seen: _Seen) -> str:
    streams, advertised = seen.streams, seen.first.advertised
    if advertised is None:
        return ADVERTISES_NONE if seen.first.settled else NOT_SETTLED
    if any(seen.ended(id, streams.one_ns) for id in seen.within):
        return "streams within the limit were turned away already"
    if len(seen.within) < advertised:
        return _too_few(len(seen.within), advertised)
    return streams.why_not or NOT_SO_FAR


def _too_few(count: int, advertised: int) -> str:
    return f"{count} streams were offered on one connection, fewer than the advertised limit of {advertised}"
