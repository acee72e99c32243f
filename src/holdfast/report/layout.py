"""Styled text, tables and indents as lines of a given width: what the reports need of a terminal, and no more.

Own, because the library for it (rich) took a third of a load's start and 8 MB of its memory (benchmarks/start.py).

A style is words: `bold`, `dim`, a colour, each perhaps after `not`. Later words win, and what is inside adds its own
to what is around it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Protocol, Self

from holdfast.model.printable import printable

Span = tuple[str, str]
"""Characters, and their style."""
Line = list[Span]

_ATTRIBUTES = {"bold": "1", "dim": "2"}
_COLOURS = {"red": "31", "green": "32", "yellow": "33", "magenta": "35", "cyan": "36"}
_ELLIPSIS = "…"
_ON_ONE_LINE = str.maketrans("\n\t", "  ")
_HEADER = "bold"


class Renderable(Protocol):
    """What can be laid out."""

    def lines(self, width: int) -> Iterator[Line]:
        """Its lines, as far as possible no wider than so many columns."""
        ...


class Text:
    """A text whose parts have styles; a line break in it begins a new line.

    Args:
        overflow: what becomes of a line that is too long: `fold` wraps it between words, `ellipsis` cuts it, `ignore`
            leaves it.
        hanging: columns by which a wrapped line's further ones are indented.
    """

    def __init__(self, text: str = "", style: str = "", *, overflow: str = "fold", hanging: int = 0) -> None:
        self._style = style
        self._overflow = overflow
        self._hanging = hanging
        self._spans: Line = [(printable(text), style)] if text else []

    @classmethod
    def assemble(cls, *parts: Span) -> Self:
        """A text of these parts."""
        text = cls()
        for part, style in parts:
            text.append(part, style)
        return text

    def append(self, text: str, style: str = "") -> Self:
        """Adds characters, in a style within the text's own; gives the text."""
        self._spans.append((printable(text), f"{self._style} {style}"))
        return self

    def append_text(self, other: Text) -> Self:
        """Adds another text, in its own styles within this one's; gives the text."""
        self._spans += [(text, f"{self._style} {style}") for text, style in other._spans]
        return self

    def __len__(self) -> int:
        return sum(cells(text) for text, _ in self._spans)

    def cut(self, width: int) -> Text:
        """The same on one line, ending with an ellipsis where it is wider than so many columns."""
        text = Text(overflow="ellipsis")
        text._spans = [(part.translate(_ON_ONE_LINE), style) for part, style in self._spans]
        (line,) = text.lines(width)
        text._spans = line
        return text

    def lines(self, width: int) -> Iterator[Line]:
        """As `Renderable`."""
        for line in _broken(self._spans):
            plain = "".join(text for text, _ in line)
            if self._overflow == "ignore" or cells(plain) <= width:
                yield line
            elif self._overflow == "ellipsis":
                kept = _fitting(plain, 0, width - 1) if width > 1 else 0
                yield [*_slice(line, 0, kept), (_ELLIPSIS, line[-1][1])]
            else:
                for start, stop in _wrapped(plain, width, max(1, width - self._hanging)):
                    yield [
                        *([(" " * self._hanging, "")] if start and self._hanging else []),
                        *_slice(line, start, stop),
                    ]


class Indent:
    """Something else, so many columns to the right."""

    def __init__(self, inner: Renderable, columns: int) -> None:
        self._inner = inner
        self._columns = columns

    def lines(self, width: int) -> Iterator[Line]:
        """As `Renderable`."""
        for line in self._inner.lines(max(1, width - self._columns)):
            yield [(" " * self._columns, ""), *line]


def doubt(sentence: str) -> Renderable:
    """What makes a result less sure, as it is shown below each."""
    return Indent(Text(f"! {sentence}", style="yellow", hanging=2), 2)


class Stack:
    """One thing above the other."""

    def __init__(self, *parts: Renderable) -> None:
        self._parts = parts

    def lines(self, width: int) -> Iterator[Line]:
        """As `Renderable`."""
        for part in self._parts:
            yield from part.lines(width)


class Column:
    """A column of a table.

    Args:
        whole: its cells are never wrapped; they are cut if nothing else can give way.
        least: columns that it keeps in any case, so that nothing narrower is ever cut.
    """

    def __init__(self, title: str = "", *, right: bool = False, whole: bool = False, least: int = 1) -> None:
        self.title = title
        self.right = right
        self.whole = whole
        self.least = least


