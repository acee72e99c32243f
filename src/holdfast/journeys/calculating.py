"""What operators and conversions of script languages make of values, odd ones too; pure.

Each language has its own rules for a value that is missing, and for a text that is not a number: JavaScript reckons on
with NaN, which is not equal to, below or above anything; JEXL and Groovy end the script where they cannot reckon.
Source: ECMA-262, 7.1.4 (ToNumber), 13.8 to 13.13, 19.2.4 and 19.2.5 (parseFloat, parseInt; Rhino, the engine of JMeter
with Java 15 and newer, takes 010 for octal and 08 for no number); commons-jexl 3.2.1, JexlArithmetic.java (add, negate:
strict about null); Groovy, StringGroovyMethods.java (plus, minus, multiply, asType, toInteger). Each was measured with
JMeter 5.5.
"""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable, Mapping

from holdfast.journeys.comparing import (
    MOST_LONG,
    Value,
    as_number,
    is_true,
    number,
    number_of_javascript,
    numbers_of_jexl,
    of_digits,
    written,
)
from holdfast.journeys.decimals import decimal_number, reckoned
from holdfast.journeys.number_kinds import Fraction, as_whole, is_exact, whole_number

MOST_REPEATED = 100_000
_INTEGER = re.compile(r"[+-]?\d+", re.ASCII)
_DECIMAL = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?[dDfF]?", re.ASCII)
_LEADING = re.compile(r"[+-]?(?:Infinity|(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)", re.ASCII)
_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"


def added(left: Value, right: Value, language: str) -> Value:
    """The sum, or both texts after one another.

    Raises:
        ValueError: the language cannot add these.
    """
    texts = isinstance(left, str) or isinstance(right, str)
    if language == "own" and texts:
        texts = as_number(left) is None or as_number(right) is None
    if language == "jexl" and (left is None or right is None):
        raise ValueError("nothing cannot be added")
    if texts:
        return written(left) + written(right)
    if language == "jexl":
        return _of_jexl("+", left, right)
    return _reckoned("+", _number(left, language), _number(right, language), language)


def subtracted(left: Value, right: Value, language: str) -> Value:
    """The difference; of a text, Groovy takes away the first part that is like the other one.

    Raises:
        ValueError: the language cannot reckon with these.
    """
    if language == "groovy" and isinstance(left, str):
        return left.replace(written(right), "", 1)
    if language == "jexl":
        return _of_jexl("-", left, right)
    return _reckoned("-", _number(left, language), _number(right, language), language)


def multiplied(mark: str, left: Value, right: Value, language: str) -> Value:
    """The product, the quotient or the remainder; Groovy repeats a text.

    Raises:
        ValueError: the language cannot reckon with these, or it divides by zero.
    """
    if language == "groovy" and isinstance(left, str) and mark == "*" and isinstance(right, float):
        if not 0 <= right * len(left) <= MOST_REPEATED:
            raise ValueError("it repeats a text too often")
        return left * int(right)
    if language == "jexl":
        return _of_jexl(mark, left, right)
    first, second = _number(left, language), _number(right, language)
    if mark != "*" and second == 0:
        return _by_zero(first, second, mark, language)
    if mark == "%" and not math.isfinite(first):
        return math.nan
    return _reckoned(mark, first, second, language)


def _reckoned(mark: str, first: float, second: float, language: str) -> float:
    """What comes of two numbers; in Groovy, whole ones are exact, and overflow as a Long does, and so are decimal ones.

    Raises:
        ValueError: the language has none of it.
    """
    if language == "groovy" and is_exact(first) and is_exact(second):
        one, other = as_whole(first), as_whole(second)
        if mark != "/" or not one % other:
            found = _remainder(one, other) if mark == "%" else _OF_WHOLE[mark](one, other)
            if all(-MOST_LONG <= each < MOST_LONG for each in (one, other)):
                found = (found + MOST_LONG) % (2 * MOST_LONG) - MOST_LONG
            return whole_number(found)
    if language == "groovy" and (found_exactly := reckoned(mark, first, second)) is not None:
        return found_exactly
    return _OF_DOUBLE[mark](first, second)


