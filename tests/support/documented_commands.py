"""The command lines in the documents: lines of `sh` blocks that begin with `holdfast` or `make`.

    ```sh
    holdfast load http://127.0.0.1:8000/ --rate 50/s --for 2s
    holdfast load http://127.0.0.1:8000/gone --burst 1 --threshold 'errors<1'      # exits 1
    ```

    <!-- not run: needs JMeter -->
    ```sh
    jmeter -g results.jtl -o dashboard
    ```

`# exits N` at the end of a line names its exit code where that is not 0. The comment on the line before a block says
why its lines cannot be run here.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

PROGRAMS = ("holdfast", "make")

_FENCE = re.compile(r"```+\s*(\w*)")
_NOT_RUN = re.compile(r"<!--\s*not run\b:?(.*?)-->")
_EXITS = re.compile(r"\bexits (\d+)\b")
_BETWEEN_COMMANDS = frozenset({";", "&&", "|"})


@dataclass(frozen=True, slots=True)
class CommandLine:
    """One command line of a document.

    Attributes:
        place: document and line, as in "docs/load.md:12".
        text: what a shell gets, without the comment.
        exits: the exit code that the document promises.
        not_run: why it cannot be run in a test; "" if it can.
    """

    place: str
    text: str
    exits: int
    not_run: str

    @property
    def commands(self) -> tuple[tuple[str, ...], ...]:
        """Its `holdfast` and `make` commands, each as the words that the program gets.

        Raises:
            ValueError: a quote is not closed, or a shell operator makes it something other than commands in a row.
        """
        return tuple(each for each in _split(self.text, self.place) if each[:1] and each[0] in PROGRAMS)


def documents(root: Path) -> list[Path]:
    """README.md, and docs/ with its folders."""
    return [root / "README.md", *sorted((root / "docs").rglob("*.md"))]


def command_lines(document: Path, root: Path) -> list[CommandLine]:
    """All command lines of a document, in order; raises as `read`."""
    return list(read(document.read_text(encoding="utf-8"), document.relative_to(root).as_posix()))


def read(markdown: str, name: str) -> Iterator[CommandLine]:
    """All command lines of a document.

    Args:
        name: of the document, for places.

    Raises:
        ValueError: a block is not closed, or a mark "not run" has no reason or no `sh` block below it.
    """
    lines = markdown.splitlines()
    at = 0
    not_run = ""
    while at < len(lines):
        place = f"{name}:{at + 1}"
        fence = _FENCE.match(lines[at])
        if not_run and (fence is None or fence[1] != "sh"):
            raise ValueError(f"{place}: a mark 'not run' belongs on the line before a block ```sh")
        if fence is not None:
            end = next((n for n in range(at + 1, len(lines)) if lines[n].strip() == "```"), None)
            if end is None:
                raise ValueError(f"{place}: this block is not closed")
            if fence[1] == "sh":
                yield from _of_block(lines, range(at + 1, end), name, not_run)
            not_run = ""
            at = end
        elif mark := _NOT_RUN.match(lines[at].strip()):
            not_run = mark[1].strip()
            if not not_run:
                raise ValueError(f"{place}: a mark 'not run' needs its reason: <!-- not run: REASON -->")
        at += 1
    if not_run:
        raise ValueError(f"{name}: a mark 'not run' belongs on the line before a block ```sh")


def _of_block(lines: Sequence[str], block: range, name: str, not_run: str) -> Iterator[CommandLine]:
    text, first = "", 0
    for at in block:
        first = first if text else at + 1
        text += lines[at]
        if text.endswith("\\") and at + 1 in block:
            text = text[:-1]
            continue
        command, comment = _without_comment(text)
        if command.split(maxsplit=1)[:1] and command.split(maxsplit=1)[0] in PROGRAMS:
            exits = _EXITS.search(comment)
            yield CommandLine(f"{name}:{first}", command, int(exits[1]) if exits else 0, not_run)
        text = ""


def _without_comment(line: str) -> tuple[str, str]:
    """A line in two, as a shell sees it: a # begins a comment only outside of quotes and words."""
    quote = ""
    for at, char in enumerate(line):
        if quote:
            quote = "" if char == quote else quote
        elif char in "'\"":
            quote = char
        elif char == "#" and (at == 0 or line[at - 1].isspace()):
            return line[:at].strip(), line[at + 1 :]
    return line.strip(), ""


def _split(text: str, place: str) -> Iterator[tuple[str, ...]]:
    lexer = shlex.shlex(text, posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    lexer.commenters = ""
    words: list[str] = []
    try:
        for word in lexer:
            if word in _BETWEEN_COMMANDS:
                yield tuple(words)
                words = []
            elif word and set(word) <= set("();<>|&"):
                raise ValueError(f"{word} is not for a documented command; quote it, or write two lines")
            else:
                words.append(word)
    except ValueError as error:
        raise ValueError(f"{place}: {error}: {text}") from error
    yield tuple(words)
