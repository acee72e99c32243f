"""A load run as bytes, and back: its raw rows, what was asked, and what else its result is made of; pure.

Rows are kept a part at a time. Each column is kept as differences from one that lies near (an instant from the one
before it in the same request), the first bytes of all numbers before the second ones, and compressed: measured, 12 to
20 bytes a row instead of 60.
"""

from __future__ import annotations

import base64
import json
import sys
import zlib
from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, fields, is_dataclass
from itertools import accumulate, chain
from operator import sub
from typing import Any

from holdfast.load import quantities
from holdfast.load.collect import Beside, run_of
from holdfast.load.columns import Columns
from holdfast.loadtest.rows import taken
from holdfast.loadtest.run import Loaded, loaded, remarked
from holdfast.model import load, scenario
from holdfast.model.load import LoadExperiment
from holdfast.model.scenario import Burst, Clients, Group, Phases, Rise, Spread

ROWS_OF_A_PART = 1 << 16
UNREADABLE = (ValueError, TypeError, KeyError, IndexError, zlib.error)
"""What `read` raises of a run that another version saved in another form, or that is damaged."""

_KINDS: dict[str, Any] = {
    name: kind for module in (scenario, load) for name, kind in vars(module).items() if is_dataclass(kind)
}
_NONE = -(1 << 62)  # stands for an instant that did not come: a difference can be 0
_PLAIN = ("status", "outcome", "source", "local_port", "received")


def head(done: Loaded) -> bytes:
    """Everything but the rows."""
    run, result = done.run, done.result
    facts = {
        "experiment": _plain(done.experiment),
        "thresholds": [each.text for each in result.thresholds],
        "offset_ns": result.wall_clock_offset_ns,
        "interrupted": result.interrupted,
        "remarks": done.remarks,
        "spans": [[span.start, span.stop] for span in run.spans],
        "sources": run.sources,
        "stopped": run.stopped,
        "beside": asdict(run.beside),
    }
    return zlib.compress(json.dumps(facts).encode(), 1)


def parts(done: Loaded) -> Iterator[bytes]:
    """The rows."""
    begun = done.run.begun
    for first in range(0, len(begun), ROWS_OF_A_PART):
        yield _packed(done.run.columns, begun[first : first + ROWS_OF_A_PART])


def read(of_head: bytes, of_rows: Iterable[bytes]) -> Loaded:
    """The run again, with its result made anew.

    Raises:
        UNREADABLE: one of these.
    """
    facts = json.loads(zlib.decompress(of_head))
    experiment = _made(facts["experiment"])
    spans = tuple(range(*span) for span in facts["spans"])
    columns = Columns(spans[-1].stop)
    begun = _joined([_unpacked(columns, part) for part in of_rows])
    # A run is saved after each load, and read only when it is asked for again.
    from msgspec import convert  # noqa: PLC0415

    beside = convert(facts["beside"], Beside)
    run = run_of(columns, begun, spans, tuple(map(tuple, facts["sources"])), facts["stopped"], beside)
    thresholds = [quantities.threshold(each) for each in facts["thresholds"]]
    done = loaded(experiment, run, thresholds, facts["offset_ns"], interrupted=facts["interrupted"])
    return remarked(done, *facts["remarks"])


def said(experiment: LoadExperiment) -> str:
    """What was asked, in one line for a list of runs."""
    return ", ".join(_said(group) for group in experiment.groups)


def _said(group: Group) -> str:
    shape = group.shape
    if isinstance(shape, Clients):
        return f"{group.url} {shape.clients} clients"
    if isinstance(shape, Spread):
        return f"{group.url} {shape.requests} over {shape.over_s:g} s"
    if isinstance(shape, Burst):
        return f"{group.url} burst of {shape.requests}"
    if isinstance(shape, Rise):
        return f"{group.url} {shape.from_per_s:g}/s to {shape.to_per_s:g}/s in {shape.for_s:g} s"
    if isinstance(shape, Phases):
        return f"{group.url} arrivals in {len(shape.phases)} parts"
    stages = ", ".join(f"{rate:g}/s for {seconds:.3g} s" for rate, seconds in shape.stages)
    return f"{group.url} {stages}"


