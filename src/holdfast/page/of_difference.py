"""The page of two results compared: a small picture of each, and what differs between them."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from typing import Any

from holdfast.model.difference import Difference, Meaning, Side
from holdfast.model.instants import shown_instant
from holdfast.page.document import Document, Fact, Multiple, PlaceBar, Sheet
from holdfast.report.difference import shown_values
from holdfast.report.lanes import LANES

_TITLES: Mapping[Meaning, str] = {
    "change": "What changed",
    "unknown": "Known on one side only",
    "noise": "Noise: no more than two runs of one server differ by",
}
_HEADS = ("field", "says", "before", "after", "why")


def document_of_difference(difference: Difference, before: Mapping[str, Any], after: Mapping[str, Any]) -> Document:
    """The page of one comparison.

    Args:
        before, after: the two results, as `--json` writes them.
    """
    counts = {meaning: sum(each.meaning == meaning for each in difference.fields) for meaning in _TITLES}
    changes = counts["change"]
    sides = ((difference.before, before), (difference.after, after))
    return Document(
        kind="diff",
        title=" against ".join(side.name for side, _ in sides),
        headline="Nothing changed." if not changes else f"{changes} {'field' if changes == 1 else 'fields'} changed.",
        sentences=(
            f"Known on one side only: {counts['unknown']}. Noise: {counts['noise']}. The same: {difference.same}.",
        ),
        warnings=(),
        multiples=tuple(_multiple(side, fields) for side, fields in sides),
        sheets=tuple(_sheets(difference)),
        command=shlex.join(["holdfast", "diff", *(_named(side) for side, _ in sides)]),
        facts=tuple(_facts(difference)),
    )


def _multiple(side: Side, fields: Mapping[str, Any]) -> Multiple:
    """A picture of one side; of a load, how its requests ended."""
    verdict = fields.get("verdict", fields)
    counts, offered = verdict.get("places") or verdict.get("outcomes") or {}, verdict.get("offered") or 0
    answer, known = _answer(verdict)
    asked = [side.asked] if side.asked else []
    return Multiple(side.name, answer, tuple(_bars(counts, offered)), asked, answered=known)


def _answer(verdict: Mapping[str, Any]) -> tuple[str, bool]:
    """Its answer in a few words, and whether it is one."""
    ceiling = verdict.get("ceiling")
    if ceiling is None:
        offered = verdict.get("offered")
        return "" if offered is None else f"{offered:,} requests", True
    at_once = ceiling.get("in_service")
    if at_once is None:
        return "how many run at once is not known", False
    return f"{'' if ceiling.get('bounded') else 'at least '}{at_once} at once", True


def _bars(counts: Mapping[str, int | None], offered: int) -> Iterator[PlaceBar]:
    for name in (*(each for each in LANES if each in counts), *(each for each in counts if each not in LANES)):
        number = counts[name]
        label = LANES[name][0].strip() if name in LANES else name
        if number is None and name != "before_view":
            yield PlaceBar(name, label, "?", 0.0, "")
        elif number or name in {"in_service", "answered"}:
            yield PlaceBar(name, label, f"{number}", 100 * (number or 0) / max(1, offered), "")
    yield PlaceBar("", "offered", f"{offered}", 0.0, "")


def _sheets(difference: Difference) -> Iterator[Sheet]:
    for meaning, title in _TITLES.items():
        fields = [each for each in difference.fields if each.meaning == meaning]
        if fields:
            rows = tuple((each.field, each.part, *shown_values(each), each.why) for each in fields)
            yield Sheet(title, _HEADS, rows)


def _facts(difference: Difference) -> Iterator[Fact]:
    for side in (difference.before, difference.after):
        about = [
            "" if side.saved_at is None else f"saved {shown_instant(side.saved_at)} UTC",
            "" if side.holdfast is None else f"holdfast {side.holdfast}",
            "" if side.revision is None or side.revision.commit is None else f"commit {side.revision.commit[:12]}",
        ]
        if said := ", ".join(each for each in about if each):
            yield Fact(side.name, said)


def _named(side: Side) -> str:
    return side.name if side.run is None else str(side.run)
