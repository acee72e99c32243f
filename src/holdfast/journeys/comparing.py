"""Compares values as script languages do; pure.

Source: ECMA-262, 7.1.4, 7.2.13 and 7.2.14; Rhino, the engine of JMeter with Java 15 and newer (an object for each text
of Java's); commons-jexl JexlArithmetic.java (equals, compare, toDouble, toBoolean); groovy
DefaultTypeTransformation.java (compareEqual, compareToWithEqualityCheck).
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import Any

from holdfast.journeys.number_kinds import Exact, Fraction, Long, as_whole, number_written, whole_number

Value = str | float | bool | None
_WHOLE = re.compile(r"[+-]?\d+", re.ASCII)
MOST_SEARCHED = 100_000
MOST_LONG = 2**63
_FRACTION = re.compile(r"[+-]?(?=[\d.])\d*(?:\.\d*(?:[eE][+-]?\d+)?|[eE][+-]?\d+)", re.ASCII)
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)


class JavaText(str):
    """A text that JavaScript gets from Java, as from vars.get("x"): an object in Rhino, true even if it is empty."""

    __slots__ = ()


# What java.util.regex.Pattern reads as Python does, each escape being two characters of a word; what Python lacks is an
# error by itself.
_AS_IN_JAVA = re.compile(r"(?:[^\\\[{(]|\[\^?\]?(?:[^\][&]|&(?!&))*\]|\{\d+(?:,\d*)?\}|\((?!\?[P#]))*")

UNDEFINED = float("nan")
"""JavaScript's; a number that is like no other, and equal to null alone."""


def written(value: Value) -> str:
    """The value as a text."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is UNDEFINED:
        return "undefined"
    return number_written(value) if isinstance(value, float) else value


def is_true(value: Value, language: str = "own") -> bool:
    """Whether a value counts as true.

    Raises:
        ValueError: JEXL is asked so of nothing.
    """
    if isinstance(value, str):
        if language in ("javascript", "groovy"):
            return bool(value) or isinstance(value, JavaText)
        return (value.lower() if language == "own" else value) not in ("", "false")
    if value is None and language == "jexl":
        raise ValueError("nothing is neither true nor false")
    return bool(value) and value == value  # noqa: PLR0124 - NaN is not true


def numbers_of_jexl(left: Value, right: Value) -> tuple[float, float] | tuple[int, int]:
    """Two values as JEXL reckons with them: as whole numbers, unless one of them has a point or an exponent.

    Source: commons-jexl 3.2.1, JexlArithmetic.java (isFloatingPointNumber, toDouble, toBigInteger).

    Raises:
        ValueError: one is not such a number.
    """
    both = (left, right)
    if any(isinstance(each, Fraction) or (isinstance(each, str) and _FRACTION.fullmatch(each)) for each in both):
        return _double_of_jexl(left), _double_of_jexl(right)
    return _whole_of_jexl(left), _whole_of_jexl(right)


def _double_of_jexl(value: Value) -> float:
    if isinstance(value, str) and not value:
        return math.nan
    return number(value)


def _whole_of_jexl(value: Value) -> int:
    if isinstance(value, str):
        if not _WHOLE.fullmatch(value or "0"):
            raise ValueError(f"{value!r} is not a whole number")
        return int(value or "0")
    return as_whole(value or 0)


def as_number(value: Value) -> float | None:
    """The value as a number; None if it is not one."""
    if value is None:
        return None
    if isinstance(value, bool | float):
        return value if isinstance(value, Fraction | Long | Exact) else float(value)
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


def of_digits(digits: str, base: int) -> float:
    """The number that digits of a base write; too many for a double are infinite."""
    try:
        return float(int(digits, base)) if base != 10 else float(digits)
    except OverflowError:
        return math.inf


def number_of_javascript(value: Value) -> float:
    """The value as JavaScript's ToNumber has it: null is 0, and what is not a number NaN."""
    if isinstance(value, str):
        text = value.strip()
        if re.fullmatch(r"0[xX][\da-fA-F]+", text):
            return of_digits(text[2:], 16)
        if re.fullmatch(r"[+-]?Infinity", text):
            return float(text)
        found = as_number(text)
        return math.nan if found is None else found
    return 0.0 if value is None else float(value)


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
        return matches(written(left), mark, written(right), language)
    pair = _PAIRS[language](left, right)
    if pair is None and (left is None or right is None):
        return False
    if pair is None:
        raise ValueError(f"{written(left)!r} and {written(right)!r} have no order")
    first, second = pair
    holds: dict[str, bool] = {"<": first < second, "<=": first <= second, ">": first > second, ">=": first >= second}
    return holds[mark]


