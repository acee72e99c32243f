"""A load run <-> bytes: its raw rows, what was asked, and whatever else its result is made of; pure.

The head is JSON, as `msgspec` writes the records. Form 4 is today's. Form 2, of holdfast 0.1.0, named the class of each
record under "of", wrapped bytes and sets, and called `RunFacts` "beside"; it is migrated on reading.
"""

from __future__ import annotations

import base64
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

import msgspec

from holdfast.load import quantities
from holdfast.load.collect import run_of
from holdfast.load.columns import Columns
from holdfast.load.packing import pack, unpack
from holdfast.load.reports import RunFacts
from holdfast.loadtest.run import FinishedLoad, finished_load
from holdfast.model.load import LoadExperiment

FORM = 4
_FIRST_FORM = 2
UNREADABLE = (ValueError, TypeError, KeyError, IndexError, AttributeError, zlib.error, msgspec.MsgspecError)
"""What `read` raises for a damaged run."""


@dataclass(frozen=True, slots=True)
class _Head:
    """Everything but the rows."""

    experiment: LoadExperiment
    thresholds: tuple[str, ...]
    offset_ns: int | None
    interrupted: bool
    remarks: tuple[str, ...]
    facts: RunFacts


def head_of(finished: FinishedLoad) -> bytes:
    """Everything but the rows, as bytes."""
    result = finished.result
    head = _Head(
        finished.experiment,
        tuple(each.text for each in result.thresholds),
        result.wall_clock_offset_ns,
        result.interrupted,
        finished.remarks,
        finished.run.facts,
    )
    return zlib.compress(msgspec.json.encode(head, enc_hook=_edges), 1)


def parts_of(finished: FinishedLoad) -> Iterator[bytes]:
    """The rows as bytes, part by part."""
    return pack(finished.run.columns, finished.run.begun)


def read(head: bytes, parts: Iterable[bytes], form: int = FORM) -> FinishedLoad:
    """The run again, with its result computed anew.

    Args:
        form: the form that the head was saved in.

    Raises:
        UNREADABLE: one of these.
    """
    told = msgspec.json.decode(zlib.decompress(head))
    known: _Head = msgspec.convert(_migrated(told) if form == _FIRST_FORM else told, _Head, dec_hook=_range)
    columns = Columns(known.facts.spans[-1].stop)
    begun = _joined([unpack(part, columns) for part in parts])
    run = run_of(columns, begun, known.facts)
    thresholds = [quantities.threshold(each) for each in known.thresholds]
    finished = finished_load(known.experiment, run, thresholds, known.offset_ns, interrupted=known.interrupted)
    return finished.with_remarks(*known.remarks)


def title_of(experiment: LoadExperiment) -> str:
    """What was asked, in one line for a list of runs."""
    return ", ".join(f"{group.url} {group.shape.title}" for group in experiment.groups)


def _edges(value: object) -> object:
    """A range as JSON. Raises NotImplementedError, as msgspec asks of a hook, for anything else."""
    if isinstance(value, range):
        return value.start, value.stop
    raise NotImplementedError


def _range(kind: type, value: Any) -> object:  # noqa: ANN401 - JSON in
    """The reverse of `_edges`."""
    if kind is range:
        return range(*value)
    raise NotImplementedError


def _migrated(head: dict[str, Any]) -> dict[str, Any]:
    """A head of form 2 in form 4."""
    facts = {"spans": head["spans"], "sources": head["sources"], "stopped": head["stopped"], **head["beside"]}
    return {**head, "experiment": _unwrapped(head["experiment"]), "facts": facts}


def _unwrapped(value: Any) -> Any:  # noqa: ANN401 - JSON in, JSON out
    """The same with bytes and bodies as base64 and sets as lists; the classes of shapes and values are still needed."""
    if isinstance(value, list):
        return [_unwrapped(each) for each in value]
    if not isinstance(value, dict):
        return value
    if value.get("of") == "bytes":
        return value["base64"]
    if value.get("of") == "frozenset":
        return value["each"]
    if value.get("of") == "Step" and isinstance(value["body"], str):
        value = {**value, "body": base64.b64encode(value["body"].encode()).decode()}
    return {name: _unwrapped(each) for name, each in value.items()}


def _joined(parts: Sequence[Sequence[int]]) -> Sequence[int]:
    """Rows in order; as a range if there are no gaps, which the summary reads several times as fast."""
    if not parts:
        return range(0)
    first, last = parts[0][0], parts[-1][-1]
    if last - first + 1 == sum(map(len, parts)):
        return range(first, last + 1)
    return [*chain.from_iterable(parts)]
