"""What is known of a function: how many arguments it takes, and what it does; pure."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

from holdfast.journeys.context import Context, FunctionError

Function = Callable[[list[str], Context], str]
_WHOLE_NUMBER = re.compile(r"[+-]?[0-9]+")


class Known(NamedTuple):
    """One function.

    Attributes:
        least, most: how many arguments it takes; None sets no bound.
    """

    least: int
    most: int | None
    call: Function

    def __call__(self, arguments: list[str], context: Context) -> str:
        """The text that it returns for these arguments, each with its references replaced.

        Raises:
            FunctionError: it has no value for them, or takes another number of them.
        """
        if len(arguments) < self.least or (self.most is not None and len(arguments) > self.most):
            raise FunctionError(f"It has {len(arguments)} arguments, and takes {self.takes}.")
        return self.call(arguments, context)

    @property
    def takes(self) -> str:
        """How many arguments it takes, in words."""
        if self.most is None:
            return f"at least {self.least}"
        if self.least == self.most:
            return str(self.least) if self.most else "none"
        return f"{self.least} to {self.most}"


def given(arguments: list[str], index: int, otherwise: str = "") -> str:
    """An argument, or the text that counts where it is not given."""
    return arguments[index] if index < len(arguments) else otherwise


def kept(value: str, arguments: list[str], index: int, context: Context) -> str:
    """The value, which the variable gets too that this argument names."""
    if name := given(arguments, index).strip():
        context.variables[name] = value
    return value


def whole_number(function: str, text: str, bits: int = 64) -> int:
    """A whole number as Java's parseLong reads it, or with 32 bits parseInt.

    Raises:
        FunctionError: it is none, or too large.
    """
    if _WHOLE_NUMBER.fullmatch(text) is None:
        raise FunctionError(f"{function} has the argument {text!r}, which is not a whole number.")
    found = int(text)
    if not -(1 << (bits - 1)) <= found < 1 << (bits - 1):
        raise FunctionError(f"{function} has the argument {text}, which does not fit into {bits} bits.")
    return found


def as_java_holds(number: int, bits: int = 64) -> int:
    """What is left of a sum in a number of so many bits."""
    return (number + (1 << (bits - 1))) % (1 << bits) - (1 << (bits - 1))