class Table:
    """Rows of cells, each column as wide as its widest cell where the width allows.

    Args:
        gap: between columns.
    """

    def __init__(self, *columns: Column, gap: int = 2, header: bool = True) -> None:
        self._columns = columns
        self._gap = gap
        self._rows: list[list[Text]] = []
        if header:
            self.add_row(*(column.title for column in columns), style=_HEADER)

    def add_row(self, *row: str | Text, style: str = "") -> None:
        """Adds a row; cells that are left out at its end are empty."""
        texts = [Text("", style).append_text(each if isinstance(each, Text) else Text(each)) for each in row]
        self._rows.append(texts + [Text()] * (len(self._columns) - len(texts)))

    def lines(self, width: int) -> Iterator[Line]:
        """As `Renderable`."""
        widths = self._widths(width)
        for row in self._rows:
            laid = [self._cell(at, cell, widths[at]) for at, cell in enumerate(row)]
            for number in range(max(map(len, laid))):
                line: Line = []
                for at, cell_lines in enumerate(laid):
                    content = cell_lines[number] if number < len(cell_lines) else []
                    room = " " * (widths[at] - sum(cells(text) for text, _ in content))
                    line += [(" " * self._gap if at else "", "")]
                    line += [(room, ""), *content] if self._columns[at].right else [*content, (room, "")]
                yield line

    def _cell(self, at: int, cell: Text, width: int) -> list[Line]:
        return list((cell.cut(width) if self._columns[at].whole else cell).lines(width))

    def _widths(self, width: int) -> list[int]:
        widths = [
            max(column.least, *(_widest(row[at]) for row in self._rows)) for at, column in enumerate(self._columns)
        ]
        room = width - self._gap * (len(self._columns) - 1)
        # First what can be wrapped gives way, the widest first; then the rest, down to its least.
        for given in (
            [at for at, column in enumerate(self._columns) if not column.whole],
            range(len(self._columns)),
        ):
            while sum(widths) > room:
                widest = max(
                    (at for at in given if widths[at] > self._columns[at].least), key=widths.__getitem__, default=None
                )
                if widest is None:
                    break
                widths[widest] -= 1
        return widths


def rendered(what: Renderable, width: int, *, styled: bool) -> str:
    """Its lines as a terminal takes them, each with its line break.

    Args:
        styled: with escape sequences; without them, spaces at the end of a line are left out too.
    """
    lines = what.lines(width)
    if styled:
        return "".join("".join(_escaped(*span) for span in line) + "\n" for line in lines)
    return "".join("".join(text for text, _ in line).rstrip() + "\n" for line in lines)


def cut_lines(texts: Iterable[Text], width: int, *, styled: bool) -> list[str]:
    """Each text on one line, cut off at so many columns, without a line break at its end."""
    return [rendered(each.cut(width), width, styled=styled).removesuffix("\n") for each in texts]


def cells(text: str) -> int:
    """Columns that a text takes on a terminal."""
    # Of what lies between, only signs that are drawn in one column occur in reports.
    if text.isascii() or all(each < "\u0300" or "\u2010" <= each < "\u2e80" for each in text):
        return len(text)
    from unicodedata import combining, east_asian_width  # noqa: PLC0415 - a megabyte that few reports need

    return sum(0 if combining(each) else 2 if east_asian_width(each) in "WF" else 1 for each in text)


def _escaped(text: str, style: str) -> str:
    attributes: dict[str, str] = {}
    words = iter(style.split())
    for word in words:
        if word == "not":
            attributes.pop(next(words), None)
        elif word in _ATTRIBUTES:
            attributes[word] = _ATTRIBUTES[word]
        else:
            attributes["colour"] = _COLOURS[word]
    return f"\x1b[{';'.join(attributes.values())}m{text}\x1b[0m" if attributes and text else text


def _broken(spans: Iterable[Span]) -> Iterator[Line]:
    line: Line = []
    for text, style in spans:
        first, *rest = text.split("\n")
        line.append((first, style))
        for each in rest:
            yield line
            line = [(each, style)]
    yield line


def _slice(line: Sequence[Span], start: int, stop: int) -> Line:
    """The characters of a line from one number to another, in their styles."""
    found: Line = []
    at = 0
    for text, style in line:
        part = text[max(0, start - at) : max(0, stop - at)]
        if part:
            found.append((part, style))
        at += len(text)
    return found


def _wrapped(text: str, first_width: int, width: int) -> Iterator[tuple[int, int]]:
    """Where the lines of a text begin and end, broken between words, and within those that no line holds."""
    start, later_width, width = 0, width, first_width
    while cells(text[start:]) > width:
        most = _fitting(text, start, width)
        stop = text.rfind(" ", start, most + 1)
        # A break in the indent would leave an empty line.
        if stop <= start or not text[start:stop].strip():
            stop = most
        yield start, start + len(text[start:stop].rstrip())
        start, width = stop + len(text[stop:]) - len(text[stop:].lstrip(" ")), later_width
    if start < len(text) or not text:
        yield start, len(text)


def _fitting(text: str, start: int, width: int) -> int:
    """Where the longest part that takes no more than so many columns ends, if not even one character: after it."""
    stop = min(len(text), start + max(1, width))
    while stop > start + 1 and cells(text[start:stop]) > width:
        stop -= 1
    return stop


def _widest(text: Text) -> int:
    return max(sum(cells(part) for part, _ in line) for line in text.lines(1 << 30))
