"""Reads a JMeter plan: its groups of a load, and what of it holdfast does not support; pure.

Each thread group becomes a group. Its tree is walked once, in the order of a JMeter thread, and each HTTP Request on
the way becomes a step. Elements next to a request or above it apply to it.
Source: apache/jmeter, threads/TestCompiler.java (saveSamplerConfigs), threads/JMeterThread.java
(executeSamplePackage), engine/PreCompiler.java (user defined variables: set once, before anything else, wherever they
are in the plan).
"""

from __future__ import annotations

from collections import Counter as Tally
from collections.abc import Mapping, Sequence

from holdfast.errors import UsageError
from holdfast.model.frozen import frozen
from holdfast.model.load import StopRule
from holdfast.model.scenario import DataRows, Group, Timeouts
from holdfast.plans.differences import Note
from holdfast.plans.iteration import Iteration, PlannedRequest, unroll
from holdfast.plans.jmx_tree import Node, Properties, plan_tree
from holdfast.plans.samplers import ReadFile
from holdfast.plans.slot_values import Parts, SlotValues
from holdfast.plans.thread_groups import KINDS, OPEN, RowsEnd, Timetable, timetable_of
from holdfast.plans.unsupported import may_set_any_variable, note_on, variables_set_by
from holdfast.plans.variables import Missing, Scope

_GROUP = "ThreadGroup"