def _of_jexl(mark: str, left: Value, right: Value) -> float:
    """What JEXL makes of two numbers: whole numbers of any length, or doubles.

    Raises:
        ValueError: it cannot reckon with these, or it divides by zero.
    """
    if left is None or right is None:
        raise ValueError("nothing is not a number")
    first, second = numbers_of_jexl(left, right)
    if mark in ("/", "%") and not second:
        raise ValueError("it divides by zero")
    if isinstance(first, int) and isinstance(second, int):
        # Of numbers the remainder has the sign of the first one; where one is a text, it is BigInteger.mod.
        if mark == "%" and not isinstance(left, str) and not isinstance(right, str):
            return whole_number(_remainder(first, second))
        if mark == "%" and second < 0:
            raise ValueError("there is no remainder of a division by less than zero")
        return whole_number(_OF_WHOLE[mark](first, second))
    return Fraction(_OF_DOUBLE[mark](first, second))


def _quotient(first: int, second: int) -> int:
    """Without what is behind the point, as Java divides."""
    quotient = abs(first) // abs(second)
    return quotient if (first < 0) == (second < 0) else -quotient


def _remainder(first: int, second: int) -> int:
    """With the sign of the first one, as Java has it."""
    return first - second * _quotient(first, second)


_SUMS = {"+": operator.add, "-": operator.sub, "*": operator.mul}
_OF_WHOLE: Mapping[str, Callable[[int, int], int]] = _SUMS | {"/": _quotient, "%": operator.mod}
_OF_DOUBLE: Mapping[str, Callable[[float, float], float]] = _SUMS | {"/": operator.truediv, "%": math.fmod}


def _by_zero(first: float, second: float, mark: str, language: str) -> float:
    if language != "javascript":
        raise ValueError("it divides by zero")
    nothing = mark == "%" or first == 0 or math.isnan(first)
    return math.nan if nothing else math.copysign(math.inf, first) * math.copysign(1.0, second)


def signed(value: Value, language: str, *, minus: bool) -> float:
    """A number behind a sign.

    Raises:
        ValueError: the language has none of it.
    """
    if language in ("jexl", "groovy") and isinstance(value, str):
        raise ValueError(f"{value!r} is not a number")
    if language == "jexl" and isinstance(value, bool):
        return value is not minus
    if language == "jexl":
        return _of_jexl("-" if minus else "+", 0.0, value)
    if language == "groovy":
        return _reckoned("-" if minus else "+", 0.0, _number(value, language), language)
    return -_number(value, language) if minus else _number(value, language)


def _number(value: Value, language: str) -> float:
    if language == "javascript":
        return number_of_javascript(value)
    if language in ("jexl", "groovy") and value is None:
        raise ValueError("nothing is not a number")
    if language == "groovy" and isinstance(value, str | bool):
        raise ValueError(f"{value!r} is not a number")
    return number(value)


def converted(name: str, method: str, arguments: list[Value], language: str) -> Value:
    """What parseInt("5"), Integer.parseInt("5") and the like come to.

    Args:
        name: of the function, or of the class whose `method` it is, which the language has (`can_convert`).

    Raises:
        ValueError: it cannot be converted.
    """
    value, *more = arguments
    if language == "javascript":
        return _OF_JAVASCRIPT[name](value, more)
    if language == "groovy":
        return _OF_GROOVY[f"{name}.{method}"](value)
    return written(value) if name == "String" else number(value)


def can_convert(name: str, method: str, language: str) -> bool:
    """Whether a language has such a function, or a class with such a method."""
    known: Mapping[str, frozenset[str]] = {"javascript": frozenset(_OF_JAVASCRIPT), "groovy": frozenset(_OF_GROOVY)}
    return language != "jexl" and (language == "own" or (f"{name}.{method}" if method else name) in known[language])


