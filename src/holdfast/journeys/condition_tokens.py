"""Cuts the text of a condition into tokens; pure."""

from __future__ import annotations

import re
from typing import NamedTuple

_TOKEN = re.compile(
    r"\s+|//[^\n]*|/\*.*?\*/"
    r"|(?P<number>0[xX][\da-fA-F]+[lL]?(?![\w.])|(?:\d+(?:\.\d+)?|\.\d+)(?:[eE][+-]?\d+)?[lLfFdD]?(?![\w.]))"
    r"|(?P<text>\"(?:\\.|[^\"\\])*\"|'(?:\\.|[^'\\])*')"
    r"|(?P<name>[A-Za-z_$][\w$]*)"
    r"|(?P<mark>===|!==|==~|==|!=|<=|>=|=~|!~|&&|\|\||\?\.(?!\d)|\?:|[-+*/%!<>().,\[\];?:])",
    re.DOTALL,
)
_WORDS = {"and": "&&", "or": "||", "not": "!", "eq": "==", "ne": "!=", "lt": "<", "le": "<=", "gt": ">", "ge": ">="}


class Token(NamedTuple):
    """A number, a text in quotes, a name or a mark, and where it begins."""

    kind: str
    text: str
    at: int


def tokens_of(text: str) -> list[Token]:
    """The tokens of a condition, without blanks and comments.

    Raises:
        ValueError: a character is none of one; the message says where.
    """
    found = []
    at = 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            raise ValueError(f"{text[at]!r} is not understood at character {at + 1}")
        if match.lastgroup is not None:
            kind, part = match.lastgroup, match[0]
            if kind == "name" and part in _WORDS:
                kind, part = "mark", _WORDS[part]
            found.append(Token(kind, part, at))
        at = match.end()
    return found
