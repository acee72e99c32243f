"""Text from outside as it may be shown: a server, a recording or a log must not control the reader's terminal."""

from __future__ import annotations

import re

# Control characters (ECMA-48: C0, DEL, C1), what turns the direction of text (Unicode TR 36, 3.2), what cannot be seen
# and what separates lines. Of what Python calls not printable, only spaces are left as they are.
_HIDDEN = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    r"\ud800-\udfff\U000e0000-\U000e007f]"
)

# What reports draw with, for a terminal that knows ASCII alone: each sign that fills a lane stays one of its own.
_IN_ASCII = str.maketrans(
    {
        "█": "#",
        "▓": "=",
        "▚": "%",
        "▒": "-",
        "░": "~",
        "·": ":",
        "■": "#",
        "□": ".",
        "━": "=",
        "─": "-",
        "…": "~",
    }
)


def printable(text: str) -> str:
    r"""The text with each character that cannot be seen as an escape, such as `\x1b`; tabs and line breaks stay."""
    return text if text.isprintable() else _HIDDEN.sub(_escaped, text.replace("\r\n", "\n"))


def hidden_as_json(text: str) -> str:
    r"""JSON with the same characters as JSON's own escapes, such as `\u009b`: the value stays the same."""
    return text if text.isprintable() else _HIDDEN.sub(_escaped_in_json, text)


def in_ascii(text: str) -> str:
    """The text with the signs of bars, cells and cuts as others that ASCII has."""
    return text.translate(_IN_ASCII)


def _escaped(match: re.Match[str]) -> str:
    return match[0].encode("unicode_escape").decode()


def _escaped_in_json(match: re.Match[str]) -> str:
    units = match[0].encode("utf-16-be", "surrogatepass").hex()
    return "".join(f"\\u{units[at : at + 4]}" for at in range(0, len(units), 4))
