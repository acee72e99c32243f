"""Decimal numbers as Groovy reckons with them: to their last digit, so that 0.1 + 0.2 is 0.3; pure.

Source: Groovy 3.0.11, BigDecimalMath.java and NumberMath.java (getMath: a double makes the whole sum one of doubles);
java.math.BigDecimal. Each was measured with JMeter 5.5.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import (
    ROUND_HALF_UP,
    Context,
    Decimal,
    DecimalException,
    DivisionByZero,
    Inexact,
    InvalidOperation,
    Overflow,
)
from fractions import Fraction as Ratio

from holdfast.journeys.number_kinds import Exact, Long, is_exact, whole_number

MOST_DIGITS = 2000
"""A sum of more is not reckoned: Groovy takes any number of them, and 1e999999999 + 1 has a billion."""
_MORE_DIGITS = 10
_LEAST_BEHIND_POINT = 10
_ROUNDED = Context(prec=MOST_DIGITS, rounding=ROUND_HALF_UP, traps=[InvalidOperation])
_ALL_DIGITS = Context(prec=MOST_DIGITS, traps=[InvalidOperation, DivisionByZero, Overflow, Inexact])


def decimal_number(text: str) -> float:
    """The number that a text writes.

    Raises:
        ValueError: it has too many digits.
    """
    try:
        return _as_value(_ALL_DIGITS.create_decimal(text))
    except DecimalException as error:
        raise ValueError(f"{text[:40]!r} has too many digits") from error


def reckoned(mark: str, first: float, second: float) -> float | None:
    """What comes of two numbers; None where one of them is a double, or both are whole and so is what comes of them.

    Args:
        second: is not 0 where it divides.

    Raises:
        ValueError: Groovy has none of it, or it has too many digits.
    """
    if not (isinstance(first, Exact) or isinstance(second, Exact) or mark == "/"):
        return None
    if not all(isinstance(each, Exact) or is_exact(each) for each in (first, second)):
        return None
    if mark == "%":
        raise ValueError("there is no remainder of decimal numbers")
    one, other = _decimal_of(first), _decimal_of(second)
    try:
        return _as_value(_divided(one, other) if mark == "/" else _OF_DECIMAL[mark](one, other))
    except DecimalException as error:
        raise ValueError("it has too many digits") from error


def _decimal_of(value: float) -> Decimal:
    if isinstance(value, Exact | Long):
        return Decimal(value.exact)
    return Decimal(int(value))


def _as_value(found: Decimal) -> float:
    if found.as_tuple().exponent == 0:
        return whole_number(int(found))
    value = Exact(found)
    value.exact = found
    return value


def _divided(one: Decimal, other: Decimal) -> Decimal:
    """The quotient: all of it where it ends, or so many digits as Groovy takes."""
    behind = one.as_tuple().exponent, other.as_tuple().exponent
    scale = _scale(behind[0]) - _scale(behind[1])
    if (ended := _ended(Ratio(one) / Ratio(other), scale)) is not None:
        return ended
    digits = max(len(each.as_tuple().digits) for each in (one, other)) + _MORE_DIGITS
    found = Context(prec=digits, rounding=ROUND_HALF_UP).divide(one, other)
    most = max(_scale(behind[0]), _scale(behind[1]), _LEAST_BEHIND_POINT)
    if _scale(found.as_tuple().exponent) > most:
        return found.quantize(Decimal(1).scaleb(-most), context=_ROUNDED)
    return found


def _scale(exponent: int | str) -> int:
    return -exponent if isinstance(exponent, int) else 0


def _ended(quotient: Ratio, scale: int) -> Decimal | None:
    """A quotient that has an end, with no fewer digits behind its point than the preferred scale; None without one."""
    rest, twos, fives = quotient.denominator, 0, 0
    while rest % 2 == 0:
        rest, twos = rest // 2, twos + 1
    while rest % 5 == 0:
        rest, fives = rest // 5, fives + 1
    if rest != 1:
        return None
    found = _ALL_DIGITS.divide(Decimal(quotient.numerator), Decimal(quotient.denominator))
    wanted = max(scale, twos, fives)
    return found.quantize(Decimal(1).scaleb(-wanted), context=_ALL_DIGITS)


_OF_DECIMAL: Mapping[str, Callable[[Decimal, Decimal], Decimal]] = {
    "+": _ALL_DIGITS.add,
    "-": _ALL_DIGITS.subtract,
    "*": _ALL_DIGITS.multiply,
}
