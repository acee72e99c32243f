r"""Regular expressions as JMeter reads them, in Python's; pure.

JMeter matches with Jakarta ORO 2.0.8, whose syntax is that of Perl 5.003. Most of it means the same in Python's `re`.
What does not is written anew (`\Z`, `\e`, `\cX`, `[[:alpha:]]`, a `{` that is not a count), and what one of the two
lacks is refused.
Source: jakarta-oro 2.0.8, org/apache/oro/text/regex/Perl5Compiler.java (__parseExpression, __parseBranch, __parseAtom,
__parseCharacterClass): `(?imsx)` counts for the whole pattern, wherever it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

_CLASSES = {
    "alnum": "A-Za-z0-9",
    "alpha": "A-Za-z",
    "blank": r" \t",
    "cntrl": r"\x00-\x1f\x7f",
    "digit": "0-9",
    "graph": "!-~",
    "lower": "a-z",
    "print": " -~",
    "punct": r"!-/:-@\[-`{-~",
    "space": r"\s",
    "upper": "A-Z",
    "xdigit": "0-9A-Fa-f",
}
_COUNT = re.compile(r"\{\d+(?:,\d*)?\}")
_FLAGS = re.compile(r"\(\?([iogmsx-]+)\)")
_AS_IN_PYTHON = "wWsSdDbBnrtfA0123456789"
_TWICE_IN_PYTHON = "[&~|-"


class PatternError(ValueError):
    """A regular expression that cannot be read, or would not mean the same here; the message says why."""


@lru_cache(maxsize=2048)
def compiled(pattern: str) -> re.Pattern[str]:
    """A pattern of JMeter's, compiled.

    Raises:
        PatternError: it is not one, or one of JMeter and Python cannot read it.
    """
    body, flags = _translated(pattern)
    try:
        return re.compile(body, flags)
    except (re.error, OverflowError, RecursionError) as error:
        raise PatternError(f"{pattern!r} is not a regular expression that holdfast can read: {error}") from error


def every_match(pattern: re.Pattern[str], text: str) -> Iterator[re.Match[str]]:
    """Matches in order, as ORO finds them: none that is empty right behind another one."""
    end = -1
    for found in pattern.finditer(text):
        if found.start() != found.end() or found.start() != end:
            end = found.end()
            yield found


def matches_whole(pattern: re.Pattern[str], text: str) -> bool:
    """Whether the first match at the begin reaches the end, as ORO's `matches` asks: it does not look for another."""
    found = pattern.match(text)
    return found is not None and found.end() == len(text)


def _translated(pattern: str) -> tuple[str, re.RegexFlag]:
    out: list[str] = []
    flags = re.RegexFlag(0)
    at = 0
    while at < len(pattern):
        char = pattern[at]
        if char == "\\":
            text, at = _escape(pattern, at)
        elif char == "[":
            text, at = _character_class(pattern, at)
        elif char == "(" and pattern.startswith("(?", at):
            if found := _FLAGS.match(pattern, at):
                flags |= _flags(found[1])
                at = found.end()
                if at == len(pattern):
                    raise PatternError(
                        f"{pattern!r} has {found[0]} at its end, where JMeter's own matcher cannot read it"
                    )
                continue
            text, at = _group(pattern, at), at + 3
        elif char == "{":
            count = _COUNT.match(pattern, at)
            text, at = (count[0], count.end()) if count else (r"\{", at + 1)
        elif char in "*+?}" and _is_possessive(pattern, at):
            raise PatternError(f"{pattern!r} has a + behind a repetition, which JMeter's own matcher cannot read")
        else:
            text, at = char, at + 1
        out.append(text)
    return "".join(out), flags


def _flags(letters: str) -> re.RegexFlag:
    known = {"i": re.IGNORECASE, "m": re.MULTILINE, "s": re.DOTALL, "x": re.VERBOSE}
    flags = re.RegexFlag(0)
    for letter in letters.partition("-")[0]:
        flags |= known.get(letter, re.RegexFlag(0))
    return flags


def _is_possessive(pattern: str, at: int) -> bool:
    """Whether this + makes the repetition before it possessive, which Python knows and ORO does not."""
    return (
        pattern[at] == "+" and at > 0 and pattern[at - 1] in "*+?" and not pattern[:at].endswith("\\" + pattern[at - 1])
    )


def _group(pattern: str, at: int) -> str:
    """The begin of a group `(?:`, `(?=` or `(?!`; comments are dropped by Python too."""
    begin = pattern[at : at + 3]
    if begin in ("(?:", "(?=", "(?!", "(?#"):
        return begin
    raise PatternError(f"{pattern!r} has a {pattern[at : at + 4]!r}, which JMeter's own matcher cannot read")


def _escape(pattern: str, at: int) -> tuple[str, int]:
    r"""What begins with the backslash at `at`, outside of `[]`, and its end."""
    char = pattern[at + 1 : at + 2]
    if not char:
        raise PatternError(f"{pattern!r} ends with a backslash")
    if char in _AS_IN_PYTHON:
        return f"\\{char}", at + 2
    if char == "Z":
        return r"(?=\n?\Z)", at + 2
    if char in "GpPQ":
        raise PatternError(rf"{pattern!r} has a \{char}, which does not mean the same to JMeter's own matcher")
    return _escaped_character(pattern, at)


def _escaped_character(pattern: str, at: int) -> tuple[str, int]:
    r"""One character written with the backslash at `at`, and its end."""
    char = pattern[at + 1]
    if char == "x":
        found = re.compile(r"[0-9a-fA-F]{0,2}").match(pattern, at + 2)
        assert found is not None
        return re.escape(chr(int(found[0] or "0", 16))), found.end()
    if char == "c" and at + 2 < len(pattern):
        return re.escape(chr(ord(pattern[at + 2].upper()) ^ 64)), at + 3
    return re.escape({"e": "\x1b", "a": "\a"}.get(char, char)), at + 2


def _character_class(pattern: str, at: int) -> tuple[str, int]:
    """The class that begins with the `[` at `at`, and its end."""
    out = ["["]
    at += 1
    if pattern.startswith("^", at):
        out.append("^")
        at += 1
    first = True
    while at < len(pattern) and (pattern[at] != "]" or first):
        first = False
        if found := re.compile(r"\[:(\^?)(\w+):\]").match(pattern, at):
            if found[1] or found[2] not in _CLASSES:
                raise PatternError(f"{pattern!r} has the class {found[0]}, which is not supported")
            out.append(_CLASSES[found[2]])
            at = found.end()
        elif pattern[at] == "\\" and at + 1 < len(pattern):
            if pattern[at + 1] in "wWsSdDbnrtf01234567":
                out.append(pattern[at : at + 2])
                at += 2
                if pattern[at : at + 1] == "-" and pattern[at - 1] in "wWsSdD":
                    out.append(r"\-")
                    at += 1
            else:
                text, at = _escaped_character(pattern, at)
                out.append(text)
        else:
            # Python warns where two of these are next to each other, as they may mean an operation on sets one day.
            plain = pattern[at] not in _TWICE_IN_PYTHON or pattern[at] == "-"
            out.append(pattern[at] if plain else f"\\{pattern[at]}")
            at += 1
    if at >= len(pattern):
        raise PatternError(f"{pattern!r} has a [ without its ]")
    out.append("]")
    return "".join(out), at + 1
