from __future__ import annotations

from dataclasses import replace

import records

from holdfast.infer.census import count_places, placed_requests
from holdfast.infer.let_in_later import let_in_later
from holdfast.infer.warnings import warnings_of
from holdfast.model.places import Outcome
from holdfast.model.ramp import Ramp


def warned(timeline):
    placed = placed_requests(timeline, timeline.placed)
    return warnings_of(timeline, count_places(placed), placed, let_in_later(timeline, placed))


def test_a_probe_in_which_nobody_ever_waited_says_that_the_ceiling_is_higher():
    alone = records.timeline(
        [records.request(0)], [records.entry(0)], records.snapshot(records.socket(0, accepted=True))
    )

    (warning,) = warned(replace(alone, ramp=Ramp("max-offered", 0)))

    assert warning.startswith("All 1 offered requests ran at once")


def test_a_probe_in_which_requests_were_turned_away_does_not():
    rejected = records.request(1, outcome=Outcome.REJECTED, status=500, done_ns=records.AT - 100)
    seen = records.snapshot(records.socket(0, accepted=True))
    some = records.timeline([records.request(0), rejected], [records.entry(0)], seen)

    assert warned(replace(some, ramp=Ramp("max-offered", 0))) == ()
