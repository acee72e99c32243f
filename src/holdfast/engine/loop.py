"""A scheduled load run's logic as a generator: `seen = yield step`.

It says which requests to open, which to end, and how long to wait; it is told what time it is and how many have
ended. It knows neither sockets nor clocks, so a test can run years of it in a moment. Columns are memory: the caller
that carries the steps out writes outcomes into them.

Schedule, stop and timeouts are independent values; the two models differ only in what makes the
next request due: an instant (open model) or an answer (closed model).
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import NamedTuple

from holdfast.engine.columns import Columns
from holdfast.engine.timeouts import Deadlines

# A load that is late, a burst, or one of many clients still looks at replies in between, and at Ctrl-C.
AT_ONCE = 64
NOTHING = range(0)


class Seen(NamedTuple):
    """The outcome of the last step.

    Attributes:
        ended: rows that have ended since the run began.
        taken: rows of the last steps' `refill` that kept connections have taken since the run began.
        draining: begin no further request; those in flight are still waited for.
        finished: rows that have ended since the last step, if the load remembers them.
        room: how many requests may be in flight at once now; None sets no bound.
    """

    now_ns: int
    ended: int
    taken: int = 0
    draining: bool = False
    finished: Sequence[int] = ()
    room: int | None = None


class Step(NamedTuple):
    """What to do now.

    Attributes:
        open: rows to open a connection for.
        expire: rows that have timed out.
        refill: rows that connections take, in order, as soon as they are answered.
        wait_ns: longest time until the next step, which comes sooner if anything ends.
    """

    open: Sequence[int]
    expire: Sequence[int]
    refill: range
    wait_ns: int


Loop = Generator[Step, Seen, None]


def open_model(due_ns: Sequence[int], rows: range, start_ns: int, deadlines: Deadlines, columns: Columns) -> Loop:
    """Each request when it is due, whatever became of those before.

    Args:
        due_ns: for each row, when it is due after `start_ns`; ascending over `rows`.
        rows: the rows of this load process.
    """
    opened = 0
    total = len(rows)
    next_ns = start_ns + due_ns[rows[0]] if total else 0
    seen = yield Step(NOTHING, (), NOTHING, 0)
    while seen.ended < total:
        if seen.draining:
            total = opened
        first, now_ns = opened, seen.now_ns
        while opened < total and next_ns <= now_ns and opened - first < AT_ONCE:
            columns.due[rows[opened]] = next_ns
            opened += 1
            if opened < total:
                next_ns = start_ns + due_ns[rows[opened]]
        expired, wait_ns = deadlines.expired(rows, opened, now_ns)
        if opened < total:
            wait_ns = min(wait_ns, next_ns - now_ns)
        seen = yield Step(rows[first:opened], expired, NOTHING, max(0, wait_ns))


def closed_model(
    connections: int,
    rows: range,
    start_ns: int,
    until_ns: int | None,
    deadlines: Deadlines,
    *,
    keeps: bool = True,
) -> Loop:
    """A fixed number of connections or streams, each sending its next request when its last one is answered.

    One that ends is replaced by a new one.

    Args:
        connections: how many requests are in flight at once.
        rows: the rows of this load process, ascending without gaps; no more requests are sent.
        until_ns: no request is begun from then on; None lets the rows decide.
        keeps: a connection takes the next row; False opens one for each request.
    """
    total = len(rows)
    opened = 0
    seen = yield Step(NOTHING, (), NOTHING, 0)
    while seen.now_ns < start_ns and not seen.draining:
        seen = yield Step(NOTHING, (), NOTHING, start_ns - seen.now_ns)
    while True:
        begun = opened + seen.taken
        if seen.draining or (until_ns is not None and seen.now_ns >= until_ns):
            total = begun
        if seen.ended == begun == total:
            return
        first = begun
        most = connections if seen.room is None else min(connections, seen.room)
        missing = max(0, min(most - (begun - seen.ended), total - begun))
        now = min(missing, AT_ONCE)
        opened += now
        begun += now
        expired, wait_ns = deadlines.expired(rows, begun, seen.now_ns)
        if now < missing:
            wait_ns = 0
        if until_ns is not None and begun < total:
            wait_ns = min(wait_ns, until_ns - seen.now_ns)
        seen = yield Step(rows[first:begun], expired, rows[begun:total] if keeps else NOTHING, max(0, wait_ns))
