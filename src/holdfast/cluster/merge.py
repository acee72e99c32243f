"""What several hosts recorded of one load, put together into one run; pure.

Each host numbers its requests as the whole plan does, so rows of two hosts never are the same. Instants come in the
host's clock and are moved into ours by one amount for the whole run: what lies between two instants of one host stays
as it was measured.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice

import msgspec

from holdfast.cluster.clocks import Offset
from holdfast.cluster.rows import packed, unpacked
from holdfast.load.collect import LoadRun
from holdfast.load.columns import Columns
from holdfast.load.plan import MOST_SOURCES, Closed, Open, Part, Plan, Sessions, share_out, whole
from holdfast.load.sessions import pause_ns
from holdfast.load.summary import distribution
from holdfast.model.places import Outcome
from holdfast.model.timeline import NEVER
from holdfast.model.units import NS_PER_S


@dataclass(frozen=True, slots=True)
class PackedRows:
    """The begun rows of one plan, and the source addresses that they count."""

    parts: list[bytes]
    sources: list[str]


@dataclass(frozen=True, slots=True)
class Report:
    """What one host brings back; `limits`, `notes` and `location` as of `Beside`."""

    plans: list[PackedRows]
    limits: list[str]
    notes: list[str]
    location: str = ""


@dataclass(frozen=True, slots=True)
class Loss:
    """How a host was lost.

    Attributes:
        at_ns: when it was seen, by our clock.
        begun: requests of each plan that it had begun by its last word.
        until_ns: no request was due from then on, because the load was to end; None where it was not.
    """

    at_ns: int
    begun: Sequence[int]
    until_ns: int | None = None


def report_of(run: LoadRun) -> bytes:
    """A host's run as bytes."""
    plans = []
    for span, sources in zip(run.spans, run.sources, strict=True):
        rows = run.begun[bisect_left(run.begun, span.start) : bisect_left(run.begun, span.stop)]
        plans.append(PackedRows(packed(run.columns, rows), list(sources)))
    return msgspec.msgpack.encode(Report(plans, list(run.beside.limits), list(run.beside.notes), run.beside.location))


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

    def take(self, report: Report, clock: Offset) -> list[int]:
        """Writes a host's rows; gives their numbers, ascending.

        Raises:
            ValueError: they cannot be read.
        """
        rows: list[int] = []
        for known, plan in zip(self._sources, report.plans, strict=True):
            known.extend([each for each in plan.sources if each not in known][: MOST_SOURCES - len(known)])
            indices = [known.index(each) if each in known else 0 for each in plan.sources]
            rows += unpacked(plan.parts, self.columns, clock.ns, indices)
        self._rows.append(rows)
        return rows

    def lose(self, share: tuple[int, int], start_ns: int, loss: Loss) -> list[int]:
        """Lets what a lost host was to send, and nobody knows the end of, count as failed; gives its rows."""
        index, many = share
        rows: list[int] = []
        for plan, span, begun in zip(self.plans, self.spans, loss.begun, strict=True):
            part = share_out(plan, whole(plan), many)[index]
            for row, due_ns in _owed(plan, part, start_ns, loss, begun):
                at = span.start + row
                self.columns.due[at] = due_ns
                self.columns.done[at] = max(due_ns, loss.at_ns)
                self.columns.outcome[at] = Outcome.FAILED
                rows.append(at)
        rows.sort()
        self._rows.append(rows)
        return rows

    @property
    def begun(self) -> Sequence[int]:
        """Rows of all hosts, ascending."""
        rows = sorted(chain.from_iterable(self._rows))
        # Without gaps, columns can be read as they lie.
        return range(rows[0], rows[-1] + 1) if rows and rows[-1] - rows[0] + 1 == len(rows) else rows

    @property
    def sources(self) -> tuple[tuple[str, ...], ...]:
        """As of `LoadRun`."""
        return tuple(tuple(each) or ("",) for each in self._sources)


def _owed(plan: Plan, part: Part, start_ns: int, loss: Loss, begun: int) -> Iterator[tuple[int, int]]:
    """Rows of a lost share that were due by the schedule or had been begun, and when they were due.

    In the open model the schedule says it all. Otherwise a request becomes due when another has been answered, which
    nobody knows: as many count as the host had told of, and each client's first.
    """
    until_ns = loss.until_ns
    shape = plan.shape
    if isinstance(shape, Closed):
        for row in part.rows[:begun]:
            yield row, loss.at_ns
        return
    if isinstance(shape, Open):
        for row in part.rows:
            due_ns = start_ns + shape.due_ns[row]
            if until_ns is None or due_ns < until_ns:
                yield row, due_ns
        return
    yield from _owed_by_clients(plan, shape, part, start_ns, until_ns, begun, loss.at_ns)


def _owed_by_clients(
    plan: Plan, shape: Sessions, part: Part, start_ns: int, until_ns: int | None, begun: int, at_ns: int
) -> Iterator[tuple[int, int]]:
    steps, clients = len(plan.acceptances), shape.clients
    if shape.seconds is not None:
        last_ns = start_ns + round(shape.seconds * NS_PER_S)
        until_ns = last_ns if until_ns is None else min(until_ns, last_ns)
    firsts = {}
    for client in part.rows:
        row = client * steps
        due_ns = start_ns + shape.start_ns[client] + pause_ns(shape, row)
        if row < plan.requests and (until_ns is None or due_ns < until_ns):
            firsts[row] = due_ns
    yield from firsts.items()
    others = (row for row in range(plan.requests) if row // steps % clients in part.rows and row not in firsts)
    for row in islice(others, max(0, begun - len(firsts))):
        yield row, at_ns


def pacing_lag_p99_ns(columns: Columns, rows: Sequence[int]) -> int | None:
    """How late one in a hundred of these rows was begun; None where none was."""
    began = array("q", [columns.opened[row] or columns.sent[row] for row in rows])
    lags = [max(0, at - columns.due[row]) for row, at in zip(rows, began, strict=True) if at != NEVER]
    return distribution(lags).p99
