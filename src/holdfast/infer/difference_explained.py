"""How fields of two explanations, and of two studies, are judged; pure."""

from __future__ import annotations

from holdfast.infer.difference_pair import (
    Both,
    Judged,
    Rules,
    asked,
    by_chance,
    compared,
    exact,
    limit,
    named,
    same_time,
    same_time_ms,
    unknown,
    words,
)
from holdfast.infer.spread import is_same_cost, is_same_memory

_COUNT_SHARE = 0.25
_COUNT = 5
"""Clients of one kind among those of an overload, or connections: by chance, so many more or fewer."""


def _slope(both: Both) -> Judged:
    """What a request costs over several trials, with the least and the most that one of them saw."""
    if missing := unknown(both):
        return missing
    figure = both.name.split(".")[1]
    one, other = ((side.get("cost") or {}).get(figure) or {} for side in both.sides)
    if not {"value", "least", "most"} <= one.keys() & other.keys():
        return Judged("unknown", "one side does not say between what it lies")
    found = compared((one["least"], one["most"]), (other["least"], other["most"]), "what single trials saw of the two")
    is_same = is_same_memory if figure == "memory_bytes" else is_same_cost
    if found.meaning == "change" and is_same(one["value"], other["value"]):
        return Judged("noise", "within the spread of what a request costs", found.intervals)
    return found


def _of_clients(both: Both) -> Judged:
    """A figure of clients under overload, or of silent ones: times and counts have a spread, all else is exact."""
    field = both.name.rpartition(".")[2]
    if field in {"sentences", "notes", "doubts", "unknown", "why_not", "why_not_usual"}:
        return words(both)
    if not all(isinstance(each, int | float) and not isinstance(each, bool) for each in both.values):
        return exact(both)
    if field.endswith(("_s", "_ms")) and not field.endswith("per_s"):
        return same_time(both) if field.endswith("_s") else same_time_ms(both)
    if field == "share":
        one, other = ((each - _COUNT_SHARE / 2, each + _COUNT_SHARE / 2) for each in both.values)
        return compared(one, other, "the spreads of shares")
    if abs(both.before - both.after) <= max(_COUNT, _COUNT_SHARE * max(both.values)):
        return Judged("noise", "within the spread of counts of clients")
    return Judged("change", "further apart than the spread of counts of clients")


OF_EXPLANATION: Rules = {
    "trials": ("verdict", by_chance),
    "rivals[]": ("settings", named),
    "rivals[].value": ("settings", limit),
    "rivals[].near": ("verdict", exact),
    "rivals[].*": ("settings", asked),
    "bindings[]": ("verdict", named),
    "bindings[].evidence": ("verdict", words),
    "bindings[].next": ("verdict", named),
    "bindings[].ruled_out": ("verdict", words),
    "ruled_out[]": ("verdict", named),
    "ruled_out[].by": ("verdict", words),
    "undecided[]": ("verdict", named),
    "undecided[].why": ("verdict", words),
    "cost.*": ("verdict", _slope),
    "advice": ("settings", named),
    "advice.wish.*": ("settings", limit),
    "advice.attempts": ("verdict", by_chance),
    "advice.best.trial": ("verdict", by_chance),
    "advice.best": ("verdict", named),
    "advice.why_not": ("verdict", words),
    "overload": ("settings", named),
    "overload.levels[].*": ("verdict", _of_clients),
    "overload.*": ("verdict", _of_clients),
    "overload.health_path": ("settings", asked),
    "silent": ("settings", named),
    "silent.silences[].*": ("verdict", _of_clients),
    "silent.server": ("settings", asked),
    "silent.version": ("versions", exact),
    "silent.command": ("settings", by_chance),
    "seconds": ("verdict", by_chance),
}
OF_STUDY: Rules = {
    "name": ("settings", asked),
    "source": ("settings", asked),
    "seconds": ("verdict", by_chance),
    "made.date": ("verdict", by_chance),
    "made.holdfast": ("versions", exact),
    "made.kernel": ("versions", exact),
    "made.*": ("limits", limit),
    "rows[]": ("settings", named),
    "rows[].title": ("settings", asked),
    "rows[].server": ("settings", asked),
    "rows[].version": ("versions", exact),
    "rows[].arguments": ("settings", asked),
    "rows[].application": ("settings", asked),
    "rows[].view": ("settings", asked),
    "rows[].note": ("verdict", words),
    "rows[].why": ("verdict", words),
    "rows[].remedy": ("verdict", words),
    "rows[].skipped": ("verdict", words),
    "rows[].silent_why": ("verdict", words),
    "rows[].seconds": ("verdict", by_chance),
    "rows[].findings[]": ("settings", named),
    "rows[].findings[].claimed": ("settings", asked),
    "rows[].findings[].same": ("verdict", exact),
    "rows[].findings[].here": ("verdict", words),
    "rows[].findings[].why_not": ("verdict", words),
    "rows[].run": ("verdict", by_chance),
    "rows[].verdict": ("verdict", named),
    "rows[].silent": ("settings", named),
    "rows[].silent.silences[].*": ("verdict", _of_clients),
    "rows[].silent.*": ("settings", by_chance),
}
