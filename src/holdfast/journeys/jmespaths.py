"""Finds values in JSON by JMESPath, with the library `jmespath`, which is an extra of holdfast; pure.

Source: apache/jmeter 5.5, extractor/json/jmespath/JMESPathExtractor.java (which variables it sets, and that a text
after the first JSON value does not count), assertions/jmespath/JMESPathAssertion.java.
"""

from __future__ import annotations

import json
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from holdfast.journeys.functions_plugin import java_double
from holdfast.journeys.in_time import TooSlowError, in_time
from holdfast.journeys.json_filters import PathError
from holdfast.journeys.markup import EXTRA
from holdfast.journeys.patterns import compiled, matches_whole

if TYPE_CHECKING:
    from collections.abc import Callable

    from holdfast.journeys.context import Context
    from holdfast.model.answers import Assertion, JsonExtract


def check_expression(expression: str) -> None:
    """Whether an expression can be used.

    Raises:
        PathError: it cannot be read, or jmespath is not installed.
    """
    _search(expression)


@lru_cache(maxsize=256)
def _search(expression: str) -> Callable[[Any], Any]:
    try:
        import jmespath  # noqa: PLC0415 - an extra
        from jmespath.exceptions import JMESPathError  # noqa: PLC0415
    except ImportError as error:
        raise PathError(f"{expression!r} needs jmespath, which is not installed: {EXTRA}") from error
    try:
        search: Callable[[Any], Any] = jmespath.compile(expression).search
    except JMESPathError as error:
        raise PathError(f"{expression!r} cannot be read as JMESPath: {str(error).splitlines()[0]}") from error
    return search


def found_by(expression: str, text: str, context: Context) -> object:
    """What an expression finds in a JSON text; None is nothing, and null.

    Raises:
        ValueError: the text is not JSON, or a function of the expression cannot do with what it is given; PathError:
            the expression cannot be read.
        TooSlowError: it took too long.
    """
    search = _search(expression)
    return in_time(expression, lambda: search(_first_value(text)), context)


def _first_value(text: str) -> object:
    try:
        return _DECODER.raw_decode(text.lstrip(" \t\r\n"))[0]
    except RecursionError as error:
        raise ValueError("it is nested too deep") from error


def _no_number(text: str) -> float:
    raise ValueError(f"{text} is not a number in JSON")


_DECODER = json.JSONDecoder(parse_constant=_no_number)


def shown(value: object) -> str:
    """A value as a variable gets it: a text without quotes, all else as JSON without spaces."""
    return value if isinstance(value, str) else _as_json(value)


def _as_json(value: object) -> str:
    if isinstance(value, dict):
        return "{" + ",".join(f"{_as_json(str(name))}:{_as_json(inner)}" for name, inner in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(_as_json, value)) + "]"
    if isinstance(value, float):
        return java_double(value)
    return json.dumps(value, ensure_ascii=False)


def take(extract: JsonExtract, text: str, context: Context) -> bool:
    """Gives the client's variables what an extract finds; whether that is anything.

    NAME_1, NAME_2, ... of an earlier answer were removed before.
    """
    name, variables = extract.name, context.variables
    default = "" if extract.default is None else context.filled(extract.default)
    if text.strip():
        try:
            value = found_by(context.filled(extract.path).strip(), text, context)
        except (PathError, TooSlowError):
            raise
        except ValueError:
            pass
        else:
            return _keep(extract, value, default, context)
    variables[name] = default
    return False


def _keep(extract: JsonExtract, value: object, default: str, context: Context) -> bool:
    name, variables, match = extract.name, context.variables, extract.match
    values = [] if value is None else [*map(shown, value)] if isinstance(value, list) else [shown(value)]
    variables[f"{name}_matchNr"] = str(len(values))
    if not values:
        variables[name] = default
    elif match < 0:
        variables.update((f"{name}_{number}", each) for number, each in enumerate(values, 1))
    elif len(values) == 1:
        variables[name] = values[0]
    elif match == 0:
        variables[name] = values[context.below(len(values))]
    else:
        variables[name] = values[match - 1] if match <= len(values) else default
    return bool(values) and (len(values) == 1 or match <= len(values))


def unmet(assertion: Assertion, text: str, context: Context) -> str:
    """Why JSON is not as an assertion says; "" if it is.

    Args:
        text: not empty.

    Raises:
        PathError: the expression cannot be read.
    """
    expression = context.filled(assertion.texts[0])
    try:
        value = found_by(expression, text, context)
        holds = _holds(assertion, value, context)
    except (PathError, TooSlowError):
        raise
    except ValueError as error:
        # For JMeter an error is a failure, unless what is asserted is the contrary.
        return f"JMESPath {expression} cannot be looked for: {error}" if assertion.wanted else ""
    if holds is assertion.wanted:
        return ""
    expected = "was expected" if assertion.wanted else "was not expected"
    if assertion.how == "exists":
        return f"JMESPath {expression} {expected} to exist"
    verb = "match" if assertion.how == "matches" else "be"
    return f"JMESPath {expression} {expected} to {verb} {_wanted(assertion, context)}, and was {shown(value)[:200]!r}"


def _wanted(assertion: Assertion, context: Context) -> str:
    return context.filled(assertion.texts[1]) if len(assertion.texts) > 1 else "null"


def _holds(assertion: Assertion, value: object, context: Context) -> bool:
    if assertion.how == "exists":
        return value is not None
    if len(assertion.texts) == 1:
        return value is None
    wanted, text = context.filled(assertion.texts[1]), shown(value)
    if assertion.how == "matches":
        pattern = compiled(wanted)
        return in_time(wanted, lambda: matches_whole(pattern, text), context)
    return text == wanted or _as_json(_sorted(_first_value(wanted))) == _as_json(_sorted(value))


def _sorted(value: object) -> object:
    """A value whose objects have their members in one order: they are equal whatever their order."""
    if isinstance(value, dict):
        return {name: _sorted(value[name]) for name in sorted(value)}
    return [_sorted(each) for each in value] if isinstance(value, list) else value
