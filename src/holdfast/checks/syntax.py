"""An expression's words -> its meaning, as a tree; by recursive descent, and nothing of it is ever run.

expectation  either
either       both ("or" both)*
both         negated ("and" negated)*
negated      "not" negated | compared
compared     value (("==" | "!=" | "<" | "<=" | ">" | ">=" | "in" | "not" "in") value)*
value        number | text | "true" | "false" | "null" | list | field | "(" either ")"
list         "[" [literal ("," literal)*] "]"
field        name | name "(" text ")" "." name
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import TypeAlias

from holdfast.checks.faults import fault
from holdfast.checks.tokens import Token, tokens
from holdfast.errors import UsageError
from holdfast.model.frozen import frozen

DEEPEST = 20
"""How many brackets, and words `not`, may be within each other."""

RELATIONS = ("==", "!=", "<", "<=", ">", ">=", "in")
_WORDS: dict[str, bool | None] = {"true": True, "false": False, "null": None}
# How a word of other languages is written here.
OTHERWISE = {"True": "true", "False": "false", "None": "null", "AND": "and", "OR": "or", "NOT": "not", "is": "=="}
_RESERVED = {*_WORDS, "and", "or", "not", "in"}


@frozen
class Value:
    """A number, a text, a truth value or null, as it was written."""

    value: Fraction | str | bool | None
    unit: str
    start: int
    stop: int


@frozen
class Values:
    """A list."""

    values: tuple[Value, ...]
    start: int
    stop: int


@frozen
class Name:
    """A field.

    Attributes:
        selector: "label" in `label('GET /').offered`; "" where the field is of the whole.
        selected: `GET /` there.
    """

    name: str
    selector: str
    selected: str
    start: int
    stop: int


@frozen
class Comparison:
    """Values, each compared with the next."""

    values: tuple[Operand, ...]
    relations: tuple[str, ...]
    start: int
    stop: int


@frozen
class Not:
    negated: Node
    start: int
    stop: int


@frozen
class AllOf:
    parts: tuple[Node, ...]
    start: int
    stop: int


@frozen
class AnyOf:
    parts: tuple[Node, ...]
    start: int
    stop: int


Operand: TypeAlias = Value | Values | Name
Node: TypeAlias = Operand | Comparison | Not | AllOf | AnyOf


def parsed(text: str) -> Node:
    """The tree of an expression.

    Raises:
        UsageError: it is not one; says what is wrong and where.
    """
    reader = _Reader(text, tokens(text))
    tree = _either(reader, 0)
    if reader.next.kind != "end":
        raise reader.wrong("this was not expected here", "Join comparisons by `and` or `or`.")
    return tree


class _Reader:
    """Goes through the tokens of an expression; the last one is never passed."""

    def __init__(self, text: str, found: Sequence[Token]) -> None:
        self.text = text
        self._tokens = found
        self._at = 0

    @property
    def next(self) -> Token:
        return self._tokens[self._at]

    @property
    def stop(self) -> int:
        """Where the token before ends."""
        return self._tokens[max(0, self._at - 1)].stop

    def take(self) -> Token:
        token = self.next
        self._at = min(self._at + 1, len(self._tokens) - 1)
        return token

    def has(self, kind: str, *values: str) -> bool:
        return self.next.kind == kind and self.next.value in values

    def has_not_in(self) -> bool:
        after = self._tokens[min(self._at + 1, len(self._tokens) - 1)]
        return self.has("name", "not") and after.kind == "name" and after.value == "in"

    def wrong(self, what: str, remedy: str) -> UsageError:
        """The error for the next token."""
        token = self.next
        if token.kind == "end":
            return fault(self.text, token.start, token.stop, "it ends too early", remedy)
        if token.kind == "name" and token.value in OTHERWISE:
            remedy = f"Write {OTHERWISE[token.value]} instead."
        return fault(self.text, token.start, token.stop, what, remedy)


def _either(reader: _Reader, depth: int) -> Node:
    start, parts = reader.next.start, [_both(reader, depth)]
    while reader.has("name", "or"):
        reader.take()
        parts.append(_both(reader, depth))
    return parts[0] if len(parts) == 1 else AnyOf(tuple(parts), start, reader.stop)


def _both(reader: _Reader, depth: int) -> Node:
    start, parts = reader.next.start, [_negated(reader, depth)]
    while reader.has("name", "and"):
        reader.take()
        parts.append(_negated(reader, depth))
    return parts[0] if len(parts) == 1 else AllOf(tuple(parts), start, reader.stop)


def _negated(reader: _Reader, depth: int) -> Node:
    if not reader.has("name", "not"):
        return _compared(reader, depth)
    _check_depth(reader, depth)
    start = reader.take().start
    return Not(_negated(reader, depth + 1), start, reader.stop)


def _compared(reader: _Reader, depth: int) -> Node:
    start, first = reader.next.start, _value(reader, depth)
    values, relations = [first], []
    while relation := _relation(reader):
        relations.append(relation)
        values.append(_value(reader, depth))
    if not relations:
        return first
    operands = tuple(each for each in values if isinstance(each, Value | Values | Name))
    if len(operands) < len(values):
        wrong = next(each for each in values if not isinstance(each, Value | Values | Name))
        raise fault(
            reader.text, wrong.start, wrong.stop, "a comparison is compared", "Join comparisons by `and` or `or`."
        )
    return Comparison(operands, tuple(relations), start, reader.stop)


def _relation(reader: _Reader) -> str:
    if reader.has_not_in():
        reader.take()
        reader.take()
        return "not in"
    if reader.has("sign", *RELATIONS) or reader.has("name", "in"):
        return reader.take().value
    return ""


def _value(reader: _Reader, depth: int) -> Node:
    if reader.has("sign", "("):
        _check_depth(reader, depth)
        reader.take()
        inner = _either(reader, depth + 1)
        _close(reader, ")")
        return inner
    if reader.has("sign", "["):
        return _list(reader)
    if reader.next.kind == "name" and reader.next.value not in _RESERVED:
        return _field(reader)
    return _literal(reader)


def _list(reader: _Reader) -> Values:
    start, values = reader.take().start, []
    while not reader.has("sign", "]"):
        values.append(_literal(reader))
        if not reader.has("sign", ","):
            break
        reader.take()
    _close(reader, "]")
    return Values(tuple(values), start, reader.stop)


def _literal(reader: _Reader) -> Value:
    token = reader.next
    if token.kind == "number":
        value: Fraction | str | bool | None = Fraction(token.value)
    elif token.kind == "text":
        value = token.value
    elif token.kind == "name" and token.value in _WORDS:
        value = _WORDS[token.value]
    else:
        raise reader.wrong(
            "a field or a value was expected here", "Write it as in_service >= 16 or client_sees != 'reset'."
        )
    reader.take()
    return Value(value, token.unit, token.start, token.stop)


def _field(reader: _Reader) -> Name:
    token = reader.take()
    if not reader.has("sign", "("):
        return Name(token.value, "", "", token.start, token.stop)
    reader.take()
    if reader.next.kind != "text":
        raise reader.wrong("a name in quotes was expected here", f"Write it as {token.value}('...').FIELD.")
    selected = reader.take().value
    _close(reader, ")")
    if reader.next.kind != "further":
        raise reader.wrong("a field was expected here", f"Write it as {token.value}('...').FIELD.")
    field = reader.take()
    return Name(field.value, token.value, selected, token.start, field.stop)


def _close(reader: _Reader, bracket: str) -> None:
    if not reader.has("sign", bracket):
        raise reader.wrong(f"{bracket} was expected here", f"Write {bracket} to close the bracket.")
    reader.take()


def _check_depth(reader: _Reader, depth: int) -> None:
    if depth >= DEEPEST:
        raise reader.wrong(
            f"more than {DEEPEST} brackets or `not` are within each other",
            "Write several expectations: each has an --expect of its own.",
        )
