"""What load processes have written and told, put together into one run; pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import chain, compress

from holdfast.load.columns import Columns
from holdfast.load.endpoint import NO_TLS
from holdfast.load.plan import Open, Part, Plan, Sessions
from holdfast.load.replies import MOST_CHECKED
from holdfast.load.schedule import offered_per_s
from holdfast.load.summary import Summary, summarise
from holdfast.model.load import HostResult
from holdfast.model.places import Outcome
from holdfast.model.units import NEVER

_ALWAYS = 0.98
_LONG_ENOUGH_S = 0.5
_BUSY = (
    "The load was busy all the time and never had to wait for the server, which may be faster than this: give "
    "--processes N, or load it from another machine."
)


@dataclass(frozen=True, slots=True)
class Beside:
    """What is known of a run beside its rows.

    Attributes:
        asked_per_s: the schedule's mean rate; None where there is no single one.
        peak: most requests in flight at once, where one process has counted them.
        limits: what went wrong on our own side, in words.
        notes: other doubts, in words.
        location: where the last redirect led that was read in full; "" where there was none.
        hosts: those that shared the load; () where this one alone sent it.
    """

    asked_per_s: float | None = None
    peak: int | None = None
    limits: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    location: str = ""
    hosts: tuple[HostResult, ...] = ()


@dataclass(frozen=True, slots=True)
class LoadRun:
    """A load run that is over.

    Attributes:
        columns: the rows of all its requests.
        begun: rows that were begun or were due, ascending.
        spans: which rows each plan had, in the order of the plans.
        sources: our addresses, as `columns.source` counts them, of each plan.
        stopped: why the rule ended it before its time, in words.
    """

    columns: Columns
    summary: Summary
    begun: Sequence[int]
    spans: tuple[range, ...]
    sources: tuple[tuple[str, ...], ...]
    stopped: str | None = None
    beside: Beside = Beside()


@dataclass(slots=True)
class Told:
    """What one load process has to say beside its rows.

    Attributes:
        begun: how many of its rows it began, from the first on; with sessions, below which row of the plan all are
            that it began.
        failure: why our own side fell short, in words.
        malformed: the first reply that was not HTTP/1, in words.
        excess, cut: as of `Replies`.
        peak: most of its requests at once; None where it was lost.
        busy: share of its time in which it had something to do.
        lasted_s: how long it had requests to send or to wait for.
    """

    begun: int = 0
    failure: str | None = None
    malformed: str | None = None
    excess: int = 0
    cut: int = 0
    location: str = ""
    peak: int | None = None
    busy: float = 0.0
    lasted_s: float = 0.0
    sources: list[str] = field(default_factory=list)


def told_for_lost(
    plan: Plan,
    part: Part,
    columns: Columns,
    start_ns: int,
    reached: int,
    now_ns: int,
    end: str,
) -> Told:
    """What a process would have told that cannot any more; what it had not ended becomes FAILED.

    Args:
        columns: of the plan alone.
        reached: as of `Tally`, when it last said it.
        end: how it ended, in words.
    """
    shape = plan.shape
    rows: Sequence[int] = part.rows
    begun = len(rows)
    if isinstance(shape, Open):
        for row in rows:
            columns.due[row] = start_ns + shape.due_ns[row]
    elif isinstance(shape, Sessions):
        # Since it last said how far it was, each of its clients may have begun one more.
        steps, clients = len(plan.acceptances), shape.clients
        below = range(min(plan.requests, reached + steps * clients))
        rows = [row for row in below if columns.due[row] and row // steps % clients in part.rows]
        begun = rows[-1] + 1 if rows else 0
    else:
        begun = next((index for index, row in enumerate(rows) if columns.due[row] == NEVER), begun)
        rows = rows[:begun]
    unended = [row for row in rows if columns.outcome[row] == Outcome.PENDING]
    for row in unended:
        columns.done[row] = now_ns
        columns.outcome[row] = Outcome.FAILED
    words = f"A load process was lost ({end}): {len(unended)} of its requests count as failed."
    return Told(begun, words)


def _begun(plan: Plan, span: range, columns: Columns, shares: Sequence[tuple[Part, Told]]) -> Sequence[int]:
    """Rows that a plan began, of the whole run's columns, ascending."""
    if isinstance(plan.shape, Sessions):
        most = max(told.begun for _, told in shares)
        rows = range(span.start, span.start + most)
        return list(compress(rows, columns.due[rows.start : rows.stop]))
    parts = [
        range(span.start + rows.start, span.start + rows.stop, rows.step)
        for rows in (part.rows[: told.begun] for part, told in shares)
    ]
    # A range is read as one slice: of a million rows 0.7 s instead of 1.0 s (measured).
    if sum(map(len, parts)) == len(span):
        return span
    return parts[0] if len(parts) == 1 else sorted(chain.from_iterable(parts))


