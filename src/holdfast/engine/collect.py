"""What load processes have written and reported, collected into one run; pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import chain
from typing import TYPE_CHECKING

from holdfast.engine.columns import Columns
from holdfast.engine.endpoint import NO_TLS
from holdfast.engine.frames import BROKEN
from holdfast.engine.http1 import IS_HTTP1, IS_HTTP2, NOT_HTTP2
from holdfast.engine.parts import Part
from holdfast.engine.plan import Plan
from holdfast.engine.replies import MOST_CHECKED
from holdfast.engine.reports import RunFacts, WorkerReport
from holdfast.engine.shapes import EngineShape
from holdfast.engine.stalls import stalled, stalls_limit
from holdfast.engine.status_advice import leave_http2_out
from holdfast.engine.streams_seen import doubts_of_streams, streams_of
from holdfast.engine.summary import distribution, latency_ms, summarise
from holdfast.model.frozen import frozen
from holdfast.model.load import EventsResult, LoadSummary
from holdfast.model.places import Outcome

if TYPE_CHECKING:
    from holdfast.engine.event_packing import PackedEvents
    from holdfast.engine.event_rows import EventCounts, EventRows
    from holdfast.engine.particulars import Particulars

_ALWAYS = 0.98
_LONG_ENOUGH_S = 0.5
# Fewer say nothing of a server's pace: a client's first request brings modules along, on a busy machine for as long.
_ENOUGH = 100
_BUSY = (
    "The load was busy all the time and never had to wait for the server, which may be faster than this: give "
    "--processes N, or load it from another machine."
)
_BUSY_ALONE = (
    "The load was busy all the time and never had to wait for the server, which may be faster than this: one process "
    "sends all of it, because {why}."
)

Shares = Sequence[tuple[Part, WorkerReport]]
"""The parts of one plan, and the report on each."""


@frozen
class LoadRun:
    """A load run that is over.

    Attributes:
        columns: the rows of all its requests.
        begun: rows that were begun or were due, ascending.
        events: in replies, of each load process that looked for them.
        saved_events: in their place where the run was read again.
        particulars: what else is known of the rows of journeys; None for those of a load that was fixed beforehand.
    """

    columns: Columns
    summary: LoadSummary
    begun: Sequence[int]
    facts: RunFacts
    events: tuple[EventRows, ...] = ()
    saved_events: PackedEvents | None = None
    particulars: Particulars | None = None


@frozen
class LostProcess:
    """A load process that ended without a report.

    Attributes:
        start_ns: start of the load, CLOCK_MONOTONIC.
        reached: as in `Tally`, when the process last wrote it.
        at_ns: when the loss was noticed.
        end: how the process ended, in words.
        sources: its addresses, as its rows count them.
    """

    part: Part
    start_ns: int
    reached: int
    at_ns: int
    end: str
    sources: Sequence[str] = ()


def report_for_lost(shape: EngineShape, columns: Columns, lost: LostProcess) -> WorkerReport:
    """The report that a lost process can no longer make; the rows that it had not ended become FAILED.

    Args:
        columns: of the plan alone.
    """
    rows = shape.left_by(lost.part, columns, lost.start_ns, lost.reached)
    unended = [row for row in rows if columns.outcome[row] == Outcome.PENDING]
    for row in unended:
        columns.done[row] = lost.at_ns
        columns.outcome[row] = Outcome.FAILED
    return WorkerReport(
        begun=len(rows),
        reached=rows[-1] + 1 if rows else 0,
        failure=f"A load process was lost ({lost.end}): {len(unended)} of its requests count as failed.",
        sources=list(lost.sources),
    )


def collect(
    plans: Sequence[Plan],
    shares: Sequence[Shares],
    columns: Columns,
    spans: tuple[range, ...],
    stopped: str | None,
    events: Sequence[EventRows] = (),
) -> LoadRun:
    """The run that its load processes have reported on.

    Args:
        shares: of each plan.
        spans: rows of each plan.
        stopped: why a rule ended it, in words; None if none did.
        events: in replies, of each load process that looked for them.
    """
    of_plans = zip(plans, spans, shares, strict=True)
    begun = [plan.shape.begun(span, columns, parts) for plan, span, parts in of_plans]
    rows = begun[0] if len(begun) == 1 else list(chain.from_iterable(begun))
    reports = [report for parts in shares for _, report in parts]
    limits = sorted({words for each in reports for words in (each.failure, each.too_slow) if words})
    if _always_busy(plans, shares) and any(columns.status[row] for row in rows):
        alone = next((plan.travel.shared for plan in plans if plan.travel), ())
        limits.append(_BUSY_ALONE.format(why=alone[0]) if alone else _BUSY)
    stood_still, notes = stalled(reports), (*_notes(reports), *doubts_of_streams(streams_of(plans, reports)))
    if stood_still is not None:
        limits, notes = ([*limits, stood_still], notes) if stalls_limit(reports) else (limits, (*notes, stood_still))
    facts = RunFacts(
        spans=spans,
        sources=tuple(max((tuple(report.sources) for _, report in parts), key=len) or ("",) for parts in shares),
        stopped=stopped,
        asked_per_s=asked_rate_per_s(plans),
        together=begin_together(plans),
        peak=reports[0].peak if len(reports) == 1 else None,
        limits=tuple(limits),
        notes=notes,
        location=next((each.location for each in reports if each.location), ""),
        events=_events_of(events) if events else None,
        http2=streams_of(plans, reports),
        redirects=sum(each.redirects for each in reports),
    )
    return replace(run_of(columns, rows, facts), events=tuple(events))


def events_of(counts: Sequence[EventCounts], first_ns: Iterable[int], gap_ns: Iterable[int]) -> EventsResult:
    """What the events of all processes come to.

    Args:
        counts: of each process.
        first_ns, gap_ns: of all rows; as in `EventsResult`.
    """
    return EventsResult(
        sum(each.events for each in counts),
        sum(each.streams for each in counts),
        sum(each.ended_by_us for each in counts),
        latency_ms(distribution(first_ns)),
        latency_ms(distribution(gap_ns)),
        sum(each.kept for each in counts),
    )


def _events_of(events: Sequence[EventRows]) -> EventsResult:
    gaps = [each.gaps_ns() for each in events]
    first_ns = chain.from_iterable(first for first, _ in gaps)
    gap_ns = chain.from_iterable(others for _, others in gaps)
    return events_of([each.counts for each in events], first_ns, gap_ns)


def run_of(columns: Columns, begun: Sequence[int], facts: RunFacts) -> LoadRun:
    """The run that has these rows; arguments as in `LoadRun`."""
    return LoadRun(columns, summarise(columns, begun, facts), begun, facts)


def asked_rate_per_s(plans: Sequence[Plan]) -> float | None:
    """The mean rate of the schedule; None without one, or with several, since a person can compare with neither."""
    return plans[0].shape.rate_per_s if len(plans) == 1 else None


def begin_together(plans: Sequence[Plan]) -> bool:
    """Whether all requests are to begin at one instant."""
    return all(plan.shape.planned_s == 0 for plan in plans)


def _notes(reports: Sequence[WorkerReport]) -> tuple[str, ...]:
    """Doubts that processes have reported, in words."""
    notes = sorted({_malformed(each.malformed) for each in reports if each.malformed})[:1]
    if excess := sum(each.excess for each in reports):
        notes.append(f"{excess} replies were followed by more bytes than they announced.")
    if cut := sum(each.cut for each in reports):
        notes.append(f"Checks saw only the first {MOST_CHECKED >> 20} MiB of {cut} bodies.")
    return (*notes, *chain.from_iterable(each.notes for each in reports))


def _always_busy(plans: Sequence[Plan], shares: Sequence[Shares]) -> bool:
    """Whether a closed load never had to wait for the server, which may then be faster than the load could show.

    In the open model the pacing lag shows the same.
    """
    return any(
        report.busy > _ALWAYS and report.lasted_s > _LONG_ENOUGH_S and report.begun >= _ENOUGH
        for plan, parts in zip(plans, shares, strict=True)
        if plan.shape.waits_for_replies
        for _, report in parts
    )


def _malformed(words: str) -> str:
    if words.startswith((IS_HTTP1, NOT_HTTP2)):
        return f"{words[0].upper()}{words[1:]}. {leave_http2_out()}"
    if words.startswith(IS_HTTP2):
        return f"A reply was not HTTP/1: {words}. Give --http2."
    named = words.startswith((NO_TLS, BROKEN))
    return words[0].upper() + words[1:] + "." if named else f"A reply was not HTTP/1: {words}."
