"""Two results compared, for a terminal."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import TypeGuard

from holdfast.model.difference import Difference, FieldDifference, Interval, Meaning, Side
from holdfast.model.instants import shown_instant
from holdfast.report.layout import Column, Indent, Renderable, Stack, Table, Text
from holdfast.report.runs import shown_revision

_INDENT = 2
_PORT = re.compile(r"(?<=:)\d+\Z")
_STYLES: dict[Meaning, str] = {"change": "bold yellow", "unknown": "bold", "noise": "dim"}
_OF_A_CEILING = ("ceiling.", "http2.", "verdict.ceiling.", "verdict.http2.")


def render_difference(difference: Difference, *, everything: bool = False) -> Renderable:
    """What changed, what is not known on one side, and what is noise.

    Args:
        everything: each field that is noise with its reason, and the reasons of the others.
    """
    parts: list[Renderable] = [_side(difference.before), _side(difference.after)]
    changes, unknown, noise = (
        [each for each in difference.fields if each.meaning == meaning] for meaning in ("change", "unknown", "noise")
    )
    if changes:
        parts += _section("What changed", "change", changes, everything=everything)
    else:
        parts += [Text(), Text("Nothing changed.", "bold green")]
    if unknown:
        parts += _section("Known on one side only", "unknown", unknown, everything=everything)
    if noise and everything:
        parts += _section("Noise", "noise", noise, everything=True)
    same = f"{_many(difference.same, 'field is', 'fields are')} the same."
    if noise and not everything:
        differ = _many(len(noise), "field differs", "fields differ")
        same = f"{differ} by no more than two runs of one server do (--all lists them), and {same}"
    return Stack(*parts, Text(), Text(same, "dim"))


def _many(number: int, one: str, several: str) -> str:
    return f"{number} {one if number == 1 else several}"


def _side(side: Side) -> Renderable:
    line = Text(side.name, "bold", hanging=_INDENT)
    about = [
        "" if side.saved_at is None else f"{shown_instant(side.saved_at)} UTC",
        side.asked,
        "" if side.holdfast is None else f"holdfast {side.holdfast}",
        _commit(side),
    ]
    return line.append("  ".join(["", *(each for each in about if each)]), "not bold")


def _commit(side: Side) -> str:
    if side.revision is None:
        return ""
    if side.revision.commit is None:
        return f"no commit: {side.revision.why}"
    return f"commit {shown_revision(side.revision)}"


def _section(title: str, meaning: Meaning, fields: Sequence[FieldDifference], *, everything: bool) -> list[Renderable]:
    """The fields under a title; with everything, those of one reason under that."""
    lines: list[Renderable] = [Text(), Text(title, _STYLES[meaning])]
    if not everything:
        return [*lines, Indent(_table(fields, meaning), _INDENT)]
    for why in dict.fromkeys(each.why for each in fields):
        alike = [each for each in fields if each.why == why]
        lines += [Indent(Text(f"{why}:", "dim"), _INDENT), Indent(_table(alike, meaning), 2 * _INDENT)]
    return lines


def _table(fields: Sequence[FieldDifference], meaning: Meaning) -> Renderable:
    table = Table(Column(whole=True), Column(), Column(whole=True), Column(), header=False)
    for each in fields:
        before, after = shown_values(each)
        table.add_row(each.field, before, "->", after, style="" if meaning == "change" else "dim")
    return table


def shown_values(each: FieldDifference) -> tuple[str, str]:
    """Both values as text, of words the ones that differ."""
    before, after = each.before, each.after
    if each.field.endswith(("command", "arguments")) and _are_words(before) and _are_words(after):
        return _words(before, after)
    of_ceiling = each.field.startswith(_OF_A_CEILING)
    return (
        _text(before, each.before_interval if of_ceiling else None),
        _text(after, each.after_interval if of_ceiling else None),
    )


def _are_words(value: object) -> TypeGuard[Sequence[str]]:
    return isinstance(value, list | tuple) and bool(value) and all(isinstance(each, str) for each in value)


def _text(value: object, interval: Interval | None = None) -> str:
    if value is None or isinstance(value, bool):
        return {None: "none", True: "yes", False: "no"}[value]
    if isinstance(value, dict):
        return ", ".join(f"{name}: {_text(each)}" for name, each in value.items() if each is not None)
    if isinstance(value, list | tuple):
        return ", ".join(map(_text, value)) or "none"
    if not isinstance(value, int | float) or interval is None:
        return _number(value) if isinstance(value, float) else str(value)
    least, most = interval
    if most is None:
        return f"at least {value}"
    return str(value) if least == most else f"{value} ({_number(least)} to {_number(most)})"


def _number(value: float) -> str:
    if not math.isfinite(value):
        return str(value)
    return f"{value:.6g}"


def _words(before: Sequence[str], after: Sequence[str]) -> tuple[str, str]:
    """The words of two command lines that differ, each with the option that it belongs to."""
    # A free port is another in each run.
    one, other = ([_PORT.sub("", word) for word in words] for words in (before, after))
    if len(one) != len(other) or one == other:
        return _without_same_ends(before, after, one, other)
    at = [number for number, (word, its) in enumerate(zip(one, other, strict=True)) if word != its]
    return _at(before, at), _at(after, at)


def _at(words: Sequence[str], numbers: Sequence[int]) -> str:
    text = ""
    for at in numbers:
        if at - 1 in numbers:
            text += f" {words[at]}"
            continue
        shown = f"{words[at - 1]} {words[at]}" if _has_option(words, at) else words[at]
        text += f" … {shown}" if text else shown
    return text


def _has_option(words: Sequence[str], at: int) -> bool:
    return at > 0 and words[at - 1].startswith("-") and not words[at].startswith("-")


def _without_same_ends(
    before: Sequence[str], after: Sequence[str], one: Sequence[str], other: Sequence[str]
) -> tuple[str, str]:
    """Both command lines without what is the same at their beginnings and at their ends.

    Args:
        one, other: the words by which that is found out.
    """
    least = min(len(one), len(other))
    first = next((at for at in range(least) if one[at] != other[at]), least)
    if 0 < first < least and one[first - 1].startswith("-") and not one[first].startswith("-"):
        first -= 1  # the option whose value it is
    last = next((at for at in range(least - first) if one[-1 - at] != other[-1 - at]), least - first)
    found = []
    for words in (before, after):
        inner = words[first : len(words) - last]
        found.append(" ".join([*(["…"] if first else []), *inner, *(["…"] if last else [])]))
    return found[0], found[1]
