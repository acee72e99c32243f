"""A load run <-> bytes: its raw rows, what was asked, and whatever else its result is made of; pure."""

from __future__ import annotations

import json
import zlib
from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING

from holdfast.engine import quantities
from holdfast.engine.collect import LoadRun, asked_rate_per_s, begin_together, events_of, run_of
from holdfast.engine.columns import Columns
from holdfast.engine.ended import RUNS
from holdfast.engine.packing import pack, pack_runs, unpack
from holdfast.engine.plan import MOST_SOURCES
from holdfast.engine.processes import Watched
from holdfast.engine.reports import RunFacts
from holdfast.loadtest.codec import from_json, to_json
from holdfast.loadtest.run import FinishedLoad, finished_load
from holdfast.model.load import LoadExperiment
from holdfast.model.scenario import Group

if TYPE_CHECKING:
    from holdfast.engine.event_packing import EventPacking
    from holdfast.engine.event_rows import EventRows

UNREADABLE = (ValueError, TypeError, KeyError, IndexError, zlib.error)
"""What `read` raises for a run that another version saved in another form, or that is damaged."""


_CUT_SHORT = (
    "The load was cut short (holdfast was killed, or the machine stopped), or is not over yet: only requests that had "
    "ended when rows were last saved are here."
)


def head_of(finished: FinishedLoad) -> bytes:
    """Everything but the rows, as bytes."""
    result = finished.result
    asked = {
        "experiment": to_json(finished.experiment),
        "thresholds": [each.text for each in result.thresholds],
        "offset_ns": result.wall_clock_offset_ns,
        "interrupted": result.interrupted,
        "remarks": finished.remarks,
    }
    return _head(asked, finished.run.facts)


def head_of_begun(
    experiment: LoadExperiment, thresholds: Sequence[str], offset_ns: int, watched: Watched, *, remarks: Sequence[str]
) -> bytes:
    """The same of a load that has begun.

    Args:
        thresholds: as they were written.
    """
    asked = {
        "experiment": to_json(experiment),
        "thresholds": [*thresholds],
        "offset_ns": offset_ns,
        "interrupted": False,
        "remarks": [*remarks],
    }
    facts = RunFacts(
        spans=watched.spans,
        # Only a load process that is done tells its addresses.
        sources=(("",) * MOST_SOURCES,) * len(watched.spans),
        asked_per_s=asked_rate_per_s(watched.plans),
        together=begin_together(watched.plans),
        limits=(_CUT_SHORT,),
    )
    return _head(asked, facts)


def _head(asked: Mapping[str, object], known: RunFacts) -> bytes:
    facts = asdict(known)
    head = {
        **asked,
        "spans": [[span.start, span.stop] for span in facts.pop("spans")],
        "sources": facts.pop("sources"),
        "stopped": facts.pop("stopped"),
        "beside": facts,
    }
    return zlib.compress(json.dumps(head).encode(), 1)


def packing_of(watched: Watched) -> Callable[[Sequence[range]], Iterator[bytes]]:
    """What makes parts of the rows of a load that still runs, which it takes as `packing.joined` gives them."""
    (plan, *_) = watched.plans
    if plan.travel is not None:
        from holdfast.loadtest.journey_parts import Packing  # noqa: PLC0415 - of journeys alone

        packing = Packing(watched.columns, plan.travel.particulars)
        return lambda runs: packing.parts([*chain.from_iterable(runs)])
    return partial(pack_runs, watched.columns)


def rest_of(finished: FinishedLoad, known: bytearray) -> Iterator[bytes]:
    """As `parts_of`, of the rows that were not saved while the load ran; not of journeys.

    Args:
        known: 1 for each row that was saved; it may end before the last row.
    """
    begun = finished.run.begun
    missing = bytearray(begun[-1] + 1 if begun else 0)
    if isinstance(begun, range):
        missing[begun.start : begun.stop] = b"\1" * len(begun)
    else:
        for row in begun:
            missing[row] = 1
    for run in RUNS.finditer(known):
        missing[run.start() : run.end()] = bytes(run.end() - run.start())
    return pack_runs(finished.run.columns, [range(run.start(), run.end()) for run in RUNS.finditer(missing)])


