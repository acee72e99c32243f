"""Turns JMeter's extractors into extracts; pure.

The farthest come first, as JMeter runs them. None of them makes a request fail by finding nothing.
Source: apache/jmeter 5.5, org.apache.jmeter.extractor; the names of their properties: RegexExtractor.java,
BoundaryExtractor.java, HtmlExtractor.java, XPathExtractor.java, XPath2Extractor.java,
json/jsonpath/JSONPostProcessor.java; threads/TestCompiler.java (saveSamplerConfigs); of the plug-in "JSON Plugins"
undera/jmeter-plugins, plugins/json, JSONPathExtractor.java.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Literal

from holdfast.jmeter import elements
from holdfast.jmeter.scope import Reading, Scope
from holdfast.journeys.jmespaths import check_expression
from holdfast.journeys.json_filters import PathError
from holdfast.journeys.json_paths import path_of
from holdfast.journeys.markup import MarkupError, check_selector
from holdfast.journeys.patterns import PatternError, compiled
from holdfast.model.answers import (
    BoundaryExtract,
    CallsExtract,
    Extract,
    FunctionCall,
    JsonExtract,
    MarkupExtract,
    RegexExtract,
    Source,
    Template,
    Where,
)
from holdfast.plans.jmx_tree import Node

_BETWEEN_CALLS = re.compile(r"[\s;]*")
_NO_PATH = re.compile(r"\$\w")
_NOTHING = "$['\0']"
_WHERE: Mapping[str, Where] = {"all": "both", "children": "parts"}
_SOURCES: Mapping[str, Source] = {
    "": "body",
    "false": "body",
    "unescaped": "unescaped body",
    "true": "head",
    "request_headers": "request head",
    "url": "url",
    "code": "status",
    "message": "message",
}


def extracts_of(scope: Scope) -> tuple[Extract, ...]:
    """What the extractors that apply to a request take from its answer."""
    return tuple(each for node in scope.farthest(*EXTRACTORS) for each in EXTRACTORS[node.kind](node, scope.reading))


def variable_of(node: Node, reading: Reading, scope_name: str = "Sample.scope") -> str:
    """The variable in which an element looks; "" looks in the answer."""
    if node.text(scope_name) == "variable":
        return _fixed(node, node.text("Scope.variable"), "the variable in which it looks", reading)
    return ""


def where_of(node: Node, scope_name: str = "Sample.scope") -> Where:
    """In which answers an element looks."""
    return _WHERE.get(node.text(scope_name), "answer")


def looks_at_answer_alone(node: Node, reading: Reading, scope_name: str = "Sample.scope") -> None:
    """Tells that an element does not look at redirects and embedded resources; at these alone is refused."""
    where = where_of(node, scope_name)
    if where == "parts":
        reading.refuse(
            node,
            "it looks at redirects and embedded resources alone",
            'Choose "Main sample only", or disable it.',
        )
    elif where == "both":
        reading.tell(node, "it looks at the answer to the request, not at redirects and embedded resources")


def _fixed(node: Node, text: str, what: str, reading: Reading) -> str:
    found = reading.fixed(node, text)
    if found is None:
        reading.refuse(node, f"{what} is {text!r}, which holdfast has to know before the load begins", "Write it out.")
    return (found or "").strip()


def _source(node: Node, name: str, reading: Reading) -> Source:
    where = node.text(name).lower()
    if where not in _SOURCES:
        reading.refuse(node, "it looks in a document that is turned into a text", "Look in the body instead.")
    return _SOURCES.get(where, "body")


def _default(node: Node, prefix: str, reading: Reading) -> Template | None:
    text = node.text(f"{prefix}.default")
    if text or reading.flag(node, f"{prefix}.default_empty_value"):
        return reading.template(node, text)
    return None


def check_pattern(node: Node, pattern: Template, reading: Reading) -> None:
    """Refuses a pattern that cannot be read, if it is known."""
    if not all(isinstance(each, str) for each in pattern):
        return
    try:
        compiled("".join(map(str, pattern)))
    except PatternError as error:
        reading.refuse(node, str(error), "Rewrite the pattern.")


def readable_path(node: Node, path: Template, reading: Reading) -> Template:
    """A JSON path, or in place of one that Jayway cannot read one that finds nothing.

    Source: com.jayway.jsonpath, internal/path/PathCompiler.java ("Path must not end with a '.' or '..'").
    """
    written = "".join(map(str, path)) if all(isinstance(each, str) for each in path) else "$"
    if written and not written.endswith(".") and _NO_PATH.match(written) is None:
        return path
    reading.note(node, f"{written!r} is not a JSON path, and finds nothing, as in JMeter")
    return (_NOTHING,)


def check_path(node: Node, path: Template, reading: Reading) -> str:
    """Refuses a JSON path that cannot be read, if it is known; returns the function at its end."""
    if not all(isinstance(each, str) for each in path):
        return ""
    try:
        return path_of("".join(map(str, path))).call
    except PathError as error:
        reading.refuse(node, str(error), "Rewrite the path.")
        return ""


def check_markup(
    node: Node, selector: Template, language: str, namespaces: tuple[tuple[str, str], ...], reading: Reading
) -> None:
    """Refuses a selector that cannot be read, if it is known, or for which a library is missing."""
    known = all(isinstance(each, str) for each in selector)
    try:
        check_selector("".join(map(str, selector)) if known else "a", language, namespaces)
    except MarkupError as error:
        reading.refuse(node, str(error), "Rewrite it, or use a Regular Expression Extractor.")


def _regex(node: Node, reading: Reading) -> list[Extract]:
    pattern = reading.template(node, node.text("RegexExtractor.regex"))
    check_pattern(node, pattern, reading)
    return [
        RegexExtract(
            name=_fixed(node, node.text("RegexExtractor.refname"), "its variable", reading),
            pattern=pattern,
            source=_source(node, "RegexExtractor.useHeaders", reading),
            match=reading.number_or_zero(node, node.text("RegexExtractor.match_number"), "its match number"),
            template=_fixed_template(node, reading),
            default=_default(node, "RegexExtractor", reading),
            required=False,
            of_variable=variable_of(node, reading),
            where=where_of(node),
        )
    ]


def _fixed_template(node: Node, reading: Reading) -> str:
    text = node.text("RegexExtractor.template")
    found = reading.fixed(node, text)
    if found is None:
        reading.refuse(node, f"its template is {text!r}, which holdfast has to know before the load begins")
    return found or ""


def _boundary(node: Node, reading: Reading) -> list[Extract]:
    default = _default(node, "BoundaryExtractor", reading)
    return [
        BoundaryExtract(
            name=_fixed(node, node.text("BoundaryExtractor.refname"), "its variable", reading),
            left=reading.template(node, node.text("BoundaryExtractor.lboundary")),
            right=reading.template(node, node.text("BoundaryExtractor.rboundary")),
            source=_source(node, "BoundaryExtractor.useHeaders", reading),
            match=reading.number_or_zero(node, node.text("BoundaryExtractor.match_number"), "its match number"),
            default=default,
            required=False,
            of_variable=variable_of(node, reading),
            where=where_of(node),
        )
    ]


def _json(node: Node, reading: Reading) -> list[Extract]:
    def each_of(name: str) -> list[str]:
        return java_split(node.text(f"JSONPostProcessor.{name}"))

    names, paths, defaults = each_of("referenceNames"), each_of("jsonPathExprs"), each_of("defaultValues")
    numbers = each_of("match_numbers")
    if numbers == [""]:
        numbers = ["0"] * len(names)
    if not len(names) == len(paths) == len(defaults) or len(numbers) < len(names):
        reading.refuse(
            node,
            f"it has {len(names)} variables, {len(paths)} paths, {len(defaults)} default values and {len(numbers)} "
            "match numbers; JMeter then takes nothing",
            "Give it as many of each, with ; in between.",
        )
        return []
    found: list[Extract] = []
    for name, written, default, number in zip(names, paths, defaults, numbers, strict=False):
        path = readable_path(node, reading.template(node, written.strip()), reading)
        if call := check_path(node, path, reading):
            reading.refuse(node, f"its path ends with {call}(), which JMeter's extractor cannot do", "Do without.")
        found.append(
            JsonExtract(
                name=_fixed(node, name, "its variable", reading),
                path=path,
                match=reading.number(node, number, "its match number"),
                default=reading.template(node, default),
                join=reading.flag(node, "JSONPostProcessor.compute_concat"),
                required=False,
                of_variable=variable_of(node, reading),
                where=where_of(node),
                by_hash=True,
            )
        )
    return found


def _json_of_plugin(node: Node, reading: Reading) -> list[Extract]:
    if node.text("INPUT_FORMAT") == "YAML":
        reading.refuse(node, "it reads YAML", "Use a Regular Expression Extractor.")
    path = readable_path(node, reading.template(node, node.text("JSONPATH")), reading)
    if call := check_path(node, path, reading):
        reading.refuse(node, f"its path ends with {call}(), which is not supported there", "Do without.")
    of_variable = node.text("SUBJECT") == "VAR"
    return [
        JsonExtract(
            name=_fixed(node, node.text("VAR"), "its variable", reading),
            path=path,
            default=reading.template(node, node.text("DEFAULT")),
            required=False,
            of_variable=_fixed(node, node.text("VARIABLE"), "what it looks in", reading) if of_variable else "",
            whole=True,
        )
    ]


def _jmespath(node: Node, reading: Reading) -> list[Extract]:
    expression = reading.template(node, node.text("JMESExtractor.jmesPathExpr"))
    check_expression_of(node, expression, reading)
    looks_at_answer_alone(node, reading)
    return [
        JsonExtract(
            name=_fixed(node, node.text("JMESExtractor.referenceName"), "its variable", reading),
            path=expression,
            match=reading.number(node, node.text("JMESExtractor.matchNumber"), "its match number"),
            default=reading.template(node, node.text("JMESExtractor.defaultValue")),
            required=False,
            of_variable=variable_of(node, reading),
            language="jmespath",
        )
    ]


def check_expression_of(node: Node, expression: Template, reading: Reading) -> None:
    """Refuses a JMESPath that cannot be read, if it is known, or for which the library is missing."""
    known = all(isinstance(each, str) for each in expression)
    try:
        check_expression("".join(map(str, expression)).strip() if known else "a")
    except PathError as error:
        reading.refuse(node, str(error), "Rewrite it, or use a JSON Extractor or Assertion.")


def java_split(text: str) -> list[str]:
    """The parts between semicolons, as Java's String.split gives them: without empty ones at the end."""
    parts = text.split(";")
    while len(parts) > 1 and not parts[-1]:
        parts.pop()
    return parts


