"""Walks the tree of a thread group and lists the requests of one iteration, in the order of a thread; pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from holdfast.errors import UsageError
from holdfast.model.frozen import frozen
from holdfast.model.scenario import DataRows, Slot, Step
from holdfast.plans import assertions, counters, timers
from holdfast.plans.csv_data import data_rows
from holdfast.plans.differences import Note
from holdfast.plans.jmx_tree import Node
from holdfast.plans.samplers import ReadFile, differences, request_of
from holdfast.plans.slot_values import Turn
from holdfast.plans.thread_groups import iterations_of, loops_of
from holdfast.plans.unsupported import is_sampler, note_on
from holdfast.plans.variables import Scope

MOST_STEPS = 10_000

_HTTP = "HTTPSamplerProxy"
_PASSED_THROUGH = frozenset({"GenericController", "RecordingController", "TransactionController"})
_DIFFERENT = {
    "TransactionController": "its requests are counted one by one; it has no result as a whole",
    "CriticalSectionController": "several clients may be in it at the same time",
}
_APPLIED = frozenset({"Arguments", "CSVDataSet", "CounterConfig", "HeaderManager", "ResponseAssertion", *timers.KINDS})
_PAUSE = "1"


@frozen
class PlannedRequest:
    """One request of an iteration.

    Attributes:
        name: the name of its sampler.
        server, keep_alive, connect_s, response_s: see `SampledRequest`.
    """

    name: str
    step: Step
    server: str
    keep_alive: bool
    connect_s: float | None
    response_s: float | None


@frozen
class Iteration:
    """One iteration of a thread group.

    Attributes:
        requests: in the order in which a thread sends them.
        tables: the rows of values that it reads, used or not.
        shared: files and counters that it shares with other groups in JMeter.
    """

    requests: list[PlannedRequest]
    tables: list[DataRows]
    shared: set[str]


@frozen
class _Applied:
    """What applies to a request: defaults and headers nearest first, assertions farthest first."""

    defaults: tuple[Node, ...] = ()
    headers: tuple[Node, ...] = ()
    timers: tuple[Node, ...] = ()
    assertions: tuple[Node, ...] = ()

    def with_level(self, level: Sequence[Node]) -> _Applied:
        """What applies one level deeper, where these elements are."""

        def of(*kinds: str) -> tuple[Node, ...]:
            return tuple(each for each in level if each.kind in kinds)

        return _Applied(
            tuple(each for each in level if _is_defaults(each)) + self.defaults,
            of("HeaderManager") + self.headers,
            of(*timers.KINDS) + self.timers,
            self.assertions + of("ResponseAssertion"),
        )


@dataclass(slots=True)
class _Walk:
    """A thread's walk through its group, and what it has found so far.

    Attributes:
        iterations: how often the thread passes through the group; None is for ever.
        pending: pauses (Flow Control Actions) since the last request, due before the next one.
    """

    scope: Scope
    read_file: ReadFile
    notes: list[Note]
    iterations: int | None
    requests: list[PlannedRequest] = field(default_factory=list)
    tables: dict[tuple[int, int], DataRows] = field(default_factory=dict)
    shared: set[str] = field(default_factory=set)
    pending: timers.TimerWait = timers.NO_WAIT

    def walk(self, level: Sequence[Node], outer: _Applied, turn: Turn) -> None:
        """Walks one pass of a controller that has these elements directly below it."""
        applied = outer.with_level(level)
        for each in level:
            self.set_variables(each, turn)
            # A counter below a request counts when the request's controller begins.
            if each.kind == _HTTP:
                for below in each.enabled:
                    self.set_variables(below, turn)
        for each in level:
            self.scope.place = f'{each.kind} "{each.name}" in line {each.line}'
            self.scope.turn = turn
            self.walk_element(each, applied, turn)

    def walk_element(self, node: Node, applied: _Applied, turn: Turn) -> None:
        """Does what one element of the plan does when the thread comes to it."""
        if node.kind == _HTTP:
            self.add_request(node, applied.with_level(node.enabled))
        elif node.kind == "LoopController":
            self.walk_loop(node, applied, turn)
        elif self.passes_through(node):
            if node.kind in _DIFFERENT:
                self.notes.append(Note("differs", node.kind, node.name, _DIFFERENT[node.kind]))
            self.walk(node.enabled, applied, turn)
        elif node.kind == "TestAction" and node.text("ActionProcessor.action") == _PAUSE:
            pause = timers.wait_of(node.text("ActionProcessor.duration"), self.scope, node)
            before = timers.sum_of(applied.with_level(node.enabled).timers, self.scope, self.notes)
            self.pending = self.pending.plus(pause).plus(before)
        elif not (node.kind in _APPLIED or _is_defaults(node) or node.kind in ("IfController", "OnceOnlyController")):
            self.leave_out(node)

    def passes_through(self, node: Node) -> bool:
        """Whether a controller runs its children once per pass; notes the requests that are left out if not."""
        if node.kind in _PASSED_THROUGH or node.kind == "CriticalSectionController":
            return True
        if node.kind == "OnceOnlyController":
            if self.iterations == 1 or not _requests_below(node):
                return self.iterations == 1
            meaning = f"{_not_sent(node)}: they belong to the first iteration only, and here all iterations are alike"
            self.notes.append(Note("left out", node.kind, node.name, meaning))
        if node.kind == "IfController":
            holds = self.condition(node)
            if holds is None and _requests_below(node):
                meaning = f"{_not_sent(node)}: its condition is unknown before the load begins"
                self.notes.append(Note("left out", node.kind, node.name, meaning))
            return bool(holds)
        return False

    def condition(self, node: Node) -> bool | None:
        """Whether an If Controller's condition is true; None if that is unknown before the load begins."""
        try:
            found = self.scope.literal(node.text("IfController.condition"), "its condition").strip().strip('"')
        except UsageError:
            return None
        return {"true": True, "false": False}.get(found.lower())

    def walk_loop(self, node: Node, applied: _Applied, turn: Turn) -> None:
        """Walks a Loop Controller, once for each of its passes."""
        loops = loops_of(node.properties, self.scope)
        if loops is None:
            raise self.scope.error(
                "it loops for ever inside its thread group",
                "No thread would ever reach a second iteration.",
                "Let the thread group itself loop for ever, and limit its duration.",
            )
        for number in range(loops):
            before = len(self.requests)
            self.walk(node.enabled, applied, turn.inner(number, loops))
            if len(self.requests) == before:
                return  # the loop sends nothing

    def add_request(self, node: Node, applied: _Applied) -> None:
        """Adds an HTTP Request, with everything that applies to it.

        Raises:
            UsageError: it cannot be sent, or the iteration has too many requests.
        """
        scope, place = self.scope, self.scope.place
        scope.sampler, scope.counters = node.name, 0
        for each in node.enabled:
            if each.kind not in _APPLIED and not _is_defaults(each):
                self.leave_out(each)
        self.notes += differences(node, applied.defaults)
        request = request_of(node, applied.defaults, applied.headers, scope, self.read_file)
        wait = timers.sum_of(applied.timers, scope, self.notes).plus(self.pending)
        self.pending = timers.NO_WAIT
        criteria = assertions.criteria_of(applied.assertions, scope, self.notes)
        scope.place = place
        step = Step(
            label=self.label(node.name) or f"{request.method} {node.text('HTTPSampler.path')}",
            path=request.path,
            method=request.method,
            headers=request.headers,
            body=request.body,
            expected=criteria.statuses,
            checks=criteria.checks,
            pause=wait.pause,
        )
        if len(self.requests) == MOST_STEPS:
            raise scope.error(
                f"with its loops, an iteration has more than {MOST_STEPS:,} requests",
                "holdfast keeps each of them in memory.",
                "Let the thread group itself loop instead.",
            )
        self.requests.append(
            PlannedRequest(node.name, step, request.server, request.keep_alive, request.connect_s, request.response_s)
        )

    def label(self, name: str) -> str:
        """A sampler's name with its references replaced; as written if they change from request to request."""
        if "${" not in name:
            return name
        try:
            parts = self.scope.parts(name)
        except UsageError:
            return name
        return name if any(isinstance(part, Slot) for part in parts) else "".join(map(str, parts))

    def set_variables(self, node: Node, turn: Turn) -> None:
        """Sets the variables of a Counter or CSV Data Set at the beginning of a pass; ignores other elements."""
        scope = self.scope
        assert scope.slots is not None
        key = (node.line, node.column)
        if node.kind == "CounterConfig":
            scope.place = f'{node.kind} "{node.name}" in line {node.line}'
            scope.variables.update(counters.counter_variables(node, scope, key, turn))
            if scope.literal(node.text("CounterConfig.per_user"), "whether each user counts").lower() != "true":
                self.shared.add(f'CounterConfig "{node.name}"')
        elif node.kind == "CSVDataSet":
            if key not in self.tables:
                self.tables[key] = data_rows(node, scope, self.read_file, self.notes)
                if node.text("shareMode", "shareMode.all") == "shareMode.all":
                    self.shared.add(self.tables[key].origin)
            scope.variables.update(scope.slots.rows(key, self.tables[key], turn))

    def leave_out(self, node: Node) -> None:
        """Notes an element that holdfast does not support.

        Raises:
            UsageError: without the element, the load would be a different one.
        """
        if node.kind in timers.THROTTLES:
            raise timers.throttle_error(node, self.scope)
        note = note_on(node)
        if note is None:
            return
        if not is_sampler(node) and _requests_below(node):
            note = replace(note, meaning=_not_sent(node))
        self.notes.append(note)


