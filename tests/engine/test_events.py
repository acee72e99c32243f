"""Where events of a stream end, in whatever pieces it comes; expectations from the HTML Living Standard, 9.2.6."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.engine.collect import _events_of, events_of
from holdfast.engine.columns import Columns
from holdfast.engine.event_packing import EventPacking, PackedEvents, counted, unpack_events
from holdfast.engine.event_rows import EventCounts, EventRows, EventStreams
from holdfast.engine.events import EventReader

SENT_EVENTS = "text/event-stream"

# The streams and their events are the standard's own examples, or follow from its grammar.
STREAMS = [
    (b"data: YHOO\ndata: +2\ndata: 10\n\n", 1),
    (b": test stream\n\ndata: first event\nid: 1\n\ndata:second event\nid\n\ndata:  third event\n", 2),
    (b"data\n\ndata\ndata\n\ndata:\n", 2),
    (b"data:test\n\ndata: test\n\n", 2),
    (b"\xef\xbb\xbfdata: 1\r\rdata: 2\r\n\r\n", 2),
    (b"event: userconnect\nid: 7\nretry: 10\n\n", 0),
    (b"database: 1\n\n", 0),
    (b": ping\n\n: ping\n\n", 0),
    (b"data: " + b"x" * 100_000 + b"\n\n", 1),
    (b"", 0),
]


@pytest.mark.parametrize(("stream", "events"), STREAMS)
def test_an_empty_line_dispatches_what_has_data(stream, events) -> None:
    reader = EventReader(SENT_EVENTS)
    assert reader.feed(stream) + reader.end() == events


@given(st.sampled_from([each for each in STREAMS if len(each[0]) < 1000]), st.data())
def test_events_do_not_depend_on_the_pieces_that_they_come_in(stream, data) -> None:
    content, events = stream
    cuts = sorted(data.draw(st.lists(st.integers(0, len(content)), max_size=8)))
    reader = EventReader(SENT_EVENTS)
    pieces = [content[first:last] for first, last in zip([0, *cuts], [*cuts, len(content)], strict=True)]
    assert sum(map(reader.feed, pieces)) == events


@given(st.lists(st.sampled_from([b"data: 1", b"", b"\n", b"\r", b"\r\n", b"id", b":", b"data"])))
def test_single_bytes_make_the_same_events_as_the_whole(parts) -> None:
    content = b"".join(parts)
    whole, cut = EventReader(SENT_EVENTS), EventReader(SENT_EVENTS)
    assert sum(cut.feed(content[at : at + 1]) for at in range(len(content))) == whole.feed(content)


def test_json_lines_are_an_event_each_and_the_last_one_needs_no_end() -> None:
    reader = EventReader("application/x-ndjson")
    assert [reader.feed(each) for each in (b'{"a":1}\n{"a"', b":2}\n\n", b"\n3")] == [1, 1, 0]
    assert reader.end() == 1


def test_a_json_text_sequence_has_a_separator_before_each() -> None:
    """RFC 7464, 2.2."""
    reader = EventReader("application/json-seq")
    assert reader.feed(b'\x1e{"a":1}\n\x1e{"a":2}\n\x1e') == 2
    assert reader.end() == 0


def test_of_another_type_each_piece_is_an_event() -> None:
    reader = EventReader("application/octet-stream")
    assert [reader.feed(b"a"), reader.feed(b""), reader.feed(b"bc\n\n"), reader.end()] == [1, 0, 1, 0]


def test_a_row_has_the_time_since_the_event_before_it() -> None:
    columns, rows = Columns(3), EventRows(10, capacity=3)
    columns.sent[1] = 100
    streams = EventStreams(rows, columns)
    streams.take(1, SENT_EVENTS, [b"data: 1\n\n", b"data: 2"], 150)
    streams.take(1, SENT_EVENTS, [b"\n\n"], 180)
    streams.take(1, SENT_EVENTS, [b"data: 3\n\ndata: 4\n\n"], 200)
    assert streams.has_events(1)
    streams.end(1, 210, by_us=True)
    assert not streams.has_events(1)
    assert [tuple(each) for each in rows.rows()] == [(11, 0, 150, 50), (11, 1, 180, 30), (11, 2, 200, 20)]
    assert rows.counts == EventCounts(kept=3, events=4, streams=1, ended_by_us=1)
    assert rows.gaps_ns() == ([50], [30, 20])


@given(
    st.lists(st.integers(1, 3), min_size=1, max_size=4),
    st.lists(st.tuples(st.integers(0, 2**40), st.integers(0, 2**31), st.integers(0, 2**62), st.integers(0, 2**40))),
)
def test_packed_events_are_the_same_whenever_they_were_packed(steps, events) -> None:
    rows = EventRows(5, capacity=len(events) + 1)
    packing, parts = EventPacking([EventRows(0, capacity=1), rows]), []
    for at, (row, number, at_ns, gap_ns) in enumerate(sorted(events, key=lambda each: each[2])):
        rows.add(row, number, at_ns, gap_ns)
        if at % steps[at % len(steps)] == 0:
            parts += packing.parts()
    parts += packing.parts()
    assert [*PackedEvents(parts).rows()] == [*rows.rows()]
    counts, first_ns, gap_ns = counted(parts)
    assert [*counts] == ([rows.counts] if events else [])
    assert ([*first_ns], [*gap_ns]) == rows.gaps_ns()
    assert _events_of([EventRows(0, capacity=1), rows]) == events_of([rows.counts], *rows.gaps_ns())


@pytest.mark.parametrize("end", [0, 5, 9, 30, -1])
def test_a_part_of_events_that_is_cut_off_is_refused(end) -> None:
    rows = EventRows(0, capacity=2)
    rows.add(0, 0, 10, 10)
    (part,) = EventPacking([rows]).parts()
    with pytest.raises(ValueError, match="The events cannot be read"):
        unpack_events(part[:end])
