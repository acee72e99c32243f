"""What was expected of a result and what was found, as tables under it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from holdfast.model.check import FAILS, BaselineCheck, Checked, CheckResult, Moved
from holdfast.report.layout import Column, Indent, Renderable, Stack, Table, Text, doubt

_INDENT = 2
_WORDS = {True: ("met", "green"), False: ("not met", "red")}
_COLOURS = {"worse": "red", "changed": "red", "better": "green", "elsewhere": "yellow"}
_LEAST = len("elsewhere")
_SHOWN_FIELDS = 6
_SHOWN_CHARACTERS = 60


def with_expectations(picture: Renderable, found: CheckResult) -> Renderable:
    """A result's picture, with the tables below it where anything was expected."""
    return Stack(picture, Text(), render_expectations(found)) if found else picture


def render_expectations(found: CheckResult) -> Renderable:
    """Every expectation, met or not, and what is not as in the baseline."""
    parts: list[Renderable] = []
    if found.checked:
        parts.append(_expectations(found.checked))
    if found.baseline is not None:
        parts += [*([Text()] if parts else []), _baseline(found.baseline)]
    return Stack(*parts)


def sum_up(checked: Sequence[Checked]) -> str:
    """How many are met, in one sentence."""
    unmet = sum(not each.met for each in checked)
    if len(checked) == 1:
        return "The expectation is not met." if unmet else "The expectation is met."
    if not unmet:
        return f"All {len(checked)} expectations are met."
    return f"{unmet} of {len(checked)} expectations {'is' if unmet == 1 else 'are'} not met."


def sum_up_baseline(baseline: BaselineCheck) -> str:
    """What is not as in the baseline, in one sentence."""
    failing = sum(each.against in FAILS for each in baseline.moved)
    if not failing:
        return f"As in the baseline ({baseline.name}), apart from noise."
    return f"Not as in the baseline ({baseline.name}): {_fields(failing)} {'is' if failing == 1 else 'are'} different."


def not_compared(baseline: BaselineCheck) -> Iterator[str]:
    """A sentence for each reason why fields could not be compared."""
    fields: dict[str, list[str]] = {}
    for each in baseline.moved:
        if each.against == "not compared":
            fields.setdefault(each.why, []).append(each.field)
    for why, names in fields.items():
        more = len(names) - _SHOWN_FIELDS
        listed = ", ".join(names[:_SHOWN_FIELDS]) + (f" and {more} more" if more > 0 else "")
        yield f"Not compared: {listed}: {why}."


def value(of: object) -> str:
    """A value of a result in a table: of a long one, such as a command, its beginning and its end."""
    text = _text(of)
    half = _SHOWN_CHARACTERS // 2
    return text if len(text) <= _SHOWN_CHARACTERS else f"{text[: half - 3]}...{text[-half:]}"


def _text(of: object) -> str:
    if isinstance(of, list | tuple):
        return f"[{', '.join(map(value, of))}]"
    if isinstance(of, dict):
        return f"{{{', '.join(f'{name}: {value(each)}' for name, each in of.items())}}}"
    if of is None or isinstance(of, bool):
        return {None: "null", True: "true", False: "false"}[of]
    return f"{of:.6g}" if isinstance(of, float) else str(of)


def _expectations(checked: Sequence[Checked]) -> Renderable:
    named = any(each.of for each in checked)
    columns = [Column(whole=True, least=len(_WORDS[False][0])), *([Column("row")] if named else []), Column("expected")]
    table = Table(*columns, Column("found"))
    for each in checked:
        word, colour = _WORDS[each.met]
        table.add_row(Text(word, style=colour), *([each.of] if named else []), each.expression, each.shown)
    whys = dict.fromkeys(f"{each.why}." for each in checked if each.why)
    return Stack(Text(sum_up(checked), style="bold"), Indent(table, _INDENT), *map(doubt, whys))


def _baseline(baseline: BaselineCheck) -> Renderable:
    shown = [each for each in baseline.moved if each.against != "not compared"]
    parts: list[Renderable] = [Text(sum_up_baseline(baseline), style="bold")]
    if shown:
        table = Table(Column(whole=True, least=_LEAST), Column("field", whole=True), Column("before"), Column("now"))
        for each in shown:
            table.add_row(*_cells(each))
        parts.append(Indent(table, _INDENT))
    return Stack(*parts, *map(doubt, not_compared(baseline)))


def _cells(moved: Moved) -> tuple[Text | str, ...]:
    return Text(moved.against, style=_COLOURS[moved.against]), moved.field, value(moved.before), value(moved.after)


def _fields(count: int) -> str:
    return "1 field" if count == 1 else f"{count} fields"
