"""Turns JMeter's controllers, and what is directly below them, into nodes of a journey; pure.

Elements that set values when a pass begins (Counter, CSV Data Set, ...) come before what is beside them. They belong to
the nearest controller, and the last of them is done first: JMeter notifies them in this order.
Source: apache/jmeter, threads/TestCompiler.java (trackIterationListeners, saveSamplerConfigs).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Literal

from holdfast.jmeter import elements
from holdfast.jmeter.assertions import assertions_of
from holdfast.jmeter.made_up import made_up_of, makes_up, silent, values_set_by
from holdfast.jmeter.samplers import HANDLED, request_of_sampler
from holdfast.jmeter.scope import Scope
from holdfast.jmeter.scripts import changes_nothing, unreadable_text
from holdfast.jmeter.setters import SETTERS, sets_before, sets_of
from holdfast.jmeter.timers import TIMERS, waits_of
from holdfast.model import journey
from holdfast.model.answers import Template
from holdfast.model.journey_request import Request
from holdfast.plans.jmx_tree import Node

_OnFailure = Literal["", "next pass", "next loop pass", "leave loop", "leave", "stop", "stop at once"]
_SAMPLER = "HTTPSamplerProxy"
_SETS = "SetVariablesAction"
_RESULT_ACTION = "ResultAction"
# Source: apache/jmeter, testelement/OnErrorTestElement.java.
_AFTER_FAILURE: Mapping[str, _OnFailure] = {
    "0": "",
    "1": "leave",
    "2": "stop",
    "3": "stop at once",
    "4": "next pass",
    "5": "next loop pass",
    "6": "leave loop",
}
_MAY_HAVE_NOTHING = frozenset({"IfController", "WhileController", "ForeachController", "ThroughputController"})
_ENDS: tuple[_OnFailure, ...] = ("stop at once", "stop", "leave")
_ACTIONS: Mapping[str, str] = {"3": "pass", "4": "loop pass", "5": "loop"}


def nodes_of(node: Node, scope: Scope, *, beside: Sequence[Node] = ()) -> tuple[journey.Node, ...]:
    """What is done in a pass of a controller or thread group.

    Args:
        scope: what applies to it, without what is directly below it.
        beside: further elements that count as directly below it: those beside a thread group.
    """
    level = (*node.children, *beside)
    below = scope.below(level)
    sets: list[journey.Sets] = []
    found: list[journey.Node] = []
    for each in level:
        # What is below a request is done when the pass of the request's controller begins.
        sets += [one for inner in (*_deep(each), each) for one in sets_of(inner, below)]
        found += _done(each, below)
    waits = waits_of(level, scope.reading)
    before = sets_before(level, scope.reading)
    if waits or before:
        found = [journey.Timed(waits, tuple(found), before)]
    return (*reversed(sets), *found)


def _deep(node: Node) -> Sequence[Node]:
    """What is below a node that is not a controller."""
    if node.kind in CONTROLLERS:
        return ()
    return [deeper for each in node.children for deeper in (*_deep(each), each)]


def _done(node: Node, scope: Scope) -> Sequence[journey.Node]:
    """What a client does when it comes to an element."""
    reading = scope.reading
    kind = node.kind
    if kind == _SAMPLER:
        inside = scope.below(tuple(node.children))
        return _below_sampler(node, scope, _with_action(request_of_sampler(node, inside), inside))
    if kind in CONTROLLERS:
        return CONTROLLERS[kind](node, scope)
    if kind == "TestAction":
        return _below_sampler(node, scope, _action(node, scope))
    if kind == _SETS or _is_silent(node):
        return _below_sampler(node, scope, _sends_nothing(node, scope))
    if kind in HANDLED or kind in TIMERS or kind in SETTERS:
        return ()
    elements.look_at(node, reading)
    return ()


def _sends_nothing(node: Node, scope: Scope) -> journey.Node:
    if node.kind == _SETS:
        return journey.Timed((), (journey.Delay(("0",), label=_label(node, scope)),), values_set_by(node, scope))
    inside = scope.below(tuple(node.children))
    if makes_up(node):
        answer = made_up_of(node, inside)
    else:
        elements.look_at(node, scope.reading)
        answer = silent(node, inside)
    return replace(answer, on_failure=_after_failure(inside))


def _with_action(request: Request, scope: Scope) -> Request:
    """The request, with what its client does after a failure."""
    for timeout in scope.nearest("SampleTimeout"):
        limit_ms = scope.reading.number(timeout, timeout.text("InterruptTimer.timeout"), "its timeout")
        if limit_ms > 0:
            request = replace(request, timeouts=replace(request.timeouts, whole_s=limit_ms / 1000))
        break
    return replace(request, on_failure=_after_failure(scope))


def _after_failure(scope: Scope) -> _OnFailure:
    """What its Result Status Action Handlers say: an end comes before all else, then the farthest one's word.

    Source: apache/jmeter, reporters/ResultAction.java, threads/JMeterThread.java (executeSamplePackage).
    """
    found: list[_OnFailure] = []
    for handler in scope.listeners(_RESULT_ACTION):
        number = handler.text("OnError.action", "0").strip()
        if number not in _AFTER_FAILURE:
            scope.reading.refuse(handler, f"its action is {number!r}, which is not one of JMeter's", "Choose it anew.")
        elif said := _AFTER_FAILURE[number]:
            found.append(said)
    return next((each for each in _ENDS if each in found), found[-1] if found else "")


def _below_sampler(node: Node, scope: Scope, leaf: journey.Node) -> Sequence[journey.Node]:
    for each in node.children:
        if each.kind not in HANDLED and each.kind not in TIMERS and each.kind not in SETTERS:
            elements.look_at(each, scope.reading)
    waits, before = waits_of(node.children, scope.reading), sets_before(node.children, scope.reading)
    return [journey.Timed(waits, (leaf,), before)] if waits or before else [leaf]


def _action(node: Node, scope: Scope) -> journey.Node:
    """A Flow Control Action."""
    action, label = node.text("ActionProcessor.action", "0"), _label(node, scope)
    if action == "1":
        return journey.Delay(scope.template(node, node.text("ActionProcessor.duration")), label=label)
    if action in _ACTIONS:
        return journey.Leave(_ACTIONS[action], label)  # type: ignore[arg-type] # one of its words
    if node.text("ActionProcessor.target", "0") == "2":
        return journey.Leave("load at once" if action == "2" else "load", label)
    return journey.Leave("client", label)


def _sequence(node: Node, scope: Scope) -> Sequence[journey.Node]:
    return [journey.Sequence(nodes_of(node, scope))]


def _critical(node: Node, scope: Scope) -> Sequence[journey.Node]:
    name = scope.template(node, node.text("CriticalSectionController.lockName", "global_lock").strip())
    return [journey.Alone(name, nodes_of(node, scope))]


def _if(node: Node, scope: Scope) -> Sequence[journey.Node]:
    reading = scope.reading
    text = scope.template(node, node.text("IfController.condition").strip())
    words = reading.flag(node, "IfController.useExpression")
    each = reading.flag(node, "IfController.evaluateAll")
    if not text:
        words = True  # Neither a script nor a text without anything in it is true.
    if not words and (why := unreadable_text(text, "script")):
        reading.refuse(
            node,
            f"its condition is a script that holdfast does not run: {why}",
            'Comparisons of numbers and texts can be read, such as "${state}" == "done" && ${n} < 3.',
        )
    if words and _compares(text):
        reading.note(node, "its condition is not read as an expression, and never is the word true: it is not done")
    condition = journey.Condition(text, "words" if words else "script")
    return [journey.If(condition, nodes_of(node, scope), each)]


def _compares(text: Template) -> bool:
    """Whether a text is a comparison that is in no function, and so only a text."""
    return any(isinstance(part, str) and re.search("==|!=|[<>]", part) for part in text)


def _while(node: Node, scope: Scope) -> Sequence[journey.Node]:
    text = scope.template(node, node.text("WhileController.condition").strip())
    if _compares(text):
        scope.reading.note(node, "its condition is not read as an expression, and never is the word false: it goes on")
    condition = journey.Condition(text, "words")
    return [journey.While(condition, nodes_of(node, scope), _index(node))]


def _loop(node: Node, scope: Scope) -> Sequence[journey.Node]:
    times = scope.template(node, node.text("LoopController.loops").strip() or "0")
    again = scope.reading.flag(node, "LoopController.continue_forever", default=True)
    return [journey.Loop(times, nodes_of(node, scope), index=_index(node), once=not again)]


def _run_time(node: Node, scope: Scope) -> Sequence[journey.Node]:
    seconds = scope.template(node, node.text("RunTime.seconds").strip() or "0")
    return [journey.Loop((), nodes_of(node, scope), seconds=seconds)]


def _for_each(node: Node, scope: Scope) -> Sequence[journey.Node]:
    reading = scope.reading
    text = node.text("ForeachController.returnVal").strip()
    name = reading.fixed(node, text)
    end = "ForeachController.endIndex"
    if name is None:
        reading.refuse(node, f"its output variable is {text}, which holdfast has to know before the load begins")
    return [
        journey.ForEach(
            prefix=scope.template(node, node.text("ForeachController.inputVal").strip()),
            name=name or "",
            nodes=nodes_of(node, scope),
            separator="_" if reading.flag(node, "ForeachController.useSeparator", default=True) else "",
            after=scope.template(node, node.text("ForeachController.startIndex").strip()),
            last=scope.template(node, node.text(end).strip() or ("0" if end in node.properties.values else "")),
            index=_index(node),
        )
    ]


def _index(node: Node) -> str:
    return f"__jm__{node.name}__idx"


def _once(node: Node, scope: Scope) -> Sequence[journey.Node]:
    return [journey.Once(nodes_of(node, scope))]


def _interleave(node: Node, scope: Scope) -> Sequence[journey.Node]:
    whole = scope.reading.number(node, node.text("InterleaveControl.style"), "its style") == 1
    across = scope.reading.flag(node, "InterleaveControl.accrossThreads")
    _tell_of_ends(node, scope, whole=whole)
    return [journey.OneOf("by turns", nodes_of(node, scope), whole=whole, across_clients=across)]


def _random(node: Node, scope: Scope) -> Sequence[journey.Node]:
    whole = scope.reading.number(node, node.text("InterleaveControl.style"), "its style") == 1
    _tell_of_ends(node, scope, whole=whole)
    return [journey.OneOf("by chance", nodes_of(node, scope), whole=whole)]


def _tell_of_ends(node: Node, scope: Scope, *, whole: bool) -> None:
    """Tells that clients may end here: JMeter's thread fails where a block that is not whole has nothing."""
    if not whole and any(each.kind in _MAY_HAVE_NOTHING for each in node.children):
        meaning = "a thread that comes to a controller in it which has nothing to do ends there, as in JMeter"
        scope.reading.note(node, f"{meaning} (StackOverflowError)")


