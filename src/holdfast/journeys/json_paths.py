"""Finds values in JSON by paths such as `$.shelf[0].title`, as JMeter's library does; pure.

Source: json-path/JsonPath 2.7.0 (com.jayway.jsonpath.internal.path: PathCompiler, ScanPathToken, PropertyPathToken,
ArrayIndexToken, ArraySliceToken, WildcardPathToken, PredicatePathToken); filters are in `json_filters`. A path that has
one place at most is definite; the others find any number of values.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from decimal import Decimal
from functools import lru_cache
from typing import Any, NamedTuple

from holdfast.journeys.functions_plugin import java_double
from holdfast.journeys.json_filters import MISSING, Filter, PathError, Value, filter_of
from holdfast.model.frozen import frozen

_NAME = re.compile(r"[^.\[\]()]+")
_QUOTED = re.compile(r"\s*(?:'((?:[^'\\]|\\.)*)'|\"((?:[^\"\\]|\\.)*)\")\s*(,|\])", re.DOTALL)
_NUMBERS = re.compile(r"\[\s*(-?\d+(?:\s*,\s*-?\d+)*)\s*\]")
_SLICE = re.compile(r"\[\s*(-?\d*)\s*:\s*(-?\d*)\s*\]")
_ANY = re.compile(r"\[\s*\*\s*\]")
_CALL = re.compile(r"\.(\w+)\(\s*\)$")
_MOST_DIGITS_OF_A_DOUBLE = 18


@frozen
class _All:
    """`*`, or with `deep` what follows is looked for at any depth."""

    deep: bool = False


Token = tuple[str, ...] | tuple[int, ...] | slice | _All | Filter


class JsonPath(NamedTuple):
    """A path.

    Attributes:
        definite: it has one place at most.
        call: of the function at its end; "" has none.
    """

    tokens: tuple[Token, ...]
    definite: bool
    call: str = ""


@lru_cache(maxsize=1024)
def path_of(text: str) -> JsonPath:
    """Reads a path.

    Raises:
        PathError: it is none, or has something that is not supported.
    """
    path = text.strip()
    call = _CALL.search(path)
    if call:
        if call[1] not in _CALLS:
            raise PathError(f"{text!r} has the function {call[1]}(), which is not supported")
        path = path[: call.start()]
    if path[:1] not in ("$", "@"):
        path = f"$.{path}"
    tokens: list[Token] = []
    at = 1
    while at < len(path):
        token, at = _token(path, at)
        tokens.append(token)
    if tokens and tokens[-1] == _All(deep=True):
        raise PathError(f"{text!r} ends with ..")
    definite = all(map(_is_single, tokens))
    return JsonPath(tuple(tokens), definite, call[1] if call else "")


def _is_single(token: object) -> bool:
    return isinstance(token, tuple) and (len(token) == 1 or isinstance(token[0], str))


def _token(path: str, at: int) -> tuple[Token, int]:
    """The part of a path that begins at `at`, and its end."""
    if path.startswith("..", at):
        # What follows is a name without its dot, or brackets.
        return _All(deep=True), at + (2 if path.startswith("[", at + 2) else 1)
    if path.startswith(".[", at):
        at += 1
    if path[at] == ".":
        if path.startswith(".*", at):
            return _All(), at + 2
        found = _NAME.match(path, at + 1)
        if found is None:
            raise PathError(f"{path!r} has a dot without a name at {at + 1}")
        return (found[0].strip(),), found.end()
    if path[at] != "[":
        raise PathError(f"{path!r} cannot be read from {at + 1} on")
    return _bracketed(path, at)


def _bracketed(path: str, at: int) -> tuple[Token, int]:
    if found := _ANY.match(path, at):
        return _All(), found.end()
    if found := _NUMBERS.match(path, at):
        return tuple(int(each) for each in found[1].split(",")), found.end()
    if found := _SLICE.match(path, at):
        first, last = (int(each) if each else None for each in found.groups())
        return slice(first, last), found.end()
    if re.compile(r"\[\s*\?").match(path, at):
        return filter_of(path, at, _value_at)
    names: list[str] = []
    begin, at = at, at + 1
    while found := _QUOTED.match(path, at):
        names.append(re.sub(r"\\(.)", r"\1", found[1] if found[1] is not None else found[2]))
        at = found.end()
        if found[3] == "]":
            return tuple(names), at
    raise PathError(f"{path!r} cannot be read from {begin + 1} on")


def _value_at(text: str) -> Value:
    """What is at a path within a filter: of the value `@`, or of the whole document `$`."""
    path = path_of(text)

    def value(own: object, document: object) -> object:
        found = values_at(path, own if text[0] == "@" else document)
        if not path.definite:
            return found
        return found[0] if found else MISSING

    return value


def values_at(path: JsonPath, document: object) -> list[Any]:
    """Everything that a path finds, in order."""
    found = [document]
    deep = False
    for token in path.tokens:
        if token == _All(deep=True):
            deep = True
            continue
        places: Iterator[Any] = (inner for each in found for inner in _within(each)) if deep else iter(found)
        found = [value for place in places for value in _step(token, place, document, deep=deep)]
        deep = False
    return found


def _within(value: object) -> Iterator[Any]:
    """A value, then all that is in it."""
    yield value
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _within(inner)


def _step(token: Token, value: Any, document: object, *, deep: bool) -> Iterator[Any]:  # noqa: ANN401 - a JSON value
    if isinstance(token, _All):
        yield from value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    elif isinstance(token, Filter):
        # An array's elements are looked at; an object itself, and at any depth each object.
        inner = [value] if isinstance(value, dict) else value if isinstance(value, list) and not deep else []
        yield from (each for each in inner if token.holds(each, document))
    elif isinstance(token, slice):
        yield from value[token] if isinstance(value, list) else ()
    elif isinstance(token[0], int):
        if isinstance(value, list):
            yield from (value[each] for each in token if -len(value) <= int(each) < len(value))
    elif isinstance(value, dict):
        if len(token) == 1:
            yield from (value[each] for each in token if each in value)
        else:
            yield {each: value[each] for each in token if each in value}


def read_json(text: str) -> object:
    """A JSON document; long decimal fractions keep all their digits.

    Raises:
        ValueError: it is none.
    """
    try:
        return json.loads(text, parse_float=_fraction)
    except RecursionError as error:
        raise ValueError("it is nested too deep") from error


def _fraction(text: str) -> float | Decimal:
    return float(text) if len(text) <= _MOST_DIGITS_OF_A_DOUBLE else Decimal(text)


def by_hash(value: object) -> object:
    """An object with its members in the order of a java.util.HashMap, into which JMeter copies it; others as they are.

    Source: JMeter 5.5, JSONManager.java (stringifyJSONObject); java.util.HashMap (putMapEntries: the size of its table;
    hash), java.lang.String (hashCode).
    """
    if not isinstance(value, dict):
        return value
    places = 1 << int(len(value) / 0.75).bit_length()
    return dict(sorted(value.items(), key=lambda member: _java_hash(str(member[0])) & (places - 1)))


def _java_hash(text: str) -> int:
    code = 0
    units = text.encode("utf-16-le", "surrogatepass")
    for at in range(0, len(units), 2):
        code = (31 * code + int.from_bytes(units[at : at + 2], "little")) & 0xFFFFFFFF
    return code ^ code >> 16


def as_text(value: object) -> str | None:
    """A value as the text that a variable gets; None for null."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    return java_double(value) if isinstance(value, float) else as_json(value)


