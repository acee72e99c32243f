"""A JMeter plan as bytes -> the groups of a load, and what of the plan holdfast does not have; pure.

A thread group becomes a group: its tree is gone through once, in the order in which a thread of JMeter's would, and
each HTTP Request on the way is a step. What stands beside or above a request applies to it.
Source: apache/jmeter, threads/TestCompiler.java (saveSamplerConfigs), threads/JMeterThread.java
(executeSamplePackage), engine/PreCompiler.java (user defined variables: once, before all else, wherever they stand).
"""

from __future__ import annotations

from collections import Counter as Tally
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from holdfast.errors import UsageError
from holdfast.model.load import StopRule
from holdfast.model.scenario import DataRows, Group, Timeouts
from holdfast.plans.differences import Note
from holdfast.plans.iteration import Sent, Unrolled, unroll
from holdfast.plans.jmx_tree import Node, Properties, plan_tree
from holdfast.plans.samplers import ReadFile
from holdfast.plans.slot_values import Parts, Supply
from holdfast.plans.thread_groups import KINDS, OPEN, RowsEnd, Timetable, timetable_of
from holdfast.plans.unsupported import note_on, set_by, sets_anything
from holdfast.plans.variables import Missing, Scope

_GROUP = "ThreadGroup"


@dataclass(frozen=True, slots=True)
class PlanRead:
    """What a plan comes to.

    Attributes:
        groups: one for each thread group that sends something, in the plan's order; at least one.
        stop: when the load ends before its time.
        notes: what is not as the plan says.
    """

    groups: tuple[Group, ...]
    stop: StopRule
    notes: tuple[Note, ...]


def read_plan(
    content: bytes,
    origin: str,
    *,
    read_file: ReadFile,
    properties: Mapping[str, str],
    most_s: float | None = None,
    seed: int = 0,
) -> PlanRead:
    """The load that a plan describes.

    Args:
        origin: the file, in words.
        read_file: the content of a file that the plan names.
        properties: JMeter's properties, by name.
        most_s: the load ends after so long, whatever the plan says; None lets the plan decide.
        seed: of what is drawn once for the whole run.

    Raises:
        UsageError: it is no plan, sends nothing, has no end, or would send something that it does not mean.
    """
    root, _ = plan_tree(content, origin)
    notes: list[Note] = []
    variables = _defined(root, properties, origin, seed)
    common = [each for each in root.active if each.kind not in KINDS and not each.kind.endswith(_GROUP)]
    read: list[tuple[Group, bool]] = []
    shared: Tally[str] = Tally()
    for node in root.active:
        if node.kind in KINDS:
            scope = Scope(properties, dict(variables), Supply(single=node.kind == OPEN), origin, node.name, seed=seed)
            found = _group(node, common, scope, read_file, most_s, notes)
            if found is not None:
                group, stops_all, files = found
                read.append((group, stops_all))
                shared.update(files)
        elif node.kind.endswith(_GROUP) and (note := note_on(node)):
            notes.append(note)
    if not read:
        raise _nothing(root, origin)
    notes += _between_groups(root, read, shared)
    stops = [stops_all for _, stops_all in read]
    groups = tuple(group for group, _ in read)
    return PlanRead(groups, StopRule(first_failure=any(stops)), tuple(dict.fromkeys(notes)))


def _nothing(root: Node, origin: str) -> UsageError:
    named = [each for each in root.below if each.kind.endswith(_GROUP)]
    where = f" (line {root.line}, column {root.column})"
    if not named:
        return UsageError(
            f"{origin} has no thread group{where}.", "So nothing says what is to be sent.", "Add one in JMeter."
        )
    return UsageError(
        f"{origin} sends nothing{where}.",
        "No enabled thread group that holdfast has sends an HTTP Request: "
        + ", ".join(f'{each.kind} "{each.name}"{"" if each.enabled else " (disabled)"}' for each in named)
        + ".",
        "Enable what you mean, or give it threads and requests.",
    )


def _defined(root: Node, properties: Mapping[str, str], origin: str, seed: int) -> dict[str, Parts | Missing]:
    """User defined variables, and those that only elements would set which holdfast does not have."""
    variables: dict[str, Parts | Missing] = {}
    own = root.properties.inner("TestPlan.user_defined_variables")
    _define(own, f'TestPlan "{root.name}"', Scope(properties, {}, plan=origin, seed=seed), variables)
    for node in root.everything():
        if node.kind == "Arguments":
            scope = Scope(properties, dict(variables), plan=origin, seed=seed)
            _define(node.properties, f'Arguments "{node.name}"', scope, variables)
    for node in root.everything():
        for name in set_by(node):
            variables[name] = Missing(f'It is set by {node.kind} "{node.name}", which holdfast does not have.')
    return variables