def _css(node: Node, reading: Reading) -> list[Extract]:
    selector = reading.template(node, node.text("HtmlExtractor.expr"))
    check_markup(node, selector, "css", (), reading)
    return [
        MarkupExtract(
            name=_fixed(node, node.text("HtmlExtractor.refname"), "its variable", reading),
            selector=selector,
            language="css",
            attribute=_fixed(node, node.text("HtmlExtractor.attribute"), "its attribute", reading),
            match=reading.number_or_zero(node, node.text("HtmlExtractor.match_number"), "its match number"),
            default=_default(node, "HtmlExtractor", reading),
            required=False,
            of_variable=variable_of(node, reading),
            where=where_of(node),
        )
    ]


def _xpath(node: Node, reading: Reading) -> list[Extract]:
    html = reading.flag(node, "XPathExtractor.tolerant")
    return [_xpath_extract(node, "XPathExtractor", "html" if html else "xml", (), reading)]


def _xpath_2(node: Node, reading: Reading) -> list[Extract]:
    prefixes = namespaces_of(node.text("XPathExtractor2.namespaces"))
    return [_xpath_extract(node, "XPathExtractor2", "xml", prefixes, reading)]


def namespaces_of(text: str) -> tuple[tuple[str, str], ...]:
    """Prefixes and what they mean, `prefix=URI` in each line."""
    pairs = (line.partition("=") for line in text.split())
    return tuple((prefix.strip(), uri.strip()) for prefix, _, uri in pairs if prefix)


