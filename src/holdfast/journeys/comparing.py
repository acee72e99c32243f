"""Compares values as script languages do, and asks texts for what they are like; pure.

Source: ECMA-262, 7.2.13 and 7.2.14; commons-jexl JexlArithmetic.java (equals, compare, toDouble); groovy
DefaultTypeTransformation.java (compareEqual).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

Value = str | float | bool | None
_WHOLE = re.compile(r"[+-]?\d+", re.ASCII)
MOST_SEARCHED = 100_000
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)


class Fraction(float):
    """A number that is written with a point or an exponent: JEXL compares a text with it as with no other."""


def written(value: Value) -> str:
    """The value as a text."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return str(int(value)) if abs(value) < 1e15 and value == int(value) else repr(value)
    return value


def is_true(value: Value) -> bool:
    """Whether a value counts as true."""
    if isinstance(value, str):
        return value.lower() not in ("", "false")
    return bool(value)


def as_number(value: Value) -> float | None:
    """The value as a number; None if it is not one."""
    if value is None:
        return None
    if isinstance(value, bool | float):
        return float(value)
    text = value.strip() or "0"
    return float(text) if _NUMBER.fullmatch(text) else None


def number(value: Value) -> float:
    """The value as a number; a missing one is 0.

    Raises:
        ValueError: it is not a number.
    """
    found = 0.0 if value is None else as_number(value)
    if found is None:
        raise ValueError(f"{written(value)!r} is not a number")
    return found


def compared(left: Value, mark: str, right: Value, language: str) -> bool:
    """Whether a comparison holds.

    Args:
        mark: `==`, `<` and so on; `=~` is whether the right one, a pattern, is in the left one.

    Raises:
        ValueError: these two cannot be compared so.
    """
    if mark in ("==", "===", "!=", "!=="):
        same = _same(left, right, language, strict=len(mark) == 3)
        return same if mark[0] == "=" else not same
    if mark in ("=~", "!~", "==~"):
        return _matches(written(left), mark, written(right), language)
    if left is None or right is None:
        return False
    pair = _pair(left, right, language)
    if pair is None and language == "javascript":
        return False  # it is compared as NaN
    if pair is None:
        raise ValueError(f"{written(left)!r} and {written(right)!r} have no order")
    order = int(pair[0] > pair[1]) - int(pair[0] < pair[1])
    return {"<": order < 0, "<=": order <= 0, ">": order > 0, ">=": order >= 0}[mark]


def _same(left: Value, right: Value, language: str, *, strict: bool) -> bool:
    if type(left) is type(right):
        return left == right
    if left is None or right is None or strict or language == "groovy":
        return False
    if language == "jexl" and (isinstance(left, bool) or isinstance(right, bool)):
        return is_true(left) == is_true(right)
    if language == "jexl":
        left, right = _of_jexl(left, right)
    first, second = as_number(left), as_number(right)
    return first is not None and first == second


def _of_jexl(left: Value, right: Value) -> tuple[Value, Value]:
    """Both as JEXL compares them: a text with a whole number has to be one, and an empty one is 0.

    Source: commons.apache.org/jexl 3.1, JexlArithmetic.java (compare, toLong, toDouble); measured with JMeter 5.5.

    Raises:
        ValueError: the text is not such a number; that ends the script.
    """
    for one, other in ((left, right), (right, left)):
        if isinstance(one, str) and isinstance(other, float):
            fits = (_NUMBER if isinstance(other, Fraction) else _WHOLE).fullmatch(one or "0")
            if fits is None:
                raise ValueError(f"{one!r} cannot be compared with {written(other)}")
            return (float(one or "0"), other) if one is left else (other, float(one or "0"))
    return left, right


def _pair(left: Value, right: Value, language: str) -> tuple[Any, Any] | None:
    """Both as numbers if they can be compared so, or as texts."""
    if isinstance(left, str) and isinstance(right, str):
        first, second = as_number(left), as_number(right)
        if language == "own" and first is not None and second is not None:
            return first, second
        return left, right
    if language == "jexl":
        left, right = _of_jexl(left, right)
    if language == "groovy" and isinstance(left, str) is not isinstance(right, str):
        return None
    first, second = as_number(left), as_number(right)
    if first is not None and second is not None:
        return first, second
    return (written(left), written(right)) if language == "jexl" else None


def _matches(text: str, mark: str, pattern: str, language: str) -> bool:
    try:
        compiled = re.compile(pattern)
    except (re.error, RecursionError, OverflowError) as error:
        raise ValueError(f"{pattern!r} is not a regular expression: {error}") from error
    # JEXL asks whether the whole text matches; Groovy's =~ is true where a part does.
    whole = mark == "==~" or language == "jexl"
    found = (compiled.fullmatch if whole else compiled.search)(text[:MOST_SEARCHED]) is not None
    return found is not (mark == "!~")


def _part(text: str, arguments: list[str]) -> Value:
    first = int(number(arguments[0]))
    last = int(number(arguments[1])) if len(arguments) > 1 else len(text)
    if not 0 <= first <= last <= len(text):
        raise ValueError(f"{text!r} has no characters from {first} to {last}")
    return text[first:last]


_Does = Callable[[str, list[str], bool], Value]
METHODS: dict[str, tuple[int, int, _Does]] = {
    "equals": (1, 1, lambda of, given, missing: not missing and of == given[0]),
    "equalsIgnoreCase": (1, 1, lambda of, given, missing: not missing and of.lower() == given[0].lower()),
    "contains": (1, 1, lambda of, given, _: given[0] in of),
    "includes": (1, 1, lambda of, given, _: given[0] in of),
    "startsWith": (1, 1, lambda of, given, _: of.startswith(given[0])),
    "endsWith": (1, 1, lambda of, given, _: of.endswith(given[0])),
    "matches": (1, 1, lambda of, given, _: _matches(of, "==~", given[0], "")),
    "indexOf": (1, 1, lambda of, given, _: float(of.find(given[0]))),
    "isEmpty": (0, 0, lambda of, _given, _: not of),
    "length": (0, 0, lambda of, _given, _: float(len(of))),
    "size": (0, 0, lambda of, _given, _: float(len(of))),
    "trim": (0, 0, lambda of, _given, _: of.strip()),
    "toLowerCase": (0, 0, lambda of, _given, _: of.lower()),
    "toUpperCase": (0, 0, lambda of, _given, _: of.upper()),
    "toString": (0, 0, lambda of, _given, _: of),
    "toInteger": (0, 0, lambda of, _given, _: number(of)),
    "toLong": (0, 0, lambda of, _given, _: number(of)),
    "intValue": (0, 0, lambda of, _given, _: number(of)),
    "substring": (1, 2, lambda of, given, _: _part(of, given)),
}
"""Of a text: the fewest and most arguments, and what it does; it is told whether there is no text."""
