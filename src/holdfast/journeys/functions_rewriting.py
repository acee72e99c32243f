"""What JMeter's modifiers make of a request's path and arguments out of the last answer; pure.

No plan can call these: their names do not begin with `__`. A front end puts them around the texts of a request.
Source: apache/jmeter 5.5, protocol/http/modifier/URLRewritingModifier.java, RegExUserParameters.java,
protocol/http/util/HTTPArgument.java (a value that is encoded already is decoded first),
protocol/http/sampler/HTTPSamplerBase.java (setPath: the query of a path that is set becomes arguments).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from urllib.parse import unquote_plus

from holdfast.journeys.context import Context
from holdfast.journeys.functions_request import SCHEMES, decoded, target
from holdfast.journeys.known import Known
from holdfast.journeys.sources import text_of_body

SESSION, SESSION_PATH, SET_PATH, IF_ANSWERED, UNLESS_ANSWERED, PARAMETER = (
    "jmeter session",
    "jmeter session in path",
    "jmeter path that was set",
    "jmeter if answered",
    "jmeter unless answered",
    "jmeter parameter",
)


@lru_cache(64)
def _pattern(name: str, *, in_path: bool, equals: bool, stops_at_query: bool) -> re.Pattern[str]:
    """Where the id of a session is in a page."""
    quoted = re.escape(name)
    if in_path:
        sign, end = "=" if equals else "", "?" if stops_at_query else ""
        return re.compile(rf""";{quoted}{sign}([^"'<>&\s;{end}]*)""")
    value = r"""\s[vV][aA][lL][uU][eE]\s*=\s*["']([^"']*)["']"""
    named = rf"""\s[Nn][Aa][Mm][Ee]\s*=\s*["']{quoted}["']"""
    return re.compile(rf"""[;?&]{quoted}=([^"'<>&\s;\\]*)|{named}[^>]*{value}|{value}[^>]*{named}""")


def _id(modifier: str, name: str, *, flags: str, context: Context) -> str:
    """The id of a session in the last answer; one that was found before where there is none, if that is asked for.

    Args:
        modifier: which one it is: each client remembers one id for each.
        flags: letters: `p` it is in the path, `n` without an equals sign, `q` before a question mark, `k` kept.
    """
    answer = context.answer
    pattern = _pattern(name, in_path="p" in flags, equals="n" not in flags, stops_at_query="q" in flags)
    found = pattern.search(text_of_body(answer)) if answer is not None else None
    value = next((each for each in found.groups() if each is not None), "") if found is not None else ""
    if "k" not in flags:
        return value
    key = ("session", modifier)
    if value:
        context.own[key] = value
    return value or str(context.own.get(key, ""))


def _session(arguments: list[str], context: Context) -> str:
    """The id for an argument: modifier, name, flags; with the flag `d` it is decoded."""
    modifier, name, flags = arguments
    value = _id(modifier, name, flags=flags, context=context)
    return unquote_plus(value) if "d" in flags else value


def _session_path(arguments: list[str], context: Context) -> str:
    """The path with the id behind it: path, modifier, name, flags."""
    path, modifier, name, flags = arguments
    if context.answer is None:
        return path
    value = _id(modifier, name, flags=flags, context=context)
    begin = path.find(f";{name}")
    if begin >= 0:
        query = path.find("?")
        path = path[:begin] + (path[query:] if query >= 0 else "")
    return f"{path};{name}{'' if 'n' in flags else '='}{value}"


def _set_path(arguments: list[str], context: Context) -> str:
    """Path and query of a request whose path was set: arguments as of TARGET, behind which comes the path's query."""
    path, charset, *rest = arguments
    if context.answer is None or "?" not in path or path.startswith(SCHEMES):
        return target(arguments)
    path, _, query = path.partition("?")
    for each in query.split("&"):
        name, equals, value = each.partition("=")
        rest += [decoded(name), equals, decoded(value), "true"]
    return target([path, charset, *rest])


def _if_answered(arguments: list[str], context: Context) -> str:
    return "" if context.answer is None else arguments[0]


def _unless_answered(arguments: list[str], context: Context) -> str:
    return arguments[0] if context.answer is None else ""


def _parameter(arguments: list[str], context: Context) -> str:
    """The value of an argument: name, value, variable, numbers of the groups with names and with values."""
    name, value, variable, of_names, of_values = arguments
    variables = context.variables
    many = variables.get(f"{variable}_matchNr")
    if many is None or not {f"{variable}_1_g{of_names}", f"{variable}_1_g{of_values}"} <= variables.keys():
        return value
    for number in range(int(many) if many.isdecimal() else 0, 0, -1):
        if variables.get(f"{variable}_{number}_g{of_names}") == name:
            return variables.get(f"{variable}_{number}_g{of_values}", value)
    return value


OF_REWRITING: Mapping[str, Known] = {
    SESSION: Known(3, 3, _session),
    SESSION_PATH: Known(4, 4, _session_path),
    SET_PATH: Known(2, None, _set_path),
    IF_ANSWERED: Known(1, 1, _if_answered),
    UNLESS_ANSWERED: Known(1, 1, _unless_answered),
    PARAMETER: Known(5, 5, _parameter),
}
