"""What a page embeds: the references that a client fetches with it; pure.

Which elements: what browsers fetch without being asked, as far as HTML says so, and as JMeter's parser of HTML does
(LagartoBasedHtmlParser). Scripts are not run, so what they would fetch is not known.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from urllib.parse import urljoin

MOST_PARSED = 2 << 20
"""Bytes of a page that are looked through."""

_SOURCES = frozenset({"img", "script", "frame", "iframe", "embed", "bgsound", "source", "audio", "video", "track"})
_ICONS = frozenset({"stylesheet", "icon", "shortcut icon"})
_IN_CSS = re.compile(r"""url\(\s*(?:"([^"\n]*)"|'([^'\n]*)'|([^"'()\s]+))\s*\)|@import\s+(?:"([^"\n]*)"|'([^'\n]*)')""")
_COMMENTS = re.compile(r"/\*.*?\*/", re.DOTALL)
_CHARSET = re.compile(r"charset\s*=\s*[\"']?([\w.:-]+)", re.IGNORECASE)
_TYPE = re.compile(r"^content-type[ \t]*:[ \t]*([^;\r\n]*)(.*)$", re.IGNORECASE | re.MULTILINE)
_HTML = frozenset({"text/html", "application/xhtml+xml"})


def references_in(head: str, body: bytes) -> list[str]:
    """What a page or a style sheet refers to, in order, each once; of anything else nothing.

    A `<base href>` is worked in. What a page needs not fetch (`data:`, `about:`, `javascript:`) is left out.
    """
    found = _TYPE.search(head)
    kind = found[1].strip().lower() if found else ""
    if kind not in _HTML and kind != "text/css":
        return []
    charset = _CHARSET.search(found[2]) if found else None
    text = _text(body[:MOST_PARSED], charset[1] if charset else "utf-8")
    if kind == "text/css":
        references = _in_css(text)
    else:
        page = _Page()
        page.feed(text)
        page.close()
        references = iter(page.references)
    kept = (each.partition("#")[0].strip() for each in references)
    return [each for each in dict.fromkeys(kept) if each and not _is_elsewhere(each)]


class _Page(HTMLParser):
    """Collects references.

    Attributes:
        references: as written, joined to the `<base>` before them.
    """

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.references: list[str] = []
        self._based = ""
        self._in_style = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """See `HTMLParser`."""
        values = {name: value or "" for name, value in reversed(attrs)}
        if tag == "base" and values.get("href"):
            self._based = values["href"]
        for each in _of_element(tag, values):
            self._add(each)
        for each in _in_css(values.get("style", "")):
            self._add(each)
        self._in_style = tag == "style"

    def handle_endtag(self, tag: str) -> None:
        """See `HTMLParser`."""
        self._in_style = self._in_style and tag != "style"

    def handle_data(self, data: str) -> None:
        """See `HTMLParser`."""
        if self._in_style:
            for each in _in_css(data):
                self._add(each)

    def _add(self, reference: str) -> None:
        if reference:
            self.references.append(urljoin(self._based, reference) if self._based else reference)


def _of_element(tag: str, values: dict[str, str]) -> Iterator[str]:
    if tag in _SOURCES or (tag == "input" and values.get("type", "").lower() == "image"):
        yield values.get("src", "")
    elif tag == "link" and values.get("rel", "").strip().lower() in _ICONS:
        yield values.get("href", "")
    elif tag == "object":
        yield values.get("data", "")
    if tag != "link":
        yield values.get("background", "")


def _in_css(text: str) -> Iterator[str]:
    if "url(" in text or "@import" in text:
        for groups in _IN_CSS.findall(_COMMENTS.sub("", text)):
            yield "".join(groups)


def _text(body: bytes, charset: str) -> str:
    try:
        return body.decode(charset, "replace")
    except (LookupError, ValueError):
        return body.decode("utf-8", "replace")


def _is_elsewhere(reference: str) -> bool:
    scheme, colon, _ = reference.partition(":")
    return bool(colon) and "/" not in scheme and scheme.lower() not in ("http", "https", "")
