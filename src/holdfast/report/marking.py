"""Markdown in which text from outside is text: escaped, in code spans, in blocks, in cells of tables."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from holdfast.model.printable import printable

_JOINS_NOTHING = "\u200b"
"""Behind @ and #, so that a name does not mention a person and a number does not refer to an issue."""


def code(text: str) -> str:
    """A code span, in which nothing is interpreted; CommonMark 6.1: its fence is longer than any in the text."""
    if "`" in text:
        fence = "`" * (max(map(len, re.findall("`+", text))) + 1)
        return f"{fence} {printable(text)} {fence}"
    return f"`{printable(text)}`" if text else ""


def escaped(text: str) -> str:
    """Words of servers, systems and a person's own files, with what Markdown would interpret escaped."""
    return re.sub(r"[\\`*_\[\]~&]", r"\\\g<0>", printable(" ".join(text.split()))).replace("<", "&lt;")


def paragraph(text: str) -> str:
    """The same as a line of its own, which begins nothing, mentions no person and refers to no issue."""
    shown = re.sub(r"[@#](?=\w)", rf"\g<0>{_JOINS_NOTHING}", escaped(text))
    return re.sub(r"^([#>+-]|\d+(?=[.)]))", r"\\\1", shown)


def block(text: str) -> str:
    """Lines as they are; CommonMark 4.5: the fence is longer than any in the text."""
    fence = "`" * max([3, *(len(each) + 1 for each in re.findall("`+", text))])
    return f"{fence}text\n{printable(text).rstrip()}\n{fence}"


def row(cells: Sequence[str]) -> str:
    """One line of a table."""
    return "| " + " | ".join(" ".join(each.split()).replace("|", "\\|") for each in cells) + " |"


def table(heads: Sequence[str], rows: Iterable[Sequence[str]], right: Iterable[int] = ()) -> list[str]:
    """The lines of a table; `right` are columns of figures. The cells are Markdown already."""
    figures = frozenset(right)
    return [row(heads), row(["--:" if at in figures else ":--" for at in range(len(heads))]), *map(row, rows)]