def gathered(
    plans: Sequence[Plan],
    shares: Sequence[Sequence[tuple[Part, Told]]],
    columns: Columns,
    spans: tuple[range, ...],
    stop: str | None = None,
) -> LoadRun:
    """The run that its load processes have told of.

    Args:
        shares: of each plan, its parts and what became of each.
        stop: why a rule ended it, in words.
    """
    begun = [_begun(plan, span, columns, parts) for plan, span, parts in zip(plans, spans, shares, strict=True)]
    told = [each for parts in shares for _, each in parts]
    rows = begun[0] if len(begun) == 1 else list(chain.from_iterable(begun))
    limits = sorted({each.failure for each in told if each.failure})
    limits += [_BUSY] if _always_busy(plans, shares) and any(columns.status[row] for row in rows) else []
    notes = sorted({_of_malformed(each.malformed) for each in told if each.malformed})[:1]
    excess = sum(each.excess for each in told)
    if excess:
        notes.append(f"{excess} replies were followed by more bytes than they announced.")
    cut = sum(each.cut for each in told)
    if cut:
        notes.append(f"Of {cut} bodies checks have seen the first {MOST_CHECKED >> 20} MiB alone.")
    sources = tuple(tuple(_longest([each.sources for _, each in parts])) or ("",) for parts in shares)
    location = next((each.location for each in told if each.location), "")
    peak = told[0].peak if len(told) == 1 else None
    beside = Beside(asked_rate_per_s(plans), peak, tuple(limits), tuple(notes), location)
    return run_of(columns, rows, spans, sources, stop, beside)


def run_of(
    columns: Columns,
    begun: Sequence[int],
    spans: tuple[range, ...],
    sources: tuple[tuple[str, ...], ...],
    stopped: str | None,
    beside: Beside,
) -> LoadRun:
    """The run that has these rows; everything as of `LoadRun`."""
    summary = summarise(columns, begun, beside.asked_per_s, beside.peak, beside.limits, beside.notes)
    return LoadRun(columns, summary, begun, spans, sources, stopped, beside)


def asked_rate_per_s(plans: Sequence[Plan]) -> float | None:
    """The mean rate of the schedule; None where there is none, or several, of which a person can compare with none."""
    only = plans[0].shape if len(plans) == 1 else None
    return offered_per_s(only.due_ns) if isinstance(only, Open) else None


def _always_busy(plans: Sequence[Plan], shares: Sequence[Sequence[tuple[Part, Told]]]) -> bool:
    """Whether a closed load never had to wait for the server, which then may be faster than it was seen to be.

    In the open model the same shows in the pacing lag.
    """
    return any(
        told.busy > _ALWAYS and told.lasted_s > _LONG_ENOUGH_S
        for plan, parts in zip(plans, shares, strict=True)
        if not isinstance(plan.shape, Open)
        for _, told in parts
    )


def _of_malformed(words: str) -> str:
    return words[0].upper() + words[1:] + "." if words.startswith(NO_TLS) else f"A reply was not HTTP/1: {words}."


def _longest(known: Sequence[list[str]]) -> list[str]:
    return max(known, key=len)
