"""A document as Markdown, to be pasted into an issue."""

from __future__ import annotations

from collections.abc import Iterator

from holdfast import __version__
from holdfast.page.document import Document
from holdfast.report.marking import block, code, escaped, paragraph, table


def markdown(document: Document) -> bytes:
    """The verdict in words, the places, further tables, the forms that people know, and what makes it again."""
    return ("\n".join(_lines(document)) + "\n").encode()


def _lines(document: Document) -> Iterator[str]:
    yield f"### {paragraph(document.title)}"
    yield ""
    yield f"**{escaped(document.headline)}**"
    yield ""
    for sentence in document.sentences:
        yield f"- {paragraph(sentence)}"
    for warning in document.warnings:
        yield f"- **Warning:** {paragraph(warning)}"
    if document.places:
        yield ""
        places = [(escaped(each.label), escaped(each.shown), escaped(each.note)) for each in document.places]
        yield from table(("place", "requests", ""), places, right=(1,))
    for each in document.multiples:
        yield from ("", f"**{escaped(each.title)}**: {escaped(each.headline)}")
    for sheet in document.sheets:
        yield from ("", f"**{escaped(sheet.title)}**", "")
        if sheet.sentences:
            yield from (*(f"- {paragraph(sentence)}" for sentence in sheet.sentences), "")
        rows = [tuple(map(escaped, cells)) for cells in sheet.rows]
        yield from table(tuple(map(escaped, sheet.heads)), rows, sheet.right)
        for note in sheet.notes:
            yield from ("", paragraph(note))
    for form in document.forms:
        yield from ("", f"{form.name}:", "", block(form.value))
    yield from _how(document)


def _how(document: Document) -> Iterator[str]:
    yield from ("", "<details><summary>How it was made</summary>", "")
    if document.command:
        yield from (block(document.command), "")
    for fact in document.facts:
        yield f"- {escaped(fact.name)}: {code(fact.value)}"
    yield f"- this report: `holdfast {__version__}`"
    for fact in document.unknown:
        yield f"- not measured: {code(fact.name)}, because {paragraph(fact.value)}"
    yield from ("", "</details>")
