"""How many of the places are filled when exactly as many requests are offered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from holdfast.infer.census import entries_by_id, in_service_at
from holdfast.infer.disconnect import LET_IN_LATER
from holdfast.infer.known import NOT_SO_FAR, Known, because
from holdfast.model.phase import Phase
from holdfast.model.places import TURNED_AWAY
from holdfast.model.timeline import Entry, Repeat, Timeline
from holdfast.model.verdict import Ceiling

FIELDS = ("ceiling.at_exact_load", "ceiling.at_exact_repeats")


def with_exact_load(ceiling: Ceiling, timeline: Timeline, *, by_time: bool = False) -> Known[Ceiling]:
    """The ceiling with least and most of the repeats, and the reason where there were none.

    Args:
        by_time: what turned requests away counts them over a time. Where it did so to those of the repeats, they show
            what it had left.
    """
    repeats = () if timeline.exact is None else timeline.exact.repeats
    others = ceiling.bounded is False and any(each.last - each.first != ceiling.in_service for each in repeats)
    if not repeats or others:
        return Known(ceiling, because(_why_none(ceiling, timeline), FIELDS))
    if ceiling.in_service is None:
        return Known(ceiling, because("how many places there are is not known", FIELDS))
    if by_time and any(each.phase is Phase.EXACT_LOAD and each.outcome in TURNED_AWAY for each in timeline.requests):
        return Known(ceiling, because("what turns requests away counts them over a time, not those in service", FIELDS))
    entries = entries_by_id(timeline)
    filled = [filled_places(repeat, entries) for repeat in repeats]
    return Known(replace(ceiling, at_exact_load=(min(filled), max(filled)), at_exact_repeats=len(filled)))


def _why_none(ceiling: Ceiling, timeline: Timeline) -> str:
    if ceiling.bounded is False:
        return "no ceiling was reached, so it is not known how many requests that would be"
    if ceiling.in_service == 0:
        return "no request was in service, so there is no such number"
    if timeline.experiment.over_s is not None:
        return "not tried where requests are offered at a fixed rate"
    if timeline.ramp is not None and timeline.ramp.reason == "let in later":
        return LET_IN_LATER
    return NOT_SO_FAR if timeline.exact is None else timeline.exact.why_not


def filled_places(repeat: Repeat, entries: Mapping[int, Entry]) -> int:
    """How many requests of one repeat were in service when nothing moved any more."""
    return sum(in_service_at(entries.get(id), repeat.placed_ns) for id in range(repeat.first, repeat.last))