def _random_order(node: Node, scope: Scope) -> Sequence[journey.Node]:
    return [journey.Shuffled(nodes_of(node, scope))]


def _weighted(node: Node, scope: Scope) -> Sequence[journey.Node]:
    """A plug-in's Weighted Switch Controller, whose rows are name, weight and whether it is enabled."""
    reading = scope.reading
    weights = []
    for row in node.properties.items("Weights"):
        texts = [each for each in row if isinstance(each, str)] if isinstance(row, tuple) else []
        if len(texts) > 1 and (len(texts) < 3 or texts[2] == "true"):
            weights.append(float(reading.number(node, texts[1], "a weight")))
    chosen_from = [each for each in node.children if _is_chosen_from(each)]
    if len(weights) != len(chosen_from):
        reading.refuse(
            node, f"it has {len(weights)} weights for {len(chosen_from)} elements", "Open it in JMeter, and save it."
        )
    by_chance = reading.flag(node, "IsRandomChoice")
    how: Literal["by chance", "by weight"] = "by chance" if by_chance else "by weight"
    return [journey.OneOf(how, nodes_of(node, scope), weights=tuple(weights))]


def _switch(node: Node, scope: Scope) -> Sequence[journey.Node]:
    chosen = scope.template(node, node.text("SwitchController.value").strip())
    names = tuple(each.name for each in node.children if _is_chosen_from(each))
    for name in names:
        if "${" in name:
            scope.reading.refuse(node, f"what it chooses from has the name {name}, which is not fixed")
    return [journey.OneOf("named", nodes_of(node, scope), chosen=chosen, names=names)]


