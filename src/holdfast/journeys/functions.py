"""The functions that a text of a journey can call, `${__name(argument,...)}`; pure.

Each is `function(arguments, context) -> str`, and raises `ValueError` with the reason where it cannot be called so.
Source: apache/jmeter, functions/*.java.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from holdfast.journeys.context import Context

Function = Callable[[list[str], Context], str]


def _argument(arguments: list[str], index: int, default: str = "") -> str:
    return arguments[index] if index < len(arguments) else default


def _p(arguments: list[str], context: Context) -> str:
    """__P(name, default): a missing default is 1."""
    return context.properties.get(_argument(arguments, 0).strip(), _argument(arguments, 1, "1"))


def _property(arguments: list[str], context: Context) -> str:
    """__property(name, variable, default): a missing default is the name."""
    name = _argument(arguments, 0)
    found = context.properties.get(name, _argument(arguments, 2, name))
    _keep(context, _argument(arguments, 1), found)
    return found


def _set_property(arguments: list[str], context: Context) -> str:
    """__setProperty(name, value, return the old one): "" unless that is true."""
    name = _argument(arguments, 0)
    before = context.properties.get(name)
    context.properties[name] = _argument(arguments, 1)
    return (before or "") if _argument(arguments, 2).strip().lower() == "true" else ""


def _thread_number(_arguments: list[str], context: Context) -> str:
    return str(context.client)


def _counter(arguments: list[str], context: Context) -> str:
    """__counter(each client its own, variable)."""
    own = _argument(arguments, 0).strip().lower() == "true"
    key = ("__counter", id(context.site), (context.crew, context.client) if own else None)
    number = context.remembered.get(key, 0) + 1
    context.remembered[key] = number
    _keep(context, _argument(arguments, 1).strip(), str(number))
    return str(number)


def _v(arguments: list[str], context: Context) -> str:
    """__V(name, default): a missing default is the name."""
    name = _argument(arguments, 0)
    return context.variables.get(name, _argument(arguments, 1, name))


def _keep(context: Context, variable: str, value: str) -> None:
    if variable:
        context.variables[variable] = value


FUNCTIONS: Mapping[str, Function] = {
    "__P": _p,
    "__property": _property,
    "__setProperty": _set_property,
    "__threadNum": _thread_number,
    "__counter": _counter,
    "__V": _v,
}
