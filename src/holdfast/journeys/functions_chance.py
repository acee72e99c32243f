"""Functions by chance; pure: chance is the context's.

Source: apache/jmeter 5.5, org.apache.jmeter.functions: Random, RandomString, RandomFromMultipleVars, Uuid.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping

from holdfast.journeys.context import Context, FunctionError
from holdfast.journeys.known import Known, given, kept, whole_number

_NO_CHARACTER = frozenset({"Cn", "Co", "Cs"})


def _random(arguments: list[str], context: Context) -> str:
    """__Random(first, last, variable): both may be drawn."""
    first, last = (whole_number("__Random", each.strip()) for each in arguments[:2])
    if first > last:
        raise FunctionError(f"__Random has the limits {first} and {last}; the first is greater than the second.")
    return kept(str(first + context.below(last - first + 1)), arguments, 2, context)


def _random_string(arguments: list[str], context: Context) -> str:
    """__RandomString(length, characters, variable): without characters any of Unicode."""
    length = whole_number("__RandomString", arguments[0], 32)
    if length < 0:
        raise FunctionError(f"__RandomString has the length {length}.")
    characters = given(arguments, 1).strip()
    if characters:
        value = "".join([characters[context.below(len(characters))] for _ in range(length)])
    else:
        value = _any_characters(length, context)
    return kept(value, arguments, 2, context)


def _any_characters(length: int, context: Context) -> str:
    """Characters of any kind, of so many times 16 bits together."""
    drawn: list[str] = []
    left = length
    while left:
        char = chr(context.below(0x110000))
        units = 1 + (ord(char) > 0xFFFF)
        if units <= left and unicodedata.category(char) not in _NO_CHARACTER:
            drawn.append(char)
            left -= units
    return "".join(drawn)


def _random_of_variables(arguments: list[str], context: Context) -> str:
    """__RandomFromMultipleVars(names with | in between, variable): several values of one have NAME_matchNr."""
    found: list[str] = []
    for name in arguments[0].strip().split("|"):
        count = context.variables.get(f"{name}_matchNr", "")
        several = int(count) if count.isdigit() else 0
        if several:
            found += [context.variables.get(f"{name}_{number}", "null") for number in range(1, several + 1)]
        elif name and context.variables.get(name):
            found.append(context.variables[name])
    return kept(found[context.below(len(found))] if found else "", arguments, 1, context)


def _uuid(_arguments: list[str], context: Context) -> str:
    """A UUID of version 4 (RFC 9562, section 5.4)."""
    drawn = 0
    for _ in range(8):
        drawn = drawn << 16 | context.below(1 << 16)
    drawn = drawn & ~(0xF << 76) | 4 << 76
    drawn = drawn & ~(3 << 62) | 2 << 62
    digits = f"{drawn:032x}"
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


OF_CHANCE: Mapping[str, Known] = {
    "__Random": Known(2, 3, _random),
    "__RandomString": Known(1, 3, _random_string),
    "__RandomFromMultipleVars": Known(1, 2, _random_of_variables),
    "__UUID": Known(0, 0, _uuid),
}
