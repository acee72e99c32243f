from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.probing.slots import EXACT_PASSES, EXACT_PLACES, EXACT_REPEATS, FIRST_CLIMB, FIRST_REQUESTS, allot

counts = st.integers(min_value=0, max_value=10_000)


def ranges(slots) -> tuple[range, ...]:
    return tuple(getattr(slots, name) for name in slots.__slots__)


@given(max_offered=counts, listeners=counts, called=counts)
def test_the_phases_share_the_record_without_gap_or_overlap(max_offered, listeners, called):
    slots = allot(max_offered, listeners=listeners, called=called)

    found = ranges(slots)
    assert found[0].start == 0
    assert all(before.stop == after.start for before, after in pairwise(found))
    assert found[-1].stop == slots.total == sum(map(len, found))


@pytest.mark.parametrize(("listeners", "called"), [(0, 0), (16, 65)])
def test_requests_that_are_no_part_of_the_measurement_come_after_those_that_are(listeners, called):
    slots = allot(200, listeners=listeners, called=called)

    assert len(slots.ramp) == 200
    assert len(slots.first_request) == FIRST_REQUESTS
    assert slots.first_climb == range(200, 200 + FIRST_CLIMB)
    assert len(slots.exact_load) == len(slots.exact_again) == EXACT_PLACES * EXACT_REPEATS * EXACT_PASSES
    assert slots.before_exact_load == slots.equal.stop
    assert slots.recorded == slots.listeners.start
    assert (len(slots.listeners), len(slots.called)) == (listeners, called)
    assert slots.total == slots.recorded + listeners + called