def unroll(group: Node, common: Sequence[Node], scope: Scope, read_file: ReadFile, notes: list[Note]) -> Iteration:
    """Lists the requests of one iteration of a thread group.

    Args:
        common: the elements next to the thread groups, which apply to each of them.
        read_file: returns the content of a file that the plan names.
        notes: gets what is left out or differs.

    Raises:
        UsageError: a request could only be sent with another meaning.
    """
    scope.place = f'{group.kind} "{group.name}"'
    walk = _Walk(scope, read_file, notes, iterations_of(group, scope))
    walk.walk([*group.enabled, *common], _Applied(), Turn())
    if walk.pending != timers.NO_WAIT:
        meaning = "a pause after the last request of an iteration is left out"
        notes.append(Note("differs", group.kind, group.name, meaning))
    return Iteration(walk.requests, list(walk.tables.values()), walk.shared)


def _is_defaults(node: Node) -> bool:
    """Whether an element is HTTP Request Defaults: a config element that has a certain panel."""
    gui = node.properties.text("TestElement.gui_class").rpartition(".")[2]
    return node.kind == "ConfigTestElement" and gui in ("HttpDefaultsGui", "UrlConfigGui")


def _requests_below(node: Node) -> int:
    return sum(below.kind == _HTTP for below in node.descendants())


def _not_sent(node: Node) -> str:
    count = _requests_below(node)
    return "its HTTP Request is not sent" if count == 1 else f"its {count} HTTP Requests are not sent"
