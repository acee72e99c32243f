"""The steps of a scenario's group: requests, and steps that hold others, as nodes of a journey."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import partial

from holdfast.api import scenario_request
from holdfast.api.references import template
from holdfast.api.scenario_request import Known, Usual, names_set_in, request_in
from holdfast.api.scenario_table import Table
from holdfast.engine import quantities
from holdfast.engine.quantities import Threshold
from holdfast.journeys.comparing import is_true
from holdfast.journeys.conditions import value_of
from holdfast.model.frozen import frozen
from holdfast.model.journey import Condition, Delay, If, Leave, Loop, Node, Once, OneOf, Sequence, While
from holdfast.model.journey_request import Request
from holdfast.model.scenario import Pause

MOST_REPEATS = 1_000_000
_SHARE = re.compile(r"\s*(\d+(?:\.\d+)?)\s*%\s*", re.ASCII)
_ROUNDED = 0.11  # three times 33.3 % is meant to be all
_REFERENCE = re.compile(r"\{\w+\}")
_QUOTED = re.compile(r"\"(?:\\.|[^\"\\])*\"|'(?:\\.|[^'\\])*'")
_NAME = re.compile(r"(?<![\w.{])[A-Za-z_]\w*(?!\w*[({])")
_WORDS = frozenset(["true", "false", "null", "and", "or", "not", "eq", "ne", "lt", "le", "gt", "ge", "prev"])
_OF_EACH = ("once", "repeat", "if", "while", "weight")
_OF_SEVERAL = (*_OF_EACH, "name", "step", "choose")


@frozen
class Steps:
    """What a group's steps come to.

    Attributes:
        thresholds: of labels.
        endless: steps whose `while` holds whatever happens.
    """

    nodes: tuple[Node, ...]
    thresholds: tuple[Threshold, ...]
    endless: tuple[Table, ...] = ()


@frozen
class _Reading:
    """What is the same for all steps of a group, and what is collected from them."""

    known: Known
    values: Mapping[str, str]
    leaves: bool
    thresholds: list[Threshold]
    endless: list[Table]


def steps_in(
    tables: tuple[Table, ...], around: Usual, known: Known, values: Mapping[str, str], *, leaves: bool
) -> Steps:
    """The steps of a group.

    Args:
        around: what is usual for its requests.
        known: values that there are before the first step.
        values: that all clients begin with and nothing else sets.
        leaves: as of `once`.

    Raises:
        UsageError: one cannot be used.
    """
    reading = _Reading(known, values, leaves, [], [])
    nodes = _nodes(tables, around, reading)
    return Steps(nodes, tuple(reading.thresholds), tuple(reading.endless))


def set_by(tables: tuple[Table, ...]) -> Iterator[tuple[str, str]]:
    """The values that steps set, and what each is called in messages."""
    for number, table in enumerate(tables, 1):
        inner = table.tables("step", "a step") if "step" in table.values else ()
        yield from set_by(inner)
        named = table.text("name") or table.text("request")
        yield from ((name, f'the step "{named}"' if named else f"step {number}") for name in names_set_in(table))


def calls_hooks(tables: tuple[Table, ...]) -> bool:
    """Whether one of these steps, or one within them, names a function of the person's own."""
    return any("hook" in table.values or calls_hooks(table.tables("step", "a step")) for table in tables)


def once(nodes: Iterable[Node], *, leaves: bool = True) -> Once:
    """What each client does once, in its first pass.

    Args:
        leaves: a client for which one of the requests is not answered has nothing left to do: it could not log in.
    """
    done: list[Node] = []
    for node in nodes:
        done.append(node)
        if leaves and isinstance(node, Request):
            done.append(If(Condition(("!prev.isSuccessful()",)), (Leave("client"),)))
    return Once(tuple(done))


def pause(think: Pause) -> tuple[Delay, ...]:
    """The pause before a request; () for none."""
    if think == Pause():
        return ()
    constant, more = (_ms(each) for each in (think.constant_s, think.random_s))
    return (Delay((constant,), (more,), "uniform") if think.random_s else Delay((constant,)),)


def _ms(seconds: float) -> str:
    return str(round(seconds * 1000))


def _nodes(tables: tuple[Table, ...], around: Usual, reading: _Reading) -> tuple[Node, ...]:
    for table in tables:
        if "weight" in table.values:
            why = "All of these steps are done, one after another; weights are of steps to choose from."
            raise table.wrong("weight", why, "Leave it out, or put the steps into one with choose = true.")
    return tuple(node for table in tables for node in _step(table, around, reading))


