"""The tree of a thread group -> the requests of one iteration, in the order in which a thread sends them; pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from holdfast.errors import UsageError
from holdfast.model.scenario import DataRows, Pause, Slot, Step
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
    "TransactionController": "its requests are counted one by one; there is no result of it as a whole",
    "CriticalSectionController": "several clients may be in it at the same time",
}
_APPLIED = frozenset({"Arguments", "CSVDataSet", "CounterConfig", "HeaderManager", "ResponseAssertion", *timers.KINDS})
_PAUSE = "1"


@dataclass(frozen=True, slots=True)
class Sent:
    """One request of an iteration.

    Attributes:
        name: of its sampler.
        server, keep_alive, connect_s, response_s: as of `Request`.
    """

    name: str
    step: Step
    server: str
    keep_alive: bool
    connect_s: float | None
    response_s: float | None


@dataclass(frozen=True, slots=True)
class Unrolled:
    """One iteration of a thread group.

    Attributes:
        tables: rows of values that it reads, whether it uses them or not.
        shared_files: their files, and counters, that other groups may use, too.
    """

    sent: list[Sent]
    tables: list[DataRows]
    shared_files: set[str]


@dataclass(frozen=True, slots=True)
class _Applied:
    """What applies to a request: defaults and headers the nearest first, assertions the farthest first."""

    defaults: tuple[Node, ...] = ()
    headers: tuple[Node, ...] = ()
    timers: tuple[Node, ...] = ()
    assertions: tuple[Node, ...] = ()

    def nearer(self, level: Sequence[Node]) -> _Applied:
        """With what one level more adds."""

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
    """A thread's way through its group."""

    scope: Scope
    read_file: ReadFile
    notes: list[Note]
    iterations: int | None
    sent: list[Sent] = field(default_factory=list)
    tables: dict[tuple[int, int], DataRows] = field(default_factory=dict)
    shared: set[str] = field(default_factory=set)
    pending_ms: float = 0.0
    pending_random_ms: float = 0.0

    def through(self, level: Sequence[Node], outer: _Applied, turn: Turn) -> None:
        """One pass of a controller with these elements directly below it."""
        applied = outer.nearer(level)
        for each in level:
            self.counted(each, turn)
            # What counts below a request does so when the request's controller begins.
            if each.kind == _HTTP:
                for below in each.active:
                    self.counted(below, turn)
        for each in level:
            self.scope.place = f'{each.kind} "{each.name}" in line {each.line}'
            self.scope.turn = turn
            self.element(each, applied, turn)

    def element(self, node: Node, applied: _Applied, turn: Turn) -> None:
        """What one element does when its turn comes."""
        if node.kind == _HTTP:
            self.request(node, applied.nearer(node.active))
        elif node.kind == "LoopController":
            self.loop(node, applied, turn)
        elif self.passes_through(node):
            if node.kind in _DIFFERENT:
                self.notes.append(Note("differs", node.kind, node.name, _DIFFERENT[node.kind]))
            self.through(node.active, applied, turn)
        elif node.kind == "TestAction" and node.text("ActionProcessor.action") == _PAUSE:
            least, more = timers.wait_ms(node.text("ActionProcessor.duration"), self.scope, node)
            before = timers.pause_of(applied.nearer(node.active).timers, self.scope, self.notes)
            self.pending_ms += least + before.constant_s * 1000
            self.pending_random_ms += more + before.random_s * 1000
        elif not (node.kind in _APPLIED or _is_defaults(node) or node.kind in ("IfController", "OnceOnlyController")):
            self.left_out(node)

    def passes_through(self, node: Node) -> bool:
        """Whether what is below a controller takes place, once."""
        if node.kind in _PASSED_THROUGH or node.kind == "CriticalSectionController":
            return True
        if node.kind == "OnceOnlyController":
            if self.iterations == 1 or not _requests_below(node):
                return self.iterations == 1
            meaning = f"{_below(node)}: they are for the first iteration alone, and here all are the same"
            self.notes.append(Note("left out", node.kind, node.name, meaning))
        if node.kind == "IfController":
            holds = self.condition(node)
            if holds is None and _requests_below(node):
                meaning = f"{_below(node)}: its condition is not known before the load begins"
                self.notes.append(Note("left out", node.kind, node.name, meaning))
            return bool(holds)
        return False

    def condition(self, node: Node) -> bool | None:
        """Whether an If Controller's condition holds; None where that is not known beforehand."""
        try:
            found = self.scope.literal(node.text("IfController.condition"), "its condition").strip().strip('"')
        except UsageError:
            return None
        return {"true": True, "false": False}.get(found.lower())

    def loop(self, node: Node, applied: _Applied, turn: Turn) -> None:
        """A Loop Controller, each pass written out."""
        loops = loops_of(node.properties, self.scope)
        if loops is None:
            raise self.scope.wrong(
                "it loops for ever inside of its thread group",
                "So no thread would come to a second iteration.",
                "Let the thread group itself loop for ever, and say how long.",
            )
        for number in range(loops):
            before = len(self.sent)
            self.through(node.active, applied, turn.inner(number, loops))
            if len(self.sent) == before:
                return  # nothing in there sends anything

    def request(self, node: Node, applied: _Applied) -> None:
        """An HTTP Request."""
        scope, place = self.scope, self.scope.place
        scope.sampler, scope.counters = node.name, 0
        for each in node.active:
            if each.kind not in _APPLIED and not _is_defaults(each):
                self.left_out(each)
        self.notes += differences(node, applied.defaults)
        request = request_of(node, applied.defaults, applied.headers, scope, self.read_file)
        pause = timers.pause_of(applied.timers, scope, self.notes)
        expected, checks = assertions.expectations(applied.assertions, scope, self.notes)
        scope.place = place
        pause = Pause(
            pause.constant_s + self.pending_ms / 1000,
            pause.random_s + self.pending_random_ms / 1000,
        )
        self.pending_ms = self.pending_random_ms = 0.0
        step = Step(
            label=self.label(node.name) or f"{request.method} {node.text('HTTPSampler.path')}",
            path=request.path,
            method=request.method,
            headers=request.headers,
            body=request.body,
            expected=expected,
            checks=checks,
            pause=pause,
        )
        if len(self.sent) == MOST_STEPS:
            raise scope.wrong(
                f"an iteration has more than {MOST_STEPS:,} requests with its loops written out",
                "Each of them is kept in memory.",
                "Let the thread group itself loop instead.",
            )
        self.sent.append(
            Sent(node.name, step, request.server, request.keep_alive, request.connect_s, request.response_s)
        )

    def label(self, name: str) -> str:
        """A sampler's name; what changes in it from one request to the next stays as it is written."""
        if "${" not in name:
            return name
        try:
            parts = self.scope.parts(name)
        except UsageError:
            return name
        return name if any(isinstance(part, Slot) for part in parts) else "".join(map(str, parts))

    def counted(self, node: Node, turn: Turn) -> None:
        """What an element that counts, or reads rows, sets at the begin of a pass."""
        scope = self.scope
        assert scope.supply is not None
        key = (node.line, node.column)
        if node.kind == "CounterConfig":
            scope.place = f'{node.kind} "{node.name}" in line {node.line}'
            scope.variables.update(counters.counted(node, scope, key, turn))
            if scope.literal(node.text("CounterConfig.per_user"), "whether each user counts").lower() != "true":
                self.shared.add(f'CounterConfig "{node.name}"')
        elif node.kind == "CSVDataSet":
            if key not in self.tables:
                self.tables[key] = data_rows(node, scope, self.read_file, self.notes)
                if node.text("shareMode", "shareMode.all") == "shareMode.all":
                    self.shared.add(self.tables[key].origin)
            scope.variables.update(scope.supply.rows(key, self.tables[key], turn))

    def left_out(self, node: Node) -> None:
        """Notes what holdfast does not have; raises where the load would be another one without it."""
        if node.kind in timers.THROTTLES:
            raise timers.throttled(node, self.scope)
        note = note_on(node)
        if note is None:
            return
        if not is_sampler(node) and _requests_below(node):
            note = replace(note, meaning=_below(node))
        self.notes.append(note)


