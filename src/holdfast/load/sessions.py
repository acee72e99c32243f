"""Clients that pass through several steps, pause in between, and come when they are due: the loop of `Sessions`.

As the other models (`loop`), it knows no socket and no clock: it is told which requests have ended, and says which
to begin. What makes a client's next request due is the end of its last one, and its pause after that.
"""

from __future__ import annotations

import heapq
from array import array
from collections.abc import Iterator

from holdfast.load.columns import Columns
from holdfast.load.loop import AT_ONCE, NOTHING, Loop, Step
from holdfast.load.plan import Closed, Open, Sessions
from holdfast.load.timeouts import Patience
from holdfast.load.values import by_chance
from holdfast.model.places import Outcome
from holdfast.model.scenario import Pause
from holdfast.model.units import NS_PER_S


def sessions(shape: Sessions, clients: range, start_ns: int, patience: Patience, columns: Columns) -> Loop:
    """The clients of one load process.

    Args:
        clients: which ones.
    """
    until_ns = None if shape.seconds is None else start_ns + round(shape.seconds * NS_PER_S)
    waiting = [(start_ns + start + pause_ns(shape, row), row) for start, row in _firsts(shape, clients)]
    heapq.heapify(waiting)
    begun = array("q")
    active = 0
    seen = yield Step(NOTHING, (), NOTHING, 0)
    while True:
        for row in seen.finished:
            active -= 1
            following = next_row(shape, row, answered=columns.outcome[row] == Outcome.ANSWERED)
            if following is not None:
                heapq.heappush(waiting, (columns.done[row] + pause_ns(shape, following), following))
        if seen.draining or (until_ns is not None and seen.now_ns >= until_ns):
            waiting.clear()
        first = len(begun)
        while waiting and waiting[0][0] <= seen.now_ns and len(begun) - first < AT_ONCE:
            due_ns, row = heapq.heappop(waiting)
            if until_ns is not None and due_ns >= until_ns:
                continue
            columns.due[row] = due_ns
            begun.append(row)
            active += 1
        if not waiting and not active:
            return
        expired, wait_ns = patience.look(begun, len(begun), seen.now_ns)
        if waiting:
            wait_ns = min(wait_ns, waiting[0][0] - seen.now_ns)
        if until_ns is not None:
            wait_ns = min(wait_ns, max(0, until_ns - seen.now_ns) or wait_ns)
        seen = yield Step(begun[first:], expired, NOTHING, max(0, wait_ns))


def next_row(shape: Sessions, row: int, *, answered: bool) -> int | None:
    """The row that a client has after this one; None where it is done."""
    steps = len(shape.pauses)
    index, step = divmod(row, steps)
    if not answered and shape.on_failure == "leave":
        return None
    if step + 1 < steps and (answered or shape.on_failure != "next iteration"):
        return row + 1
    index += shape.clients
    return index * steps if index < _indices(shape) else None


def is_last(shape: Open | Closed | Sessions, row: int) -> bool:
    """Whether a client that comes and goes has no request after this one, whatever comes of it."""
    return isinstance(shape, Sessions) and next_row(shape, row, answered=True) is None


def pause_ns(shape: Sessions, row: int) -> int:
    """How long the row's client waits before it."""
    pause: Pause = shape.pauses[row % len(shape.pauses)]
    more_s = pause.random_s * by_chance(shape.seed, row, "pause") if pause.random_s else 0.0
    return round((pause.constant_s + more_s) * NS_PER_S)


def _firsts(shape: Sessions, clients: range) -> Iterator[tuple[int, int]]:
    for client in clients:
        if client < _indices(shape):
            yield shape.start_ns[client], client * len(shape.pauses)


def _indices(shape: Sessions) -> int:
    most = shape.iterations * shape.clients
    return most if shape.last_index is None else min(most, shape.last_index)
