"""An expectation and a result -> whether it is met, what was found, and why it could not be told."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from typing import Any, TypeAlias

from holdfast.checks.expectation import ORDERED, Expectation
from holdfast.checks.fields import NUMBER, Field
from holdfast.checks.syntax import AllOf, AnyOf, Comparison, Name, Node, Not, Operand, Value, Values
from holdfast.checks.units import SHARE, dimension, in_smallest
from holdfast.model.check import Checked
from holdfast.model.frozen import frozen

Json: TypeAlias = Any
"""What JSON can hold."""
Result: TypeAlias = Mapping[str, Json]
"""A result as its JSON has it."""

_ORDER: Mapping[str, Callable[[Fraction, Fraction], bool]] = {
    "<": lambda left, right: left < right,
    "<=": lambda left, right: left <= right,
    ">": lambda left, right: left > right,
    ">=": lambda left, right: left >= right,
}
_OPPOSITE = {"!=": "==", "not in": "in"}
_SHOWN_ITEMS = 6


@frozen
class _Looking:
    """What an expectation is compared with.

    Attributes:
        part: result of the part that a name means, such as that of a label.
        nulls: fields whose null kept a comparison from being made.
    """

    expectation: Expectation
    part: Callable[[Name], Result | None]
    nulls: list[Name]


def check(expectation: Expectation, part: Callable[[Name], Result | None], of: str = "") -> Checked:
    """What came of an expectation.

    What is null is neither more nor less nor equal, so a comparison with it is neither true nor false (Kleene's
    logic): an expectation that depends on one is not met, and says which and why. Only comparing with null itself
    asks whether there is a value.

    Args:
        part: the result that a name is about: the whole, or a part of it; None where that was not measured.
        of: the row of a study.
    """
    looking = _Looking(expectation, part, [])
    met = _truth(expectation.tree, looking)
    named = {_called(name, field): name for name, field in expectation.fields.items()}
    found = {called: _value(name, looking) for called, name in named.items()}
    why = "" if met is not None else "; ".join(dict.fromkeys(_why(name, looking) for name in looking.nulls))
    shown = [
        f"{called} {_shown(name, looking)}" if len(named) > 1 else _shown(name, looking)
        for called, name in named.items()
    ]
    return Checked(expectation.text, met is True, found, why, of, ", ".join(shown))


def _truth(node: Node, looking: _Looking) -> bool | None:
    match node:
        case AllOf(parts):
            return _all([_truth(part, looking) for part in parts])
        case AnyOf(parts):
            return _negation(_all([_negation(_truth(part, looking)) for part in parts]))
        case Not(negated):
            return _negation(_truth(negated, looking))
        case Comparison(values, relations):
            pairs = zip(relations, values, values[1:], strict=False)
            return _all([_compared(relation, left, right, looking) for relation, left, right in pairs])
        case Name():
            value = _value(node, looking)
            if value is None:
                looking.nulls.append(node)
            return None if value is None else bool(value)
    raise AssertionError(node)  # no other node is a condition (expectation.py)


def _all(truths: Sequence[bool | None]) -> bool | None:
    if False in truths:
        return False
    return None if None in truths else True


def _negation(truth: bool | None) -> bool | None:  # noqa: FBT001 - what is negated
    return None if truth is None else not truth


def _compared(relation: str, left: Operand, right: Operand, looking: _Looking) -> bool | None:
    if relation in _OPPOSITE:
        return _negation(_compared(_OPPOSITE[relation], left, right, looking))
    if relation == "in" and isinstance(right, Values):
        return _negation(_all([_negation(_compared("==", left, each, looking)) for each in right.values]))
    shared = SHARE in (_dimension(left, looking), _dimension(right, looking))
    nulls = [each for each in (left, right) if isinstance(each, Name) and _is_missing(each, looking, shared=shared)]
    if _is_null(left) or _is_null(right):
        # Null is compared with null, and with nothing else.
        return all(_is_null(each) or each in nulls for each in (left, right))
    if nulls:
        looking.nulls.extend(nulls)
        return None
    if relation == "in":
        return _plain(left, looking) in [_exact(each) for each in _plain(right, looking)]
    ours, theirs = _in_one_unit(left, right, looking)
    return _ORDER[relation](ours, theirs) if relation in ORDERED else ours == theirs


def _is_missing(name: Name, looking: _Looking, *, shared: bool) -> bool:
    """Whether there is nothing to compare; of nothing at all there is no percentage."""
    return _value(name, looking) is None or (shared and not _whole(name, looking))


def _is_null(operand: Operand) -> bool:
    return isinstance(operand, Value) and operand.value is None


def _in_one_unit(left: Operand, right: Operand, looking: _Looking) -> tuple[Json, Json]:
    """Both values, numbers in the same unit: one without a unit has that of the other."""
    given = _unit(left, looking) or _unit(right, looking)
    if SHARE in (_dimension(left, looking), _dimension(right, looking)):
        given = "%"
    return _united(left, given, looking), _united(right, given, looking)


def _united(operand: Operand, given: str, looking: _Looking) -> Json:
    value = _plain(operand, looking)
    if not isinstance(value, Fraction):
        return value
    if given == "%" and isinstance(operand, Name):
        return value / Fraction(str(_whole(operand, looking)))
    return in_smallest(value, _unit(operand, looking) or given)


def _unit(operand: Operand, looking: _Looking) -> str:
    if isinstance(operand, Values):
        return ""
    return operand.unit if isinstance(operand, Value) else _field(operand, looking).unit


def _dimension(operand: Operand, looking: _Looking) -> str:
    return dimension(_unit(operand, looking))


def _plain(operand: Operand, looking: _Looking) -> Json:
    if isinstance(operand, Value):
        return operand.value
    if isinstance(operand, Values):
        return [each.value for each in operand.values]
    return _exact(_value(operand, looking))


def _exact(value: Json) -> Json:
    """The same with numbers as they are written, so that 0.2 s is 200 ms."""
    if isinstance(value, list | tuple):
        return [_exact(each) for each in value]
    if isinstance(value, bool) or not isinstance(value, int | float):
        return value
    return Fraction(str(value))


def _field(name: Name, looking: _Looking) -> Field:
    return looking.expectation.fields[name]


def _called(name: Name, field: Field) -> str:
    return f"{name.selector}({name.selected!r}).{field.name}" if name.selector else field.name


def _value(name: Name, looking: _Looking) -> Json:
    """As JSON has it; None where there is none."""
    return value_of(_field(name, looking), looking.part(name))


def value_of(field: Field, result: Result | None) -> Json:
    """The value that a result has in a field, as JSON has it; None where it has none."""
    if result is None:
        return None
    path = field.name.removesuffix(f".{field.key}") if field.key else field.name
    value: Json = result
    for each in path.split("."):
        value = value.get(each) if isinstance(value, Mapping) else None
    if field.key and isinstance(value, Mapping):
        # What was counted and did not occur is none.
        return value.get(field.key, 0 if NUMBER in field.kinds else None)
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _whole(name: Name, looking: _Looking) -> Json:
    """The number that a field's is a part of; None where there is none."""
    return (looking.part(name) or {}).get(_field(name, looking).share_of)


