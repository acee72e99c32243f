"""Parses XML into a tree that knows its line numbers; pure. Any bytes give a tree or a `UsageError`."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from xml.parsers import expat

from holdfast.errors import UsageError

# JMeter nests two levels per controller; the tree is walked recursively, so it needs a bound.
MOST_LEVELS = 400
# Characters that XML does not allow, written as numbers: JMeter writes them, for bodies of bytes, and reads them.
_NUMBERED = re.compile(rb"&#(?:x([0-9a-fA-F]{1,5})|([0-9]{1,5}));")
_STAND_INS = 0xF0000
_STAND_IN = re.compile("[\U000f0000-\U000fffff]")


@dataclass(slots=True)
class Xml:
    """An XML element.

    Attributes:
        text: its own text, without that of its children.
        line, column: where it begins, from 1.
    """

    tag: str
    attributes: dict[str, str]
    line: int
    column: int
    text: str = ""
    children: list[Xml] = field(default_factory=list)


def parse_xml(content: bytes, origin: str) -> Xml:
    """Parses a document and returns its root.

    Refuses a document type: its entities can expand a few lines to gigabytes, or name files to read.

    Args:
        content: the file.
        origin: the file's name, for messages.

    Raises:
        UsageError: it is not XML; names line and column.
    """
    if not content.strip():
        raise UsageError(f"{origin} is empty.", "It has no content (line 1, column 1).", "Check the file's name.")
    content = _NUMBERED.sub(_kept, content)
    parser = expat.ParserCreate()
    parser.buffer_text = True
    open_elements: list[Xml] = []
    roots: list[Xml] = []

    def error_here(why: str) -> UsageError:
        return _plan_error(origin, why, parser.CurrentLineNumber, parser.CurrentColumnNumber + 1)

    def start(tag: str, attributes: dict[str, str]) -> None:
        attributes = {name: _meant(value) for name, value in attributes.items()}
        element = Xml(tag, attributes, parser.CurrentLineNumber, parser.CurrentColumnNumber + 1)
        if len(open_elements) == MOST_LEVELS:
            raise error_here(f"Elements are nested more than {MOST_LEVELS} deep")
        (open_elements[-1].children if open_elements else roots).append(element)
        open_elements.append(element)

    def end(_tag: str) -> None:
        element = open_elements.pop()
        element.text = _meant(element.text)

    def text(data: str) -> None:
        open_elements[-1].text += data

    def document_type(*_declared: object) -> None:
        raise error_here("It declares a document type; no plan needs one, and it could expand without end")

    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = text
    parser.StartDoctypeDeclHandler = document_type
    try:
        parser.Parse(content, True)  # noqa: FBT003 - expat takes it by position
    except expat.ExpatError as error:
        why = f"It is not XML: {expat.ErrorString(error.code)}"
        raise _plan_error(origin, why, error.lineno, error.offset + 1) from error
    except (ValueError, LookupError) as error:  # an encoding that Python does not have
        raise error_here(f"It is not XML that can be read: {error}") from error
    return roots[0]


def _kept(number: re.Match[bytes]) -> bytes:
    """A character that XML does not allow as one of plane 15, which means nothing by itself."""
    code = int(number[1], 16) if number[1] else int(number[2])
    allowed = code in (0x9, 0xA, 0xD) or 0x20 <= code <= 0xD7FF or 0xE000 <= code <= 0xFFFD or code > 0xFFFF
    return number[0] if allowed else b"&#x%X;" % (_STAND_INS + code)


def _meant(text: str) -> str:
    if _STAND_IN.search(text) is None:
        return text
    meant = _STAND_IN.sub(lambda found: chr(ord(found[0]) - _STAND_INS), text)
    # Two surrogates are one character.
    return meant.encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass")


def _plan_error(origin: str, why: str, line: int, column: int) -> UsageError:
    return UsageError(
        f"{origin} cannot be read (line {line}, column {column}).",
        f"{why}.",
        "Give a test plan as JMeter saves it (.jmx).",
    )