def _joined(pieces: Sequence[Sequence[int]]) -> Sequence[int]:
    """Rows in order; as a range where there are no gaps, which the summary reads several times as fast."""
    if not pieces:
        return range(0)
    first, last = pieces[0][0], pieces[-1][-1]
    if last - first + 1 == sum(map(len, pieces)):
        return range(first, last + 1)
    return [*chain.from_iterable(pieces)]


def _packed(columns: Columns, ids: Sequence[int]) -> bytes:
    due, opened, connected, sent, first, done = (
        taken(column, ids)
        for column in (columns.due, columns.opened, columns.connected, columns.sent, columns.first, columns.done)
    )
    near = [at or planned for at, planned in zip(opened, due, strict=True)]
    begun = [at or before for at, before in zip(sent, near, strict=True)]
    numbers = [
        [ids[0], *map(sub, ids[1:], ids)],
        [due[0], *map(sub, due[1:], due)],
        _from(opened, due),
        _from(connected, near),
        _from(sent, near),
        _from(first, begun),
        _from(done, begun),
        *(taken(getattr(columns, name), ids) for name in _PLAIN),
    ]
    return zlib.compress(b"".join(map(_planes, numbers)), 1)


def _unpacked(columns: Columns, part: bytes) -> list[int]:
    """Writes a part's rows into their places; which they are."""
    whole = memoryview(zlib.decompress(part))
    many, rest = divmod(len(whole), 8 * (7 + len(_PLAIN)))
    if rest or not many:
        raise ValueError("a part of the rows is cut off")
    read = [_numbers(whole[8 * many * at : 8 * many * (at + 1)], many) for at in range(7 + len(_PLAIN))]
    ids, due = [*accumulate(read[0])], [*accumulate(read[1])]
    opened = _to(read[2], due)
    near = [at or planned for at, planned in zip(opened, due, strict=True)]
    sent = _to(read[4], near)
    begun = [at or before for at, before in zip(sent, near, strict=True)]
    values = {
        "due": due,
        "opened": opened,
        "connected": _to(read[3], near),
        "sent": sent,
        "first": _to(read[5], begun),
        "done": _to(read[6], begun),
        **dict(zip(_PLAIN, read[7:], strict=True)),
    }
    together = ids[-1] - ids[0] == len(ids) - 1
    for name, column in values.items():
        place = getattr(columns, name)
        if together:
            place[ids[0] : ids[-1] + 1] = memoryview(array(place.format, column))
        else:
            for id_, value in zip(ids, column, strict=True):
                place[id_] = value
    return ids


def _from(instants: Sequence[int], before: Sequence[int]) -> list[int]:
    return [at - earlier if at else _NONE for at, earlier in zip(instants, before, strict=True)]


def _to(differences: Sequence[int], before: Sequence[int]) -> list[int]:
    return [0 if later == _NONE else earlier + later for later, earlier in zip(differences, before, strict=True)]


def _planes(numbers: Iterable[int]) -> bytes:
    """The lowest bytes of all numbers, then the next ones, and so on: like stands beside like."""
    values = array("q", numbers)
    if sys.byteorder == "big":
        values.byteswap()
    raw = values.tobytes()
    return b"".join(raw[at::8] for at in range(8))


def _numbers(planes: memoryview, many: int) -> array[int]:
    raw = bytearray(8 * many)
    for at in range(8):
        raw[at::8] = planes[at * many : (at + 1) * many]
    values = array("q", bytes(raw))
    if sys.byteorder == "big":
        values.byteswap()
    return values


def _plain(value: object) -> object:
    """Anything of the model, as JSON can say it."""
    if isinstance(value, bytes):
        return {"of": "bytes", "base64": base64.b64encode(value).decode()}
    if isinstance(value, frozenset):
        return {"of": "frozenset", "each": sorted(value)}
    if isinstance(value, tuple):
        return [_plain(each) for each in value]
    if is_dataclass(value):
        own = {each.name: _plain(getattr(value, each.name)) for each in fields(value)}
        return {"of": type(value).__name__, **own}
    return value


def _made(value: Any) -> Any:  # noqa: ANN401 - JSON in, the model out
    if isinstance(value, list):
        return tuple(_made(each) for each in value)
    if not isinstance(value, dict):
        return value
    own = {name: _made(each) for name, each in value.items()}
    kind = own.pop("of")
    if kind == "bytes":
        return base64.b64decode(own["base64"])
    return frozenset(own["each"]) if kind == "frozenset" else _KINDS[kind](**own)
