"""Where the requests of recorded probes were over time agrees with their verdicts."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from recorded.saved import RUNS, names, put_run, record_of

from holdfast import store
from holdfast.infer.census import offered_requests, placed_requests
from holdfast.model.timeline import Timeline
from holdfast.picture.areas import Areas
from holdfast.picture.probe import BEFORE_VIEW, areas_of_probe


def recorded(name: str, directory: Path) -> Timeline | None:
    """None is a look from outside."""
    path = directory / "runs.sqlite"
    found = store.load(put_run(path, name, record_of(RUNS, name)), path)
    return found if isinstance(found, Timeline) else None


def at(areas: Areas, at_ns: int) -> dict[str, int]:
    number = bisect_right(areas.at_ns, at_ns) - 1
    return {each.place: each.counts[number] for each in areas.areas if each.counts[number]}


@pytest.mark.parametrize("name", [name for name in names(RUNS) if not name.startswith("attach")])
def test_the_picture_of_a_recorded_probe_agrees_with_its_census(name: str, tmp_path: Path) -> None:
    timeline = recorded(name, tmp_path)
    assert timeline is not None

    whole = areas_of_probe(timeline)

    assert whole.offered[-1] == len(timeline.requests)
    for *counts, offered in zip(*(area.counts for area in whole.areas), whole.offered, strict=True):
        assert sum(counts) == offered
    if timeline.placed is None:
        return
    ramp = areas_of_probe(replace(timeline, requests=offered_requests(timeline)))
    drawn = at(ramp, timeline.placed.ended_ns)
    # Those before the view are a part of the server's own queue.
    before_view = drawn.pop(BEFORE_VIEW, 0)
    census = Counter(place.value for place in placed_requests(timeline, timeline.placed).values())
    assert Counter(drawn) + Counter({"userspace_queue": before_view}) == census


def test_between_two_looks_their_shares_of_those_that_wait_are_drawn(tmp_path: Path) -> None:
    timeline = recorded("gunicorn-gthread", tmp_path)
    assert timeline is not None
    areas = areas_of_probe(timeline)

    for look in timeline.samples:
        drawn = at(areas, look.at_ns)
        waiting = drawn.get("accept_queue", 0) + drawn.get("userspace_queue", 0)
        assert look.depth is not None
        assert drawn.get("accept_queue", 0) == min(look.depth, waiting)
