"""The kinds of numbers that script languages have beside doubles, and how they are written; pure.

Source: java.lang.Double (toString), java.math.BigDecimal (toString); commons-jexl 3.2.1; Groovy 3.0.11.
"""

from __future__ import annotations

import math
import re
from decimal import Decimal

_EXACT = 2**53


class Fraction(float):
    """A number that is written with a point or an exponent: JEXL compares a text with it as with no other."""


class Long(float):
    """A whole number that a float cannot hold, as the numbers of posts and messages are; compared exactly.

    Attributes:
        exact: the number.
    """

    exact: int

    def __eq__(self, other: object) -> bool:
        return self.exact == (other.exact if isinstance(other, Long) else other)

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __lt__(self, other: float) -> bool:
        return self.exact < (other.exact if isinstance(other, Long) else other)

    def __le__(self, other: float) -> bool:
        return self < other or self == other

    def __gt__(self, other: float) -> bool:
        return not self <= other

    def __ge__(self, other: float) -> bool:
        return not self < other

    def __hash__(self) -> int:
        return hash(self.exact)


class Exact(float):
    """A decimal number of Groovy's, which has all its digits.

    Attributes:
        exact: the number.
    """

    exact: Decimal

    def _against(self, other: float) -> tuple[Decimal | float, Decimal | float]:
        """Both, to their last digits unless the other one is a double."""
        if isinstance(other, Exact | Long):
            return self.exact, Decimal(other.exact)
        return (self.exact, Decimal(int(other))) if is_exact(other) else (float(self), float(other))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, float | int):
            return False
        own, others = self._against(other)
        return own == others

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __lt__(self, other: float) -> bool:
        own, others = self._against(other)
        return own < others

    def __le__(self, other: float) -> bool:
        own, others = self._against(other)
        return own <= others

    def __gt__(self, other: float) -> bool:
        own, others = self._against(other)
        return own > others

    def __ge__(self, other: float) -> bool:
        own, others = self._against(other)
        return own >= others

    def __hash__(self) -> int:
        return hash(self.exact)


def whole_number(number: int) -> float:
    """A whole number as a value.

    Raises:
        OverflowError: it is larger than any float.
    """
    value = Long(number)
    value.exact = number
    return float(value) if float(value) == number and abs(number) <= _EXACT else value


def is_exact(value: float) -> bool:
    """Whether a number is whole, by its kind too, and known to its last digit."""
    if isinstance(value, Exact):
        return False
    return isinstance(value, Long) or (abs(value) <= _EXACT and value == int(value))


def as_whole(value: float) -> int:
    """A number without what is behind the point, to its last digit."""
    return int(value.exact if isinstance(value, Long | Exact) else value)


def number_written(value: float) -> str:
    """The number as a text: as JavaScript has it, or Java where only its languages have such numbers."""
    if isinstance(value, Long | Exact):
        return str(value.exact)
    if not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    if not isinstance(value, Fraction):
        return _as_javascript(value)
    # As Double.toString has it.
    if not value or 1e-3 <= abs(value) < 1e7:
        return repr(float(value))
    digits, _, exponent = f"{Decimal(repr(float(value))).normalize():E}".partition("E")
    return f"{digits}{'' if '.' in digits else '.0'}E{int(exponent)}"


def _as_javascript(value: float) -> str:
    """Source: ECMA-262, 6.1.6.1.20 (Number::toString)."""
    if abs(value) <= _EXACT and value == int(value):
        return str(int(value))
    sign, digits, exponent = Decimal(repr(value)).normalize().as_tuple()
    assert isinstance(exponent, int)
    before = len(digits) + exponent
    if not -6 < before <= 21:
        return re.sub(r"e([+-])0+", r"e\1", repr(value))
    return f"{Decimal((sign, digits, exponent)):f}"