def _parse_int(value: Value, more: list[Value]) -> float:
    text = written(value).strip().lower()
    sign, text = (-1.0, text[1:]) if text[:1] == "-" else (1.0, text.removeprefix("+"))
    base = number_of_javascript(more[0]) if more else 0.0
    base = int(base) if math.isfinite(base) else 0
    if base in (0, 16) and text.startswith("0x"):
        base, text = 16, text[2:]
    elif not base and text[:1] == "0" and text[1:2].isdigit():
        base, text = 8, text[1:]
    base = base or 10
    known = _DIGITS[: base if 2 <= base <= len(_DIGITS) else 0]
    digits = text[: next((at for at, each in enumerate(text) if each not in known), len(text))]
    return sign * of_digits(digits, base) if digits else math.nan


def _parse_float(value: Value, _more: list[Value]) -> float:
    found = _LEADING.match(written(value).strip())
    return float(found[0]) if found else math.nan


_OF_JAVASCRIPT: Mapping[str, Callable[[Value, list[Value]], Value]] = {
    "parseInt": _parse_int,
    "parseFloat": _parse_float,
    "Number": lambda value, _: number_of_javascript(value),
    "String": lambda value, _: written(value),
}


def whole(value: Value, bits: int, *, trims: bool) -> float:
    """A whole number of Java's.

    Args:
        trims: blanks around it do not count.

    Raises:
        ValueError: it is not one, or too large.
    """
    if isinstance(value, float) and not isinstance(value, bool):
        return float(as_whole(value))
    text = written(value) if isinstance(value, str) else ""
    text = text.strip() if trims else text
    if not _INTEGER.fullmatch(text) or not -(2 ** (bits - 1)) <= int(text) < 2 ** (bits - 1):
        raise ValueError(f"{written(value)!r} is not a whole number")
    return whole_number(int(text))


def decimal(value: Value) -> float:
    """A number of Java's.

    Raises:
        ValueError: it is not one.
    """
    if isinstance(value, float) and not isinstance(value, bool):
        return float(value)
    text = value.strip() if isinstance(value, str) else ""
    if not _DECIMAL.fullmatch(text):
        raise ValueError(f"{written(value)!r} is not a number")
    return float(text.rstrip("dDfF"))


def _big_decimal(value: Value) -> float:
    """A decimal number of Java's.

    Raises:
        ValueError: it is not one.
    """
    text = written(value).strip()
    if isinstance(value, bool) or not _DECIMAL.fullmatch(text) or text[-1] in "dDfF":
        raise ValueError(f"{text!r} is not a number")
    return decimal_number(text)


def _text(value: Value) -> str:
    """What parseInt and the like of Java take.

    Raises:
        ValueError: it is a number, for which they are not defined.
    """
    if not isinstance(value, str):
        raise ValueError(f"{written(value)} is not a text")  # noqa: TRY004 - all that ends a script is one
    return value


_OF_GROOVY: Mapping[str, Callable[[Value], Value]] = {
    "Integer.parseInt": lambda value: whole(_text(value), 32, trims=False),
    "Integer.valueOf": lambda value: whole(value, 32, trims=False),
    "Long.parseLong": lambda value: whole(_text(value), 64, trims=False),
    "Long.valueOf": lambda value: whole(value, 64, trims=False),
    "Double.parseDouble": lambda value: decimal(_text(value)),
    "Double.valueOf": decimal,
    "String.valueOf": written,
}
_TYPES: Mapping[str, Callable[[Value], Value]] = {
    **dict.fromkeys(("int", "Integer"), lambda value: whole(value, 32, trims=True)),
    **dict.fromkeys(("long", "Long"), lambda value: whole(value, 64, trims=True)),
    **dict.fromkeys(("double", "Double", "float", "Float"), decimal),
    "BigDecimal": _big_decimal,
    **dict.fromkeys(("boolean", "Boolean"), lambda value: is_true(value, "groovy")),
    "String": written,
}
TYPES = frozenset(_TYPES)


def cast(value: Value, kind: str) -> Value:
    """Groovy's `as`, to one of `TYPES`.

    Raises:
        ValueError: the value cannot become one.
    """
    if value is None and kind[0].isupper():
        return None
    return _TYPES[kind](value)
