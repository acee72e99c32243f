"""Whether the condition of a choice or a loop holds now; pure."""

from __future__ import annotations

from holdfast.journeys.client import Client
from holdfast.journeys.comparing import Value
from holdfast.journeys.conditions import value_of
from holdfast.journeys.in_time import TooSlowError
from holdfast.journeys.templates import FunctionFailsError, text_of
from holdfast.model.journey import Condition


def holds(condition: Condition, client: Client) -> bool:
    """Whether the condition of an `If` holds now; what cannot be read does not."""
    text = text_of(condition.text, client).strip()
    if text.upper() == "LAST":
        return client.last_answered
    if condition.language == "words":
        return text.lower() == "true"
    found = _read_now(text, condition.language, client)
    # Of an If Controller's own script, JMeter looks at the result as a text (IfController.java).
    return found is True or (condition.language == "script" and found == "true")


def repeats(condition: Condition, client: Client, *, after_pass: bool) -> bool:
    """Whether a `While` has another pass.

    Args:
        after_pass: it is looked at after a pass, not before one.
    """
    text = text_of(condition.text, client).strip()
    if text.upper() == "LAST" or (after_pass and not text):
        return client.last_answered
    if not text:
        return True
    if condition.language == "words":
        return text.lower() != "false"
    return _read_now(text, condition.language, client) is True


def _read_now(text: str, language: str, client: Client) -> Value:
    try:
        return value_of(text, language, client)
    except TooSlowError as error:
        raise FunctionFailsError(str(error)) from error
    except ValueError:
        return None
