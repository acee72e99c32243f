"""References to variables that have no value when they are come to: JMeter sends them as they are written; pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import fields, is_dataclass

from holdfast.jmeter.variables import names_kept_in
from holdfast.model import journey
from holdfast.model.answers import FunctionCall, Template, Variable
from holdfast.model.frozen import frozen
from holdfast.model.journey_request import MadeUp, Request


@frozen
class Unset:
    """A reference that may be sent as it is written.

    Attributes:
        name: of the variable.
        request: the first request that refers to it.
        ever: something in the journey sets it later.
    """

    name: str
    request: str
    ever: bool


# What JMeter gives to each thread.
_BY_ITSELF = ("JMeterThread.last_sample_ok", "START.MS", "START.YMD", "START.HMS", "TESTSTART.MS")


def unset_in(crew: journey.Crew, defined: Iterable[str]) -> Iterator[Unset]:
    """The references of a crew's requests to variables that nothing before them sets, each variable once.

    Args:
        defined: the variables that every client begins with.
    """
    known = {*defined, *(name for name, _ in crew.values), *(name for row in crew.values_of_clients for name, _ in row)}
    known.update((crew.index, *_BY_ITSELF))
    ever = known | set(_all_set_in(crew.journey))
    told: set[str] = set()
    for node in _in_order(crew.journey):
        known.update(_kept_by_calls(node))
        if isinstance(node, Request):
            for name in _referred_to(node):
                if not _is_known(name, known) and name not in told:
                    told.add(name)
                    yield Unset(name, _written(node.label), _is_known(name, ever))
        known.update(_set_by(node))


def sends(node: journey.Node) -> bool:
    """Whether there is a request in a journey."""
    return any(isinstance(each, Request) for each in _in_order(node))


def _is_known(name: str, known: set[str]) -> bool:
    """Whether a variable is set, or is one of those that belong to another: NAME_1, NAME_g1, NAME_matchNr, ..."""
    parts = name.split("_")
    stems = {"_".join(parts[:count]) for count in range(1, len(parts) + 1)}
    return bool(known & stems) or name.rstrip("0123456789") in known


def _in_order(node: journey.Node) -> Iterator[journey.Node]:
    yield node
    for each in getattr(node, "nodes", ()):
        yield from _in_order(each)


def _all_set_in(node: journey.Node) -> Iterator[str]:
    for each in _in_order(node):
        yield from _set_by(each)


def _set_by(node: journey.Node) -> Iterator[str]:
    """The variables that a node sets, once it has been done."""
    yield from _kept_by_calls(node)
    if isinstance(node, Request | MadeUp):
        for extract in node.extracts:
            yield from (each.strip() for each in getattr(extract, "name", "").replace(",", ";").split(";"))
    elif isinstance(node, journey.TakeRow | journey.ValuesOfClients):
        yield from node.names
    elif isinstance(node, journey.Timed | journey.Given):
        for each in node.sets:
            yield from _set_by(each)
    else:
        yield from (getattr(node, each) for each in ("name", "index") if hasattr(node, each))


def _kept_by_calls(node: journey.Node) -> Iterator[str]:
    """The variables in which functions keep their values."""
    for template in _templates(node):
        yield from names_kept_in(template)


def _referred_to(request: Request) -> Iterator[str]:
    sent = (request.label, request.origin, request.path, request.method, request.headers, request.body)
    for template in _templates_in(sent):
        yield from _variables(template)


def _variables(template: Template) -> Iterator[str]:
    for part in template:
        if isinstance(part, Variable):
            yield part.name
        elif isinstance(part, FunctionCall):
            for argument in part.arguments:
                yield from _variables(argument)


def _templates(node: journey.Node) -> Iterator[Template]:
    """The texts of a node itself, without those of what is below it."""
    for each in fields(node):
        if each.name != "nodes":
            yield from _templates_in(getattr(node, each.name))


def _templates_in(value: object) -> Iterator[Template]:
    if isinstance(value, tuple):
        if any(isinstance(part, Variable | FunctionCall) for part in value):
            yield value
        for part in value:
            if not isinstance(part, str | Variable | FunctionCall):
                yield from _templates_in(part)
    elif is_dataclass(value) and not isinstance(value, type):
        for each in fields(value):
            yield from _templates_in(getattr(value, each.name))


def _written(template: Template) -> str:
    return "".join(part if isinstance(part, str) else part.written for part in template)
