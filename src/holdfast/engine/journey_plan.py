"""What the engine needs to carry out journeys; pure but for the columns that it makes."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, ClassVar, Literal

from holdfast.engine.columns import Columns
from holdfast.engine.loop import Loop
from holdfast.engine.particulars import Particulars
from holdfast.engine.parts import Loss, Part
from holdfast.engine.reports import WorkerReport
from holdfast.engine.stuck import NoneOfOwn, Own
from holdfast.engine.target import Target
from holdfast.engine.timeouts import Deadlines
from holdfast.model.frozen import frozen
from holdfast.model.units import NS_PER_S

if TYPE_CHECKING:
    from holdfast.journeys.steps import Walk
    from holdfast.model.journey import Crew, Journeys


@frozen
class Travel:
    """Journeys, and what their load process needs for them.

    Attributes:
        walk: crew and number of a client, from 1 -> what it does.
        target_of: origin -> where it is; raises HoldfastError where nothing may be sent.
        particulars: of the rows; as many as the plan has.
        shared: what clients share, so that one process has all of them, in words that follow "because"; () is nothing.
        begin: called by each of several processes, with the start, CLOCK_MONOTONIC ns, before its clients come.
        doubts: how many ns the load took -> doubts about it, in words.
        own: functions of a person's own that walks call.
    """

    journeys: Journeys
    walk: Callable[[Crew, int], Walk]
    target_of: Callable[[str], Target]
    particulars: Particulars
    shared: tuple[str, ...] = ()
    begin: Callable[[int], None] = lambda _start_ns: None
    doubts: Callable[[int], list[str]] = lambda _lasted_ns: []
    own: Own = NoneOfOwn()


@frozen
class JourneyShape:
    """Clients that decide what they send while they are under way, as an `EngineShape`.

    A load process gives out its own rows in the order in which requests begin.

    Attributes:
        rows: as many as may be given out.
        clients: at most so many at once.
        seconds: after so long no request is begun; None if the journeys decide.
    """

    waits_for_replies: ClassVar[bool] = True
    refills: ClassVar[bool] = False
    follows_each_end: ClassVar[bool] = True
    lag_known_at: ClassVar[Literal["begin", "end"] | None] = "end"
    rate_per_s: ClassVar[float | None] = None
    planned: ClassVar[int | None] = None
    steps: ClassVar[int] = 1

    rows: int
    clients: int
    seconds: float | None = None

    @property
    def shared_out(self) -> range:
        """See `EngineShape`; clients are dealt as rows are."""
        return range(self.rows)

    @property
    def planned_s(self) -> float | None:
        """See `EngineShape`."""
        return self.seconds

    def connections_within(self, _seconds: float | None) -> int:
        """See `EngineShape`."""
        return self.clients

    def loop(self, part: Part, columns: Columns, start_ns: int, deadlines: Deadlines, *, keeps: bool) -> Loop:
        """See `EngineShape`; journeys have a loop of their own (`travelling`)."""
        raise NotImplementedError

    def is_last(self, _row: int) -> bool:
        """See `EngineShape`."""
        return False

    def reach(self, _part: Part, begun: int, reached: int) -> int:
        """See `EngineShape`."""
        return reached if begun else 0

    def due_by(self, _part: Part, _since_start_ns: int) -> int | None:
        """See `EngineShape`."""
        return None

    def begun(self, span: range, _columns: Columns, shares: Sequence[tuple[Part, WorkerReport]]) -> Sequence[int]:
        """See `EngineShape`."""
        return rows_given(span.start, [part.rows[: report.begun] for part, report in shares])

    def left_by(self, part: Part, columns: Columns, _start_ns: int, reached: int) -> Sequence[int]:
        """See `EngineShape`: those that have begun."""
        many = bisect_left(part.rows, reached)
        # A few more may have begun since the process last wrote how far it was.
        while many < len(part.rows) and columns.due[part.rows[many]]:
            many += 1
        return part.rows[:many]

    def owed(self, part: Part, loss: Loss) -> Iterator[tuple[int, int]]:
        """See `EngineShape`; what clients were to send only their host knew."""
        for row in part.rows[: loss.begun]:
            yield row, loss.at_ns


def rows_given(first: int, shares: Sequence[range]) -> Sequence[int]:
    """Rows of the run's columns that were given out, ascending.

    Args:
        first: row of the plan.
        shares: rows of the plan that each process gave out.
    """
    rows = array("q")
    for each in shares:
        rows.extend(range(first + each.start, first + each.stop, each.step))
    # Without gaps, columns can be read as one slice.
    highest = max(rows, default=first - 1)
    return range(first, highest + 1) if highest - first + 1 == len(rows) else array("q", sorted(rows))


def last_until_s(journeys: Journeys) -> float | None:
    """After so many seconds no client begins a request; None if that is not known beforehand."""
    begins_ns = 0
    stages = ("before", "main", "after")
    for stage in stages:
        ends_ns = begins_ns
        for crew in journeys.crews:
            if crew.stage != stage:
                continue
            untils = [each.until_ns for each in crew.stays]
            if None in untils:
                return None
            ends_ns = max(ends_ns, begins_ns + max((each for each in untils if each is not None), default=0))
            if journeys.one_by_one:
                begins_ns = ends_ns
        begins_ns = ends_ns
    return begins_ns / NS_PER_S
