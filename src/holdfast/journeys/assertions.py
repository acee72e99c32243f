"""Judges whether an answer is as a journey demands; pure.

Source: apache/jmeter 5.5, org.apache.jmeter.assertions: ResponseAssertion, JSONPathAssertion, DurationAssertion,
SizeAssertion, MD5HexAssertion, XPathAssertion, XPath2Assertion; threads/JMeterThread.java (checkAssertions).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from holdfast.journeys import jmespaths
from holdfast.journeys.context import Context
from holdfast.journeys.in_time import TooSlowError, in_time
from holdfast.journeys.json_filters import PathError
from holdfast.journeys.json_paths import as_json, by_hash, called, path_of, read_json, shown_json, values_at
from holdfast.journeys.markup import MarkupError, holds_in_markup
from holdfast.journeys.patterns import PatternError, compiled, matches_whole
from holdfast.journeys.sources import looked_at, text_of, text_of_body

if TYPE_CHECKING:
    from holdfast.model.answers import Answer, Assertion

_SHOWN = {"body": "text", "head": "headers", "status": "code", "url": "URL", "request head": "request headers"}
_WORDS = {"contains": "contain", "finds": "contain", "matches": "match", "equals": "equal"}
_COMPARED: Mapping[str, tuple[Callable[[int, int], bool], str]] = {
    "==": (int.__eq__, "been equal to"),
    "!=": (int.__ne__, "not been equal to"),
    ">": (int.__gt__, "been greater than"),
    "<": (int.__lt__, "been less than"),
    ">=": (int.__ge__, "been greater or equal to"),
    "<=": (int.__le__, "been less than or equal to"),
}
_LONGEST_SHOWN = 200
_NOTHING = "Response was null"


def unmet(assertions: Sequence[Assertion], answer: Answer, context: Context) -> str:
    """The first assertion that does not hold, in words; "" if all do.

    One that ignores the status also makes good what those before it found.
    """
    why = ""
    for assertion in assertions:
        if assertion.ignores_status and assertion.where != "parts":
            why = ""
        for each in looked_at(assertion.where, answer):
            found = _why_not(assertion, each, context)
            if found and not why:
                where = "" if each is answer else f"{each.url}: "
                why = context.filled(assertion.message) or f"{where}{found}"
    return why


def _why_not(assertion: Assertion, answer: Answer, context: Context) -> str:
    try:
        return _unmet(assertion, answer, context)
    except (PatternError, PathError, MarkupError, TooSlowError) as error:
        return f"{assertion.name or assertion.what}: {error}"


def _unmet(assertion: Assertion, answer: Answer, context: Context) -> str:
    """Why an assertion does not hold; "" if it does."""
    if assertion.what in ("duration", "size", "head size", "body size"):
        return _unmet_number(assertion, answer, context)
    if assertion.what == "json path":
        return _unmet_json(assertion, _looked_at(assertion, answer, context), context)
    if assertion.what == "jmespath":
        text = text_of_body(answer)
        return jmespaths.unmet(assertion, text, context) if text else _NOTHING
    if assertion.what == "xpath":
        return _unmet_xpath(assertion, _looked_at(assertion, answer, context), context)
    if assertion.what == "md5":
        return _unmet_md5(assertion, answer, context)
    return _unmet_text(assertion, _looked_at(assertion, answer, context), context)


def _looked_at(assertion: Assertion, answer: Answer, context: Context) -> str:
    if assertion.of_variable:
        return context.variables.get(assertion.of_variable, "")
    if assertion.what in ("json path", "xpath"):
        return text_of_body(answer)
    if assertion.what == "request data":
        return _request_data(answer, context)
    return text_of(assertion.what, answer)


def _request_data(answer: Answer, context: Context) -> str:
    """Method and URL, and the body of a request that has one."""
    sent = context.sent
    if sent is None:
        return ""
    text = f"{sent.method} {answer.url}\n"
    if sent.body is not None:
        text += f"\n{sent.method} data:\n{sent.body.decode('utf-8', 'replace')}\n"
    return text


def _unmet_text(assertion: Assertion, text: str, context: Context) -> str:
    if not text:
        return _NOTHING if assertion.wanted else ""
    failed: list[str] = []
    for template in assertion.texts:
        wanted = context.filled(template)
        if _holds(assertion.how, text, wanted, context) is assertion.wanted:
            if assertion.any_of:
                return ""
            continue
        failed.append(_failed_text(assertion, text, wanted))
        if not assertion.any_of:
            break
    if assertion.any_of and not assertion.texts:
        return "There is no text of which one should hold"
    return "; ".join(failed)


def _holds(how: str, text: str, wanted: str, context: Context) -> bool:
    if how == "equals":
        return text == wanted
    if how == "contains":
        return wanted in text
    pattern = compiled(wanted)
    if how == "matches":
        return in_time(wanted, lambda: matches_whole(pattern, text), context)
    return in_time(wanted, lambda: pattern.search(text), context) is not None


def _failed_text(assertion: Assertion, text: str, wanted: str) -> str:
    looked_at = f"variable({assertion.of_variable})" if assertion.of_variable else ""
    looked_at = looked_at or _SHOWN.get(assertion.what, assertion.what)
    expected = "expected to" if assertion.wanted else "expected not to"
    found = f", but was /{_short(text)}/" if assertion.how == "equals" and assertion.wanted else ""
    return f"{looked_at} {expected} {_WORDS[assertion.how]} /{_short(wanted)}/{found}"


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}..."


def _unmet_number(assertion: Assertion, answer: Answer, context: Context) -> str:
    holds, words = _COMPARED[assertion.how]
    limit = context.filled(assertion.texts[0]).strip()
    if not limit.lstrip("+-").isdigit():
        return f"{assertion.name or assertion.what}: {limit!r} is not a whole number"
    if assertion.what == "duration":
        took = int(answer.took_ms)
        if holds(took, int(limit)):
            return ""
        return f"It took {took} ms, but should have {words} {limit} ms"
    # The head ends with an empty line.
    head = len(answer.head.encode("latin-1", "replace")) + len("\r\n")
    size = {"head size": head, "body size": max(0, answer.size - head)}.get(assertion.what, answer.size)
    if assertion.of_variable:
        value = context.variables.get(assertion.of_variable, "")
        if not value.lstrip("+-").isdigit():
            return f"variable({assertion.of_variable}) is {value!r}, which is not a number of bytes"
        size = int(value)
    return "" if holds(size, int(limit)) else f"It was {size} bytes, but should have {words} {limit} bytes"


def _unmet_md5(assertion: Assertion, answer: Answer, context: Context) -> str:
    if not answer.body:
        return _NOTHING
    wanted = context.filled(assertion.texts[0])
    found = hashlib.md5(answer.body, usedforsecurity=False).hexdigest()
    return "" if found == wanted.lower() else f"The body has the MD5 sum {found}, but should have {wanted}"


def _unmet_xpath(assertion: Assertion, text: str, context: Context) -> str:
    if not text:
        return _NOTHING
    selector = context.filled(assertion.texts[0])
    if holds_in_markup(selector, text, assertion.markup, assertion.namespaces) is assertion.wanted:
        return ""
    return f"No nodes matched {selector}" if assertion.wanted else f"Nodes matched {selector}"


def _unmet_json(assertion: Assertion, text: str, context: Context) -> str:
    if not text:
        return _NOTHING
    why = _unlike_json(assertion, text, context)
    if assertion.wanted:
        return why
    path = context.filled(assertion.texts[0])
    return (
        ""
        if why
        else f"JSON path {path} was found, and should not"
        if len(assertion.texts) < 2
        else (f"JSON path {path} should not match {context.filled(assertion.texts[1])!r}")
    )


def _unlike_json(assertion: Assertion, text: str, context: Context) -> str:
    """Why the JSON is not as it should be; "" if it is."""
    written = context.filled(assertion.texts[0])
    try:
        found = in_time(written, lambda: _found_in_json(written, text), context)
    except (PathError, TooSlowError) as error:
        return str(error)
    except ValueError as error:
        return f"The body is not JSON: {error}"
    if not found:
        return f"JSON path {written} found nothing"
    if assertion.how == "exists":
        return "" if found != [[]] or path_of(written).definite else f"JSON path {written} found nothing"
    wanted, value = context.filled(assertion.texts[1]), found[0]
    tried = [*value, value] if isinstance(value, list) else [value]
    if any(_is_json(each, wanted, assertion.how, context) for each in tried):
        return ""
    expected = "match" if assertion.how == "matches" else "be"
    return f"JSON path {written} was expected to {expected} {_short(wanted)!r}, but was {_short(shown_json(value))!r}"


def _found_in_json(written: str, text: str) -> list[object]:
    """What a path finds, as one value: with a path of several places they are an array; [] is nothing.

    Raises:
        ValueError: the text is not JSON; PathError: the path cannot be read.
    """
    path = path_of(written)
    values = values_at(path, read_json(text))
    if not path.definite:
        values = [values]
    return [called(path.call, values[0])] if path.call and values else values


def _is_json(value: object, wanted: str, how: str, context: Context) -> bool:
    if how == "matches":
        pattern = compiled(wanted)
        return in_time(wanted, lambda: matches_whole(pattern, shown_json(by_hash(value))), context)
    try:
        expected = read_json(wanted)
    except ValueError:
        expected = wanted.strip("'")
    return _same(expected, value)


def _same(one: object, other: object) -> bool:
    """Equal, where 3 is not 3.0, and the order of an object's members does not count."""
    return as_json(_sorted(one)) == as_json(_sorted(other)) and type(one) is type(other)


def _sorted(value: object) -> object:
    if isinstance(value, list):
        return [_sorted(each) for each in value]
    return {name: _sorted(value[name]) for name in sorted(value)} if isinstance(value, dict) else value
