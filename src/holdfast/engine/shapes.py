"""The engine's shapes of load: in which order rows are begun, and what follows from that.

The code that sends, watches, collects or merges a load asks its shape, and does not know which one it is. Each shape
is built for one plan, whose rows it numbers from 0.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from typing import ClassVar, Literal, Protocol

from holdfast.engine.columns import Columns
from holdfast.engine.loop import Loop, closed_model, open_model
from holdfast.engine.parts import Loss, Part, rows_begun
from holdfast.engine.reports import WorkerReport
from holdfast.engine.timeouts import Deadlines
from holdfast.model.frozen import frozen
from holdfast.model.schedule import offered_per_s
from holdfast.model.units import NEVER, NS_PER_S


class EngineShape(Protocol):
    """What the engine asks of a shape.

    Attributes:
        waits_for_replies: the next request waits for an earlier one, as in the closed model.
        refills: connections take their next rows by themselves, in order, so that the rows of one load process lie
            side by side; otherwise processes have every n-th row (or client).
        follows_each_end: the loop is told of each row that has ended.
        lag_known_at: when a row's pacing lag is known: at its begin, at its end, or, as None, there is none.
    """

    waits_for_replies: ClassVar[bool]
    refills: ClassVar[bool]
    follows_each_end: ClassVar[bool]
    lag_known_at: ClassVar[Literal["begin", "end"] | None]

    @property
    def rows(self) -> int:
        """Rows that the plan needs."""
        ...

    @property
    def shared_out(self) -> range:
        """What load processes share: rows, or clients."""
        ...

    @property
    def planned(self) -> int | None:
        """How many requests are begun in all; None if time decides."""
        ...

    @property
    def planned_s(self) -> float | None:
        """For how many seconds requests are begun; None if their number decides."""
        ...

    @property
    def rate_per_s(self) -> float | None:
        """The mean rate of the schedule; None without one."""
        ...

    @property
    def clients(self) -> int:
        """How many clients keep connections of their own."""
        ...

    @property
    def steps(self) -> int:
        """How many rows a client has in one iteration."""
        ...

    def connections_within(self, seconds: float | None) -> int:
        """At least as many connections as are opened within any such time; None is the whole run."""
        ...

    def loop(self, part: Part, columns: Columns, start_ns: int, deadlines: Deadlines, *, keeps: bool) -> Loop:
        """The loop of one load process.

        Args:
            columns: of the plan.
            start_ns: CLOCK_MONOTONIC of the start.
            keeps: connections are used for further requests.
        """
        ...

    def is_last(self, row: int) -> bool:
        """Whether the row's client comes and goes, and has no request after this one, whatever comes of it."""
        ...

    def reach(self, part: Part, begun: int, reached: int) -> int:
        """No row of the part from this one on has begun.

        Args:
            begun, reached: as in `Tally`, of this part.
        """
        ...

    def due_by(self, part: Part, since_start_ns: int) -> int | None:
        """How many of the part's requests are due by then; None without a schedule."""
        ...

    def begun(self, span: range, columns: Columns, shares: Sequence[tuple[Part, WorkerReport]]) -> Sequence[int]:
        """Rows of the run's columns that the plan began, ascending.

        Args:
            span: the plan's rows in these columns.
        """
        ...

    def left_by(self, part: Part, columns: Columns, start_ns: int, reached: int) -> Sequence[int]:
        """Rows that a lost load process of this host had begun, or was to begin by its schedule, ascending.

        Writes when the scheduled ones were due.

        Args:
            columns: of the plan.
            reached: as in `Tally`, when the process last wrote it.
        """
        ...

    def owed(self, part: Part, loss: Loss) -> Iterator[tuple[int, int]]:
        """Rows of a lost host's share that had begun or were due, and when they were due.

        The schedule knows. Without one a request becomes due when another is answered, which only the host knew: as
        many count as it had reported, and each client's first.
        """
        ...


