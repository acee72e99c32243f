"""A run as a trace for Perfetto and chrome://tracing (the JSON of the Trace Event Format); pure.

Perfetto takes events of one thread to nest, as calls do. Its trace processor drops a complete event ("X") that
overlaps another one partly, and one that nests more than 512 deep (`MaybeCloseStack` and `kMaxDepth` in
src/trace_processor/importers/common/slice_tracker; since 2026 it moves the first kind to a track of its own, with
an error in the statistics). So only a thread that had one request at a time has them on its own track. Where requests
of a thread overlap, as coroutines and greenlets do, they are asynchronous events ("b", "e"), which name the track they
are on. We give each row of the lane such a track, where no two requests overlap; Perfetto draws those of the same name
as one. The name of a track is that of its first event, so a marker that lasts no time comes first.

Sources: the Trace Event Format document ("Duration Events", "Async Events", "Flow events"), perfetto.dev/docs/faq and
src/trace_processor/importers/json/json_trace_parser_impl.cc of Perfetto.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import chain, islice

import msgspec

from holdfast import __version__
from holdfast.model.frozen import frozen
from holdfast.model.outside import OutsideTimeline
from holdfast.model.printable import hidden_as_json, printable
from holdfast.model.rows import Rows
from holdfast.model.timeline import NEVER, Handed, Request, Timeline
from holdfast.picture.areas import Areas
from holdfast.picture.client_side import INSTANTS, ClientSide, client_side_of, client_side_of_load, track_of_rounds
from holdfast.picture.lanes import Bar, Lane, lanes_of
from holdfast.picture.probe import areas_of_probe

HANDLER, CLIENT = "handler", "client"
"""The categories of the slices of requests: in the server, and on the client side."""

_AT_ONCE = 2000
_Event = Mapping[str, object]


@frozen
class _Clock:
    """Instants of a trace: microseconds since the beginning of the run, so that a float has each nanosecond."""

    zero_ns: int

    def us(self, at_ns: int) -> float:
        return (at_ns - self.zero_ns) / 1000


def trace_of(timeline: Timeline) -> Iterator[bytes]:
    """The trace of a run that was seen from inside too, some events at a time."""
    clock = _Clock(timeline.marks.started_ns)
    lanes = lanes_of(timeline)
    client, queues = _free_pids({lane.pid for lane in lanes})
    side = client_side_of(timeline.requests, lambda each: each.phase.value)
    entered = {bar.id for lane in lanes for bar in lane.bars}
    events = chain(
        _server(timeline, lanes, clock),
        _client(side, clock, client, entered),
        _counters(areas_of_probe(timeline), clock, queues),
        _usage(timeline, clock, queues),
        _marks(timeline, clock, queues),
    )
    return _written(events, clock, printable(" ".join(timeline.server.command)))


def outside_trace_of(timeline: OutsideTimeline) -> Iterator[bytes]:
    """The trace of a look from outside: the client side alone."""
    clock = _Clock(timeline.started_ns or min((each.due_ns for each in timeline.requests), default=0))
    side = client_side_of(timeline.requests, track_of_rounds(timeline))
    events = chain(_client(side, clock, 1, ()), _counters(side.areas(), clock, 2))
    return _written(events, clock, printable(timeline.experiment.target.url))


def load_trace_of(chunks: Iterable[Rows], said: str) -> Iterator[bytes]:
    """The trace of a load run: the client side alone.

    Args:
        said: what was loaded, in one line.
    """
    side = client_side_of_load(chunks)
    clock = _Clock(min(side.spans()[0], default=0))
    return _written(chain(_client(side, clock, 1, ()), _counters(side.areas(), clock, 2)), clock, printable(said))


def _free_pids(taken: set[int]) -> tuple[int, ...]:
    """Two numbers for what is not a process of the server."""
    return tuple(islice((pid for pid in range(1, len(taken) + 3) if pid not in taken), 2))


def _written(events: Iterable[_Event], clock: _Clock, said: str) -> Iterator[bytes]:
    about = {"made by": f"holdfast {__version__}", "what": said, "ts 0 in CLOCK_MONOTONIC ns": clock.zero_ns}
    yield b'{"displayTimeUnit":"ms","otherData":' + _json(about) + b',"traceEvents":[\n'
    encode = msgspec.json.Encoder().encode
    before = b""
    events = iter(events)
    while some := list(islice(events, _AT_ONCE)):
        yield before + b",\n".join(map(encode, some))
        before = b",\n"
    yield b"\n]}\n"


def _json(value: object) -> bytes:
    return hidden_as_json(msgspec.json.encode(value).decode()).encode()


def _named(pid: int, name: str, tid: int | None = None) -> _Event:
    kind = "process_name" if tid is None else "thread_name"
    return {"ph": "M", "name": kind, "pid": pid, "tid": pid if tid is None else tid, "args": {"name": name}}


def _server(timeline: Timeline, lanes: Iterable[Lane], clock: _Clock) -> Iterator[_Event]:
    """The server's processes and threads, with a slice for each request."""
    requests = {each.id: each for each in timeline.requests}
    handed = {each.id: each for each in timeline.handed or ()}
    named = set()
    for lane in lanes:
        if lane.pid not in named:
            named.add(lane.pid)
            yield _named(lane.pid, printable(timeline.server.name) or "server")
        name = lane.name or f"thread {lane.tid}"
        yield _named(lane.pid, name, lane.tid)
        marked = set()
        for bar in lane.bars:
            about = _of_bar(lane, bar, requests.get(bar.id), handed.get(bar.id))
            slice_ = {"name": f"request {bar.id}", "cat": HANDLER, "pid": lane.pid, "tid": lane.tid, "args": about}
            if bar.id in requests:
                slice_ |= {"bind_id": f"{bar.id:x}", "flow_in": True}
            if not lane.overlaps:
                length = (bar.until_ns - bar.entered_ns) / 1000
                yield {"ph": "X", **slice_, "ts": clock.us(bar.entered_ns), "dur": length}
                continue
            track = {"cat": HANDLER, "pid": lane.pid, "tid": lane.tid, "id2": {"local": f"{lane.tid}.{bar.row}"}}
            if bar.row not in marked:
                marked.add(bar.row)
                yield {"ph": "n", "name": f"{name} ({lane.tid})", **track, "ts": clock.us(bar.entered_ns)}
            yield {"ph": "b", **slice_, **track, "ts": clock.us(bar.entered_ns)}
            yield {"ph": "e", **track, "ts": clock.us(bar.until_ns)}


