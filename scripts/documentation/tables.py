"""Reads the tables of the documents that holdfast writes itself, and writes such tables."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

_SEPARATOR = re.compile(r"(?<!\\)\|")


def section(markdown: str, heading: str) -> str:
    """What is below one heading of the second level, up to the next one; "" where there is none of that name."""
    parts = re.split(r"^## +(.*)$", markdown, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True)).get(heading, "").strip("\n")


def rows(markdown: str) -> list[Mapping[str, str]]:
    """The rows of the first table of a text, each cell by its column; [] without a table."""
    lines = list(_first_table(markdown))
    if len(lines) < 2:
        return []
    head = _cells(lines[0])
    return [dict(zip(head, _cells(line), strict=True)) for line in lines[2:]]


def table(head: Sequence[str], body: Iterable[Sequence[str]]) -> str:
    """A table in Markdown; a | in a cell is escaped unless it is already."""
    lines = [head, ["---"] * len(head), *body]
    return "\n".join("| " + " | ".join(_SEPARATOR.sub(r"\\|", each) for each in line) + " |" for line in lines)


def _first_table(markdown: str) -> Iterable[str]:
    inside = False
    for line in markdown.splitlines():
        if line.startswith("|"):
            inside = True
            yield line
        elif inside:
            return


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in _SEPARATOR.split(line.strip())[1:-1]]
