"""Turns JMeter's assertions into assertions of a journey; pure.

Source: apache/jmeter 5.5, org.apache.jmeter.assertions: the names of their properties, and what they compare.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal

from holdfast.jmeter.extractors import (
    check_expression_of,
    check_markup,
    check_path,
    check_pattern,
    looks_at_answer_alone,
    namespaces_of,
    readable_path,
    variable_of,
    where_of,
)
from holdfast.jmeter.scope import Reading, Scope
from holdfast.model.answers import Assertion, Template
from holdfast.plans.jmx_tree import Node

_MATCH, _CONTAINS, _NOT, _EQUALS, _SUBSTRING, _OR = 1, 2, 4, 8, 16, 32
_What = Literal["body", "head", "request head", "request data", "url", "status", "message"]
_FIELDS: Mapping[str, _What] = {
    "": "url",
    "Assertion.sample_label": "url",
    "Assertion.response_data": "body",
    "Assertion.response_code": "status",
    "Assertion.response_message": "message",
    "Assertion.response_headers": "head",
    "Assertion.request_headers": "request head",
    "Assertion.request_data": "request data",
}
_Size = Literal["size", "head size", "body size", "status", "message"]
_SIZES: Mapping[str, _Size] = {
    "": "size",
    "SizeAssertion.response_network_size": "size",
    "SizeAssertion.response_headers": "head size",
    "SizeAssertion.response_data": "body size",
}
_Comparison = Literal["==", "!=", ">", "<", ">=", "<="]
_OPERATORS: tuple[_Comparison, ...] = ("==", "!=", ">", "<", ">=", "<=")
_SCOPE = "Assertion.scope"


def assertions_of(scope: Scope) -> tuple[Assertion, ...]:
    """What the assertions that apply to a request demand of its answer, the farthest first."""
    return tuple(each for node in scope.farthest(*ASSERTIONS) for each in ASSERTIONS[node.kind](node, scope.reading))


def _response(node: Node, reading: Reading) -> list[Assertion]:
    field = node.text("Assertion.test_field")
    if field not in _FIELDS:
        reading.refuse(node, "it looks at a document that is turned into a text", "Look at the text response instead.")
    kind = reading.number(node, node.text("Assertion.test_type"), "its rule", _CONTAINS)
    texts = tuple(
        reading.template(node, each, str(number))
        for number, each in enumerate(node.properties.items("Asserion.test_strings"))
        if isinstance(each, str)
    )
    # As JMeter asks: contains, equals, substring, matches.
    how: Literal["finds", "equals", "contains", "matches"] = "matches"
    if kind & _CONTAINS:
        how = "finds"
    elif kind & _EQUALS:
        how = "equals"
    elif kind & _SUBSTRING:
        how = "contains"
    if how in ("finds", "matches"):
        for text in texts:
            check_pattern(node, text, reading)
    where = where_of(node, _SCOPE)
    if where != "answer" and _FIELDS.get(field) == "request data":
        looks_at_answer_alone(node, reading, _SCOPE)
        where = "answer"
    return [
        Assertion(
            _FIELDS.get(field, "body"),
            how,
            texts,
            wanted=not kind & _NOT,
            any_of=bool(kind & _OR),
            ignores_status=reading.flag(node, "Assertion.assume_success"),
            name=node.name,
            message=reading.template(node, node.text("Assertion.custom_message")),
            of_variable=variable_of(node, reading, _SCOPE),
            where=where,
        )
    ]


def _json(node: Node, reading: Reading) -> list[Assertion]:
    path = readable_path(node, reading.template(node, node.text("JSON_PATH")), reading)
    check_path(node, path, reading)
    how: Literal["exists", "matches", "equals"] = "exists"
    texts: tuple[Template, ...] = (path,)
    if reading.flag(node, "JSONVALIDATION"):
        value = reading.template(node, node.text("EXPECTED_VALUE"))
        if reading.flag(node, "EXPECT_NULL"):
            how, value = "equals", ("null",)
        elif reading.flag(node, "ISREGEX", default=True):
            how = "matches"
            check_pattern(node, value, reading)
        else:
            how = "equals"
        texts = (path, value)
    return [Assertion("json path", how, texts, wanted=not reading.flag(node, "INVERT"), name=node.name)]


def _jmespath(node: Node, reading: Reading) -> list[Assertion]:
    expression = reading.template(node, node.text("JMES_PATH"))
    check_expression_of(node, expression, reading)
    how: Literal["exists", "matches", "equals"] = "exists"
    texts: tuple[Template, ...] = (expression,)
    if reading.flag(node, "JSONVALIDATION"):
        how = "equals"
        if not reading.flag(node, "EXPECT_NULL"):
            value = reading.template(node, node.text("EXPECTED_VALUE"))
            texts = (expression, value)
            if reading.flag(node, "ISREGEX", default=True):
                how = "matches"
                check_pattern(node, value, reading)
    return [Assertion("jmespath", how, texts, wanted=not reading.flag(node, "INVERT"), name=node.name)]


def _duration(node: Node, reading: Reading) -> list[Assertion]:
    limit = reading.template(node, node.text("DurationAssertion.duration"))
    if limit in ((), ("0",)):
        return []
    if where_of(node, _SCOPE) == "parts":
        looks_at_answer_alone(node, reading, _SCOPE)
    # None of the parts takes longer than the whole.
    return [Assertion("duration", "<=", (limit,), name=node.name)]


def _size(node: Node, reading: Reading) -> list[Assertion]:
    field = node.text("Assertion.test_field")
    if field not in _SIZES:
        reading.refuse(node, "it counts characters of the code or the message", "Use a Response Assertion.")
    operator = reading.number(node, node.text("SizeAssertion.operator"), "its comparison", 1)
    if not 1 <= operator <= len(_OPERATORS):
        reading.refuse(node, f"its comparison is {operator}, which JMeter does not know", "Choose it anew.")
        return []
    size = reading.template(node, node.text("SizeAssertion.size"))
    what = _SIZES.get(field, "size")
    assert what in ("size", "head size", "body size")
    return [
        Assertion(
            what,
            _OPERATORS[operator - 1],
            (size,),
            name=node.name,
            of_variable=variable_of(node, reading, _SCOPE),
            where=where_of(node, _SCOPE),
        )
    ]


def _md5(node: Node, reading: Reading) -> list[Assertion]:
    return [Assertion("md5", "equals", (reading.template(node, node.text("MD5HexAssertion.size")),), name=node.name)]


def _xpath(node: Node, reading: Reading) -> list[Assertion]:
    markup: Literal["html", "xml"] = "html" if reading.flag(node, "XPath.tolerant") else "xml"
    return [_xpath_assertion(node, markup, (), reading)]


def _xpath_2(node: Node, reading: Reading) -> list[Assertion]:
    return [_xpath_assertion(node, "xml", namespaces_of(node.text("XPath.namespaces")), reading)]


def _xpath_assertion(
    node: Node, markup: Literal["html", "xml"], namespaces: tuple[tuple[str, str], ...], reading: Reading
) -> Assertion:
    selector = reading.template(node, node.text("XPath.xpath", "/"))
    check_markup(node, selector, "xpath", namespaces, reading)
    return Assertion(
        "xpath",
        "exists",
        (selector,),
        wanted=not reading.flag(node, "XPath.negate"),
        name=node.name,
        of_variable=variable_of(node, reading, _SCOPE),
        where=where_of(node, _SCOPE),
        markup=markup,
        namespaces=namespaces,
    )


def _xml(node: Node, reading: Reading) -> list[Assertion]:
    """Well-formed XML has a root."""
    check_markup(node, ("/*",), "xpath", (), reading)
    return [Assertion("xpath", "exists", (("/*",),), name=node.name)]


ASSERTIONS: Mapping[str, Callable[[Node, Reading], list[Assertion]]] = {
    "ResponseAssertion": _response,
    "JSONPathAssertion": _json,
    "JMESPathAssertion": _jmespath,
    "DurationAssertion": _duration,
    "SizeAssertion": _size,
    "MD5HexAssertion": _md5,
    "XPathAssertion": _xpath,
    "XPath2Assertion": _xpath_2,
    "XMLAssertion": _xml,
}
