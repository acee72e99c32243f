"""Cuts the text of a condition into tokens; pure."""

from __future__ import annotations

import re
from typing import NamedTuple

_TOKEN = re.compile(
    r"\s+|//[^\n]*|/\*.*?\*/"
    r"|(?P<number>0[xX][\da-fA-F]+[lL]?(?![\w.])|(?:\d+(?:\.\d+)?|\.\d+)(?:[eE][+-]?\d+)?[lLfFdD]?(?![\w.]))"
    r"|(?P<text>\"(?:\\.|[^\"\\])*\"|'(?:\\.|[^'\\])*')"
    r"|(?P<name>\$\{\w+\}|[A-Za-z_$][\w$]*)"
    r"|(?P<mark>===|!==|==~|==|!=|<=|>=|=~|!~|&&|\|\||\?\.(?!\d)|\?:|[-+*/%!<>().,\[\];?:])",
    re.DOTALL,
)
_WORDS = {"and": "&&", "or": "||", "not": "!", "eq": "==", "ne": "!=", "lt": "<", "le": "<=", "gt": ">", "ge": ">="}


class Token(NamedTuple):
    """A number, a text in quotes, a name or a mark, and where it begins."""

    kind: str
    text: str
    at: int


def tokens_of(text: str, language: str = "own") -> list[Token]:
    """The tokens of a condition, without blanks and comments; only JEXL and conditions of our own write marks as words.

    Raises:
        ValueError: a character is none of one; the message says where.
    """
    found = []
    at = 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        # JavaScript and Groovy count with these, also where the second one came from a value.
        if (twice := text[at : at + 2]) in ("--", "++") and language not in ("own", "jexl"):
            raise ValueError(f"{twice} is not understood at character {at + 1}")
        # A reference that stays as it is written: to Groovy the call of something that it does not know.
        if match is None or (match[0].startswith("${") and language != "groovy"):
            hint = ": == compares" if text[at] == "=" and language == "own" else ""
            raise ValueError(f"{text[at]!r} is not understood at character {at + 1}{hint}")
        if match.lastgroup is not None:
            kind, part = match.lastgroup, match[0]
            if kind == "name" and part in _WORDS and language in ("own", "jexl"):
                kind, part = "mark", _WORDS[part]
            found.append(Token(kind, part, at))
        at = match.end()
    return found


class Tokens:
    """Takes tokens one after another; `at` is the index of the next one."""

    def __init__(self, tokens: list[Token]) -> None:
        self.tokens = tokens
        self.at = 0

    def kind(self) -> str:
        """Of the next token."""
        return self.tokens[self.at].kind

    def is_next(self, mark: str) -> bool:
        """Whether a mark is next."""
        return self.at < len(self.tokens) and self.kind() == "mark" and self.tokens[self.at].text == mark

    def took(self, mark: str) -> bool:
        """Whether a mark was next; it is taken."""
        found = self.is_next(mark)
        self.at += found
        return found

    def expect(self, mark: str) -> None:
        """Takes a mark.

        Raises:
            ValueError: something else is next.
        """
        if not self.took(mark):
            raise ValueError(f"{mark} is missing at character {self.place()}")

    def name(self) -> str:
        """Takes a name.

        Raises:
            ValueError: something else is next.
        """
        if self.at < len(self.tokens) and self.kind() == "name":
            self.at += 1
            return self.tokens[self.at - 1].text
        raise ValueError(f"a name is missing at character {self.place()}")

    def place(self) -> int:
        """The number of the character at which the next token begins, from 1."""
        if self.at < len(self.tokens):
            return self.tokens[self.at].at + 1
        return self.tokens[-1].at + len(self.tokens[-1].text) + 1 if self.tokens else 1
