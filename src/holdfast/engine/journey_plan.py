"""What the engine needs to carry out journeys; pure but for the columns that it makes."""

from __future__ import annotations

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
        own: functions of a person's own that walks call.
    """

    journeys: Journeys
    walk: Callable[[Crew, int], Walk]
    target_of: Callable[[str], Target]
    particulars: Particulars
    own: Own = NoneOfOwn()


@frozen
class JourneyShape:
    """Clients that decide what they send while they are under way, as an `EngineShape`.

    One load process has all of them, and gives out rows in the order in which requests begin.

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
        """See `EngineShape`: all clients, together."""
        return range(1)

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
        return range(span.start, span.start + max(report.reached for _, report in shares))

    def left_by(self, _part: Part, columns: Columns, _start_ns: int, reached: int) -> Sequence[int]:
        """See `EngineShape`: those that have begun."""
        # A few more may have begun since the process last wrote how far it was.
        while reached < self.rows and columns.due[reached]:
            reached += 1
        return range(reached)

    def owed(self, _part: Part, _loss: Loss) -> Iterator[tuple[int, int]]:
        """See `EngineShape`; journeys are not shared out among hosts."""
        return iter(())


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
