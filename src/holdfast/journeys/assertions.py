"""Judges whether an answer is as a journey demands; pure."""

from __future__ import annotations

import re
from collections.abc import Sequence

from holdfast.journeys.client import Client
from holdfast.model.answers import Answer, Assertion


def unmet(assertions: Sequence[Assertion], answer: Answer, client: Client) -> str:
    """The first assertion that does not hold, in words; "" if all do."""
    for assertion in assertions:
        text = str(answer.status) if assertion.what == "status" else answer.body.decode("utf-8", "replace")
        held = [_holds(assertion.how, text, client.filled(each)) is assertion.wanted for each in assertion.texts]
        if not (any(held) if assertion.any_of else all(held)):
            return f"{assertion.name or assertion.what} does not hold"
    return ""


def _holds(how: str, text: str, wanted: str) -> bool:
    if how == "equals":
        return text == wanted
    if how == "contains":
        return wanted in text
    return (re.fullmatch if how == "matches" else re.search)(wanted, text) is not None
