"""XML as bytes -> a tree that knows its lines; whatever the bytes are, what is raised is `UsageError`."""

from __future__ import annotations

from dataclasses import dataclass, field
from xml.parsers import expat

from holdfast.errors import UsageError

# JMeter's own plans nest two levels for each controller; a tree that is walked by recursion needs some bound.
MOST_LEVELS = 400


@dataclass(slots=True)
class Xml:
    """An element.

    Attributes:
        text: what stands in it itself, the text of its children left out.
        line, column: where it begins, both counted from 1.
    """

    tag: str
    attributes: dict[str, str]
    line: int
    column: int
    text: str = ""
    children: list[Xml] = field(default_factory=list)


def parsed(content: bytes, origin: str) -> Xml:
    """The root of a document.

    A document type is refused: entities that stand for each other make a few lines into gigabytes, and name files.

    Args:
        origin: the file, in words.

    Raises:
        UsageError: it is no XML; with line and column.
    """
    if not content.strip():
        raise UsageError(f"{origin} is empty.", "Nothing stands in it (line 1, column 1).", "Check the file's name.")
    parser = expat.ParserCreate()
    parser.buffer_text = True
    open_elements: list[Xml] = []
    roots: list[Xml] = []

    def wrong(why: str) -> UsageError:
        return _no_plan(origin, why, parser.CurrentLineNumber, parser.CurrentColumnNumber + 1)

    def start(tag: str, attributes: dict[str, str]) -> None:
        element = Xml(tag, attributes, parser.CurrentLineNumber, parser.CurrentColumnNumber + 1)
        if len(open_elements) == MOST_LEVELS:
            raise wrong(f"Elements are nested more than {MOST_LEVELS} deep")
        (open_elements[-1].children if open_elements else roots).append(element)
        open_elements.append(element)

    def end(_tag: str) -> None:
        open_elements.pop()

    def text(data: str) -> None:
        open_elements[-1].text += data

    def document_type(*_declared: object) -> None:
        raise wrong("It declares a document type, which no plan needs and which could make it endless")

    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = text
    parser.StartDoctypeDeclHandler = document_type
    try:
        parser.Parse(content, True)  # noqa: FBT003 - expat takes it by position
    except expat.ExpatError as error:
        why = f"It is not XML: {expat.ErrorString(error.code)}"
        raise _no_plan(origin, why, error.lineno, error.offset + 1) from error
    except (ValueError, LookupError) as error:  # an encoding that Python does not have
        raise wrong(f"It is not XML that can be read: {error}") from error
    return roots[0]


def _no_plan(origin: str, why: str, line: int, column: int) -> UsageError:
    return UsageError(
        f"{origin} cannot be read (line {line}, column {column}).",
        f"{why}.",
        "Give a test plan as JMeter saves it (.jmx).",
    )
