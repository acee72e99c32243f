"""The error for an expression that cannot be used: what is wrong, and where."""

from __future__ import annotations

from unicodedata import combining, east_asian_width

from holdfast.errors import UsageError
from holdfast.model.printable import printable

_MOST_COLUMNS = 56
"""Of the expression, so that a terminal of 60 columns keeps the mark below its place."""


def fault(text: str, start: int, stop: int, what: str, remedy: str) -> UsageError:
    """The error for what an expression has from one character to another, with a mark below it."""
    return UsageError(f"An expectation cannot be used: {what}.", marked(text, start, stop), remedy)


def marked(text: str, start: int, stop: int) -> str:
    """Two lines: the part of the expression that is meant, and `^` below its characters."""
    # One line, in which each character is seen.
    before, meant, after = (printable(" ".join(part.split("\n"))) for part in _parts(text, start, stop))
    before, meant, after = (each.replace("\t", " ").replace("\n", " ") for each in (before, meant, after))
    if columns(before) > _MOST_COLUMNS // 2:
        before = "..." + before[-(_MOST_COLUMNS // 2 - 3) :]
    room = _MOST_COLUMNS - columns(before)
    if columns(meant) > room:
        meant = meant[: room - 3] + "..."
    room -= columns(meant)
    if columns(after) > room:
        after = after[: max(0, room - 3)] + "..."
    return f"{before}{meant}{after}".rstrip() + "\n" + " " * columns(before) + "^" * max(1, columns(meant))


def columns(text: str) -> int:
    """That a text takes on a terminal."""
    return sum(0 if combining(each) else 2 if east_asian_width(each) in "WF" else 1 for each in text)


def _parts(text: str, start: int, stop: int) -> tuple[str, str, str]:
    return text[:start], text[start:stop], text[stop:]
