"""What the reports for a terminal say, as plain text."""

from __future__ import annotations

from holdfast.report.layout import Renderable, rendered

_WIDE = 10_000


def lines_of(renderable: Renderable) -> list[str]:
    """What a terminal of any width would show, without styles; what is set apart by spaces there, by a comma."""
    lines = rendered(renderable, _WIDE, styled=False).strip().splitlines()
    return [", ".join(part.strip() for part in line.split("  ") if part.strip()) for line in lines]


def in_words(renderable: Renderable) -> str:
    """The same as one line."""
    return " ".join(lines_of(renderable))