def _of_bar(lane: Lane, bar: Bar, request: Request | None, handed: Handed | None) -> dict[str, object]:
    about: dict[str, object] = {"id": bar.id, "pid": lane.pid, "tid": lane.tid, "thread": lane.name}
    if request is not None:
        about |= {"sent for": bar.phase, "outcome": request.outcome.label}
        about |= {"status": request.status} if request.status else {}
    about |= {"request number on this thread": bar.ordinal}
    about |= {"handed_ns": handed.handed_ns} if handed is not None else {}
    about |= {"entered_ns": bar.entered_ns}
    about |= {"left_ns": bar.left_ns} if bar.left_ns != NEVER else {"still in service": True}
    return about


def _client(side: ClientSide, clock: _Clock, pid: int, flows: Iterable[int]) -> Iterator[_Event]:
    """The requests as the client side saw them, with what they have waited for since they were sent within each.

    Args:
        flows: ids of those whose handler was entered.
    """
    yield _named(pid, "holdfast: client side")
    flows = frozenset(flows)
    begun, ended = side.spans()
    tracks = {name: number for number, name in enumerate(dict.fromkeys(side.track))}
    marked = set()
    for index, row in side.in_order(begun, ended):
        name, id_ = side.track[index], side.id[index]
        track = {"cat": CLIENT, "pid": pid, "tid": pid, "id2": {"local": f"{tracks[name]}.{row}"}}
        begin, end = clock.us(begun[index]), clock.us(ended[index])
        if (name, row) not in marked:
            marked.add((name, row))
            yield {"ph": "n", "name": name, **track, "ts": begin}
        flow = {"bind_id": f"{id_:x}", "flow_out": True} if id_ in flows else {}
        sent = side.instants[INSTANTS.index("sent_ns")][index]
        inner = begun[index] <= sent <= ended[index]
        outer = {} if inner else flow
        yield {"ph": "b", "name": f"request {id_}", **track, "ts": begin, "args": _of_request(side, index), **outer}
        if inner:
            yield {"ph": "b", "name": "sent", **track, "ts": clock.us(sent), **flow}
            yield {"ph": "e", **track, "ts": end}
        yield {"ph": "e", **track, "ts": end}


def _of_request(side: ClientSide, index: int) -> dict[str, object]:
    """What is known of a request; what is 0 is not."""
    known = {"status": side.status[index], "local_port": side.local_port[index]}
    known |= {name: column[index] for name, column in zip(INSTANTS, side.instants, strict=True)}
    told: dict[str, object] = {"id": side.id[index], "outcome": side.outcome[index]}
    return told | {name: value for name, value in known.items() if value}


def _counters(areas: Areas, clock: _Clock, pid: int) -> Iterator[_Event]:
    """The number of requests in each place, whenever it changes; they add up to what was offered."""
    yield _named(pid, "holdfast: places")
    for area in areas.areas:
        name, before = area.place.replace("_", " "), None
        for at_ns, many in zip(areas.at_ns, area.counts, strict=True):
            if many != before:
                yield {"ph": "C", "name": name, "pid": pid, "tid": pid, "ts": clock.us(at_ns), "args": {"now": many}}
            before = many


def _usage(timeline: Timeline, clock: _Clock, pid: int) -> Iterator[_Event]:
    for each in (*timeline.usage, *timeline.usage_again):
        seen = {"processes": each.processes, "threads": each.threads, "descriptors": each.descriptors}
        if each.memory_bytes is not None:
            seen["memory"] = each.memory_bytes
        for name, value in seen.items():
            unit = "bytes" if name == "memory" else "open"
            known = {"name": f"server {name}", "pid": pid, "tid": pid, "ts": clock.us(each.at_ns)}
            yield {"ph": "C", **known, "args": {unit: value}}


def _marks(timeline: Timeline, clock: _Clock, pid: int) -> Iterator[_Event]:
    """The instants between the phases of the run."""
    marks = timeline.marks
    said = {
        "the server is ready": marks.ready_ns,
        "the first request is sent": marks.first_sent_ns,
        "the places are counted": marks.placed_ns,
        "clients of queued requests leave": marks.abandoned_ns,
        "held requests are released": marks.released_ns,
        "the server has worked off what waited": marks.quiet_ns,
    }
    # A mark across all tracks would be on one that Perfetto calls "Unnamed".
    yield _named(pid, "phases of the run", pid)
    for name, at_ns in said.items():
        if at_ns != NEVER:
            yield {"ph": "i", "s": "t", "name": name, "cat": "mark", "pid": pid, "tid": pid, "ts": clock.us(at_ns)}
