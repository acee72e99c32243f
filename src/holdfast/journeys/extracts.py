"""Takes from an answer what a journey needs later; pure.

Source: apache/jmeter 5.5, org.apache.jmeter.extractor: RegexExtractor, BoundaryExtractor, HtmlExtractor,
XPathExtractor, XPath2Extractor, json/jsonpath/JSONPostProcessor: which variables each sets, and which of an earlier
answer's it removes.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from holdfast.journeys import jmespaths
from holdfast.journeys.context import Context
from holdfast.journeys.functions_regex import filled_template
from holdfast.journeys.in_time import TooSlowError, in_time
from holdfast.journeys.json_filters import PathError
from holdfast.journeys.json_paths import JsonPath, as_text, by_hash, path_of, read_json, shown_json, values_at
from holdfast.journeys.markup import MarkupError, found_in_markup
from holdfast.journeys.patterns import PatternError, compiled, every_match
from holdfast.journeys.sources import looked_at, text_of
from holdfast.model.answers import (
    BoundaryExtract,
    CallsExtract,
    HeaderExtract,
    HookExtract,
    JsonExtract,
    MarkupExtract,
    RegexExtract,
)

if TYPE_CHECKING:
    from holdfast.model.answers import Answer, Extract

Finding = RegexExtract | JsonExtract | BoundaryExtract | MarkupExtract | HeaderExtract


def take(extract: Extract, answer: Answer, context: Context) -> str:
    """Gives the client's variables what an extract finds.

    Returns:
        Why its request counts as failed, in words; "" if it does not.
    """
    if isinstance(extract, HookExtract):
        return context.hook(extract, answer)
    if isinstance(extract, CallsExtract):
        context.filled(extract.calls)
        return ""
    try:
        found = _take(extract, answer, context)
    except (PatternError, PathError, MarkupError, TooSlowError) as error:
        return f"{extract.name}: {error}"
    if found or not extract.required or extract.default is not None:
        return ""
    return f"{extract.name} was not found"


def _take(extract: Finding, answer: Answer, context: Context) -> bool:
    """Whether anything was found."""
    if isinstance(extract, HeaderExtract):
        return _take_header(extract, answer, context)
    if extract.of_variable:
        texts = [context.variables.get(extract.of_variable, "")]
    else:
        source = "body" if isinstance(extract, JsonExtract | MarkupExtract) else extract.source
        texts = [text_of(source, each) for each in looked_at(extract.where, answer)]
    if isinstance(extract, RegexExtract):
        return _take_matches(extract, texts, context)
    if isinstance(extract, JsonExtract):
        return _take_json(extract, texts, context)
    _set_default(extract, context)
    if isinstance(extract, BoundaryExtract):
        left, right = context.filled(extract.left), context.filled(extract.right)
        return _keep(extract, [value for text in texts for value in between(left, right, text)], context)
    return _take_markup(extract, texts, context)


def _set_default(extract: Finding, context: Context) -> None:
    if extract.default is not None:
        context.variables[extract.name] = context.filled(extract.default)


def _take_header(extract: HeaderExtract, answer: Answer, context: Context) -> bool:
    _set_default(extract, context)
    name = re.escape(context.filled(extract.field))
    found = re.search(rf"^{name}:[ \t]*([^\r\n]*)", answer.head, re.IGNORECASE | re.MULTILINE)
    if found is not None:
        context.variables[extract.name] = found[1].rstrip()
    return found is not None


def _keep(extract: BoundaryExtract | MarkupExtract, values: Sequence[str | None], context: Context) -> bool:
    """Keeps the value that is asked for, or with -1 all of them in numbered variables."""
    name, variables = extract.name, context.variables
    before = _number(variables.pop(f"{name}_matchNr", "0"))
    if extract.match < 0:
        variables[f"{name}_matchNr"] = str(len(values))
        for number, value in enumerate(values, 1):
            if value is not None:
                variables[f"{name}_{number}"] = value
    elif (chosen := _chosen(values, extract.match, context)) is not None:
        variables[name] = chosen
    for number in range(len(values) + 1 if extract.match < 0 else 1, before + 1):
        variables.pop(f"{name}_{number}", None)
    return bool(values) if extract.match <= 0 else len(values) >= extract.match


def _chosen(values: Sequence[str | None], match: int, context: Context) -> str | None:
    if not values or match > len(values):
        return None
    return values[match - 1 if match else context.below(len(values))]


def _number(text: str) -> int:
    return int(text) if text.isdigit() else 0


def between(left: str, right: str, text: str) -> list[str]:
    """All that is between two texts; an empty one is the begin or the end of the text.

    What begins within an earlier find counts too.
    """
    if not text.strip():
        return []
    if not left and not right:
        return [text]
    if not left:
        found = text.find(right)
        return [] if found < 0 else [text[:found]]
    values = []
    at = text.find(left)
    while at >= 0:
        begin = at + len(left)
        if not right:
            return [text[begin:]]
        end = text.find(right, begin)
        if end < 0:
            break
        values.append(text[begin:end])
        at = text.find(left, begin)
    return values


def _take_matches(extract: RegexExtract, texts: Sequence[str], context: Context) -> bool:
    name, variables = extract.name, context.variables
    _set_default(extract, context)
    pattern = compiled(context.filled(extract.pattern))
    matches = in_time(pattern.pattern, lambda: _so_many(pattern, texts, extract.match), context)
    before = _number(variables.pop(f"{name}_matchNr", "0"))
    kept = 0
    if extract.match < 0:
        _remove_groups(name, context)
        kept = len(matches)
        variables[f"{name}_matchNr"] = str(kept)
        for number, match in enumerate(matches, 1):
            _keep_match(f"{name}_{number}", match, extract.template, context)
    elif matches and extract.match <= len(matches):
        index = extract.match - 1 if extract.match else context.below(len(matches))
        _keep_match(name, matches[index], extract.template, context)
    else:
        _remove_groups(name, context)
    for number in range(kept + 1, before + 1):
        variables.pop(f"{name}_{number}", None)
        _remove_groups(f"{name}_{number}", context)
    return len(matches) >= max(1, extract.match)


def _so_many(pattern: re.Pattern[str], texts: Sequence[str], number: int) -> list[re.Match[str]]:
    """The first matches, up to the one that is asked for; all of them with 0 or less."""
    found: list[re.Match[str]] = []
    for each in (match for text in texts for match in every_match(pattern, text)):
        found.append(each)
        if len(found) == number:
            break
    return found


def _keep_match(name: str, match: re.Match[str], template: str | None, context: Context) -> None:
    """Keeps NAME, NAME_g with the number of groups, and NAME_g0, NAME_g1, ... with them."""
    groups = match.re.groups
    try:
        value = filled_template(("$1$" if groups else "$0$") if template is None else template, match)
    except IndexError:
        return
    context.variables[name] = value
    before = _number(context.variables.get(f"{name}_g", "0"))
    for number in range(groups + 1):
        group = match[number]
        if group is None:
            context.variables.pop(f"{name}_g{number}", None)
        else:
            context.variables[f"{name}_g{number}"] = group
    context.variables[f"{name}_g"] = str(groups)
    for number in range(groups + 1, before + 1):
        context.variables.pop(f"{name}_g{number}", None)


def _remove_groups(name: str, context: Context) -> None:
    count = _number(context.variables.pop(f"{name}_g", "0"))
    for number in range(count + 1):
        context.variables.pop(f"{name}_g{number}", None)


def _take_json(extract: JsonExtract, texts: Sequence[str], context: Context) -> bool:
    name, variables = extract.name, context.variables
    variables.pop(f"{name}_matchNr", None)
    number = 1
    while variables.pop(f"{name}_{number}", None) is not None:
        number += 1
    if extract.language == "jmespath":
        return jmespaths.take(extract, "".join(texts), context)
    written = context.filled(extract.path)
    path = path_of(written)
    if extract.whole:
        return _take_whole(extract, path, "".join(texts), context)
    texts = [text for text in texts if text.strip()]
    try:
        values = [value for text in texts for value in _json_values(extract, written, text, context)]
    except TooSlowError:
        raise
    except ValueError:
        texts = []  # one of them that is not JSON leaves the default, whatever the others have
    if not texts:
        _set_default(extract, context)
        return False
    if not values:
        _set_default(extract, context)
        variables[f"{name}_matchNr"] = "0"
        if extract.match < 0 and extract.join:
            variables[f"{name}_ALL"] = ""
        return False
    _keep_json(extract, values, context)
    return extract.match <= max(1, len(values))


def _json_values(extract: JsonExtract, written: str, text: str, context: Context) -> list[str | None]:
    """What a path finds in a text that is not blank.

    Raises:
        ValueError: it is not JSON.
    """
    path = path_of(written)
    try:
        found = in_time(written, lambda: values_at(path, read_json(text)), context)
        return [as_text(by_hash(each) if extract.by_hash else each) for each in found]
    except TooSlowError:
        raise
    except ValueError:
        if text.lstrip()[0] in "{[":
            raise
        return []  # for JMeter's library all else is a text, in which a path finds nothing


def _take_whole(extract: JsonExtract, path: JsonPath, text: str, context: Context) -> bool:
    """As the JSON Path Extractor of the plug-in "JSON Plugins" takes it."""
    name, variables = extract.name, context.variables
    try:
        found = values_at(path, read_json(text))
    except ValueError:
        found = []
    value = found if not path.definite else found[0] if found else []
    if value == []:
        _set_default(extract, context)
        variables[f"{name}_matchNr"] = "0"
        return False
    variables[name] = shown_json(value)
    if isinstance(value, list):
        variables[f"{name}_matchNr"] = str(len(value))
        for number, each in enumerate(value, 1):
            variables[f"{name}_{number}"] = shown_json(each)
    return True


def _keep_json(extract: JsonExtract, values: list[str | None], context: Context) -> None:
    name, variables = extract.name, context.variables
    if extract.match < 0:
        default = "" if extract.default is None else context.filled(extract.default)
        texts = [default if each is None else each for each in values]
        for number, each in enumerate(texts, 1):
            variables[f"{name}_{number}"] = each
        if extract.join:
            variables[f"{name}_ALL"] = ",".join(texts)
    else:
        # A single value is taken whatever its number.
        chosen = _chosen(values, extract.match if len(values) > 1 else 1, context)
        if chosen is None:
            _set_default(extract, context)
        else:
            variables[name] = chosen
    if extract.match:
        variables[f"{name}_matchNr"] = str(len(values))


def _take_markup(extract: MarkupExtract, texts: Sequence[str], context: Context) -> bool:
    """A CSS selector's values like those of a boundary; of an XPath all of them are numbered as well."""
    selector = context.filled(extract.selector)
    values = [value for text in texts if text for value in found_in_markup(extract, selector, text)]
    if extract.language == "css":
        return _keep(extract, values, context)
    name, variables = extract.name, context.variables
    if extract.match >= 0 and values:
        match = extract.match or 1 + context.below(len(values))
        values = values[match - 1 : match]
    before = _number(variables.get(f"{name}_matchNr", "0"))
    variables[f"{name}_matchNr"] = str(len(values))
    if values and values[0] is not None:
        variables[name] = values[0]
    for number in range(1, max(before, len(values)) + 2):
        value = values[number - 1] if number <= len(values) else None
        if value is not None:
            variables[f"{name}_{number}"] = value
        else:
            variables.pop(f"{name}_{number}", None)
    return bool(values)
