"""Makes the documentation site in build/docs/site/, and says what is wrong with it.

    python -m scripts.documentation.build            from the repository's root; exits 1 where something is wrong

The pages are those of docs/, CONTRIBUTING.md and CHANGELOG.md as they are, and those that are generated here: nothing
of what is generated is committed, since all of it follows from files that are.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath

from scripts.documentation import checks, json_reference, python_reference, servers
from scripts.documentation.links import rewritten

ROOT = Path(__file__).parents[2]
HERE = Path(__file__).parent
WORK = ROOT / "build" / "docs"
SITE = WORK / "site"
AT_THE_TOP = ("CONTRIBUTING.md", "CHANGELOG.md")
PICTURES = frozenset({".png", ".svg", ".webp"})


def pages_of(root: Path) -> dict[str, str]:
    """Path in the repository -> path on the site, of every file that is copied there."""
    docs = root / "docs"
    found = {f"docs/{each.relative_to(docs).as_posix()}": each.relative_to(docs).as_posix() for each in _copied(docs)}
    # What the README says to a stranger, the start page says too.
    return {**found, **{name: name for name in AT_THE_TOP}, "README.md": "index.md"}


def generated(root: Path) -> Mapping[str, str]:
    """Path on the site -> Markdown, of every page that is made here."""
    return {**servers.pages(servers.read(root / "docs")), **json_reference.pages(), **python_reference.pages()}


def configuration(template: str, pages: Mapping[str, str]) -> str:
    """The site's configuration, with an entry for each generated page of a server.

    Raises:
        ValueError: a page has no place in it, or a place no page.
    """
    servers = sorted((path for path in pages if path.startswith("servers/")), key=str.lower)
    entries = ", ".join(f'"{path}"' for path in servers)
    text = template.replace('"@servers"', entries)
    named = set(_named(tomllib.loads(text)["project"]["nav"]))
    if missing := sorted(set(pages) - named):
        raise ValueError(
            f"{', '.join(missing)}: a page without a place on the site. Give it one under `nav` in "
            "scripts/documentation/zensical.toml."
        )
    if unknown := sorted(named - set(pages)):
        raise ValueError(f"{', '.join(unknown)}: named in scripts/documentation/zensical.toml, and not a page.")
    return text


def gather(root: Path, work: Path) -> None:
    """Puts all that the site is made from into one directory."""
    shutil.rmtree(work, ignore_errors=True)
    pages = pages_of(root)
    markdown: dict[str, str] = {}
    for path, on_site in pages.items():
        if path.endswith(".md") and path != "README.md":
            text = (root / path).read_text(encoding="utf-8")
            markdown[on_site] = rewritten(text, PurePosixPath(path), pages, root)
        elif not path.endswith(".md"):
            _copy(root / path, work / "pages" / on_site)
    markdown |= generated(root)
    for on_site, text in markdown.items():
        to = work / "pages" / on_site
        to.parent.mkdir(parents=True, exist_ok=True)
        to.write_text(text, encoding="utf-8")
    for name in ("holdfast.css", "holdfast.js"):
        _copy(HERE / name, work / "pages" / name)
    shutil.copytree(HERE / "theme", work / "theme")
    template = (HERE / "zensical.toml").read_text(encoding="utf-8")
    (work / "zensical.toml").write_text(configuration(template, markdown), encoding="utf-8")


def main() -> int:
    """Builds, and checks what was built."""
    try:
        gather(ROOT, WORK)
    except ValueError as error:
        print(error, file=sys.stderr)
        return 1
    command = [
        sys.executable,
        "-m",
        "zensical",
        "build",
        "--strict",
        "--clean",
        "--config-file",
        str(WORK / "zensical.toml"),
    ]
    built = subprocess.run(command, capture_output=True, text=True, check=False)
    if built.returncode:
        # Behind what it found, zensical writes a traceback of its own when a warning ends it.
        print(built.stdout, built.stderr.partition("Traceback (most recent call last)")[0], file=sys.stderr)
        return 1
    found = checks.faults(SITE)
    for each in found:
        print(each, file=sys.stderr)
    print(f"{SITE / 'index.html'}: {len(list(SITE.rglob('*.html')))} pages, {len(found)} faults")
    return int(bool(found))


def _copied(docs: Path) -> Iterator[Path]:
    for path in sorted(docs.rglob("*")):
        if path.suffix == ".md" or path.suffix in PICTURES:
            yield path


def _copy(path: Path, to: Path) -> None:
    to.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(path, to)


def _named(nav: object) -> Iterator[str]:
    if isinstance(nav, str):
        yield nav
    elif isinstance(nav, dict):
        for each in nav.values():
            yield from _named(each)
    elif isinstance(nav, list):
        for each in nav:
            yield from _named(each)


if __name__ == "__main__":
    sys.exit(main())