def _same(left: Value, right: Value, language: str, *, strict: bool) -> bool:
    if language == "javascript":
        return _same_in_javascript(left, right, strict=strict)
    if type(left) is type(right):
        return left == right
    if left is None or right is None:
        return False
    if language == "groovy":
        pair = _by_character(left, right)
        return pair is not None and pair[0] == pair[1]
    if language == "jexl" and (isinstance(left, bool) or isinstance(right, bool)):
        return is_true(left, language) == is_true(right, language)
    if language == "jexl":
        left, right = _of_jexl(left, right)
    first, second = as_number(left), as_number(right)
    return first is not None and first == second


def _same_in_javascript(left: Value, right: Value, *, strict: bool) -> bool:
    nothing = [each is None or each is UNDEFINED for each in (left, right)]
    if any(nothing):
        return all(nothing) and (not strict or left is right)
    # An object of Java's is like no text of JavaScript's.
    of_java = isinstance(left, JavaText) or isinstance(right, JavaText)
    if isinstance(left, str) and isinstance(right, str):
        return left == right and not (strict and of_java)
    if strict:
        return type(left) is type(right) and left == right
    return number_of_javascript(left) == number_of_javascript(right)


def _of_jexl(left: Value, right: Value) -> tuple[Value, Value]:
    """Both as JEXL compares them: a text with a whole number has to be one, and an empty one is 0.

    Source: commons.apache.org/jexl 3.1, JexlArithmetic.java (compare, toLong, toDouble); measured with JMeter 5.5.

    Raises:
        ValueError: the text is not such a number; that ends the script.
    """
    for one, other in ((left, right), (right, left)):
        if isinstance(one, str) and isinstance(other, float):
            is_whole = not isinstance(other, Fraction)
            text = (one if is_whole else one.strip()) or "0"
            fits = (_WHOLE if is_whole else _NUMBER).fullmatch(text)
            if fits is None or (is_whole and not -MOST_LONG <= int(text) < MOST_LONG):
                raise ValueError(f"{one!r} cannot be compared with {written(other)}")
            found = whole_number(int(text)) if is_whole else float(text)
            return (found, other) if one is left else (other, found)
    return left, right


def _by_character(left: Value, right: Value) -> tuple[float, float] | None:
    """Two values as Groovy compares them where a number is one of them: a text of one character by its code."""
    pair = [float(ord(each)) if isinstance(each, str) and len(each) == 1 else each for each in (left, right)]
    first, second = pair
    return (first, second) if isinstance(first, float) and isinstance(second, float) else None


def _in_own(left: Value, right: Value) -> tuple[Any, Any] | None:
    if left is None or right is None:
        return None
    first, second = as_number(left), as_number(right)
    if first is not None and second is not None:
        return first, second
    return (left, right) if isinstance(left, str) and isinstance(right, str) else None


def _in_javascript(left: Value, right: Value) -> tuple[Any, Any]:
    if isinstance(left, str) and isinstance(right, str):
        return left, right
    return number_of_javascript(left), number_of_javascript(right)


def _in_groovy(left: Value, right: Value) -> tuple[Any, Any] | None:
    if left is None or right is None:
        return left is not None, right is not None  # nothing is less than anything
    if isinstance(left, str) is not isinstance(right, str):
        return _by_character(left, right)
    return (left, right) if isinstance(left, bool) is isinstance(right, bool) else None


def _in_jexl(left: Value, right: Value) -> tuple[Any, Any] | None:
    if left is None or right is None:
        return None
    kinds = {type(left), type(right)}
    if kinds <= {str, bool} and str in kinds:
        return written(left), written(right)
    left, right = _of_jexl(left, right)
    first, second = as_number(left), as_number(right)
    return (written(left), written(right)) if first is None or second is None else (first, second)


_PAIRS: dict[str, Callable[[Value, Value], tuple[Any, Any] | None]] = {
    "own": _in_own,
    "javascript": _in_javascript,
    "groovy": _in_groovy,
    "jexl": _in_jexl,
}
"""By language, both as numbers if they are compared so, or as texts; None: they have no order."""


def matches(text: str, mark: str, pattern: str, language: str) -> bool:
    """Whether a regular expression is in a text, or with `==~` is all of it.

    Args:
        language: `own` reads it as Python's `re` does, all others as Java.

    Raises:
        ValueError: it is not one, or means something else to Java than to Python.
    """
    same = _AS_IN_JAVA.match(re.sub(r"\\[^Zv0]", "__", pattern))
    at = len(pattern) if language == "own" or same is None else same.end()
    if at < len(pattern):
        raise ValueError(f"{pattern!r} has {pattern[at : at + 3]!r}, which means something else to Java")
    try:
        compiled = re.compile(pattern, 0 if language == "own" else re.ASCII)
    except (re.error, RecursionError, OverflowError) as error:
        raise ValueError(f"{pattern!r} is not a regular expression: {error}") from error
    # JEXL asks whether the whole text matches; Groovy's =~ is true where a part does.
    whole = mark == "==~" or language == "jexl"
    found = (compiled.fullmatch if whole else compiled.search)(text[:MOST_SEARCHED]) is not None
    return found is not (mark == "!~")
