"""Functions whose argument is a script, as far as it is a condition or a sum that can be read without running it; pure.

Source: apache/jmeter, functions/Jexl3Function.java, Jexl2Function.java, JavaScript.java, Groovy.java: the result as a
text, which a variable can get too. What JEXL and Groovy cannot evaluate, and what is null with them, is the empty text;
with JavaScript null is "null".
"""

from __future__ import annotations

from collections.abc import Mapping

from holdfast.journeys.comparing import written
from holdfast.journeys.conditions import value_of
from holdfast.journeys.context import Context
from holdfast.journeys.in_time import TooSlowError
from holdfast.journeys.known import Known, kept


def _evaluates(language: str) -> Known:
    def call(arguments: list[str], context: Context) -> str:
        try:
            found = value_of(arguments[0], language, context)
        except TooSlowError:
            raise
        except ValueError:
            return kept("", arguments, 1, context)
        text = "" if found is None and language in ("jexl", "groovy") else written(found)
        return kept(text, arguments, 1, context)

    return Known(1, 2, call)


LANGUAGES: Mapping[str, str] = {
    "__jexl3": "jexl",
    "__jexl2": "jexl",
    "__groovy": "groovy",
    "__javaScript": "javascript",
}
OF_CONDITIONS: Mapping[str, Known] = {name: _evaluates(language) for name, language in LANGUAGES.items()}