def _why(name: Name, looking: _Looking) -> str:
    """Why a field is null, in words."""
    field, result = _field(name, looking), looking.part(name)
    called = _called(name, field)
    if result is None:
        return f"{name.selector} {name.selected!r} was not measured"
    if _value(name, looking) is not None:
        return f"{called} has no percentage: {field.share_of} is 0"
    reason = reason_for(field.name, result, looking.expectation.reasons)
    return f"{called} is null: {reason}" if reason else f"{called} is null"


def reason_for(name: str, result: Result, otherwise: Mapping[str, str]) -> str:
    """Why a field of a result, or the record that it is in, is null; "" where nothing says so."""
    parts = name.split(".")
    for holder, inner in ((result, parts), (result.get(parts[0]), parts[1:])):
        told = holder.get("unknown") if isinstance(holder, Mapping) else None
        for stop in range(len(inner), 0, -1):
            if isinstance(told, Mapping) and (reason := told.get(".".join(inner[:stop]))):
                return str(reason)
    return next((reason for beginning, reason in otherwise.items() if name.startswith(beginning)), "")


def _shown(name: Name, looking: _Looking) -> str:
    """A field's value in words."""
    field, value = _field(name, looking), _value(name, looking)
    text = shown_value(value, field.unit)
    whole = _whole(name, looking) if field.share_of else None
    return f"{text} ({value / whole:.2%})" if whole and isinstance(value, int | float) else text


def shown_value(value: Json, unit: str = "") -> str:
    """A value of a result as it is shown: numbers with their unit, texts as they are."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        number = f"{value:.6g}" if isinstance(value, float) else str(value)
        return f"{number} {unit}".rstrip() if not unit.startswith("/") else f"{number}{unit}"
    if isinstance(value, Mapping):
        return "a record"
    if isinstance(value, list | tuple):
        items = [shown_value(each) for each in value[:_SHOWN_ITEMS]]
        return f"[{', '.join(items)}{', ...' if len(value) > _SHOWN_ITEMS else ''}]"
    return str(value)