def unroll(group: Node, common: Sequence[Node], scope: Scope, read_file: ReadFile, notes: list[Note]) -> Unrolled:
    """The requests of one iteration of a thread group.

    Args:
        common: what stands beside the thread groups, and so applies to each.
        notes: what is not as the plan says is added here.

    Raises:
        UsageError: something would be sent that the plan does not mean.
    """
    scope.place = f'{group.kind} "{group.name}"'
    walk = _Walk(scope, read_file, notes, iterations_of(group, scope))
    walk.through([*group.active, *common], _Applied(), Turn())
    if walk.pending_ms or walk.pending_random_ms:
        meaning = "a pause after the last request of an iteration is left out"
        notes.append(Note("differs", group.kind, group.name, meaning))
    return Unrolled(walk.sent, list(walk.tables.values()), walk.shared)


def _is_defaults(node: Node) -> bool:
    """Whether an element is HTTP Request Defaults, which is a config element with an own panel."""
    gui = node.properties.text("TestElement.gui_class").rpartition(".")[2]
    return node.kind == "ConfigTestElement" and gui in ("HttpDefaultsGui", "UrlConfigGui")


def _requests_below(node: Node) -> int:
    return sum(below.kind == _HTTP for below in node.everything())


def _below(node: Node) -> str:
    return f"its {_requests_below(node)} HTTP Requests are not sent"
