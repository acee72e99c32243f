"""An expectation: an expression that has been read, and each of its fields known, before anything is measured."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from holdfast.checks.faults import fault
from holdfast.checks.fields import LIST, NUMBER, TEXT, TRUTH, Field, Fields, Unknown, field_named, names_of
from holdfast.checks.syntax import OTHERWISE, AllOf, AnyOf, Comparison, Name, Node, Not, Operand, Value, Values, parsed
from holdfast.checks.units import SHARE, dimension, units_of
from holdfast.errors import UsageError
from holdfast.model.frozen import frozen
from holdfast.model.suggestions import nearest_names

ORDERED = frozenset({"<", "<=", ">", ">="})
_SHOWN = 4


@frozen
class Expectation:
    """An expression that has a meaning for one kind of result.

    Attributes:
        text: as it was written.
        fields: what each of its names means, in the order in which they are written.
        reasons: as those of `Fields`.
    """

    text: str
    tree: Node
    fields: Mapping[Name, Field]
    reasons: Mapping[str, str]

    @property
    def selected(self) -> tuple[Name, ...]:
        """The names that mean a part of the result, such as one label."""
        return tuple(each for each in self.fields if each.selector)


def expectation_of(text: str, fields: Fields) -> Expectation:
    """What is expected of a result of this kind.

    Raises:
        UsageError: it is not an expression, or has no meaning for such a result; says where.
    """
    tree = parsed(text)
    known: dict[Name, Field] = {}
    _condition(tree, _Reading(text, fields, known))
    if not known:
        raise fault(text, tree.start, tree.stop, "it names no field", "Write it as in_service >= 16.")
    return Expectation(text, tree, known, fields.reasons)


def unknown_part(expectation: Expectation, name: Name, known: Iterable[str]) -> UsageError:
    """The error for a part that the result will not have, such as a label."""
    names = list(known)
    near = nearest_names(name.selected, names)
    listed = ", ".join(map(repr, names[:_SHOWN])) + ("" if len(names) <= _SHOWN else ", ...")
    remedy = f"Did you mean {near[0]!r}?" if near else f"There are: {listed}."
    return fault(expectation.text, name.start, name.stop, f"there is no {name.selector} {name.selected!r}", remedy)


@frozen
class _Reading:
    """What is known while an expression is looked through."""

    text: str
    fields: Fields
    known: dict[Name, Field]


def _condition(node: Node, reading: _Reading) -> None:
    """Makes sure that this is true or false."""
    match node:
        case AllOf(parts) | AnyOf(parts):
            for part in parts:
                _condition(part, reading)
        case Not(negated):
            _condition(negated, reading)
        case Comparison():
            _comparison(node, reading)
        case Name():
            field = _field(node, reading)
            if TRUTH not in field.kinds:
                raise fault(
                    reading.text,
                    node.start,
                    node.stop,
                    f"{field.name} is {_a(field)}, and is compared with nothing",
                    f"Compare it, as in {node.name} {'>= 16' if NUMBER in field.kinds else '!= null'}.",
                )
        case _:
            raise fault(reading.text, node.start, node.stop, "a value alone says nothing", "Compare it with a field.")


def _comparison(node: Comparison, reading: _Reading) -> None:
    for each in node.values:
        if isinstance(each, Name):
            _field(each, reading)
    for relation, left, right in zip(node.relations, node.values, node.values[1:], strict=False):
        if relation in {"in", "not in"}:
            _check_within(left, right, reading)
        else:
            _check_pair(relation, left, right, reading)


def _check_within(left: Operand, right: Operand, reading: _Reading) -> None:
    if isinstance(right, Values):
        for each in right.values:
            _check_pair("==", left, each, reading)
        return
    field = reading.known.get(right) if isinstance(right, Name) else None
    if field is None or LIST not in field.kinds:
        raise fault(
            reading.text,
            right.start,
            right.stop,
            "nothing can be in this" if field is None else f"{field.name} is {_a(field)}, in which nothing can be",
            "Behind `in` goes a list: a field that is one, or ['waits', '503'].",
        )


def _check_pair(relation: str, left: Operand, right: Operand, reading: _Reading) -> None:
    """Makes sure that these can be compared so."""
    kinds, others = _kinds(left, reading), _kinds(right, reading)
    if relation in ORDERED:
        for operand, its in ((left, kinds), (right, others)):
            if NUMBER not in its:
                raise fault(
                    reading.text,
                    operand.start,
                    operand.stop,
                    f"only numbers are more or less, and this is {_words(its)}",
                    "Compare it by == or !=.",
                )
    elif kinds and others and not kinds & others:
        operand, its, field = (right, others, kinds) if isinstance(right, Value | Values) else (left, kinds, others)
        raise fault(
            reading.text,
            operand.start,
            operand.stop,
            f"this is {_words(its)}, and is compared with {_words(field)}",
            "Write a text in quotes, and a number without.",
        )
    _check_units(left, right, reading)
    for named, value in ((left, right), (right, left)):
        if isinstance(named, Name) and isinstance(value, Value):
            _check_choice(reading.known[named], value, reading)


def _check_choice(field: Field, value: Value, reading: _Reading) -> None:
    if not isinstance(value.value, str) or not field.choices or value.value in field.choices:
        return
    near = nearest_names(value.value, field.choices)
    raise fault(
        reading.text,
        value.start,
        value.stop,
        f"{field.name} is never {value.value!r}",
        f"Did you mean {near[0]!r}?" if near else f"It can be {', '.join(map(repr, field.choices))}.",
    )


def _check_units(left: Operand, right: Operand, reading: _Reading) -> None:
    for operand, other in ((left, right), (right, left)):
        if not isinstance(operand, Value) or not operand.unit:
            continue
        if not isinstance(other, Name):
            continue
        field = reading.known[other]
        if dimension(operand.unit) == SHARE:
            if field.share_of:
                continue
            what, remedy = f"{field.name} is not a part of a number, so it has no percentage", "Write a number."
        elif dimension(operand.unit) == dimension(field.unit):
            continue
        elif field.unit:
            what = f"{operand.unit} is not a unit of {field.name}"
            remedy = f"It is in {field.unit}; there are {units_of(dimension(field.unit))}."
        else:
            what, remedy = f"{field.name} has no unit", "Write the number alone."
        raise fault(reading.text, operand.start, operand.stop, what, remedy)
    if isinstance(left, Name) and isinstance(right, Name):
        units = [dimension(reading.known[each].unit) for each in (left, right)]
        if units[0] != units[1]:
            raise fault(
                reading.text,
                left.start,
                right.stop,
                f"{reading.known[left].name} and {reading.known[right].name} are in different units",
                "Compare each with a number.",
            )


def _field(name: Name, reading: _Reading) -> Field:
    if name in reading.known:
        return reading.known[name]
    fields = reading.fields
    if name.selector:
        within = fields.selectors.get(name.selector)
        if within is None:
            has = " or ".join(f"{each}('...')" for each in fields.selectors) or "none: write the field alone"
            raise fault(
                reading.text, name.start, name.stop, f"{fields.what} has no {name.selector}('...')", f"It has {has}."
            )
        fields = within
    try:
        field = field_named(name.name, fields)
    except Unknown as unknown:
        if name.name in OTHERWISE:
            what = f"{name.name} has no meaning here"
            raise fault(reading.text, name.start, name.stop, what, f"Write {OTHERWISE[name.name]} instead.") from None
        raise fault(reading.text, name.start, name.stop, unknown.what, _remedy(name.name, unknown, fields)) from None
    reading.known[name] = field
    return field


def _remedy(name: str, unknown: Unknown, fields: Fields) -> str:
    if unknown.several:
        listed = list(unknown.several)
        near = nearest_names(name, listed) or listed
        shown = ", ".join(near[:_SHOWN]) + (", ..." if len(listed) > _SHOWN else "")
        return f"Write one of these: {shown}."
    near = nearest_names(name, list(dict.fromkeys(names_of(fields))))
    return f"Did you mean {' or '.join(near)}?" if near else "`--json -` shows all fields."


def _kinds(operand: Operand, reading: _Reading) -> frozenset[str]:
    """What an operand can be; nothing where it is null, which is compared with everything."""
    if isinstance(operand, Name):
        return reading.known[operand].kinds
    if isinstance(operand, Values):
        return frozenset({LIST})
    if operand.value is None:
        return frozenset()
    if isinstance(operand.value, bool):
        return frozenset({TRUTH})
    return frozenset({TEXT if isinstance(operand.value, str) else NUMBER})


def _a(field: Field) -> str:
    return _words(field.kinds)


def _words(kinds: frozenset[str]) -> str:
    words = sorted(kinds)
    return " or ".join(f"a {each}" if each not in {"counts", "texts"} else each for each in words) or "null"
