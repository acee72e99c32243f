"""`__regexFunction`, which looks in the last answer or in a variable; pure.

Source: apache/jmeter 5.5, org/apache/jmeter/functions/RegexFunction.java.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping

from holdfast.journeys.context import Context, FunctionError
from holdfast.journeys.in_time import in_time
from holdfast.journeys.known import Known, given
from holdfast.journeys.patterns import PatternError, compiled, every_match
from holdfast.journeys.sources import text_of_body

_GROUP = re.compile(r"\$(\d+)\$")


def _regex_function(arguments: list[str], context: Context) -> str:
    """__regexFunction(pattern, template, which, text in between, default, variable, variable to look in)."""
    template = arguments[1]
    which, between, otherwise = given(arguments, 2) or "1", given(arguments, 3), given(arguments, 4)
    name, looked_in = given(arguments, 5), given(arguments, 6)
    if name:
        context.variables[name] = otherwise
    body = text_of_body(context.answer) if context.answer and not looked_in else ""
    text = context.variables.get(looked_in, "") if looked_in else body
    if not text:
        return otherwise
    try:
        pattern = compiled(arguments[0])
    except PatternError as error:
        raise FunctionError(f"__regexFunction: {error}.") from error
    matches = in_time(arguments[0], lambda: list(every_match(pattern, text)), context)
    if name:
        context.variables[f"{name}_matchNr"] = str(len(matches))
    if not matches:
        return otherwise
    if which == "ALL":
        return between.join([_result(each, template, name, context) for each in matches])
    chosen = context.below(len(matches)) if which == "RAND" else _index(which, len(matches))
    if chosen >= len(matches):
        return otherwise
    return _result(matches[chosen], template, name, context)


def _index(which: str, count: int) -> int:
    """The index of a match: a number from 1, or a share of all."""
    try:
        is_number = which.lstrip("+-").isdigit()
        index = (int(which) if is_number else math.trunc(count * float(which) + 0.5)) - 1
    except ValueError as error:
        raise FunctionError(f"__regexFunction does not know the match {which!r}.") from error
    if index < 0:
        raise FunctionError(f"__regexFunction has no match {which}.")
    return index


def _result(match: re.Match[str], template: str, name: str, context: Context) -> str:
    if name:
        for number, group in enumerate((match[0], *match.groups())):
            context.variables[f"{name}_g{number}"] = "null" if group is None else group
    text = filled_template(template, match)
    if name:
        context.variables[name] = text
    return text


def filled_template(template: str, match: re.Match[str]) -> str:
    """A template with its `$1$` replaced by the match's groups; one that is not part of it is "null".

    Raises:
        IndexError: the pattern has no such group.
    """
    return _GROUP.sub(lambda found: "null" if (group := match[int(found[1])]) is None else group, template)


OF_REGEX: Mapping[str, Known] = {"__regexFunction": Known(2, 7, _regex_function)}
