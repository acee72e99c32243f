"""What is taken from an answer, as a person writes it; pure.

json:$.access_token      what a JSON path finds
regex:name="slip" value="([^"]+)"    the first group, or the whole match without any
header:Location          a field of the head
boundary:<b>...</b>      what is between two texts, with three dots in between
css:input[name=slip]@value, xpath://a/@href    in HTML or XML
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from holdfast.model.answers import (
    BoundaryExtract,
    Extract,
    HeaderExtract,
    JsonExtract,
    MarkupExtract,
    RegexExtract,
)
from holdfast.model.http_syntax import TOKEN
from holdfast.model.suggestions import did_you_mean

_NAME = re.compile(r"\w+")
EXAMPLE = "Write it as token=json:$.access_token, or with regex:, header:, boundary:, css: or xpath:."


def named_extract(text: str) -> Extract:
    """`NAME=KIND:WHERE`, as on the command line.

    Raises:
        ValueError: it is not one.
    """
    name, equals, where = text.partition("=")
    if not equals or _NAME.fullmatch(name.strip()) is None:
        raise ValueError(f"{text!r} does not name a value. {EXAMPLE}")
    return extract(name.strip(), where)


def extract(name: str, text: str, default: str | None = None, match: int = 1) -> Extract:
    """`KIND:WHERE`, for the value of this name.

    Args:
        default: the value where nothing is found; None counts the request as failed.
        match: which of several, from 1; 0 is one by chance.

    Raises:
        ValueError: it is not one.
    """
    if _NAME.fullmatch(name) is None:
        raise ValueError(f"{name!r} is not the name of a value: use letters, digits and _.")
    kind, colon, where = text.strip().partition(":")
    if not colon or kind not in _KINDS:
        what = did_you_mean(kind, _KINDS, EXAMPLE, "{}:") if colon else EXAMPLE
        raise ValueError(f"{text!r} does not say where {name} is found. {what}")
    if not where:
        raise ValueError(f"{text!r} says nothing behind {kind}:. {EXAMPLE}")
    return _KINDS[kind](name, where, None if default is None else (default,), match)


_Default = tuple[str, ...] | None


def _json(name: str, where: str, default: _Default, match: int) -> Extract:
    if not where.startswith("$"):
        raise ValueError(f"{where!r} is not a JSON path: it begins with $, as in $.access_token.")
    from holdfast.journeys.json_filters import PathError  # noqa: PLC0415 - most loads take nothing
    from holdfast.journeys.json_paths import path_of  # noqa: PLC0415 - most loads take nothing

    try:
        path_of(where)
    except PathError as error:
        raise ValueError(f"{error}.") from error
    return JsonExtract(name, (where,), match, default)


def _regex(name: str, where: str, default: _Default, match: int) -> Extract:
    try:
        re.compile(where)
    except re.error as error:
        at = "" if error.pos is None else f" (character {error.pos + 1})"
        raise ValueError(f"{where!r} is not a regular expression: {error.msg}{at}.") from error
    return RegexExtract(name, (where,), match=match, default=default)


def _header(name: str, where: str, default: _Default, _match: int) -> Extract:
    if TOKEN.fullmatch(where) is None:
        raise ValueError(f"{where!r} is not the name of a header.")
    return HeaderExtract(name, (where,), default)


def _boundary(name: str, where: str, default: _Default, match: int) -> Extract:
    left, dots, right = where.partition("...")
    if not dots or not left or not right:
        raise ValueError(f"{where!r} is not two texts with ... in between, as in <b>...</b>.")
    return BoundaryExtract(name, (left,), (right,), match=match, default=default)


def _css(name: str, where: str, default: _Default, match: int) -> Extract:
    selector, at, attribute = where.rpartition("@")
    if not at or not re.fullmatch(r"[\w:-]+", attribute):
        selector, attribute = where, ""
    _check_selector(selector, "css")
    return MarkupExtract(name, (selector,), "css", attribute, match, default)


def _xpath(name: str, where: str, default: _Default, match: int) -> Extract:
    _check_selector(where, "xpath")
    return MarkupExtract(name, (where,), "xpath", match=match, default=default)


def _check_selector(selector: str, language: str) -> None:
    from holdfast.journeys.markup import MarkupError, check_selector  # noqa: PLC0415 - most loads take nothing

    try:
        check_selector(selector, language)
    except MarkupError as error:
        raise ValueError(f"{error}.") from error


_KINDS: Mapping[str, Callable[[str, str, _Default, int], Extract]] = {
    "json": _json,
    "regex": _regex,
    "header": _header,
    "boundary": _boundary,
    "css": _css,
    "xpath": _xpath,
}
