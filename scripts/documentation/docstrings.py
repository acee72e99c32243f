"""Reads docstrings: what is said first, and the sections "Attributes:", "Args:", "Raises:" and so on behind it."""

from __future__ import annotations

import inspect
import re
from dataclasses import dataclass, field
from textwrap import dedent

_SECTION = re.compile(r"^(Args|Attributes|Raises|Returns|Source|Yields|Example):\s*(.*)$")
_ENTRY = re.compile(r"^(\*{0,2}\w[\w, *]*): (.*)$")


@dataclass(frozen=True, slots=True)
class Docstring:
    """What a docstring says.

    Attributes:
        text: what comes before the first section.
        entries: section -> name -> what is said of it; of several names, each has the same.
        texts: section -> all that it says, for those without names.
    """

    text: str
    entries: dict[str, dict[str, str]] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict)


def of(documented: object) -> Docstring:
    """The docstring of a class or a function; empty where it has none."""
    return parsed(inspect.getdoc(documented) or "")


def parsed(docstring: str) -> Docstring:
    """A docstring without its indentation, in parts."""
    said: list[str] = []
    sections: dict[str, list[str]] = {}
    lines = said
    for line in docstring.split("\n"):
        if heading := _SECTION.match(line):
            lines = sections.setdefault(heading[1], [heading[2]] if heading[2] else [])
        else:
            lines.append(line)
    texts = {name: dedent("\n".join(each)).strip() for name, each in sections.items()}
    return Docstring("\n".join(said).strip(), {name: dict(_named(text)) for name, text in texts.items()}, texts)


def _named(text: str) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    names: list[str] = []
    for line in text.split("\n"):
        entry = _ENTRY.match(line)
        if entry:
            names = [each.strip(" *") for each in entry[1].split(",")]
            found += [(name, entry[2].strip()) for name in names]
        elif names:
            found[-len(names) :] = [(name, f"{said} {line.strip()}".strip()) for name, said in found[-len(names) :]]
    return found