def _xpath_extract(
    node: Node,
    prefix: str,
    markup: Literal["html", "xml"],
    namespaces: tuple[tuple[str, str], ...],
    reading: Reading,
) -> MarkupExtract:
    selector = reading.template(node, node.text(f"{prefix}.xpathQuery"))
    check_markup(node, selector, "xpath", namespaces, reading)
    looks_at_answer_alone(node, reading)
    of_old = prefix == "XPathExtractor"
    return MarkupExtract(
        name=_fixed(node, node.text(f"{prefix}.refname"), "its variable", reading),
        selector=selector,
        language="xpath",
        match=reading.number(node, node.text(f"{prefix}.matchNumber"), "its match number", -1 if of_old else 0),
        default=reading.template(node, node.text(f"{prefix}.default")),
        required=False,
        of_variable=variable_of(node, reading),
        markup=markup,
        whole=reading.flag(node, f"{prefix}.fragment"),
        first_text=of_old,
        namespaces=namespaces,
    )


def calls_alone(node: Node, reading: Reading) -> Template:
    """The functions of a script that is nothing but calls of `__setProperty` which leave no text; () of another one.

    JMeter calls them before BeanShell is given what is left, which is empty statements; and all of them once at the
    start of the test (engine/StandardJMeterEngine.java, notifyTestListenersOfStart), with the values that there are.
    """
    written = node.text("script")
    if node.kind != "BeanShellPostProcessor" or "${__setProperty(" not in written:
        return ()
    if node.text("filename").strip() or node.text("parameters").strip():
        return ()
    for part in reading.looked_at(node, written):
        if isinstance(part, str):
            if not _BETWEEN_CALLS.fullmatch(part):
                return ()
        elif not isinstance(part, FunctionCall) or part.name != "__setProperty" or any(part.arguments[2:]):
            return ()
        elif any(isinstance(each, FunctionCall) for argument in part.arguments for each in argument):
            return ()  # at the start, they would be called by no client
    return reading.template(node, written)


def _script(node: Node, reading: Reading) -> list[Extract]:
    """A script of calls alone; another one is looked at like every element that is not known."""
    if calls := calls_alone(node, reading):
        return [CallsExtract(calls)]
    elements.look_at(node, reading)
    return []


EXTRACTORS: Mapping[str, Callable[[Node, Reading], list[Extract]]] = {
    "BeanShellPostProcessor": _script,
    "RegexExtractor": _regex,
    "BoundaryExtractor": _boundary,
    "JSONPostProcessor": _json,
    "JSONPathExtractor": _json_of_plugin,
    "JMESPathExtractor": _jmespath,
    "HtmlExtractor": _css,
    "XPathExtractor": _xpath,
    "XPath2Extractor": _xpath_2,
}
