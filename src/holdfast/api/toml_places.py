"""Where in a TOML file each key is written, which `tomllib` does not tell; pure.

The text is known to be TOML (`tomllib` has read it), so this only follows its outline: headers, keys, and the values
that hold further ones.
Source: toml.io/en/v1.0.0.
"""

from __future__ import annotations

import re
import tomllib
from bisect import bisect_right
from collections.abc import Mapping, Sequence

Path = tuple[str | int, ...]
"""Keys from the top, and numbers from 0 within arrays."""

_BLANK = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_BARE = re.compile(r"[A-Za-z0-9_-]+")
_STRINGS = (
    re.compile(r'"""(?:[^\\]|\\.)*?"""+', re.DOTALL),
    re.compile(r"'''.*?'''+", re.DOTALL),
    re.compile(r'"(?:[^"\\]|\\.)*"'),
    re.compile(r"'[^']*'"),
)
_QUOTE_OR_COMMENT = re.compile(r"[\"']|#[^\n]*")
_EMPTY = '""'
_PLAIN = re.compile(r"[^,\]}\n#]*")


def places(text: str) -> Mapping[Path, tuple[int, int]]:
    """Line and column, from 1, of each key and of each item of an array.

    Args:
        text: a TOML document.
    """
    outline = _Outline(text)
    outline.read()
    begins = [0, *(found.end() for found in re.finditer("\n", text))]
    return {path: _place(begins, at) for path, at in outline.found.items()}


def not_utf_8(error: UnicodeDecodeError) -> str:
    """Where a file is not UTF-8, as a sentence."""
    line, column = (
        error.object.count(b"\n", 0, error.start) + 1,
        error.start - error.object.rfind(b"\n", 0, error.start),
    )
    return f"It is not UTF-8 at line {line}, column {column}: {error.reason}."


def unclosed_at(text: str) -> tuple[int, int] | None:
    """Line and column of the quote of the first text that does not end; None where all do.

    Args:
        text: is not a TOML document because one does not.
    """
    at = 0
    while (found := _QUOTE_OR_COMMENT.search(text, at)) is not None:
        at = found.end()
        if found[0] in "\"'":
            ended = next(filter(None, (each.match(text, found.start()) for each in _STRINGS)), None)
            # An empty text and a quote begin as one of three quotes does.
            if ended is None or (text.startswith(found[0] * 3, found.start()) and len(ended[0]) == len(_EMPTY)):
                return text.count("\n", 0, found.start()) + 1, found.start() - text.rfind("\n", 0, found.start())
            at = ended.end()
    return None


def _place(begins: Sequence[int], at: int) -> tuple[int, int]:
    """Line and column, where lines begin at these characters."""
    line = bisect_right(begins, at)
    return line, at - begins[line - 1] + 1


class _Outline:
    """A document that is being read.

    Attributes:
        found: where each key begins, in characters.
    """

    def __init__(self, text: str) -> None:
        self.found: dict[Path, int] = {}
        self._text = text
        self._at = 0
        self._tables: dict[Path, int] = {}  # how many tables each array of tables has so far

    def read(self) -> None:
        """Reads it all."""
        current: Path = ()
        while not self._ended():
            begin = self._at
            if self._takes("[["):
                current = self._of_table(self._keys(), one_of_several=True)
                self.found[current] = begin
                self.found.setdefault(current[:-1], begin)
                self._takes("]]")
            elif self._takes("["):
                current = self._of_table(self._keys(), one_of_several=False)
                self.found[current] = begin
                self._takes("]")
            else:
                self._pair(current)

    def _ended(self) -> bool:
        self._skip()
        return self._at >= len(self._text)

    def _skip(self) -> None:
        found = _BLANK.match(self._text, self._at)
        assert found is not None
        self._at = found.end()

    def _takes(self, word: str) -> bool:
        self._skip()
        if not self._text.startswith(word, self._at):
            return False
        self._at += len(word)
        return True

    def _of_table(self, keys: list[str], *, one_of_several: bool) -> Path:
        path: Path = ()
        for number, key in enumerate(keys, 1):
            path = (*path, key)
            if number == len(keys) and one_of_several:
                self._tables[path] = self._tables.get(path, 0) + 1
            if path in self._tables:
                path = (*path, self._tables[path] - 1)
        return path

    def _keys(self) -> list[str]:
        """A key, perhaps of several parts with dots in between."""
        keys = []
        while True:
            self._skip()
            found = _BARE.match(self._text, self._at)
            if found is not None:
                keys.append(found[0])
                self._at = found.end()
            else:
                begin = self._at
                self._string()
                keys.append(str(tomllib.loads(f"key = {self._text[begin : self._at]}")["key"]))
            if not self._takes("."):
                return keys

    def _pair(self, table: Path) -> None:
        self._skip()
        begin = self._at
        path = table
        for key in self._keys():
            path = (*path, key)
            self.found.setdefault(path, begin)
        self._takes("=")
        self._value(path)

    def _value(self, path: Path) -> None:
        self._skip()
        if self._takes("["):
            number = 0
            while not self._takes("]"):
                self._skip()
                self.found[(*path, number)] = self._at
                self._value((*path, number))
                self._takes(",")
                number += 1
        elif self._takes("{"):
            while not self._takes("}"):
                self._pair(path)
                self._takes(",")
        elif self._text[self._at] in "\"'":
            self._string()
        else:
            found = _PLAIN.match(self._text, self._at)
            assert found is not None
            self._at = found.end()

    def _string(self) -> None:
        found = next(filter(None, (each.match(self._text, self._at) for each in _STRINGS)))
        self._at = found.end()
