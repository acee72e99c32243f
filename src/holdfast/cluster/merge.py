"""What several hosts recorded of one load, merged into one run; pure.

Each host numbers its requests as the whole plan does, so two hosts never have the same row. Instants are recorded by
the host's clock and moved into ours by one offset for the whole run, so the time between two instants of one host
stays as it was measured.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Sequence
from itertools import chain, islice

import msgspec

from holdfast.cluster.clocks import Offset
from holdfast.engine.collect import LoadRun
from holdfast.engine.columns import Columns
from holdfast.engine.packing import pack, unpack
from holdfast.engine.parts import Loss
from holdfast.engine.plan import MOST_SOURCES, Plan, share_out, whole
from holdfast.engine.summary import distribution
from holdfast.loadtest.journey_parts import Packing, Unpacking
from holdfast.model.frozen import frozen
from holdfast.model.load import StreamsResult
from holdfast.model.places import Outcome
from holdfast.model.timeline import NEVER

LOST = "lost with its host"
"""Label of requests of journeys of which nothing else is known."""


@frozen
class PackedRows:
    """The begun rows of one plan, as `engine.packing` packs them, and the source addresses that they count."""

    parts: list[bytes]
    sources: list[str]


@frozen
class Report:
    """What one host recorded; all but `plans` as in `RunFacts`."""

    plans: list[PackedRows]
    limits: list[str]
    notes: list[str]
    location: str = ""
    http2: StreamsResult | None = None
    redirects: int = 0


def report_of(run: LoadRun) -> bytes:
    """A host's run as bytes."""
    facts = run.facts
    if run.particulars is None:
        plans = _packed(run.columns, run.begun, facts.spans, facts.sources)
    else:
        packing = Packing(run.columns, run.particulars)
        plans = [PackedRows(list(packing.parts(run.begun)), list(facts.sources[0]))]
    report = Report(plans, list(facts.limits), list(facts.notes), facts.location, facts.http2, facts.redirects)
    return msgspec.msgpack.encode(report)


def rows_of_journeys(packing: Packing, rows: Sequence[int]) -> bytes:
    """As `rows_of`, of journeys.

    Args:
        packing: the same for all rows of a load.
    """
    return msgspec.msgpack.encode([PackedRows(list(packing.parts(rows)), [""] * MOST_SOURCES)])


def rows_of(columns: Columns, rows: Sequence[int], spans: Sequence[range]) -> bytes:
    """Some rows of a load that still runs, ascending, as bytes; their source addresses are told at the end alone."""
    return msgspec.msgpack.encode(_packed(columns, rows, spans, [("",) * MOST_SOURCES] * len(spans)))


def _packed(
    columns: Columns, rows: Sequence[int], spans: Sequence[range], sources: Sequence[Sequence[str]]
) -> list[PackedRows]:
    return [
        PackedRows(list(pack(columns, rows[bisect_left(rows, span.start) : bisect_left(rows, span.stop)])), list(own))
        for span, own in zip(spans, sources, strict=True)
    ]


def read_report(content: bytes) -> Report:
    """The reverse of `report_of`.

    Raises:
        ValueError: it is not one.
    """
    return msgspec.msgpack.decode(content, type=Report)


class Merged:
    """One run's columns, filled host by host. Invariant: each row is written by one host at most."""

    def __init__(self, plans: Sequence[Plan], spans: tuple[range, ...]) -> None:
        self.plans = plans
        self.spans = spans
        self.columns = Columns(spans[-1].stop if spans else 0)
        self._sources: list[list[str]] = [[] for _ in plans]
        self._rows: list[Sequence[int]] = []

    def unpacking(self) -> Unpacking | None:
        """What unpacks the rows of journeys of one host; None for other loads."""
        travel = self.plans[0].travel if self.plans else None
        return None if travel is None else Unpacking(self.columns, travel.particulars)

    def take(self, report: Report, clock: Offset) -> list[int]:
        """Writes a host's rows; returns their numbers, ascending.

        Raises:
            ValueError: they cannot be read.
        """
        rows = self._unpacked(report.plans, clock, self.unpacking())
        self._rows.append(rows)
        return rows

    def take_rows(self, content: bytes, clock: Offset, unpacking: Unpacking | None = None) -> list[int]:
        """Writes what `rows_of` made of some rows; returns their numbers, ascending.

        Args:
            unpacking: of journeys, the same for all rows of a host.

        Raises:
            ValueError: they cannot be read.
        """
        rows = self._unpacked(msgspec.msgpack.decode(content, type=list[PackedRows]), clock, unpacking)
        self._rows.append(rows)
        return rows

    def _unpacked(self, plans: Sequence[PackedRows], clock: Offset, unpacking: Unpacking | None) -> list[int]:
        rows: list[int] = []
        for known, plan in zip(self._sources, plans, strict=True):
            known.extend([each for each in plan.sources if each not in known][: MOST_SOURCES - len(known)])
            indices = [known.index(each) if each in known else 0 for each in plan.sources]
            for part in plan.parts:
                if unpacking is None:
                    rows += unpack(part, self.columns, clock.ns, indices)
                else:
                    rows += unpacking.rows(part, clock.ns, indices)
        return rows

    def lose(self, share: tuple[int, int], losses: Sequence[Loss], known: Sequence[int] = ()) -> list[int]:
        """Counts as failed what a lost host was to send and whose outcome is not known; returns these rows.

        Args:
            share: (i, n): it was share i of n.
            losses: of each plan.
            known: rows that it had passed on before it was lost.
        """
        index, many = share
        here = frozenset(known)
        rows: list[int] = []
        for plan, span, loss in zip(self.plans, self.spans, losses, strict=True):
            part = share_out(plan, whole(plan), many)[index]
            owed = {span.start + row: due_ns for row, due_ns in plan.shape.owed(part, loss)}
            # Without a schedule only their number is known, and those that are here are among them.
            left = max(0, len(owed) - sum(row in here for row in span)) if here else len(owed)
            for at, due_ns in islice(((at, due_ns) for at, due_ns in owed.items() if at not in here), left):
                self.columns.due[at] = due_ns
                self.columns.done[at] = max(due_ns, loss.at_ns)
                self.columns.outcome[at] = Outcome.FAILED
                rows.append(at)
            if plan.travel is not None:
                label = plan.travel.particulars.texts.number_of(LOST)
                for at in rows:
                    plan.travel.particulars.label[at] = label
        rows.sort()
        self._rows.append(rows)
        return rows

    @property
    def begun(self) -> Sequence[int]:
        """Rows of all hosts, ascending."""
        rows = sorted(chain.from_iterable(self._rows))
        # Without gaps, columns can be read as one slice.
        return range(rows[0], rows[-1] + 1) if rows and rows[-1] - rows[0] + 1 == len(rows) else rows

    @property
    def sources(self) -> tuple[tuple[str, ...], ...]:
        """As in `RunFacts`."""
        return tuple(tuple(each) or ("",) for each in self._sources)


def pacing_lag_p99_ns(columns: Columns, rows: Sequence[int]) -> int | None:
    """How late one in a hundred of these rows was begun; None if none was."""
    began = array("q", [columns.opened[row] or columns.sent[row] for row in rows])
    lags = [max(0, at - columns.due[row]) for row, at in zip(rows, began, strict=True) if at != NEVER]
    return distribution(lags).p99