def _define(arguments: Properties, place: str, scope: Scope, variables: dict[str, Parts | Missing]) -> None:
    for argument in arguments.elements("Arguments.arguments"):
        name = argument.text("Argument.name") or argument.name
        scope.place = f"{place}, variable {name}"
        try:
            variables[name] = scope.parts(argument.text("Argument.value"))
        except UsageError as error:
            # What nothing refers to need not have a value.
            variables[name] = Missing(f"{error.what} {error.why}")


def _group(
    node: Node,
    common: Sequence[Node],
    scope: Scope,
    read_file: ReadFile,
    most_s: float | None,
    notes: list[Note],
) -> tuple[Group, bool, set[str]] | None:
    """A thread group's group; whether a failure in it ends all; and the files whose rows others may read, too."""
    everything = [*common, *(below for each in common for below in each.everything()), *node.everything()]
    scope.suspects = tuple(f'{each.kind} "{each.name}"' for each in everything if sets_anything(each))
    unrolled = unroll(node, common, scope, read_file, notes)
    scope.place = f'{node.kind} "{node.name}"'
    timetable = timetable_of(node, scope, most_s, _rows_end(unrolled.tables), notes)
    kept, server = _of_one_server(unrolled, notes)
    if timetable.shape is None:
        return None
    if not kept:
        notes.append(Note("left out", node.kind, node.name, "it has no HTTP Request"))
        return None
    return _assembled(node, scope, timetable, kept, server, notes), timetable.stops_all, unrolled.shared_files


def _assembled(
    node: Node, scope: Scope, timetable: Timetable, kept: Sequence[Sent], server: str, notes: list[Note]
) -> Group:
    assert timetable.shape is not None
    assert scope.supply is not None
    steps = tuple(sent.step for sent in kept)
    keep_alive = any(sent.keep_alive for sent in kept)
    same_user = scope.literal(node.text("ThreadGroup.same_user_on_next_iteration"), "whether users stay the same")
    if same_user.strip().lower() == "false" and keep_alive and node.kind != OPEN:
        meaning = "a client keeps its connection from one iteration to the next, where JMeter opens a new one"
        notes.append(Note("differs", node.kind, node.name, meaning))
    # A thread of an open model has a connection of its own; with one request there is nothing to keep it for.
    if node.kind == OPEN and len(steps) == 1:
        keep_alive = False
    return Group(
        name=node.name,
        url=server,
        steps=steps,
        shape=timetable.shape,
        values=scope.supply.values(steps),
        timeouts=_timeouts(node, kept, notes),
        keep_alive=keep_alive,
        on_failure=timetable.on_failure,
    )


def _rows_end(tables: Sequence[DataRows]) -> RowsEnd | None:
    ends = [RowsEnd(len(each.rows), each.per_client) for each in tables if not each.again]
    return min(ends, key=lambda end: end.rows, default=None)


def _of_one_server(unrolled: Unrolled, notes: list[Note]) -> tuple[list[Sent], str]:
    """The requests to the server that has most of them; a group has one server."""
    if not unrolled.sent:
        return [], ""
    server = Tally(sent.server for sent in unrolled.sent).most_common(1)[0][0]
    for sent in unrolled.sent:
        if sent.server != server:
            meaning = f"it goes to {sent.server}, its group to {server}; put it into a thread group of its own"
            notes.append(Note("left out", "HTTPSamplerProxy", sent.name, meaning))
    return [sent for sent in unrolled.sent if sent.server == server], server


def _timeouts(node: Node, kept: Sequence[Sent], notes: list[Note]) -> Timeouts:
    """A group's timeouts: the longest of its requests; without any, it waits as long as JMeter would, for ever."""
    connect = {sent.connect_s for sent in kept}
    response = {sent.response_s for sent in kept}
    if len(connect) > 1 or len(response) > 1:
        meaning = "its requests have different timeouts, and the longest holds for all"
        notes.append(Note("differs", node.kind, node.name, meaning))
    return Timeouts(_longest(connect), _longest(response), None)


def _longest(seconds: set[float | None]) -> float | None:
    known = [each for each in seconds if each is not None]
    return max(known) if known and len(known) == len(seconds) else None


def _between_groups(root: Node, read: Sequence[tuple[Group, bool]], shared: Tally[str]) -> list[Note]:
    """What is otherwise where there are several groups."""
    if len(read) == 1:
        return []
    notes = []
    if root.text("TestPlan.serialize_threadgroups") == "true":
        meaning = "all thread groups begin together, where JMeter runs one after the other"
        notes.append(Note("differs", root.kind, root.name, meaning))
    stops = {stops_all for _, stops_all in read}
    if len(stops) > 1:
        meaning = "a failed request of any group ends the load, where in JMeter only some groups' do"
        notes.append(Note("differs", root.kind, root.name, meaning))
    for file, groups in shared.items():
        if groups > 1:
            meaning = "each thread group begins with its first value, where in JMeter all groups share them"
            notes.append(Note("differs", "", file, meaning))
    return notes
