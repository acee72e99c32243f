"""What is wrong with a built site: files that are missing, and what a browser would ask another host for."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

# What a browser fetches without being asked. A link that a person follows (a, area) is not one of them.
_FETCHED = {
    "audio": ("src",),
    "embed": ("src",),
    "iframe": ("src",),
    "image": ("href", "xlink:href"),
    "img": ("src", "srcset"),
    "input": ("src",),
    "link": ("href",),
    "object": ("data",),
    "script": ("src",),
    "source": ("src", "srcset"),
    "track": ("src",),
    "use": ("href", "xlink:href"),
    "video": ("src", "poster"),
}
# These say something of a page; no browser fetches them.
_ONLY_SAID = frozenset({"alternate", "author", "canonical", "help", "license", "next", "prev"})
_IN_CSS = re.compile(r"url\(\s*['\"]?([^'\")]+)|@import\s+['\"]([^'\"]+)")


class _Page(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.fetched: list[str] = []
        self.followed: list[str] = []
        self.ids: set[str] = set()
        self.policy = False
        self._in_style = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.ids.update(given[name] for name in ("id", "name") if name in given)
        self._in_style = tag == "style"
        self.policy |= tag == "meta" and given.get("http-equiv") == "Content-Security-Policy"
        if tag in {"a", "area"}:
            self.followed.append(given.get("href", ""))
        said = tag == "link" and set(given.get("rel", "").split()) <= _ONLY_SAID
        for name in () if said else _FETCHED.get(tag, ()):
            if name in given:
                # An entry of srcset is an address and a size.
                parts = [each.split()[0] for each in given[name].split(",")] if name == "srcset" else [given[name]]
                self.fetched.extend(parts)
        self.fetched.extend(in_css(given.get("style", "")))

    def handle_data(self, data: str) -> None:
        if self._in_style:
            self.fetched.extend(in_css(data))


def in_css(text: str) -> Iterator[str]:
    """The addresses that a style sheet fetches."""
    for found in _IN_CSS.finditer(text):
        yield found[1] or found[2]


def faults(site: Path) -> list[str]:
    """What is wrong, a sentence each, with the file first; empty where nothing is."""
    pages = {path: _read(path) for path in sorted(site.rglob("*.html"))}
    found = [
        f"{path.relative_to(site)}: {what}" for path, page in pages.items() for what in _of_page(path, page, pages)
    ]
    for path in sorted(site.rglob("*.css")):
        addresses = filter(outside, in_css(path.read_text(encoding="utf-8")))
        found += [f"{path.relative_to(site)}: fetches {each} from another host" for each in addresses]
    return found


def outside(address: str) -> bool:
    """Whether an address is another host's; `data:` and `blob:` are part of the page."""
    parts = urlsplit(address)
    return bool(parts.netloc) or parts.scheme not in {"", "data", "blob"}


def _read(path: Path) -> _Page:
    page = _Page()
    page.feed(path.read_text(encoding="utf-8"))
    return page


def _of_page(path: Path, page: _Page, pages: dict[Path, _Page]) -> Iterator[str]:
    if not page.policy:
        yield "has no Content-Security-Policy, so a script may ask another host"
    for address in page.fetched:
        if outside(address):
            yield f"fetches {address} from another host"
    for address in (*page.fetched, *page.followed):
        # 404.html is served for an address of any depth, so its links begin at the root.
        if outside(address) or address.startswith(("data:", "blob:", "javascript:", "/")):
            continue
        parts = urlsplit(address)
        there = (path.parent / unquote(parts.path)).resolve() if parts.path else path
        there = there / "index.html" if there.is_dir() else there
        if not there.exists():
            yield f"leads to {address}, which does not exist"
        elif parts.fragment and there in pages and unquote(parts.fragment) not in pages[there].ids:
            yield f"leads to {address}, which has no such heading"
