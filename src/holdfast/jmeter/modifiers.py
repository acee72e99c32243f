"""JMeter's modifiers, which change the arguments and the path of HTTP Requests by what was answered before; pure.

Source: apache/jmeter 5.5, protocol/http/modifier/URLRewritingModifier.java, RegExUserParameters.java;
threads/JMeterThread.java (runPreProcessors: the farthest first).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from holdfast.jmeter.scope import Scope
from holdfast.journeys.functions_rewriting import IF_ANSWERED, PARAMETER, SESSION, SESSION_PATH, UNLESS_ANSWERED
from holdfast.model.answers import FunctionCall, Template
from holdfast.model.frozen import frozen
from holdfast.plans.jmx_tree import Node

LINK_PARSER = "AnchorModifier"
_REWRITING, _PARAMETERS = "URLRewritingModifier", "RegExUserParameters"
MODIFIERS = (_REWRITING, _PARAMETERS)


@frozen
class Argument:
    """An argument of a request.

    Attributes:
        equals: what is between name and value.
        encode: both are to be encoded.
        content_type: of its part in a form of several parts; "" has none of its own.
    """

    name: Template
    value: Template
    equals: str
    encode: bool
    content_type: Template


def modified_arguments(arguments: Sequence[Argument], scope: Scope) -> list[Argument]:
    """The arguments of a request, as the modifiers that apply to it make them."""
    found = list(arguments)
    for node in scope.farthest(*MODIFIERS):
        if node.kind == _PARAMETERS:
            found = [_parameter(node, each, scope) for each in found]
        elif not scope.reading.flag(node, "path_extension"):
            found = _with_session(node, found, scope)
    return found


def modified_path(path: Template, scope: Scope) -> Template:
    """The path of a request, as the modifiers that apply to it make it."""
    for node in scope.farthest(_REWRITING):
        if scope.reading.flag(node, "path_extension"):
            path = (FunctionCall(SESSION_PATH, (path, *_said(node, "p", scope))),)
    return path


def _said(node: Node, flags: str, scope: Scope) -> tuple[Template, Template, Template]:
    """Which modifier it is, the name of its argument, and how it looks for it."""
    reading = scope.reading
    for flag, name in (("n", "path_extension_no_equals"), ("q", "path_extension_no_questionmark")):
        flags += flag if reading.flag(node, name) else ""
    flags += "k" if reading.flag(node, "cache_value", default=True) else ""
    flags += "" if reading.flag(node, "encode") else "d"
    return (str(reading.once(node, reading.next_modifier)),), (_name(node, scope),), (flags,)


def _name(node: Node, scope: Scope) -> str:
    text = node.text("argument_name")
    name = scope.reading.fixed(node, text)
    if not name:
        scope.reading.refuse(node, f"the name of its argument is {text!r}", "Write it out.")
    return name or ""


def _with_session(node: Node, arguments: Sequence[Argument], scope: Scope) -> list[Argument]:
    """The arguments with the id of a session behind them, in place of any of its name, once there was an answer."""
    if arguments and not any(each.name for each in arguments):
        scope.reading.refuse(
            node,
            "a request to which it applies has a body that is written out, to which JMeter adds the id",
            "Take the id with a Regular Expression Extractor, and refer to its variable in the body.",
        )
    name = _name(node, scope)
    others = [
        replace(each, name=(FunctionCall(UNLESS_ANSWERED, (each.name,)),)) if each.name == (name,) else each
        for each in arguments
    ]
    value: Template = (FunctionCall(SESSION, _said(node, "", scope)),)
    return [*others, Argument((FunctionCall(IF_ANSWERED, ((name,),)),), value, "=", encode=True, content_type=())]


def _parameter(node: Node, argument: Argument, scope: Scope) -> Argument:
    said = [
        scope.template(node, node.text(f"RegExUserParameters.{each}"))
        for each in ("regex_ref_name", "param_names_gr_nr", "param_values_gr_nr")
    ]
    return replace(argument, value=(FunctionCall(PARAMETER, (argument.name, argument.value, *said)),))
