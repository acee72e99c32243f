"""Finds elements of HTML and XML by CSS selectors and XPath, with lxml, which is an extra of holdfast; pure.

Source: apache/jmeter 5.5, extractor/JSoupExtractor.java, util/XPathUtil.java (getValueForNode: of an element the text
before its first child).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from holdfast.model.answers import MarkupExtract

EXTRA = "pip install 'holdfast-probe[markup]'"
_UNQUOTED = re.compile(r"""\[\s*([\w:-]+)\s*([|^$*]?=)\s*([^\]"'\s][^\]"']*?)\s*\]""")
# fmt: off
_BLOCKS = frozenset({
    "address", "article", "aside", "blockquote", "br", "dd", "details", "dialog", "div", "dl", "dt", "fieldset",
    "figcaption", "figure", "footer", "form", "h1", "h2", "h3", "h4", "h5", "h6", "header", "hr", "li", "main", "nav",
    "ol", "p", "pre", "section", "table", "tbody", "td", "tfoot", "th", "thead", "tr", "ul",
})
# fmt: on


class MarkupError(ValueError):
    """A selector that cannot be read, or a library that is missing; the message says which."""


def check_selector(selector: str, language: str, namespaces: Sequence[tuple[str, str]] = ()) -> None:
    """Whether a selector can be used.

    Args:
        language: `css` or `xpath`.

    Raises:
        MarkupError: it cannot be read, or lxml is not installed.
    """
    _finder(selector, language, tuple(namespaces))


@lru_cache(maxsize=256)
def _finder(selector: str, language: str, namespaces: tuple[tuple[str, str], ...]) -> Callable[[Any], Any]:
    try:
        from lxml import etree  # noqa: PLC0415 - an extra, and 20 ms

        find: Callable[[Any], Any]
        if language == "xpath":
            find = etree.XPath(selector, namespaces=dict(namespaces) or None)
        else:
            from lxml.cssselect import CSSSelector  # noqa: PLC0415

            find = CSSSelector(_quoted(selector), translator="html")
    except ImportError as error:
        raise MarkupError(f"{selector!r} needs lxml and cssselect, which are not installed: {EXTRA}") from error
    except Exception as error:
        # What they raise for a selector has no class in common, across their versions.
        raise MarkupError(f"{selector!r} cannot be read as {language}: {error}") from error
    return find


def _quoted(selector: str) -> str:
    """A selector with quotes around the values of attributes, which JMeter's library does not ask for.

    Raises:
        ValueError: it has what means something else there: a regular expression, or a text without regard to case.
    """
    if found := re.search(r"\[[^\]]*~=|\[\^|:(?:contains|matches|eq|lt|gt|has|own|is|where)\w*\(", selector):
        raise ValueError(f"{found[0]} means something of its own to jsoup, or cannot be done")
    return _UNQUOTED.sub(r'[\1\2"\3"]', selector)


def tree_of(text: str, markup: str) -> Any:  # noqa: ANN401 - lxml has no types
    """The document's root; None if it cannot be read.

    Args:
        markup: `html`, which can always be read unless it is empty, or `xml`. What its DTD names is not read.
    """
    from lxml import etree, html  # noqa: PLC0415 - an extra

    try:
        if markup == "html":
            return html.document_fromstring(text.encode(), parser=html.HTMLParser(encoding="utf-8"))
        parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, encoding="utf-8")
        return etree.fromstring(text.encode(), parser=parser)
    except (etree.ParserError, etree.XMLSyntaxError, ValueError):
        return None


def found_in_markup(extract: MarkupExtract, selector: str, text: str) -> list[str | None]:
    """Every value that a selector finds, in order; None for an element without a text of its own.

    Raises:
        MarkupError: as `check_selector`.
    """
    find = _finder(selector, extract.language, extract.namespaces)
    root = tree_of(text, extract.markup)
    if root is None:
        return []
    found = find(root)
    if not isinstance(found, list):
        return [_plain(found)]
    return [_value(each, extract) for each in found]


def holds_in_markup(selector: str, text: str, markup: str, namespaces: tuple[tuple[str, str], ...]) -> bool:
    """Whether an XPath finds anything, or is true.

    Raises:
        MarkupError: it cannot be read, or the document cannot.
    """
    find = _finder(selector, "xpath", namespaces)
    root = tree_of(text, markup)
    if root is None:
        raise MarkupError(f"the answer is not {markup.upper()}")
    found = find(root)
    return found if isinstance(found, bool) else bool(found)


def _plain(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def _value(found: Any, extract: MarkupExtract) -> str | None:  # noqa: ANN401 - an element of lxml, or a text
    if isinstance(found, str):
        return str(found)
    if extract.attribute:
        return str(found.get(extract.attribute, ""))
    if extract.whole:
        from lxml import etree  # noqa: PLC0415 - an extra

        return str(etree.tostring(found, encoding="unicode", with_tail=False))
    if extract.language == "css":
        return " ".join("".join(_words(found)).split())
    if extract.first_text:
        return str(found.text) if found.text else None
    return "".join(found.itertext())


def _words(element: Any) -> Iterator[str]:  # noqa: ANN401 - an element of lxml
    """The texts in an element, with blanks where a block begins or ends."""
    is_block = element.tag in _BLOCKS
    if is_block:
        yield " "
    if isinstance(element.tag, str):
        yield element.text or ""
    for inner in element:
        yield from _words(inner)
        yield inner.tail or ""
    if is_block:
        yield " "
