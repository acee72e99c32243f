"""Functions on variables, properties and the client itself; pure.

Source: apache/jmeter 5.5, org.apache.jmeter.functions: Property, Property2, SetProperty, Variable, EvalFunction,
EvalVarFunction, IterationCounter, SplitFunction, IsVarDefined, IsPropDefined, ThreadNumber and those named like the
function.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from holdfast.journeys.context import Context, FunctionError
from holdfast.journeys.known import Known, as_java_holds, given, kept, whole_number


def _property(arguments: list[str], context: Context) -> str:
    """__property(name, variable, default): the default is the name."""
    name = arguments[0]
    value = context.properties.get(name, given(arguments, 2, name))
    if variable := given(arguments, 1):
        context.variables[variable] = value
    return value


def _p(arguments: list[str], context: Context) -> str:
    """__P(name, default): the default is 1."""
    return context.properties.get(arguments[0], given(arguments, 1, "1"))


def _set_property(arguments: list[str], context: Context) -> str:
    """__setProperty(name, value, whether the value before is returned)."""
    before = context.properties.get(arguments[0])
    context.properties[arguments[0]] = arguments[1]
    if given(arguments, 2).lower() != "true":
        return ""
    return "null" if before is None else before


def _variable(arguments: list[str], context: Context) -> str:
    """__V(name, default): the default is the name."""
    return context.variables.get(arguments[0], given(arguments, 1, arguments[0]))


def _eval_variable(arguments: list[str], context: Context) -> str:
    return context.replaced(context.variables.get(arguments[0], ""))


def _counter(arguments: list[str], context: Context) -> str:
    """__counter(TRUE for one of each client's own, variable): each call in the plan counts on its own."""
    key = ("__counter", id(context.site))
    if context.site is None:
        counted = 1
    elif arguments[0].lower() == "true":
        counted = context.own[key] = context.own.get(key, 0) + 1
    else:
        counted = (context.changed(key, lambda before: (before or 0) + 1) or 0) + 1
    return kept(str(as_java_holds(counted, 32)), arguments, 1, context)


def _sum(function: str, bits: int) -> Known:
    """__intSum(number, ..., variable); the last one is a number too if it can be read as one."""

    def call(arguments: list[str], context: Context) -> str:
        *numbers, last = arguments
        total = sum(whole_number(function, each, bits) for each in numbers)
        variable = last.strip()
        try:
            total += whole_number(function, variable, bits)
            variable = ""
        except FunctionError:
            pass
        return kept(str(as_java_holds(total, bits)), [variable], 0, context)

    return Known(2, None, call)


def _split(arguments: list[str], context: Context) -> str:
    """__split(text, variable, characters that separate): empty parts are "?"."""
    text, name = arguments[0], arguments[1].strip()
    parts = java_tokens(text, given(arguments, 2) or ",")
    context.variables[name] = text
    context.variables[f"{name}_n"] = str(len(parts))
    for number, part in enumerate(parts, 1):
        context.variables[f"{name}_{number}"] = part
    context.variables.pop(f"{name}_{len(parts) + 1}", None)
    return text


def java_tokens(text: str, separators: str) -> list[str]:
    """The parts of a text between any of these characters, "?" for an empty one, as JMeter cuts it.

    Source: apache/jmeter, jorphan/util/JOrphanUtils.java (split with a default). One separator alone at the begin
    makes no empty part, one at the end does.
    """
    parts: list[str] = []
    was_separator = False
    for token in re.findall(f"[{re.escape(separators)}]|[^{re.escape(separators)}]+", text):
        is_separator = token in separators and len(token) == 1
        if not is_separator:
            parts.append(token)
        elif was_separator:
            parts.append("?")
        was_separator = is_separator
    return [*parts, "?"] if was_separator else parts


def _thread_group(_arguments: list[str], context: Context) -> str:
    return context.crew


def _is_defined(names: str) -> Known:
    def call(arguments: list[str], context: Context) -> str:
        known: Mapping[str, str] = context.variables if names == "variables" else context.properties
        return "true" if arguments[0] in known else "false"

    return Known(1, 1, call)


OF_VALUES: Mapping[str, Known] = {
    "__property": Known(1, 3, _property),
    "__P": Known(1, 2, _p),
    "__setProperty": Known(2, 3, _set_property),
    "__V": Known(1, 2, _variable),
    "__eval": Known(1, 1, lambda arguments, context: context.replaced(arguments[0])),
    "__evalVar": Known(1, 1, _eval_variable),
    "__counter": Known(1, 2, _counter),
    "__intSum": _sum("__intSum", 32),
    "__longSum": _sum("__longSum", 64),
    "__split": Known(2, 3, _split),
    "__isVarDefined": _is_defined("variables"),
    "__isPropDefined": _is_defined("properties"),
    "__threadNum": Known(0, 0, lambda _arguments, context: str(context.client)),
    "__threadGroupName": Known(0, 0, _thread_group),
    "__TestPlanName": Known(0, 0, lambda _arguments, context: context.plan),
    "__samplerName": Known(0, 1, lambda arguments, context: kept(context.label, arguments, 0, context)),
    "__machineName": Known(0, 1, lambda arguments, context: kept(context.machine[0], arguments, 0, context)),
    "__machineIP": Known(0, 1, lambda arguments, context: kept(context.machine[1], arguments, 0, context)),
    "__log": Known(1, 4, lambda arguments, _context: arguments[0]),
    "__logn": Known(1, 3, lambda _arguments, _context: ""),
}
