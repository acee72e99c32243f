"""An expression's characters -> its words, numbers, texts and signs."""

from __future__ import annotations

import re
from collections.abc import Iterator

from holdfast.checks.faults import fault
from holdfast.checks.units import UNITS
from holdfast.model.frozen import frozen

MOST_CHARACTERS = 1000

_SPACE = re.compile(r"[ \t\r\n]+")
_NUMBER = re.compile(r"-?(?:\d+(?:\.\d+)?|\.\d+)", re.ASCII)
_UNIT = re.compile(r"[ \t]*(%|/?[A-Za-z]\w*)", re.ASCII)
# What follows a dot may begin with a digit: a status is the name of a count (`statuses.503`).
_NAME = re.compile(r"[A-Za-z_]\w*(?:\.\w+)*", re.ASCII)
_FURTHER = re.compile(r"(?:\.\w+)+", re.ASCII)
_SIGN = re.compile(r"==|!=|<=|>=|<|>|\(|\)|\[|\]|,")
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
# How it is written elsewhere.
_OTHERWISE = {"=": "==", "&&": "and", "&": "and", "||": "or", "|": "or", "!": "not", "===": "==", "<>": "!="}
_FOREIGN = re.compile(r"===|<>|&&|\|\||[=&|!]")


@frozen
class Token:
    """A part of an expression.

    Attributes:
        kind: "number", "text", "name", "further" (a name behind a bracket, without its first dot), "sign" or "end".
        value: its text; of a text, without quotes.
        unit: of a number; "" is none.
        start, stop: its characters.
    """

    kind: str
    value: str
    unit: str
    start: int
    stop: int


def tokens(text: str) -> list[Token]:
    """The parts of an expression, with an "end" behind them.

    Raises:
        UsageError: it has something that no expression has.
    """
    if len(text) > MOST_CHARACTERS:
        raise fault(
            text,
            MOST_CHARACTERS,
            len(text),
            f"it has {len(text)} characters, and at most {MOST_CHARACTERS} are read",
            "Write several expectations: each has an --expect of its own.",
        )
    return [*_tokens(text), Token("end", "", "", len(text), len(text))]


def _tokens(text: str) -> Iterator[Token]:
    at = 0
    behind_bracket = False
    while at < len(text):
        if space := _SPACE.match(text, at):
            at = space.end()
            continue
        token = _further(text, at) if behind_bracket else None
        token = token or _text(text, at) or _number(text, at) or _plain(text, at)
        behind_bracket = token.value == ")" and token.kind == "sign"
        yield token
        at = token.stop


def _further(text: str, at: int) -> Token | None:
    found = _FURTHER.match(text, at)
    return found and Token("further", found[0][1:], "", at, found.end())


def _text(text: str, at: int) -> Token | None:
    quote = text[at]
    if quote not in "'\"":
        return None
    end = at + 1
    while end < len(text) and text[end] != quote:
        end += 2 if text[end] == "\\" else 1
    if end >= len(text):
        raise fault(text, at, len(text), f"a text begins with {quote} and does not end", f"Write {quote} behind it.")
    return Token("text", _ESCAPED.sub(r"\1", text[at + 1 : end]), "", at, end + 1)


def _number(text: str, at: int) -> Token | None:
    found = _NUMBER.match(text, at)
    if found is None:
        return None
    end = found.end()
    unit = _UNIT.match(text, end)
    if unit is not None and unit[1] in UNITS:
        return Token("number", found[0], unit[1], at, unit.end())
    glued = re.compile(r"[\w./%]+", re.ASCII).match(text, end)
    if glued is not None:
        raise fault(
            text,
            end,
            glued.end(),
            f"{glued[0]!r} is not a unit",
            "Units are us, ms, s, m, h; B, KiB, MiB, GiB; /s; %.",
        )
    return Token("number", found[0], "", at, end)


def _plain(text: str, at: int) -> Token:
    for kind, pattern in (("name", _NAME), ("sign", _SIGN)):
        found = pattern.match(text, at)
        # `===` begins like `==`.
        if found is not None and not (kind == "sign" and _FOREIGN.match(text, at) and found[0] not in {"!=", "=="}):
            if found[0] == "==" and text.startswith("===", at):
                break
            return Token(kind, found[0], "", at, found.end())
    foreign = _FOREIGN.match(text, at)
    if foreign is not None:
        raise fault(
            text, at, foreign.end(), f"{foreign[0]} has no meaning here", f"Write {_OTHERWISE[foreign[0]]} instead."
        )
    raise fault(
        text,
        at,
        at + 1,
        "this character has no meaning here",
        "Texts are written in quotes, as in 'reset' or \"reset\".",
    )
