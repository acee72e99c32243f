"""Turns JMeter's Response Assertions into the statuses that count as an answer and checks of the body; pure.

A sample is good if its status is 200 to 399 and every assertion that applies to it holds. An assertion that ignores
the status makes the sample good first, whatever its status.
Source: apache/jmeter, assertions/ResponseAssertion.java (evaluateResponse), HTTPSamplerBase.java (isSuccessCode).
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from holdfast.model.frozen import frozen
from holdfast.model.scenario import Check
from holdfast.plans.differences import Note
from holdfast.plans.jmx_tree import Node
from holdfast.plans.variables import Scope, sentence, whole

_MATCH, _CONTAINS, _NOT, _EQUALS, _SUBSTRING, _OR = 1, 2, 4, 8, 16, 32
_SUCCESS = range(200, 400)
_ANY = range(100, 600)
_NOT_LOOKED_AT = {
    "Assertion.response_message": "the reason phrase of the status",
    "Assertion.response_headers": "the response headers",
    "Assertion.response_data_as_document": "the text of a document",
    "Assertion.sample_label": "the URL",
    "Assertion.request_headers": "the request's headers",
    "Assertion.request_data": "the request's body",
}


@frozen
class AnswerCriteria:
    """What a good answer is like.

    Attributes:
        statuses: the good statuses; None if no assertion restricts them.
        checks: of the body.
    """

    statuses: frozenset[int] | None
    checks: tuple[Check, ...]


def criteria_of(assertions: Sequence[Node], scope: Scope, notes: list[Note]) -> AnswerCriteria:
    """What the assertions that apply to a sampler demand together.

    Args:
        notes: gets the assertions that holdfast cannot check.

    Raises:
        UsageError: a pattern is invalid.
    """
    statuses = set(_SUCCESS)
    checks: list[Check] = []
    for number, assertion in enumerate(assertions):
        scope.place = f'{assertion.kind} "{assertion.name}"'
        if scope.literal(assertion.text("Assertion.assume_success"), "Ignore Status").lower() == "true":
            statuses = set(_ANY)
            if number:
                raise scope.error("it ignores the status, and comes after another", "It makes good what that found.")
    for assertion in assertions:
        scope.place = f'{assertion.kind} "{assertion.name}"'
        why = _unsupported(assertion)
        texts = [
            whole(scope.parts(each))
            for each in assertion.properties.items("Asserion.test_strings")
            if isinstance(each, str)
        ]
        kind = scope.number(assertion.text("Assertion.test_type"), "its rule", _CONTAINS)
        fixed = [text for text in texts if isinstance(text, str)]
        if len(fixed) < len(texts):
            why = "what it looks for changes from one request to the next"
        elif kind & _OR and kind & _NOT and len(texts) > 1 and "code" not in assertion.text("Assertion.test_field"):
            why = "holdfast cannot check that one of several texts is missing"
        if why:
            notes.append(Note("left out", assertion.kind, assertion.name, f"{why}: such answers count as good"))
        elif assertion.text("Assertion.test_field") == "Assertion.response_code":
            statuses = {status for status in statuses if _holds(str(status), fixed, kind, scope)}
        else:
            checks += _checks(fixed, kind, scope)
    return AnswerCriteria(None if statuses == set(_SUCCESS) else frozenset(statuses), tuple(checks))


def _unsupported(assertion: Node) -> str:
    """Why holdfast cannot check an assertion; "" if it can."""
    looked_at = _NOT_LOOKED_AT.get(assertion.text("Assertion.test_field"))
    if looked_at:
        return f"holdfast does not check {looked_at}"
    scope = assertion.text("Assertion.scope")
    if scope == "variable":
        return "holdfast does not check variables"
    return "holdfast has no sub-samples" if scope == "children" else ""


def _holds(text: str, wanted: Sequence[str], kind: int, scope: Scope) -> bool:
    """Whether a status satisfies one assertion."""
    found = [_found(text, each, kind, scope) is not bool(kind & _NOT) for each in wanted]
    return any(found) if kind & _OR and found else all(found)


def _found(text: str, wanted: str, kind: int, scope: Scope) -> bool:
    if kind & _CONTAINS:
        return _compiled(wanted, scope).search(text) is not None
    if kind & _EQUALS:
        return text == wanted
    if kind & _SUBSTRING:
        return wanted in text
    return _compiled(wanted, scope).fullmatch(text) is not None


def _checks(texts: Sequence[str], kind: int, scope: Scope) -> list[Check]:
    pattern = not kind & _EQUALS and not (kind & _SUBSTRING and not kind & _CONTAINS)
    whole_body = not kind & (_CONTAINS | _SUBSTRING)
    if kind & _OR and len(texts) > 1:
        texts = ["|".join(f"(?:{text if pattern else re.escape(text)})" for text in texts)]
        pattern = True
    if pattern:
        for text in texts:
            _compiled(text, scope)
    return [Check(text, pattern, whole_body, wanted=not kind & _NOT) for text in texts]


def _compiled(text: str, scope: Scope) -> re.Pattern[str]:
    try:
        re.compile(text.encode())
        return re.compile(text)
    except (re.error, OverflowError, RecursionError, UnicodeError) as error:
        raise scope.error(
            f"{text!r} is not a regular expression that holdfast can read",
            sentence(error),
            "Rewrite it in the syntax of Python's re module, which is mostly the same as Perl's.",
        ) from error
