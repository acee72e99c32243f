"""Clients that pass through several steps, pause in between, and come when they are due.

Like the other loops (`loop`), this one knows no socket and no clock: it is told which requests have ended, and says
which to begin. A client's next request is due when its last one has ended and its pause is over.
"""

from __future__ import annotations

import heapq
from array import array
from collections.abc import Iterator, Sequence
from itertools import compress, islice
from typing import ClassVar, Literal

from holdfast.engine.columns import Columns
from holdfast.engine.loop import AT_ONCE, NOTHING, Loop, Step
from holdfast.engine.parts import Loss, Part
from holdfast.engine.reports import WorkerReport
from holdfast.engine.timeouts import Deadlines
from holdfast.engine.values import by_chance
from holdfast.model.frozen import frozen
from holdfast.model.places import Outcome
from holdfast.model.scenario import Pause
from holdfast.model.units import NS_PER_S


@frozen
class Sessions:
    """Clients that pass through several steps, pause, or come one after the other; as an `EngineShape`.

    With n clients, client c's iteration k has the index k * n + c, and its step s the row index * steps + s.

    Attributes:
        start_ns: when each client comes, ns from the start.
        iterations: most passes of one client through the steps.
        pauses: before each step, the first one included.
        last_index: no iteration has this index or a higher one; None sets no bound.
        seconds: no request is begun after this time; None sets no bound.
        on_failure: as in the model's `Group`.
        seed: of random pauses.
    """

    waits_for_replies: ClassVar[bool] = True
    refills: ClassVar[bool] = False
    follows_each_end: ClassVar[bool] = True
    lag_known_at: ClassVar[Literal["begin", "end"] | None] = "end"
    rate_per_s: ClassVar[float | None] = None

    start_ns: array[int]
    iterations: int
    pauses: tuple[Pause, ...]
    last_index: int | None = None
    seconds: float | None = None
    on_failure: str = "continue"
    seed: int = 0

    @property
    def clients(self) -> int:
        """The number of clients."""
        return len(self.start_ns)

    @property
    def steps(self) -> int:
        """Requests of a client in one iteration."""
        return len(self.pauses)

    @property
    def indices(self) -> int:
        """Iterations of all clients, at most."""
        most = self.iterations * self.clients
        return most if self.last_index is None else min(most, self.last_index)

    @property
    def rows(self) -> int:
        """See `EngineShape`."""
        return self.steps * self.indices

    @property
    def shared_out(self) -> range:
        """See `EngineShape`: clients."""
        return range(self.clients)

    @property
    def planned(self) -> int | None:
        """See `EngineShape`."""
        return self.rows if self.seconds is None else None

    @property
    def planned_s(self) -> float | None:
        """See `EngineShape`."""
        return self.seconds

    def connections_within(self, _seconds: float | None) -> int:
        """See `EngineShape`."""
        return self.clients

    def loop(self, part: Part, columns: Columns, start_ns: int, deadlines: Deadlines, *, keeps: bool) -> Loop:  # noqa: ARG002
        """See `EngineShape`."""
        return sessions(self, part.rows, start_ns, deadlines, columns)

    def is_last(self, row: int) -> bool:
        """See `EngineShape`."""
        return next_row(self, row, answered=True) is None

    def reach(self, _part: Part, begun: int, reached: int) -> int:
        """See `EngineShape`."""
        return reached if begun else 0

    def due_by(self, _part: Part, _since_start_ns: int) -> int | None:
        """See `EngineShape`."""
        return None

    def begun(self, span: range, columns: Columns, shares: Sequence[tuple[Part, WorkerReport]]) -> Sequence[int]:
        """See `EngineShape`."""
        rows = range(span.start, span.start + max(report.reached for _, report in shares))
        return list(compress(rows, columns.due[rows.start : rows.stop]))

    def left_by(self, part: Part, columns: Columns, _start_ns: int, reached: int) -> Sequence[int]:
        """See `EngineShape`: those that have begun."""
        # Since it last wrote how far it was, each of its clients may have begun one more.
        below = range(min(self.rows, reached + self.steps * self.clients))
        return [row for row in below if columns.due[row] and self.client_of(row) in part.rows]

    def owed(self, part: Part, loss: Loss) -> Iterator[tuple[int, int]]:
        """See `EngineShape`."""
        ends_ns = None if self.seconds is None else loss.start_ns + round(self.seconds * NS_PER_S)
        firsts = {}
        for client in part.rows:
            row = client * self.steps
            due_ns = loss.start_ns + self.start_ns[client] + pause_ns(self, row)
            if row < self.rows and loss.comes_before_the_end(due_ns) and (ends_ns is None or due_ns < ends_ns):
                firsts[row] = due_ns
        yield from firsts.items()
        others = (row for row in range(self.rows) if self.client_of(row) in part.rows and row not in firsts)
        for row in islice(others, max(0, loss.begun - len(firsts))):
            yield row, loss.at_ns

    def client_of(self, row: int) -> int:
        """The client that a row belongs to."""
        return row // self.steps % self.clients


def sessions(shape: Sessions, clients: range, start_ns: int, deadlines: Deadlines, columns: Columns) -> Loop:
    """The loop of some clients.

    Args:
        clients: those of one load process.
        start_ns: CLOCK_MONOTONIC of the start.
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
        expired, wait_ns = deadlines.expired(begun, len(begun), seen.now_ns)
        if waiting:
            wait_ns = min(wait_ns, waiting[0][0] - seen.now_ns)
        if until_ns is not None:
            wait_ns = min(wait_ns, max(0, until_ns - seen.now_ns) or wait_ns)
        seen = yield Step(begun[first:], expired, NOTHING, max(0, wait_ns))


def next_row(shape: Sessions, row: int, *, answered: bool) -> int | None:
    """The row that a client has after this one; None if it has none."""
    steps = len(shape.pauses)
    index, step = divmod(row, steps)
    if not answered and shape.on_failure == "leave":
        return None
    if step + 1 < steps and (answered or shape.on_failure != "next iteration"):
        return row + 1
    index += shape.clients
    return index * steps if index < shape.indices else None


def pause_ns(shape: Sessions, row: int) -> int:
    """How long the row's client waits before it."""
    pause: Pause = shape.pauses[row % len(shape.pauses)]
    more_s = pause.random_s * by_chance(shape.seed, row, "pause") if pause.random_s else 0.0
    return round((pause.constant_s + more_s) * NS_PER_S)


def _firsts(shape: Sessions, clients: range) -> Iterator[tuple[int, int]]:
    """When each client comes, and its first row."""
    for client in clients:
        if client < shape.indices:
            yield shape.start_ns[client], client * len(shape.pauses)
