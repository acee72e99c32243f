"""Functions of the plug-in "Custom JMeter Functions", which many plans use; pure.

Source: undera/jmeter-plugins, plugins/functions, kg/apc/jmeter/functions.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import math
import re
from collections.abc import Callable, Mapping

from holdfast.journeys.context import Context, FunctionError
from holdfast.journeys.in_time import in_time
from holdfast.journeys.known import Known, given, kept, whole_number

_GROUP = re.compile(r"\$(\d)|\\(.)", re.DOTALL)
_NO_WORD = re.compile(r"[\s\-_]+")
_NOT_BASE64 = re.compile(rb"[^A-Za-z0-9+/]")


def _env(arguments: list[str], context: Context) -> str:
    """__env(name, variable, default): the default is the name."""
    name = arguments[0]
    return kept(context.environment.get(name, given(arguments, 2, name)), arguments, 1, context)


def _base64_decoded(arguments: list[str], context: Context) -> str:
    """As Apache Commons Codec reads it: characters of another kind are skipped, `-_` are `+/`, = is not needed."""
    digits = _NOT_BASE64.sub(b"", arguments[0].partition("=")[0].translate({45: 43, 95: 47}).encode())
    digits = digits[:-1] if len(digits) % 4 == 1 else digits
    try:
        decoded = base64.b64decode(digits + b"=" * (-len(digits) % 4))
    except binascii.Error as error:
        raise FunctionError(f"__base64Decode cannot read its argument: {error}.") from error
    return kept(decoded.decode("utf-8", "replace"), arguments, 1, context)


def _base64_encoded(arguments: list[str], context: Context) -> str:
    return kept(base64.b64encode(arguments[0].encode()).decode(), arguments, 1, context)


def _choose_random(arguments: list[str], context: Context) -> str:
    """__chooseRandom(text, ..., variable)."""
    *choices, _ = arguments
    return kept(choices[context.below(len(choices))], arguments, len(arguments) - 1, context)


def _double_sum(arguments: list[str], context: Context) -> str:
    """__doubleSum(number, ..., variable); the last one is a number too if it can be read as one."""
    *numbers, last = arguments
    try:
        total = sum(float(each) for each in numbers)
    except ValueError as error:
        raise FunctionError(f"__doubleSum cannot add its arguments: {error}.") from error
    variable = last.strip()
    try:
        total += float(variable)
        variable = ""
    except ValueError:
        pass
    return kept(java_double(total), [variable], 0, context)


def java_double(number: float) -> str:
    """A number as Java's Double.toString writes it: from 1e-3 to 1e7 without an exponent."""
    if not math.isfinite(number):
        return {"inf": "Infinity", "-inf": "-Infinity"}.get(str(number), "NaN")
    size = abs(number)
    if size == 0 or 1e-3 <= size < 1e7:
        text = format(number, "f") if "e" in repr(number) else repr(number)
        return text if "." in text else f"{text}.0"
    digits, _, exponent = repr(number).partition("e")
    sign, digits = ("-", digits[1:]) if digits.startswith("-") else ("", digits)
    before, _, after = digits.partition(".")
    power = int(exponent or 0) + len(before) - 1
    significant = (before + after).lstrip("0")
    if not before.strip("0"):
        power -= len(after) - len(after.lstrip("0")) + 1
    significant = significant.rstrip("0") or "0"
    return f"{sign}{significant[0]}.{significant[1:] or '0'}E{power}"


def _if(arguments: list[str], context: Context) -> str:
    """__if(actual, expected, then, else, variable)."""
    chosen = arguments[2] if arguments[0] == arguments[1] else arguments[3]
    return kept(chosen, arguments, 4, context)


def _is_defined(arguments: list[str], context: Context) -> str:
    return "1" if arguments[0].strip() in context.variables else "0"


def _changed(change: Callable[[str], str]) -> Known:
    return Known(1, None, lambda arguments, context: kept(change(arguments[0]), arguments, 1, context))


def _replaced(arguments: list[str], context: Context) -> str:
    """__strReplace(text, what, by what, variable)."""
    return kept(arguments[0].replace(arguments[1], arguments[2]), arguments, 3, context)


def _replaced_pattern(arguments: list[str], context: Context) -> str:
    """__strReplaceRegex(text, pattern, by what, variable): `$1` is a group."""
    try:
        pattern = re.compile(arguments[1])
        by = _GROUP.sub(lambda found: rf"\g<{found[1]}>" if found[1] else f"\\{found[2]}", arguments[2])
        text = in_time(arguments[1], lambda: pattern.sub(by, arguments[0]), context)
    except (re.error, IndexError) as error:
        raise FunctionError(f"__strReplaceRegex cannot replace {arguments[1]!r}: {error}.") from error
    return kept(text, arguments, 3, context)


def _case_format(arguments: list[str], context: Context) -> str:
    """__caseFormat(text, mode, variable); another mode leaves the text as it is."""
    text, mode = arguments[0], (given(arguments, 1) or "LOWER_CAMEL_CASE").upper()
    words = _NO_WORD.split(text)
    if mode in ("LOWER_CAMEL_CASE", "UPPER_CAMEL_CASE"):
        first, *others = (each.lower() for each in words)
        first = first[:1].upper() + first[1:] if mode == "UPPER_CAMEL_CASE" else first
        text = first + "".join([each[:1].upper() + each[1:] for each in others])
    elif mode in ("SNAKE_CASE", "LOWER_UNDERSCORE"):
        text = "_".join(words).lower()
    elif mode in ("KEBAB_CASE", "LISP_CASE", "SPINAL_CASE", "LOWER_HYPHEN"):
        text = "-".join(words).lower()
    elif mode in ("TRAIN_CASE", "UPPER_UNDERSCORE"):
        text = ("-" if mode == "TRAIN_CASE" else "_").join(words).upper()
    return kept(text, arguments, 2, context)


def _substring(arguments: list[str], context: Context) -> str:
    """__substring(text, begin, end, variable): the first character has the number 0, `end` is not part of it."""
    text = arguments[0]
    begin, end = (whole_number("__substring", each.strip(), 32) for each in arguments[1:3])
    if not 0 <= begin <= end <= len(text):
        raise FunctionError(f"__substring from {begin} to {end} is not within its text of {len(text)} characters.")
    return kept(text[begin:end], arguments, 3, context)


def _md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


OF_PLUGIN: Mapping[str, Known] = {
    "__env": Known(1, 3, _env),
    "__base64Decode": Known(1, 2, _base64_decoded),
    "__base64Encode": Known(1, 2, _base64_encoded),
    "__chooseRandom": Known(3, None, _choose_random),
    "__doubleSum": Known(2, None, _double_sum),
    "__if": Known(4, None, _if),
    "__isDefined": Known(1, None, _is_defined),
    "__iterationNum": Known(0, None, lambda _arguments, context: str(context.iteration)),
    "__lowercase": _changed(str.lower),
    "__uppercase": _changed(str.upper),
    "__strLen": _changed(lambda text: str(len(text.encode("utf-16-le")) // 2)),
    "__MD5": _changed(_md5),
    "__strReplace": Known(3, None, _replaced),
    "__strReplaceRegex": Known(3, None, _replaced_pattern),
    "__caseFormat": Known(1, 3, _case_format),
    "__substring": Known(3, None, _substring),
}
