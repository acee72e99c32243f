"""Filters of JSON paths, `[?(@.price < 10 && @.title =~ /m.*/i)]`; pure.

Source: json-path/JsonPath 2.7.0, com.jayway.jsonpath.internal.filter: FilterCompiler (grammar), EvaluatorFactory
(what each comparison means), ValueNodes (a text that is a number equals that number).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from typing import Any

from holdfast.model.frozen import frozen


class PathError(ValueError):
    """A JSON path that cannot be read; the message says why."""


class _Missing:
    """A value that is not there."""


MISSING = _Missing()
Value = Callable[[Any, Any], Any]
_Test = Callable[[Any, Any], bool]

_TOKEN = re.compile(
    r"\s*(?:(?P<text>'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\")|(?P<number>-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)"
    r"|(?P<pattern>/(?:[^/\\]|\\.)*/[a-z]*)|(?P<operator>===|!==|==|!=|<=|>=|=~|<|>|&&|\|\||!|\(|\)|\[|\]|,)"
    r"|(?P<word>\w+)|(?P<path>[@$](?:\.\.?[\w*-]+|\.?\[[^\]]*\])*))",
    re.DOTALL,
)
_END = re.compile(r"\s*\)\s*\]")


@frozen
class Filter:
    """A condition on a value.

    Attributes:
        holds: of the value and the whole document.
    """

    holds: _Test


class _Reader:
    """Reads a condition from left to right."""

    def __init__(self, text: str, at: int, at_path: Callable[[str], Value]) -> None:
        self.text, self.at, self.at_path = text, at, at_path
        self.kind, self.found = "", ""
        self.begin = at
        self.advance()

    def advance(self) -> None:
        self.begin = self.at
        found = _TOKEN.match(self.text, self.at)
        if found is None:
            self.kind, self.found = "end", ""
        else:
            self.kind, self.found = found.lastgroup or "", found[found.lastgroup or 0]
            self.at = found.end()

    def takes(self, *texts: str) -> str:
        """The next token if it is one of these, which is then passed; "" otherwise."""
        if self.kind in ("operator", "word") and self.found in texts:
            found = self.found
            self.advance()
            return found
        return ""

    def error(self) -> PathError:
        return PathError(f"the filter in {self.text!r} cannot be read from {self.begin + 1} on")


def filter_of(path: str, at: int, at_path: Callable[[str], Value]) -> tuple[Filter, int]:
    """The filter that begins with the `[?` at `at`, and its end.

    Args:
        at_path: what is at a path within the filter, `@.price`; `MISSING` if nothing is.

    Raises:
        PathError: it cannot be read.
    """
    begin = re.compile(r"\[\s*\?\s*\(").match(path, at)
    if begin is None:
        raise PathError(f"{path!r} has a filter without its parentheses")
    reader = _Reader(path, begin.end(), at_path)
    test = _either(reader)
    end = _END.match(path, reader.begin)
    if end is None:
        raise reader.error()
    return Filter(test), end.end()


def _either(reader: _Reader) -> _Test:
    tests = [_both(reader)]
    while reader.takes("||"):
        tests.append(_both(reader))
    return tests[0] if len(tests) == 1 else lambda value, document: any(each(value, document) for each in tests)


def _both(reader: _Reader) -> _Test:
    tests = [_one(reader)]
    while reader.takes("&&"):
        tests.append(_one(reader))
    return tests[0] if len(tests) == 1 else lambda value, document: all(each(value, document) for each in tests)


def _one(reader: _Reader) -> _Test:
    if reader.takes("!"):
        inverted = _one(reader)
        return lambda value, document: not inverted(value, document)
    if reader.takes("("):
        inner = _either(reader)
        if not reader.takes(")"):
            raise reader.error()
        return inner
    is_path = reader.kind == "path"
    left = _operand(reader)
    operator = reader.takes(*_COMPARISONS)
    if not operator:
        if not is_path:
            raise reader.error()
        return lambda value, document: left(value, document) is not MISSING
    right = _operand(reader)
    compare = _COMPARISONS[operator]
    return lambda value, document: compare(left(value, document), right(value, document))


def _operand(reader: _Reader) -> Value:
    kind, found = reader.kind, reader.found
    if reader.takes("["):
        return _listed(reader)
    if kind == "path":
        made = reader.at_path(found)
    elif kind == "text":
        made = _always(re.sub(r"\\(.)", r"\1", found[1:-1]))
    elif kind == "number":
        made = _always(Decimal(found))
    elif kind == "pattern":
        made = _always(_pattern(found))
    elif kind == "word" and found in ("true", "false", "null"):
        made = _always({"true": True, "false": False, "null": None}[found])
    else:
        raise reader.error()
    reader.advance()
    return made


def _listed(reader: _Reader) -> Value:
    values: list[Value] = []
    while not reader.takes("]"):
        values.append(_operand(reader))
        if not reader.takes(",") and reader.found != "]":
            raise reader.error()
    return lambda value, document: [each(value, document) for each in values]


def _always(constant: object) -> Value:
    return lambda _value, _document: constant


def _pattern(text: str) -> re.Pattern[str]:
    body, _, letters = text[1:].rpartition("/")
    flags = {"i": re.IGNORECASE, "m": re.MULTILINE, "s": re.DOTALL, "x": re.VERBOSE}
    try:
        return re.compile(body, sum(flags.get(each, re.RegexFlag(0)) for each in letters))
    except (re.error, OverflowError, RecursionError) as error:
        raise PathError(f"{body!r} is not a regular expression that holdfast can read: {error}") from error


def _number(value: object) -> Decimal | None:
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal | str):
        return None
    try:
        return Decimal(str(value).strip())
    except InvalidOperation:
        return None


def _equal(left: object, right: object) -> bool:
    texts = isinstance(left, str) and isinstance(right, str)
    if not texts and isinstance(left, int | float | Decimal | str) and not isinstance(left, bool | _Missing):
        number = _number(left)
        return number is not None and number == _number(right)
    return type(left) is type(right) and left == right


def _ordered(holds: Callable[[Any, Any], bool]) -> Callable[[object, object], bool]:
    def compare(left: object, right: object) -> bool:
        if isinstance(left, str) and isinstance(right, str):
            return holds(left, right)
        if isinstance(left, str) or isinstance(right, str):
            return False
        first, second = _number(left), _number(right)
        return first is not None and second is not None and holds(first, second)

    return compare


def _matches(left: object, right: object) -> bool:
    value, pattern = (left, right) if isinstance(right, re.Pattern) else (right, left)
    if not isinstance(pattern, re.Pattern) or isinstance(value, list | dict | _Missing) or value is None:
        return False
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return pattern.fullmatch(text) is not None


def _is_in(left: object, right: object) -> bool:
    return isinstance(right, list) and any(_equal(left, each) for each in right)


def _contains(left: object, right: object) -> bool:
    if isinstance(left, str):
        return isinstance(right, str) and right in left
    return _is_in(right, left)


def _empty(left: object, right: object) -> bool:
    return isinstance(left, str | list | dict) and (not left) is right


def _size(left: object, right: object) -> bool:
    return isinstance(left, str | list | dict) and len(left) == _number(right)


_COMPARISONS: dict[str, Callable[[object, object], bool]] = {
    "==": _equal,
    "!=": lambda left, right: not _equal(left, right),
    "===": lambda left, right: type(left) is type(right) and _equal(left, right),
    "!==": lambda left, right: type(left) is not type(right) or not _equal(left, right),
    "<": _ordered(lambda left, right: bool(left < right)),
    "<=": _ordered(lambda left, right: bool(left <= right)),
    ">": _ordered(lambda left, right: bool(left > right)),
    ">=": _ordered(lambda left, right: bool(left >= right)),
    "=~": _matches,
    "in": _is_in,
    "nin": lambda left, right: left is not MISSING and not _is_in(left, right),
    "contains": _contains,
    "empty": _empty,
    "size": _size,
}