def parts_of(finished: FinishedLoad) -> Iterator[bytes]:
    """The rows as bytes, part by part."""
    run = finished.run
    if run.particulars is not None:
        from holdfast.loadtest.journey_parts import Packing  # noqa: PLC0415 - of journeys alone

        return Packing(run.columns, run.particulars).parts(run.begun)
    return pack(finished.run.columns, finished.run.begun)


def event_packing(events: Iterable[EventRows]) -> EventPacking:
    """What makes parts of the rows of events, each time of those that have come since."""
    from holdfast.engine.event_packing import EventPacking  # noqa: PLC0415 - of events alone

    return EventPacking(events)


def read(head: bytes, parts: Iterable[bytes], events: Iterable[bytes] = ()) -> FinishedLoad:
    """The run again, with its result computed anew.

    Args:
        events: parts of the rows of events, which can be gone through more than once.

    Raises:
        UNREADABLE: one of these.
    """
    # A run is saved after each load, and read only when it is asked for again.
    from msgspec import convert  # noqa: PLC0415

    known = json.loads(zlib.decompress(head))
    spans = tuple(range(*span) for span in known["spans"])
    told = {"sources": known["sources"], "stopped": known["stopped"], **known["beside"]}
    facts = replace(convert(told, RunFacts), spans=spans)
    experiment = from_json(known["experiment"])
    run = _run_of_journeys(parts, facts) if experiment.journeys is not None else _run(parts, facts)
    if any(group.events for group in experiment.groups):
        run = _with_events(run, events)
    thresholds = [quantities.threshold(each) for each in known["thresholds"]]
    finished = finished_load(experiment, run, thresholds, known["offset_ns"], interrupted=known["interrupted"])
    return finished.with_remarks(*known["remarks"])


def _with_events(run: LoadRun, parts: Iterable[bytes]) -> LoadRun:
    from holdfast.engine.event_packing import PackedEvents, counted  # noqa: PLC0415 - of events alone

    # What a load that was cut short had counted is with its rows alone.
    events = run.facts.events or events_of(*counted(parts))
    return replace(run, facts=replace(run.facts, events=events), saved_events=PackedEvents(parts))


def _run(parts: Iterable[bytes], facts: RunFacts) -> LoadRun:
    columns = Columns(facts.spans[-1].stop)
    return run_of(columns, _joined([unpack(part, columns) for part in parts]), facts)


def _run_of_journeys(parts: Iterable[bytes], facts: RunFacts) -> LoadRun:
    from holdfast.engine.particulars import Particulars  # noqa: PLC0415 - of journeys alone
    from holdfast.loadtest.journey_parts import Unpacking, last_row_of  # noqa: PLC0415

    parts = list(parts)
    many = last_row_of(parts) + 1
    columns, known = Columns(many), Particulars(many)
    unpacking = Unpacking(columns, known)
    begun = _joined([unpacking.rows(part) for part in parts])
    return replace(run_of(columns, begun, replace(facts, spans=(range(many),))), particulars=known)


def title_of(experiment: LoadExperiment) -> str:
    """What was asked, in one line for a list of runs."""
    if experiment.journeys is not None:
        from holdfast.loadtest import journey_results  # noqa: PLC0415 - of journeys alone

        return journey_results.title_of(experiment.journeys)
    return ", ".join(f"{group.url} {group.shape.title}{_protocol(group)}" for group in experiment.groups)


def _protocol(group: Group) -> str:
    if group.streams is None:
        return ""
    return ", HTTP/2 with 1 stream" if group.streams == 1 else f", HTTP/2 with {group.streams} streams"


def _joined(parts: Sequence[Sequence[int]]) -> Sequence[int]:
    """Rows in order; as a range if there are no gaps, which the summary reads several times as fast."""
    if not parts:
        return range(0)
    first, last = min(part[0] for part in parts), max(part[-1] for part in parts)
    if last - first + 1 == sum(map(len, parts)):
        return range(first, last + 1)
    # Those of a load that was cut short were saved as they ended.
    return array("q", sorted(chain.from_iterable(parts)))
