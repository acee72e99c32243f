"""Lanes and the overflow as a page's scripts take them: columns, mostly as differences, instants in microseconds."""

from __future__ import annotations

from collections.abc import Sequence

from holdfast.model.places import Outcome, Place
from holdfast.model.timeline import NEVER
from holdfast.model.units import US
from holdfast.page.charts import differences
from holdfast.page.places import looks
from holdfast.picture.areas import Areas
from holdfast.picture.lanes import Lane
from holdfast.picture.overflow_rows import OverflowRow


def lanes_data(lanes: Sequence[Lane], areas: Areas) -> dict[str, object] | None:
    """Who did the work; None where no handler was seen.

    Args:
        areas: of the same run; both count from its first instant.
    """
    zero_ns = _zero_ns(areas)
    bars = [bar for lane in lanes for bar in lane.bars]
    if not bars:
        return None
    phases = list(dict.fromkeys(bar.phase for bar in bars))
    return {
        # In the order of the lanes: those of one lane are neighbours.
        "lanes": [[lane.pid, lane.tid, lane.name, lane.rows, len(lane.bars)] for lane in lanes],
        "phases": phases,
        "id": differences([bar.id for bar in bars]),
        "entered_us": differences([(bar.entered_ns - zero_ns) // US for bar in bars]),
        "lasted_us": [(bar.until_ns - bar.entered_ns) // US for bar in bars],
        "ordinal": differences([bar.ordinal for bar in bars]),
        "row": differences([bar.row for bar in bars]) if any(lane.overlaps for lane in lanes) else None,
        "phase": differences([phases.index(bar.phase) for bar in bars]),
        # Those that had not been left at the end of the record.
        "open": [number for number, bar in enumerate(bars) if bar.left_ns == NEVER],
    }


def overflow_data(rows: Sequence[OverflowRow], areas: Areas, *, outside: bool = False) -> dict[str, object] | None:
    """What the overflow got; None where there was none. An instant that did not come is null.

    Args:
        areas: as for `lanes_data`.
        outside: which of them were in service is not known.
    """
    if not rows:
        return None
    zero_ns = _zero_ns(areas)
    known = {place: look.label for place, look in looks().items()}
    if outside:
        known[Place.USERSPACE_QUEUE.value] = "in service or in the server's own queue"
    places = list(dict.fromkeys(each.place for each in rows))
    ends = list(dict.fromkeys(map(_end, rows)))
    later = {
        name: [_since(getattr(each, name), each.begun_ns) for each in rows]
        for name in ("connected_ns", "sent_ns", "entered_ns", "done_ns")
    }
    return {
        "outside": outside,
        "places": [known[place] for place in places],
        "ends": ends,
        "id": differences([each.id for each in rows]),
        "place": differences([places.index(each.place) for each in rows]),
        "end": differences([ends.index(_end(each)) for each in rows]),
        "begun_us": differences([(each.begun_ns - zero_ns) // US for each in rows]),
        # Since it was begun; a column without a value is null.
        **{name.replace("_ns", "_us"): column if any(each is not None for each in column) else None
           for name, column in later.items()},
    }  # fmt: skip


def _since(at_ns: int, begun_ns: int) -> int | None:
    return None if at_ns == NEVER else (at_ns - begun_ns) // US


def _end(row: OverflowRow) -> str:
    """How it ended, in words."""
    ran = "" if row.entered_ns == NEVER else ", its handler ran"
    if row.left:
        return f"its client left{ran}"
    if row.outcome == Outcome.GIVEN_UP.label:
        return f"given up at the end of the run{ran}"
    if row.outcome == Outcome.PENDING.label:
        return "no answer when the record ended"
    return row.outcome.replace("-", " ") + (f", HTTP {row.status}" if row.status else "")


def _zero_ns(areas: Areas) -> int:
    return areas.at_ns[0] if areas.at_ns else 0