def _step(table: Table, around: Usual, reading: _Reading) -> tuple[Node, ...]:
    # A misspelt request is told as that, and not as a request that is missing.
    table.only((*scenario_request.KEYS, *_OF_EACH, *_OF_SEVERAL))
    if ("request" in table.values) == ("step" in table.values):
        raise table.wrong(
            (), "It is either a request or holds steps.", 'Add request = "GET /", or [[group.step.step]].'
        )
    # Looked at before its own requests have set anything.
    condition = _condition(table, reading.known)
    if condition is not None and condition[0] == "while" and _always_holds(table.text("while")):
        reading.endless.append(table)
    if "request" in table.values:
        table.only((*scenario_request.KEYS, *_OF_EACH))
        request, usual = request_in(table, around, reading.known, reading.values)
        nodes: tuple[Node, ...] = (*pause(usual.think), request)
        label = "".join(map(str, request.label))
        reading.thresholds.extend(table.each("thresholds", partial(_threshold_of, label)))
    else:
        table.only(_OF_SEVERAL)
        inner = table.tables("step", "a step")
        if table.flag("choose"):
            weights = weights_of(inner)
            nodes = (
                OneOf("by chance", tuple(Sequence(_step(each, around, reading)) for each in inner), weights=weights),
            )
        else:
            nodes = _nodes(inner, around, reading)
    return _repeated(table, condition, nodes, leaves=reading.leaves)


def weights_of(tables: tuple[Table, ...]) -> tuple[float, ...]:
    """How often each is chosen beside the others: numbers in proportion, or shares in percent that add up to 100 %.

    Raises:
        UsageError: one is neither, or they do not add up.
    """
    weights = tuple(map(_weight_of, tables))
    shares = [weight for table, weight in zip(tables, weights, strict=True) if _in_percent(table)]
    if not shares:
        return weights
    for table in tables:
        if not _in_percent(table):
            raise table.wrong("weight" if "weight" in table.values else (), "Others beside it have a share in percent.")
    if abs(sum(shares) - 100) > _ROUNDED:
        raise tables[-1].wrong("weight", f"The shares add up to {sum(shares):g} %, not to 100 %.")
    return weights


def _in_percent(table: Table) -> bool:
    return isinstance(table.values.get("weight"), str)


def _weight_of(table: Table) -> float:
    weight = table.values.get("weight", 1)
    if isinstance(weight, str) and (share := _SHARE.fullmatch(weight)):
        weight = float(share[1])
    if isinstance(weight, bool) or not isinstance(weight, int | float) or not 0 < weight <= 1_000_000:
        raise table.wrong("weight", 'It must be a number above 0, or a share such as "70%".')
    return float(weight)


def _threshold_of(label: str, text: str) -> Threshold:
    return quantities.of_label(quantities.threshold(text), label)


def _condition(table: Table, known: Known) -> tuple[str, Condition] | None:
    said = [key for key in ("if", "while") if key in table.values]
    if len(said) > 1:
        raise table.wrong("while", "if and while exclude each other.", "Put one of them on a step around this one.")
    if not said:
        return None
    text = known.check(table, said[0], table.text(said[0]))
    table.made(said[0], partial(value_of, _REFERENCE.sub("0", text)))
    for name in _names(text):
        known.check(table, said[0], f"{{{name}}}")
    return said[0], Condition(template(text))


def _always_holds(condition: str) -> bool:
    """Whether a condition has no value in it, and holds."""
    named = any(_names(condition)) or _REFERENCE.search(condition) or "prev." in condition
    return not named and is_true(value_of(condition))


def _names(condition: str) -> Iterator[str]:
    """The values that a condition names without braces."""
    for found in _NAME.finditer(_QUOTED.sub("", condition)):
        if found[0] not in _WORDS:
            yield found[0]


def _repeated(
    table: Table, condition: tuple[str, Condition] | None, nodes: tuple[Node, ...], *, leaves: bool
) -> tuple[Node, ...]:
    repeat = table.whole("repeat", 1, MOST_REPEATS)
    if repeat is not None:
        nodes = (Loop((str(repeat),), nodes),)
    if condition is not None:
        nodes = (If(condition[1], nodes),) if condition[0] == "if" else (While(condition[1], nodes),)
    return (once(nodes, leaves=leaves),) if table.flag("once") else nodes
