"""How many of the places are filled when exactly as many requests are offered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from holdfast.infer.census import entries_by_id, in_service_at
from holdfast.model.timeline import Entry, Repeat, Timeline
from holdfast.model.verdict import Ceiling


def with_exact_load(ceiling: Ceiling, timeline: Timeline) -> tuple[Ceiling, dict[str, str]]:
    """The ceiling with least and most of the repeats, and the reason where there were none."""
    if timeline.exact is None or not timeline.exact.repeats:
        reason = "the run did not come so far"
        if ceiling.bounded is False:
            reason = "no ceiling was met, so it is not known how many requests that would be"
        elif timeline.experiment.over_s is not None:
            reason = "not tried where requests are offered at a rate of their own"
        elif timeline.exact is not None:
            reason = timeline.exact.why_not
        return ceiling, dict.fromkeys(("ceiling.at_exact_load", "ceiling.at_exact_repeats"), reason)
    entries = entries_by_id(timeline)
    filled = [filled_places(repeat, entries) for repeat in timeline.exact.repeats]
    return replace(ceiling, at_exact_load=(min(filled), max(filled)), at_exact_repeats=len(filled)), {}


def filled_places(repeat: Repeat, entries: Mapping[int, Entry]) -> int:
    """How many requests of one repeat were in service when nothing moved any more."""
    return sum(in_service_at(entries.get(id), repeat.placed_ns) for id in range(repeat.first, repeat.last))
