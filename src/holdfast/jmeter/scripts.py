"""Which scripts of a plan can be read as conditions; pure."""

from __future__ import annotations

from holdfast.journeys.conditions import value_of
from holdfast.journeys.functions_conditions import LANGUAGES
from holdfast.model.answers import FunctionCall, Template

# References are replaced by texts before a script is read; in its place, one that is a number and a word.
_NUMBER, _NAME = "1", "x1"


def unreadable(call: FunctionCall) -> str:
    """Why a script in a function's argument cannot be read as a condition; "" if it can."""
    if not call.arguments:
        return "it has no argument"
    return unreadable_text(call.arguments[0], LANGUAGES[call.name])


def unreadable_text(template: Template, language: str) -> str:
    """The same for a text."""
    why = ""
    for stand_in in (_NUMBER, _NAME, "true"):
        text = "".join(part if isinstance(part, str) else stand_in for part in template)
        try:
            value_of(text, language)
        except ValueError as error:
            why = str(error)
        else:
            return ""
    written = "".join(part if isinstance(part, str) else part.written for part in template)
    shown = " ".join(written.split())[:80]
    return f"{shown!r}: {why}"
