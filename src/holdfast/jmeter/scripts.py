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
    # Of sums, only those of JEXL are reckoned: what others make of numbers in texts differs from one to the next.
    return unreadable_text(call.arguments[0], LANGUAGES[call.name], only_conditions=call.name != "__jexl3")


def unreadable_text(template: Template, language: str, *, only_conditions: bool = True) -> str:
    """The same for a text.

    Args:
        only_conditions: what does not come to true or false counts as not readable.
    """
    why = ""
    for stand_in in (_NUMBER, _NAME, "true"):
        text = "".join(part if isinstance(part, str) else stand_in for part in template)
        try:
            found = value_of(text, language)
        except ValueError as error:
            why = str(error)
            continue
        if not only_conditions or isinstance(found, bool):
            return ""
        why = "it is not a condition"
    written = "".join(part if isinstance(part, str) else part.written for part in template)
    shown = " ".join(written.split())[:80]
    return f"{shown!r}: {why}"
