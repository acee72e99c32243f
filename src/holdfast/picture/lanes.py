"""Who did the work: one lane for each thread that ran handlers, one bar for each request; pure.

The lanes are in the order in which their threads began to work, process by process. So a thread for each request is a
staircase, and a pool is a few full lanes. Where requests of one thread overlap, as coroutines and greenlets do, its
lane has further rows.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby

from holdfast.model.frozen import frozen
from holdfast.model.printable import printable
from holdfast.model.timeline import NEVER, Entry, Timeline
from holdfast.picture.rows import rows_of


@frozen
class Bar:
    """One request on the thread that ran its handler.

    Attributes:
        left_ns: NEVER where it was still in service when the record ends.
        until_ns: where the bar ends: `left_ns`, or the end of the record.
        ordinal: how many requests its thread had entered, this one included.
        row: within its lane; 0 unless requests of the thread overlap.
        phase: what the request was sent for, in words; "" where the client side does not know it.
    """

    id: int
    entered_ns: int
    left_ns: int
    until_ns: int
    ordinal: int
    row: int
    phase: str


@frozen
class Lane:
    """One thread of a server process.

    Attributes:
        name: of the thread; "" where it has none.
        rows: most requests that it had at once.
        bars: in the order in which they were entered.
    """

    pid: int
    tid: int
    name: str
    rows: int
    bars: tuple[Bar, ...]

    @property
    def overlaps(self) -> bool:
        """Whether it ever had several requests at once."""
        return self.rows > 1


def lanes_of(timeline: Timeline) -> tuple[Lane, ...]:
    """All lanes of a run, the requests on streams of HTTP/2 included."""
    phases = {each.id: each.phase.value for each in timeline.requests}
    entries = sorted(_entered(timeline), key=lambda each: (each.pid, each.tid, each.entered_ns, each.id))
    last_ns = end_of(timeline)
    lanes = [_lane(list(own), phases, last_ns) for _, own in groupby(entries, key=lambda each: (each.pid, each.tid))]
    began: dict[int, int] = {}
    for lane in lanes:
        first_ns = lane.bars[0].entered_ns
        began[lane.pid] = min(first_ns, began.get(lane.pid, first_ns))
    return tuple(sorted(lanes, key=lambda each: (began[each.pid], each.pid, each.bars[0].entered_ns, each.tid)))


def end_of(timeline: Timeline) -> int:
    """The last instant that the record has."""
    seen = [each.done_ns for each in timeline.requests]
    seen += [max(each.entered_ns, each.left_ns) for each in (*timeline.entries, *timeline.stream_entries)]
    seen += [each.at_ns for each in timeline.samples]
    return max((timeline.marks.started_ns, timeline.marks.ended_ns, *seen))


def _entered(timeline: Timeline) -> Iterable[Entry]:
    return (each for each in (*timeline.entries, *timeline.stream_entries) if each.entered_ns != NEVER)


def _lane(entries: Sequence[Entry], phases: dict[int, str], last_ns: int) -> Lane:
    until = [each.left_ns if each.left_ns != NEVER else max(last_ns, each.entered_ns) for each in entries]
    rows = rows_of((each.entered_ns, end) for each, end in zip(entries, until, strict=True))
    # A thread may be renamed, and its number is given to another one when it has ended.
    names = dict.fromkeys(printable(each.thread_name) for each in entries if each.thread_name)
    return Lane(
        pid=entries[0].pid,
        tid=entries[0].tid,
        name=", ".join(names),
        rows=max(rows) + 1,
        bars=tuple(
            Bar(each.id, each.entered_ns, each.left_ns, end, each.thread_seq, row, phases.get(each.id, ""))
            for each, end, row in zip(entries, until, rows, strict=True)
        ),
    )