@frozen
class Open:
    """Open model: each request when it is due, on a connection of its own.

    Attributes:
        due_ns: ns from the start, ascending.
    """

    waits_for_replies: ClassVar[bool] = False
    refills: ClassVar[bool] = False
    follows_each_end: ClassVar[bool] = False
    lag_known_at: ClassVar[Literal["begin", "end"] | None] = "begin"

    due_ns: array[int]

    @property
    def rows(self) -> int:
        """See `EngineShape`."""
        return len(self.due_ns)

    @property
    def shared_out(self) -> range:
        """See `EngineShape`: rows."""
        return range(self.rows)

    @property
    def planned(self) -> int | None:
        """See `EngineShape`."""
        return self.rows

    @property
    def planned_s(self) -> float | None:
        """See `EngineShape`."""
        return self.due_ns[-1] / NS_PER_S if self.due_ns else 0.0

    @property
    def rate_per_s(self) -> float | None:
        """See `EngineShape`."""
        return offered_per_s(self.due_ns)

    @property
    def clients(self) -> int:
        """See `EngineShape`: whichever request comes next takes a kept connection."""
        return 1

    @property
    def steps(self) -> int:
        """See `EngineShape`."""
        return 1

    def connections_within(self, seconds: float | None) -> int:
        """See `EngineShape`."""
        return most_within(self.due_ns, None if seconds is None else round(seconds * NS_PER_S))

    def loop(self, part: Part, columns: Columns, start_ns: int, deadlines: Deadlines, *, keeps: bool) -> Loop:  # noqa: ARG002
        """See `EngineShape`."""
        return open_model(self.due_ns, part.rows, start_ns, deadlines, columns)

    def is_last(self, _row: int) -> bool:
        """See `EngineShape`."""
        return False

    def reach(self, part: Part, begun: int, _reached: int) -> int:
        """See `EngineShape`."""
        return part.rows[begun - 1] + 1 if begun else 0

    def due_by(self, part: Part, since_start_ns: int) -> int | None:
        """See `EngineShape`."""
        return bisect_left(part.rows, bisect_right(self.due_ns, since_start_ns))

    def begun(self, span: range, _columns: Columns, shares: Sequence[tuple[Part, WorkerReport]]) -> Sequence[int]:
        """See `EngineShape`."""
        return rows_begun(span, shares)

    def left_by(self, part: Part, columns: Columns, start_ns: int, _reached: int) -> Sequence[int]:
        """See `EngineShape`: all rows of the part."""
        for row in part.rows:
            columns.due[row] = start_ns + self.due_ns[row]
        return part.rows

    def owed(self, part: Part, loss: Loss) -> Iterator[tuple[int, int]]:
        """See `EngineShape`."""
        for row in part.rows:
            due_ns = loss.start_ns + self.due_ns[row]
            if loss.comes_before_the_end(due_ns):
                yield row, due_ns


@frozen
class Closed:
    """Closed model: each connection sends its next request when its last one is answered.

    Attributes:
        connections: how many at once.
        requests: most requests in all; a row is kept for each.
        seconds: no request is begun after this time; None lets `requests` decide.
    """

    waits_for_replies: ClassVar[bool] = True
    refills: ClassVar[bool] = True
    follows_each_end: ClassVar[bool] = False
    lag_known_at: ClassVar[Literal["begin", "end"] | None] = None
    rate_per_s: ClassVar[float | None] = None
    # A row goes to whichever connection is free.
    clients: ClassVar[int] = 1
    steps: ClassVar[int] = 1

    connections: int
    requests: int
    seconds: float | None = None

    @property
    def rows(self) -> int:
        """See `EngineShape`."""
        return self.requests

    @property
    def shared_out(self) -> range:
        """See `EngineShape`: rows."""
        return range(self.requests)

    @property
    def planned(self) -> int | None:
        """See `EngineShape`."""
        return self.requests if self.seconds is None else None

    @property
    def planned_s(self) -> float | None:
        """See `EngineShape`."""
        return self.seconds

    def connections_within(self, _seconds: float | None) -> int:
        """See `EngineShape`."""
        return self.connections

    def loop(self, part: Part, columns: Columns, start_ns: int, deadlines: Deadlines, *, keeps: bool) -> Loop:  # noqa: ARG002
        """See `EngineShape`."""
        until_ns = None if self.seconds is None else start_ns + round(self.seconds * NS_PER_S)
        return closed_model(part.connections, part.rows, start_ns, until_ns, deadlines, keeps=keeps)

    def is_last(self, _row: int) -> bool:
        """See `EngineShape`."""
        return False

    def reach(self, part: Part, begun: int, _reached: int) -> int:
        """See `EngineShape`."""
        return part.rows.start + begun

    def due_by(self, _part: Part, _since_start_ns: int) -> int | None:
        """See `EngineShape`."""
        return None

    def begun(self, span: range, _columns: Columns, shares: Sequence[tuple[Part, WorkerReport]]) -> Sequence[int]:
        """See `EngineShape`."""
        return rows_begun(span, shares)

    def left_by(self, part: Part, columns: Columns, _start_ns: int, _reached: int) -> Sequence[int]:
        """See `EngineShape`: those that have begun."""
        first_left = next((index for index, row in enumerate(part.rows) if columns.due[row] == NEVER), len(part.rows))
        return part.rows[:first_left]

    def owed(self, part: Part, loss: Loss) -> Iterator[tuple[int, int]]:
        """See `EngineShape`."""
        for row in part.rows[: loss.begun]:
            yield row, loss.at_ns


def most_within(due_ns: Sequence[int], within_ns: int | None) -> int:
    """At least as many as are due within any stretch of this length, and at most as many as in one an eighth longer.

    Args:
        due_ns: ascending.
        within_ns: None is the whole time.
    """
    if within_ns is None or not due_ns or due_ns[-1] - due_ns[0] <= within_ns:
        return len(due_ns)
    step_ns = max(1, within_ns // 8)
    begins = range(due_ns[0], due_ns[-1] + 1, step_ns)
    edges = [bisect_left(due_ns, at) for at in begins] + [len(due_ns)] * (-(-within_ns // step_ns) + 1)
    reach = -(-within_ns // step_ns) + 1
    return max(last - first for first, last in zip(edges, edges[reach:], strict=False))