def _is_chosen_from(node: Node) -> bool:
    return node.kind in CONTROLLERS or node.kind in (_SAMPLER, _SETS, "TestAction") or _is_silent(node)


def _is_silent(node: Node) -> bool:
    """Whether it is a sampler that sends nothing, and whose answer is known."""
    is_script = node.kind.endswith("Sampler") and node.kind.startswith(elements.SCRIPTS)
    return makes_up(node) or (is_script and bool(changes_nothing(node)))


def _parameterized(node: Node, scope: Scope) -> Sequence[journey.Node]:
    return [journey.Given(values_set_by(node, scope), nodes_of(node, scope))]


def _throughput(node: Node, scope: Scope) -> Sequence[journey.Node]:
    percent = node.text("ThroughputController.style", "0").strip() == "1"
    name = "percentThroughput" if percent else "maxThroughput"
    number = scope.template(node, node.text(f"ThroughputController.{name}", "100" if percent else "1").strip())
    own = scope.reading.flag(node, "ThroughputController.perThread", default=True)
    return [journey.Share(number, nodes_of(node, scope), percent, own)]


def _transaction(node: Node, scope: Scope) -> Sequence[journey.Node]:
    reading = scope.reading
    parent = reading.flag(node, "TransactionController.parent")
    return [
        journey.Transaction(
            label=_label(node, scope),
            nodes=nodes_of(node, scope.of_transaction() if parent else scope),
            timed_pauses=reading.flag(node, "TransactionController.includeTimers", default=True),
            parent=parent,
            assertions=assertions_of(scope.below(tuple(node.children))) if parent else (),
        )
    ]


def _label(node: Node, scope: Scope) -> Template:
    return scope.template(node, node.name, "label")


CONTROLLERS: Mapping[str, Callable[[Node, Scope], Sequence[journey.Node]]] = {
    "GenericController": _sequence,
    "RecordingController": _sequence,
    "TestFragmentController": _sequence,
    "ModuleController": _sequence,
    "IncludeController": _sequence,
    "CriticalSectionController": _critical,
    "IfController": _if,
    "WhileController": _while,
    "LoopController": _loop,
    "RunTime": _run_time,
    "ForeachController": _for_each,
    "OnceOnlyController": _once,
    "InterleaveControl": _interleave,
    "RandomController": _random,
    "RandomOrderController": _random_order,
    "SwitchController": _switch,
    "ThroughputController": _throughput,
    "TransactionController": _transaction,
    "WeightedSwitchController": _weighted,
    "ParameterizedController": _parameterized,
}