@frozen
class PlanRead:
    """The load that a plan describes.

    Attributes:
        groups: one for each thread group that sends something, in the plan's order; at least one.
        stop: what ends the load early.
        notes: what is left out of the plan, or done differently.
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
    """Reads the load that a plan describes.

    Args:
        content: the .jmx file.
        origin: the file's name, for messages.
        read_file: returns the content of a file that the plan names.
        properties: JMeter properties, by name.
        most_s: ends the load after so many seconds, whatever the plan says; None leaves the end to the plan.
        seed: of the random values that are drawn once for the whole run.

    Raises:
        UsageError: it is not a plan, sends nothing, has no end, or could only be run with another meaning.
    """
    root = plan_tree(content, origin)
    notes: list[Note] = []
    variables = _defined_variables(root, properties, origin, seed)
    common = [each for each in root.enabled if each.kind not in KINDS and not each.kind.endswith(_GROUP)]
    read: list[_GroupRead] = []
    for node in root.enabled:
        if node.kind in KINDS:
            scope = Scope(
                properties, dict(variables), SlotValues(single=node.kind == OPEN), origin, node.name, seed=seed
            )
            found = _read_group(node, common, scope, read_file, most_s, notes)
            if found is not None:
                read.append(found)
        elif node.kind.endswith(_GROUP) and (note := note_on(node)):
            notes.append(note)
    if not read:
        raise _nothing_to_send(root, origin)
    notes += _differences_between_groups(root, read)
    stop = StopRule(first_failure=any(each.stops_all for each in read))
    return PlanRead(tuple(each.group for each in read), stop, tuple(dict.fromkeys(notes)))


def _nothing_to_send(root: Node, origin: str) -> UsageError:
    named = [each for each in root.children if each.kind.endswith(_GROUP)]
    where = f" (line {root.line}, column {root.column})"
    if not named:
        return UsageError(
            f"{origin} has no thread group{where}.",
            "Without a thread group, a plan does not say what to send.",
            "Add one in JMeter.",
        )
    return UsageError(
        f"{origin} sends nothing{where}.",
        "No enabled thread group of a kind that holdfast supports sends an HTTP Request. The plan has "
        + ", ".join(f'{each.kind} "{each.name}"{"" if each.is_enabled else " (disabled)"}' for each in named)
        + ".",
        "Enable the thread group you mean, or give it threads, loops and HTTP Requests.",
    )


def _defined_variables(root: Node, properties: Mapping[str, str], origin: str, seed: int) -> dict[str, Parts | Missing]:
    """User defined variables, and as `Missing` those that only unsupported elements would set."""
    variables: dict[str, Parts | Missing] = {}
    own = root.properties.inner("TestPlan.user_defined_variables")
    _define(own, f'TestPlan "{root.name}"', Scope(properties, {}, plan=origin, seed=seed), variables)
    for node in root.descendants():
        if node.kind == "Arguments":
            scope = Scope(properties, dict(variables), plan=origin, seed=seed)
            _define(node.properties, f'Arguments "{node.name}"', scope, variables)
    for node in root.descendants():
        for name in variables_set_by(node):
            variables[name] = Missing(f'It is set by {node.kind} "{node.name}", which holdfast does not support.')
    return variables


def _define(arguments: Properties, place: str, scope: Scope, variables: dict[str, Parts | Missing]) -> None:
    for argument in arguments.elements("Arguments.arguments"):
        name = argument.text("Argument.name") or argument.name
        scope.place = f"{place}, variable {name}"
        try:
            variables[name] = scope.parts(argument.text("Argument.value"))
        except UsageError as error:
            # Not an error yet: perhaps nothing refers to it.
            variables[name] = Missing(f"{error.what} {error.why}")


@frozen
class _GroupRead:
    """What one thread group becomes.

    Attributes:
        stops_all: whether a failure in this group ends the load of all groups.
        shared: files and counters that other groups may share with it.
    """

    group: Group
    stops_all: bool
    shared: frozenset[str]


def _read_group(
    node: Node,
    common: Sequence[Node],
    scope: Scope,
    read_file: ReadFile,
    most_s: float | None,
    notes: list[Note],
) -> _GroupRead | None:
    """Reads one thread group; None if it sends nothing, which is then noted."""
    everything = [*common, *(below for each in common for below in each.descendants()), *node.descendants()]
    scope.suspects = tuple(f'{each.kind} "{each.name}"' for each in everything if may_set_any_variable(each))
    iteration = unroll(node, common, scope, read_file, notes)
    scope.place = f'{node.kind} "{node.name}"'
    timetable = timetable_of(node, scope, most_s, _rows_end(iteration.tables), notes)
    kept, server = _requests_to_one_server(iteration, notes)
    if timetable.shape is None:
        return None
    if not kept:
        notes.append(Note("left out", node.kind, node.name, "it has no HTTP Request"))
        return None
    group = _assemble(node, scope, timetable, kept, server, notes)
    return _GroupRead(group, timetable.stops_all, frozenset(iteration.shared))


def _assemble(
    node: Node, scope: Scope, timetable: Timetable, kept: Sequence[PlannedRequest], server: str, notes: list[Note]
) -> Group:
    assert timetable.shape is not None
    assert scope.slots is not None
    steps = tuple(each.step for each in kept)
    keep_alive = any(each.keep_alive for each in kept)
    same_user = scope.literal(node.text("ThreadGroup.same_user_on_next_iteration"), "whether users stay the same")
    if same_user.strip().lower() == "false" and keep_alive and node.kind != OPEN:
        meaning = "a client keeps its connection from one iteration to the next; JMeter opens a new one"
        notes.append(Note("differs", node.kind, node.name, meaning))
    # Each arrival of the open model has its own connection; with a single request there is no reason to keep it.
    if node.kind == OPEN and len(steps) == 1:
        keep_alive = False
    return Group(
        name=node.name,
        url=server,
        steps=steps,
        shape=timetable.shape,
        values=scope.slots.values(steps),
        timeouts=_timeouts(node, kept, notes),
        keep_alive=keep_alive,
        on_failure=timetable.on_failure,
    )


def _rows_end(tables: Sequence[DataRows]) -> RowsEnd | None:
    ends = [RowsEnd(len(each.rows), each.per_client) for each in tables if not each.again]
    return min(ends, key=lambda end: end.rows, default=None)


def _requests_to_one_server(iteration: Iteration, notes: list[Note]) -> tuple[list[PlannedRequest], str]:
    """The requests to the server that gets most of them, and that server: a group has only one."""
    if not iteration.requests:
        return [], ""
    server = Tally(each.server for each in iteration.requests).most_common(1)[0][0]
    for each in iteration.requests:
        if each.server != server:
            meaning = f"it goes to {each.server}, but its group to {server}; move it to a thread group of its own"
            notes.append(Note("left out", "HTTPSamplerProxy", each.name, meaning))
    return [each for each in iteration.requests if each.server == server], server


def _timeouts(node: Node, kept: Sequence[PlannedRequest], notes: list[Note]) -> Timeouts:
    """A group's timeouts: the longest of its requests'. Without any it waits for ever, as JMeter does."""
    connect = {each.connect_s for each in kept}
    response = {each.response_s for each in kept}
    if len(connect) > 1 or len(response) > 1:
        meaning = "its requests have different timeouts; the longest applies to all of them"
        notes.append(Note("differs", node.kind, node.name, meaning))
    return Timeouts(_longest(connect), _longest(response), None)


def _longest(seconds: set[float | None]) -> float | None:
    known = [each for each in seconds if each is not None]
    return max(known) if known and len(known) == len(seconds) else None


def _differences_between_groups(root: Node, read: Sequence[_GroupRead]) -> list[Note]:
    """What differs from JMeter only if there are several groups."""
    if len(read) == 1:
        return []
    notes = []
    if root.text("TestPlan.serialize_threadgroups") == "true":
        meaning = "all thread groups start together; JMeter runs them one after another"
        notes.append(Note("differs", root.kind, root.name, meaning))
    if len({each.stops_all for each in read}) > 1:
        meaning = "a failed request of any group ends the load; in JMeter only some groups' failures do"
        notes.append(Note("differs", root.kind, root.name, meaning))
    for name, groups in Tally(name for each in read for name in sorted(each.shared)).items():
        if groups > 1:
            meaning = "each thread group starts with its first value; in JMeter all groups share them"
            notes.append(Note("differs", "", name, meaning))
    return notes