def as_json(value: object) -> str:
    """A value as JMeter's library writes it: without spaces, with a backslash before a slash."""
    if isinstance(value, dict):
        return "{" + ",".join(f"{as_json(str(name))}:{as_json(inner)}" for name, inner in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(as_json, value)) + "]"
    if isinstance(value, str):
        return '"' + _ESCAPED.sub(_escape, value) + '"'
    if isinstance(value, float):
        return java_double(value)
    return "null" if value is None else str(value).lower() if isinstance(value, bool) else str(value)


def shown_json(value: object) -> str:
    """A value as the text with which a pattern is compared; a fraction has no exponent."""
    if isinstance(value, str):
        return value
    if isinstance(value, float):
        text = format(Decimal(java_double(value)), "f")
        return text if "." in text else f"{text}.0"
    return as_json(value)


_ESCAPED = re.compile('["\\\\/\x00-\x1f\x7f-\x9f\u2000-\u20ff]')
_SHORT = {"\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t"}


def _escape(found: re.Match[str]) -> str:
    char = found[0]
    return _SHORT.get(char) or (f"\\{char}" if char in '"\\/' else f"\\u{ord(char):04X}")


def called(name: str, value: object) -> object:
    """What a function at the end of a path makes of the value before it.

    Raises:
        PathError: it is not a value of its kind.
    """
    try:
        return _CALLS[name](value)
    except (TypeError, ValueError, ZeroDivisionError) as error:
        raise PathError(f"{name}() has no value here") from error


def _numbers(value: Any) -> list[float]:  # noqa: ANN401 - a JSON value
    found = [float(each) for each in value if isinstance(each, int | float | Decimal) and not isinstance(each, bool)]
    if not found:
        raise ValueError
    return found


_CALLS: dict[str, Callable[[Any], object]] = {
    "length": len,
    "size": len,
    "keys": lambda value: list(value.keys()) if isinstance(value, dict) else None,
    "min": lambda value: min(_numbers(value)),
    "max": lambda value: max(_numbers(value)),
    "sum": lambda value: sum(_numbers(value)),
    "avg": lambda value: sum(_numbers(value)) / len(_numbers(value)),
}
