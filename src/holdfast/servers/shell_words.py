"""The simple commands of a shell's text, word by word, and where each word lies in it. Pure.

It knows quotes, the ends of commands, redirections and assignments in front of a command: what start commands are made
of. What the shell would compute (variables, substitutions, patterns) is left as it is written and marked.
Source: POSIX, Shell Command Language, 2.2 Quoting, 2.3 Token Recognition, 2.9.1 Simple Commands.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from holdfast.model.frozen import frozen


class Word(NamedTuple):
    """A word at `text[start:end]`.

    Attributes:
        value: without its quotes; as it is written where the shell would compute it.
        computed: whether the shell would.
    """

    start: int
    end: int
    value: str
    computed: bool = False


@frozen
class SimpleCommand:
    """A program and its arguments.

    Attributes:
        words: without redirections and assignments.
        assignments: variables that are set for this command alone.
        interrupted: whether a redirection lies between its words.
    """

    words: tuple[Word, ...]
    assignments: tuple[Word, ...]
    interrupted: bool = False


_REDIRECTION = re.compile(r"\d*(?:[<>]{1,3}[&|]?|&>>?)")
_END = re.compile(r"&&|\|\||;;|[;&|()\n]")
_BLANK = re.compile(r"[ \t]+|\\\n|#[^\n]*")
_IN_BRACKETS = "[^()]*"
for _ in range(3):
    _IN_BRACKETS = rf"(?:[^()]|\({_IN_BRACKETS}\))*"
_PART = re.compile(
    r"""'(?P<single>[^']*)'|"(?P<double>(?:[^"\\]|\\.)*)"|\\(?P<escaped>.)"""
    rf"""|(?P<substituted>\$\({_IN_BRACKETS}\)|`[^`]*`)"""
    r"""|(?P<plain>(?:[^\s'"\\;&|()<>`$]|\$(?!\())+)""",
    re.DOTALL,
)
_COMPUTED = re.compile(r"[$*?~\[{]")
_COMPUTED_IN_QUOTES = re.compile(r"(?<!\\)[$`]")
_ASSIGNMENT = re.compile(r"[A-Za-z_]\w*=")


def simple_commands(text: str) -> Iterator[SimpleCommand]:
    """The commands of a text, in order.

    Raises:
        ValueError: a quote is not closed.
    """
    words: list[Word] = []
    at, target_next, redirected, interrupted = 0, False, False, False
    while at < len(text):
        if blank := _BLANK.match(text, at):
            at = blank.end()
        elif redirection := _REDIRECTION.match(text, at):
            at, target_next, redirected = redirection.end(), True, True
        elif end := _END.match(text, at):
            if words:
                yield _as_command(words, interrupted=interrupted)
            words, redirected, interrupted, at = [], False, False, end.end()
        else:
            word = _word(text, at)
            at = word.end
            if target_next:
                target_next = False
            else:
                interrupted |= redirected
                words.append(word)
    if words:
        yield _as_command(words, interrupted=interrupted)


def _word(text: str, start: int) -> Word:
    at, value, computed = start, "", False
    while part := _PART.match(text, at):
        kind, found = part.lastgroup, part[part.lastgroup or 0]
        computed |= (
            kind == "substituted"
            or (kind == "plain" and _COMPUTED.search(found) is not None)
            or (kind == "double" and _COMPUTED_IN_QUOTES.search(found) is not None)
        )
        value += re.sub(r'\\([$`"\\\n])', r"\1", found) if kind == "double" else found
        at = part.end()
    if at == start:
        raise ValueError(f"no end of {text[start : start + 20]!r}")
    return Word(start, at, text[start:at] if computed else value, computed)


def _as_command(words: list[Word], *, interrupted: bool) -> SimpleCommand:
    first = next((at for at, word in enumerate(words) if not _ASSIGNMENT.match(word.value)), len(words))
    return SimpleCommand(tuple(words[first:]), tuple(words[:first]), interrupted)
