"""Turns JMeter's samplers that send nothing into made-up answers, or into values that are set; pure.

Source: apache/jmeter 5.5, sampler/DebugSampler.java, protocol/java/sampler/JavaSampler.java, java/test/SleepTest.java,
java/test/JavaTest.java; undera/jmeter-plugins, plugins/dummy, DummyElement.java; plugins/prmctl,
SetVariablesAction.java (all values are decided before the first is given; of two of one name the first counts).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from holdfast.jmeter.assertions import assertions_of
from holdfast.jmeter.extractors import extracts_of
from holdfast.jmeter.merged import template_call
from holdfast.jmeter.scope import Scope
from holdfast.journeys.functions_made_up import PAUSE, VARIABLES
from holdfast.model.answers import Template
from holdfast.model.journey import Sets, ValuesOfClients
from holdfast.model.journey_request import MadeUp
from holdfast.plans.jmx_tree import Node, Properties

_OK: Template = ("200",)
# Before 5.6, a text without an encoding of its own (sampleresult.default.encoding).
_LATIN = "latin-1"


def makes_up(node: Node) -> bool:
    """Whether an element is a sampler that sends nothing, and whose answer holdfast can make up."""
    if node.kind == "JavaSampler":
        return node.text("classname").strip().rpartition(".")[2] in _OF_JAVA
    return node.kind in _MADE_UP


def made_up_of(node: Node, scope: Scope) -> MadeUp:
    """The made-up answer of such a sampler.

    Args:
        scope: whose first level is what is below it.
    """
    if node.kind == "JavaSampler":
        make = _OF_JAVA[node.text("classname").strip().rpartition(".")[2]]
    else:
        make = _MADE_UP[node.kind]
    return make(node, scope)


def silent(node: Node, scope: Scope) -> MadeUp:
    """An empty answer, such as that of a script which only writes to a log."""
    return MadeUp(
        scope.template(node, node.name, "label"),
        status=_OK,
        message=("OK",),
        extracts=extracts_of(scope),
        assertions=assertions_of(scope),
    )


def _debug(node: Node, scope: Scope) -> MadeUp:
    shows = scope.reading.flag(node, "displayJMeterVariables")
    others = [name for name in ("displayJMeterProperties", "displaySystemProperties") if scope.reading.flag(node, name)]
    extracts, assertions = extracts_of(scope), assertions_of(scope)
    if others and (extracts or assertions):
        scope.reading.refuse(
            node,
            "it shows properties of JMeter or Java, which holdfast does not have, to what looks at its answer",
            "Let it show variables only, or put extractors and assertions below the requests that they are for.",
        )
    return MadeUp(
        scope.template(node, node.name, "label"),
        status=_OK,
        message=("OK",),
        body=template_call(VARIABLES, []) if shows else (),
        charset=_LATIN,
        extracts=extracts,
        assertions=assertions,
    )


def _dummy(node: Node, scope: Scope) -> MadeUp:
    def said(name: str) -> Template:
        return scope.template(node, node.text(name), name)

    managers = [*scope.nearest("HeaderManager")]
    if len(managers) > 1:
        # It takes them for its own properties (AbstractTestElement.mergeIn), and what it adds to one of them is undone
        # with what was in it.
        scope.reading.refuse(
            node,
            f"once it was done, JMeter sends no fields of {managers[0].name}, since two Header Managers apply to it",
            "Put their fields into one Header Manager, or disable it.",
        )

    return MadeUp(
        scope.template(node, node.name, "label"),
        answered=said("SUCCESFULL"),
        status=said("RESPONSE_CODE"),
        message=said("RESPONSE_MESSAGE"),
        body=said("RESPONSE_DATA"),
        url=said("URL"),
        lasts_ms=said("RESPONSE_TIME"),
        waits=scope.reading.flag(node, "WAITING"),
        extracts=extracts_of(scope),
        assertions=assertions_of(scope),
    )


def _sleep_test(node: Node, scope: Scope) -> MadeUp:
    return MadeUp(
        scope.template(node, node.name, "label"),
        lasts_ms=_pause(node, scope, ("SleepTime", "1000"), ("SleepMask", "1023")),
        extracts=extracts_of(scope),
        assertions=assertions_of(scope),
    )


def _java_test(node: Node, scope: Scope) -> MadeUp:
    said = dict(_arguments(node, scope))
    succeeds = "".join(map(str, said.get("Status", ("OK",)))).strip()
    if "Status" in said and not all(isinstance(each, str) for each in said["Status"]):
        scope.reading.refuse(node, "its status is not known before the load begins", "Write OK, or something else.")
    return MadeUp(
        said.get("Label") or scope.template(node, node.name, "label"),
        answered=("true",) if succeeds.lower() == "ok" else ("false",),
        status=said.get("ResponseCode", ()),
        message=said.get("ResponseMessage", ()),
        body=said.get("ResultData", ()),
        charset=_LATIN,
        lasts_ms=_pause(node, scope, ("Sleep_Time", "100"), ("Sleep_Mask", "255")),
        extracts=extracts_of(scope),
        assertions=assertions_of(scope),
    )


def _pause(node: Node, scope: Scope, *names: tuple[str, str]) -> Template:
    said = dict(_arguments(node, scope))
    return template_call(
        PAUSE, [each for name, otherwise in names for each in (said.get(name, (otherwise,)), (otherwise,))]
    )


def _arguments(node: Node, scope: Scope) -> list[tuple[str, Template]]:
    return [
        (name, scope.template(node, argument.text("Argument.value"), name))
        for argument in node.properties.inner("arguments").elements("Arguments.arguments")
        for name in (argument.text("Argument.name") or argument.name,)
    ]


def values_set_by(node: Node, scope: Scope) -> tuple[Sets, ...]:
    """What a Set Variables Action or a Parameterized Controller sets."""
    found: dict[str, Template] = {}
    inner: Properties = node.properties.inner(node.kind)
    for argument in inner.elements("Arguments.arguments"):
        written = argument.text("Argument.name") or argument.name
        name = scope.reading.fixed(node, written)
        if name is None:
            scope.reading.refuse(node, f"it sets {written}, a name that is not known before the load begins")
        elif name not in found:
            found[name] = scope.template(node, argument.text("Argument.value"), f"value of {name}")
    return (ValuesOfClients(tuple(found), (tuple(found.values()),), at_once=True),) if found else ()


_MADE_UP: Mapping[str, Callable[[Node, Scope], MadeUp]] = {"DebugSampler": _debug, "DummySampler": _dummy}
_OF_JAVA: Mapping[str, Callable[[Node, Scope], MadeUp]] = {"SleepTest": _sleep_test, "JavaTest": _java_test}
