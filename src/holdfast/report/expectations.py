"""What was expected of a result and what was found, as a table under it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from holdfast.model.check import Checked
from holdfast.report.layout import Column, Indent, Renderable, Stack, Table, Text

_INDENT = 2
_WORDS = {True: ("met", "green"), False: ("not met", "red")}


def with_expectations(picture: Renderable, checked: Sequence[Checked]) -> Renderable:
    """A result's picture, with the table below it where anything was expected."""
    return Stack(picture, Text(), render_expectations(checked)) if checked else picture


def render_expectations(checked: Sequence[Checked]) -> Renderable:
    """Every expectation, met or not, with what was found; below each that could not be compared, why."""
    parts: list[Renderable] = [Text(sum_up(checked), style="bold")]
    named = any(each.of for each in checked)
    columns = [Column(whole=True, least=len(_WORDS[False][0])), *([Column("of")] if named else []), Column("expected")]
    table = Table(*columns, Column("found"))
    for each in checked:
        word, colour = _WORDS[each.met]
        table.add_row(Text(word, style=colour), *([each.of] if named else []), each.expression, each.shown)
    parts.append(Indent(table, _INDENT))
    parts += [Indent(Text(f"! {sentence}", style="yellow", hanging=2), _INDENT) for sentence in _whys(checked)]
    return Stack(*parts)


def sum_up(checked: Sequence[Checked]) -> str:
    """How many are met, in one sentence."""
    unmet = sum(not each.met for each in checked)
    if len(checked) == 1:
        return "The expectation is not met." if unmet else "The expectation is met."
    if not unmet:
        return f"All {len(checked)} expectations are met."
    return f"{unmet} of {len(checked)} expectations {'is' if unmet == 1 else 'are'} not met."


def _whys(checked: Sequence[Checked]) -> Iterator[str]:
    return iter(dict.fromkeys(f"{each.why}." for each in checked if each.why))
