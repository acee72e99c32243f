"""What a request that ends in the load's own hands has to do with when the next one begins."""

from __future__ import annotations

import statistics
from array import array

import pytest
from driving import outcomes, run_plan

from holdfast.engine.http1 import host_field, request_head
from holdfast.engine.plan import Plan
from holdfast.engine.sessions import Sessions
from holdfast.engine.shapes import Closed
from holdfast.engine.timeouts import IDLE_NS
from holdfast.model.places import Outcome
from holdfast.model.scenario import Pause, Timeouts
from holdfast.model.units import MS

THINK_NS = 5 * MS
REQUESTS = 15


@pytest.mark.parametrize(
    ("shape", "pause_ns"),
    [(Sessions(array("q", [0]), REQUESTS, (Pause(THINK_NS / 1e9),)), THINK_NS), (Closed(1, REQUESTS), 0)],
    ids=["sessions", "closed"],
)
def test_a_request_after_a_timeout_begins_when_it_is_due_and_not_with_the_next_look(port, shape, pause_ns):
    head = request_head("GET", "/silent", host_field("127.0.0.1", port))

    done = run_plan(Plan("127.0.0.1", port, head, shape, Timeouts(whole_s=0.02)))

    assert outcomes(done) == {Outcome.UNANSWERED: REQUESTS}
    columns = done.columns
    late_ns = [columns.opened[row] - (columns.done[row - 1] + pause_ns) for row in range(1, REQUESTS)]
    # A look comes after IDLE_NS if nothing else is known to be due; half of the requests were later than by half of it.
    assert 0 <= statistics.median(late_ns) < IDLE_NS / 4
