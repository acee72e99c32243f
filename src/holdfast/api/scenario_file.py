"""A scenario file: groups of clients and the steps of each, as a load.

    url = "http://127.0.0.1:8000"

    [[group]]
    clients = 20
    for = "30s"

    [[group.step]]
    request = "GET /"

docs/scenarios.md has every key.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path

from holdfast.api import scenario_shape
from holdfast.api.hook_name import allowed_files
from holdfast.api.input_files import read_data_rows, read_input
from holdfast.api.references import filled
from holdfast.api.scenario_request import OF_ALL, Known, Usual, usual_in
from holdfast.api.scenario_steps import calls_hooks, set_by, steps_in, weights_of
from holdfast.api.scenario_table import Table, table_of
from holdfast.engine import quantities
from holdfast.engine.quantities import Threshold
from holdfast.engine.url import parse_url
from holdfast.errors import UsageError
from holdfast.journeys.sharing import may_look_at
from holdfast.model.frozen import frozen
from holdfast.model.journey import Count, Crew, Journeys, Node, Once, Sequence, TakeRow
from holdfast.model.load import StopRule
from holdfast.model.scenario import DEFAULT_TIMEOUT_S, Timeouts
from holdfast.model.shapes import Clients, Shape
from holdfast.model.suggestions import did_you_mean

_OF_A_CREW = ("url", "cookies", "on-failure", "connect-timeout", "first-byte-timeout", "timeout")
_AT_THE_TOP = ("thresholds", "stop", "values", "rows", "group")
_OF_A_GROUP = ("name", "weight", "stage", "values", "rows", "step")
_ON_FAILURE = ("continue", "next pass", "leave", "stop")
_STAGES = ("before", "main", "after")
_PER = ("pass", "client")
_NUMBER = "id"

Rows = TakeRow | Once
"""Where each pass takes a row, or each client one for all of its passes."""


@frozen
class ScenarioRead:
    """The load that a scenario file describes.

    Attributes:
        stop: what ends it early.
        thresholds: of the whole load, and of the requests of single labels.
    """

    journeys: Journeys
    stop: StopRule
    thresholds: tuple[Threshold, ...]


@frozen
class _Around:
    """What holds for each group unless it says something else.

    Attributes:
        values: that all clients begin with.
        rows: that all groups share.
        hooks: the files whose functions may be called.
    """

    table: Table
    values: Mapping[str, str]
    rows: tuple[Rows, ...]
    seed: int
    hooks: frozenset[str]


def read_scenario(file: Path, replaced: Mapping[str, str], seed: int = 0, hooks: Iterable[str] = ()) -> ScenarioRead:
    """Reads a scenario.

    Args:
        replaced: values of `[values]` that the command line says otherwise.
        seed: of everything random.
        hooks: the files of a person's own that the command names; it may run no others.

    Raises:
        UsageError: it cannot be carried out as written; with line and column.
        EnvironmentFailure: it, or a file that it names, may not be read.
    """
    table = table_of(read_input(file), file)
    table.only((*_AT_THE_TOP, *_OF_A_CREW, *OF_ALL, *scenario_shape.KEYS))
    values = {**_values(table, {}), **_replaced(table, replaced)}
    around = _Around(table, values, _rows(table, "load"), seed, allowed_files(hooks))
    groups = table.tables("group", "a group")
    if not groups:
        raise UsageError(f"{file} has no groups.", "A group says who sends what.", "Add [[group]] with [[group.step]].")
    shapes = _shapes(table, groups)
    read = [
        _crew(group, shape, number, around) for number, (group, shape) in enumerate(zip(groups, shapes, strict=True), 1)
    ]
    crews = tuple(crew for crew, _ in read)
    _told_apart(groups, crews)
    return ScenarioRead(
        Journeys(crews),
        table.read("stop", quantities.stop_rule) or StopRule(),
        (*table.each("thresholds", quantities.threshold), *(each for _, own in read for each in own)),
    )


def _values(table: Table, before: Mapping[str, str]) -> dict[str, str]:
    given = table.table("values", "values")
    found = dict(before)
    for name, value in given.values.items():
        if isinstance(value, bool) or not isinstance(value, str | int | float) or not name.isidentifier():
            raise given.wrong(name, "It must be a name of letters, digits and _, and a text or a number.")
        found[name] = str(value)
    return found


def _replaced(table: Table, replaced: Mapping[str, str]) -> Mapping[str, str]:
    known = table.table("values", "values").values
    for name in replaced:
        if name not in known:
            raise UsageError(
                f"There is no value {name!r} in {table.file.name}.",
                f"[values] has {', '.join(known) or 'none'}.",
                did_you_mean(name, known, "Add it there, or leave -J out."),
            )
    return replaced


def _rows(table: Table, shared_by: str) -> tuple[Rows, ...]:
    found = table.values.get("rows")
    if isinstance(found, str):
        return (_take(table, "rows", found, shared_by),)
    taken: list[Rows] = []
    for each in table.tables("rows", "rows"):
        each.only(("file", "once", "per"))
        rows = _take(each, "file", each.text("file"), shared_by, once=each.flag("once"))
        taken.append(Once((rows,)) if choice(each, "per", _PER, "pass") == "client" else rows)
    return tuple(taken)


def _columns(rows: Rows) -> tuple[str, ...]:
    return rows.names if isinstance(rows, TakeRow) else _columns(rows.nodes[0])  # type: ignore[arg-type]


def _take(table: Table, key: str, name: str, shared_by: str, *, once: bool = False) -> TakeRow:
    rows = table.made(key, lambda: read_data_rows(table.file.parent / name, again=not once))
    assert rows is not None
    return TakeRow(rows.names, rows.rows, shared_by, again=not once, ends=once, origin=rows.origin)  # type: ignore[arg-type]


def _shapes(table: Table, groups: tuple[Table, ...]) -> tuple[Shape, ...]:
    """The shape of each group: its own, or its part of the shape of all by its weight."""
    common = scenario_shape.shape_in(table)
    own = [scenario_shape.shape_in(group) for group in groups]
    in_main = [group.text("stage", "main") == "main" for group in groups]
    sharing = [group for group, shape, main in zip(groups, own, in_main, strict=True) if shape is None and main]
    for group, shape in zip(groups, own, strict=True):
        if shape is None and common is None:
            if group.text("stage", "main") == "main":
                raise group.wrong(
                    (), "It has no load shape, and the scenario has none to share.", "Add clients and for."
                )
        elif shape is not None and "weight" in group.values:
            raise group.wrong("weight", "It has a load shape of its own; weights share out the scenario's.")
    parts: Iterator[Shape] = iter(())
    if common is not None and sharing:
        weights = weights_of(tuple(sharing))
        key = next(key for key in scenario_shape.KEYS if key in table.values)
        parts = iter(table.made(key, partial(scenario_shape.shared_out, common, weights)))
    # What comes before or after the load is done once unless it says more.
    return tuple(
        shape or (next(parts) if group in sharing else Clients(1, iterations=1))
        for group, shape in zip(groups, own, strict=True)
    )


def _crew(group: Table, shape: Shape, number: int, around: _Around) -> tuple[Crew, tuple[Threshold, ...]]:
    group.only((*_OF_A_GROUP, *_OF_A_CREW, *OF_ALL, *scenario_shape.KEYS))
    tables = group.tables("step", "a step")
    if not tables:
        raise group.wrong((), "It has no steps.", 'Add [[group.step]] with request = "GET /".')
    values = _values(group, around.values)
    rows = (*around.rows, *_rows(group, "crew"))
    set_by_steps = dict(set_by(tables))
    columns = {name for each in rows for name in _columns(each)}
    fixed = {name: value for name, value in values.items() if name not in set_by_steps and name not in columns}
    hooked = any("hook" in each.values for each in (around.table, group)) or calls_hooks(tables)
    known = Known([_NUMBER, *values, *columns], set_by_steps, any_later=hooked)
    origin, timeouts = _origin(group, around, fixed), _timeouts(group, around.table)
    usual = replace(Usual(), origin=origin, timeouts=timeouts, allowed_hooks=around.hooks)
    usual = usual_in(group, usual_in(around.table, usual, known.check_some_time), known.check_some_time)
    says_what_then = "on-failure" in group.values or "on-failure" in around.table.values
    steps = steps_in(tables, usual, known, fixed, leaves=not says_what_then)
    # A number that all clients count keeps them on one host.
    counts = (Count(_NUMBER, ("0",)),) if may_look_at(steps.nodes, _NUMBER) else ()
    begin: tuple[Node, ...] = (*counts, *rows)
    stays = group.made((), lambda: scenario_shape.stays_of(shape, around.seed))
    if steps.endless and any(stay.until_ns is None for stay in stays):
        raise steps.endless[0].wrong(
            "while",
            "It holds whatever happens, and nothing ends the load.",
            'Compare a value that a step sets, write repeat = 10 instead, or give the load an end: for = "30s".',
        )
    crew = Crew(
        name=group.text("name", f"group {number}"),
        journey=Sequence((*begin, *steps.nodes)),
        stays=stays,
        values=tuple(values.items()),
        open=not isinstance(shape, Clients),
        keeps_cookies=group.flag("cookies", otherwise=around.table.flag("cookies")),
        on_failure=choice(  # type: ignore[arg-type]
            group if "on-failure" in group.values else around.table, "on-failure", _ON_FAILURE, "continue"
        ),
        stage=choice(group, "stage", _STAGES, "main"),  # type: ignore[arg-type]
    )
    return crew, steps.thresholds


def _origin(group: Table, around: _Around, values: Mapping[str, str]) -> str:
    table = group if "url" in group.values else around.table
    text = filled(table.text("url"), values)
    if not text:
        return ""
    url = table.made("url", lambda: parse_url(text))
    if url.path != "/":
        raise table.wrong("url", f"{text} has a path.", f"Write {url.server}, and the paths in the steps.")
    return url.server


def _timeouts(group: Table, top: Table) -> Timeouts:
    connect_s, first_byte_s, whole_s = (
        group.duration(key) or top.duration(key) for key in ("connect-timeout", "first-byte-timeout", "timeout")
    )
    return Timeouts(connect_s, first_byte_s, whole_s or DEFAULT_TIMEOUT_S)


def choice(table: Table, key: str, known: tuple[str, ...], otherwise: str) -> str:
    """One of several words."""
    text = table.text(key, otherwise)
    if text not in known:
        raise table.wrong(key, f"{text!r} is not one of {', '.join(known)}.", did_you_mean(text, known, "Name one."))
    return text


def _told_apart(groups: tuple[Table, ...], crews: tuple[Crew, ...]) -> None:
    seen: set[str] = set()
    for group, crew in zip(groups, crews, strict=True):
        if crew.name in seen:
            raise group.wrong("name", f"Two groups are called {crew.name!r}.", "Give each its own name.")
        seen.add(crew.name)
