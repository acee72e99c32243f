"""Links between documents: which there are, where they lead, and what GitHub calls a heading."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

_FENCE = re.compile(r"^ *(```+)")
_LINK = re.compile(r"!?\[(?:[^\[\]]|\[[^\]]*\])*\]\(([^()\s]+)(?:\s+\"[^\"]*\")?\)")
_HEADING = re.compile(r"^(#{1,6})\s+(.*?)\s*#*\s*$")
_CODE = re.compile(r"(`+)(?:(?!\1).)+\1")


@dataclass(frozen=True, slots=True)
class Link:
    """A link of a document to something else than the web.

    Attributes:
        line: where it begins, counted from 1.
        target: as written, without the part from # on; "" is the document itself.
        anchor: behind the #; "" without one.
    """

    line: int
    target: str
    anchor: str


def links(markdown: str) -> Iterator[Link]:
    """The relative links and pictures of a document, those in code left out."""
    for number, line in _prose(markdown):
        for found in _LINK.finditer(_CODE.sub("", line)):
            if "://" not in found[1] and not found[1].startswith("mailto:"):
                target, _, anchor = found[1].partition("#")
                yield Link(number, target, anchor)


def anchors(markdown: str) -> set[str]:
    """What GitHub calls the headings of a document.

    Source: github-slugger, which GitHub's own rendering is described by: lower case, without punctuation, a hyphen for
    each space, and a number behind a name that was there before.
    """
    seen: dict[str, int] = {}
    for _, line in _prose(markdown):
        if heading := _HEADING.match(line):
            text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading[2])
            name = re.sub(r"[^\w\- ]", "", text.lower()).replace(" ", "-")
            seen[name] = seen.get(name, -1) + 1
            if seen[name]:
                seen[f"{name}-{seen[name]}"] = 0
    return set(seen)


def rewritten(markdown: str, document: PurePosixPath, pages: dict[str, str], root: Path) -> str:
    """A document with its links as the site has them; of a link to a file that is not a page, only the words remain.

    Args:
        document: its path in the repository.
        pages: path in the repository -> path on the site, of every file that the site has.
        root: of the repository.

    Raises:
        ValueError: a link leads to nothing.
    """
    here = PurePosixPath(pages[document.as_posix()]).parent
    lines = markdown.split("\n")
    for number, line in _prose(markdown):
        lines[number - 1] = _LINK.sub(lambda found: _on_site(found, document, here, pages, root), line)
    return "\n".join(lines)


def resolved(document: PurePosixPath, target: str) -> str:
    """The path in the repository to which a link of a document leads; "../x" where it leads out of it."""
    parts: list[str] = []
    for part in (document.parent / target).parts:
        if part == ".." and parts and parts[-1] != "..":
            parts.pop()
        elif part != ".":
            parts.append(part)
    return "/".join(parts)


def _on_site(
    found: re.Match[str], document: PurePosixPath, here: PurePosixPath, pages: dict[str, str], root: Path
) -> str:
    target, hash_, anchor = found[1].partition("#")
    if "://" in target or target.startswith("mailto:") or not target:
        return found[0]
    there = resolved(document, target)
    if there not in pages and (root / there).exists():
        return found[0][1 : found[0].rindex("](")]
    if there not in pages:
        raise ValueError(f"{document}: {found[0]} leads to {there}, which does not exist")
    return found[0].replace(f"({found[1]}", f"({_relative(here, pages[there])}{hash_}{anchor}")


def _relative(here: PurePosixPath, there: str) -> str:
    own, other = here.parts, PurePosixPath(there).parts
    common = 0
    while common < min(len(own), len(other) - 1) and own[common] == other[common]:
        common += 1
    return "/".join([".."] * (len(own) - common) + list(other[common:]))


def _prose(markdown: str) -> Iterator[tuple[int, str]]:
    """The lines outside of fenced code, with their numbers."""
    fence = ""
    for number, line in enumerate(markdown.split("\n"), start=1):
        mark = _FENCE.match(line)
        if fence:
            if mark and mark[1].startswith(fence) and not line.strip(" `"):
                fence = ""
        elif mark:
            fence = mark[1]
        else:
            yield number, line


def markdown_files(root: Path) -> list[Path]:
    """Every document that a person reads: those at the top, and docs/ with its folders."""
    return [
        *(root / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")),
        *sorted((root / "docs").rglob("*.md")),
    ]
