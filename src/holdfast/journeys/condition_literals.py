r"""Numbers and texts in quotes as conditions have them, in the rules of the language in which they are written; pure.

Source: Groovy, GroovyLexer.g4 (EscapeSequence, DollarEscape); Rhino, TokenStream.java (getToken); commons-jexl 3.2.1,
StringParser.java (read), which keeps the backslash of `\d`. Each was measured with JMeter 5.5.
"""

from __future__ import annotations

import re

from holdfast.journeys.comparing import of_digits
from holdfast.journeys.decimals import decimal_number
from holdfast.journeys.number_kinds import Fraction, whole_number

_ESCAPED = re.compile(r"\\(u[0-9a-fA-F]{4}|x[0-9a-fA-F]{2}|[0-3]?[0-7]{1,2}|.)", re.DOTALL)
_NAMED = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f"}
_OF_GROOVY = frozenset("\"'\\$")


class NotDefinedError(ValueError):
    """Something stands for nothing: in JavaScript that ends the script, and its condition does not hold."""


def number_written(text: str, language: str) -> float:
    """A number as it is written; in script languages one that begins with 0 is octal.

    Only JavaScript takes 08 for a decimal number, and only JEXL refuses .5.

    Raises:
        NotDefinedError: the language has no such number.
    """
    if text[:2] in ("0x", "0X"):
        return of_digits(text[2:].rstrip("lL"), 16)
    if text[-1] in "lLfFdD" and language == "javascript":
        raise NotDefinedError(f"{text} is not a number")
    digits = text.rstrip("lLfFdD")
    begins_with_0 = len(digits) > 1 and digits.isdigit() and digits[0] == "0" and language != "own"
    if begins_with_0 and not {*digits} & {"8", "9"}:
        return of_digits(digits, 8)
    if (begins_with_0 and language != "javascript") or (digits[0] == "." and language == "jexl"):
        raise NotDefinedError(f"{text} is not a number")
    if digits.isdigit() and language in ("jexl", "groovy"):
        return whole_number(int(digits))
    if language == "groovy" and text[-1] not in "fFdD":
        return decimal_number(digits)
    return Fraction(digits) if language == "jexl" else float(digits)


def text_in_quotes(quoted: str, language: str, *, counts: bool = True) -> str:
    """A text as it is written, with its quotes.

    Args:
        counts: its value matters; Groovy looks for values in a text only then.

    Raises:
        NotDefinedError: the language cannot read it: a line that ends in it, or with Groovy a `$`, which in double
            quotes begins a value of the script's own, or a backslash before what has no meaning with one.
    """
    quote, inside = quoted[0], quoted[1:-1]
    if language != "own" and re.search(r"[\n\r]", inside):
        raise NotDefinedError("a line ends within a text in quotes")

    def meant(found: re.Match[str]) -> str:
        return _meant(found[1], quote, language)

    if language == "groovy" and quote == '"':
        wanted = re.search(r"\$" if counts else r"\$(?![A-Za-z_{])", _ESCAPED.sub("_", inside))
        if wanted is not None:
            raise NotDefinedError("a $ in double quotes begins a value of Groovy's own")
    return _ESCAPED.sub(meant, inside)


def _meant(char: str, quote: str, language: str) -> str:
    """What stands for a backslash with what is behind it."""
    if language == "own":
        return {**_NAMED, "0": "\0"}.get(char, char)
    if char[0] == "u" and len(char) > 1:
        return chr(int(char[1:], 16))
    if language == "jexl":
        return _NAMED.get(char, char if char in (quote, "\\") else f"\\{char}")
    if char[0] in "01234567":
        return chr(int(char, 8))
    if language == "javascript":
        return chr(int(char[1:], 16)) if char[0] == "x" and len(char) > 1 else {**_NAMED, "v": "\v"}.get(char, char)
    if char not in _NAMED and char not in _OF_GROOVY:
        raise NotDefinedError(f"a backslash before {char[0]} means nothing")
    return _NAMED.get(char, char)
