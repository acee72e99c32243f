"""Equal requests that wait for each other say nothing of the server's ceiling, as long as they did when counted."""

from __future__ import annotations

from dataclasses import replace

import pytest
import records

from holdfast.infer.judge import judge
from holdfast.model.front import QueueBetween, SeenFront
from holdfast.model.ramp import EqualRequests, Ramp


def judged(equals: EqualRequests | None, *, in_service: int = 1, connections: int | None = None):
    """So many requests in service, and three that wait; behind a front that has handed on so many."""
    requests = [records.request(id) for id in range(in_service + 3)]
    entries = [records.entry(id) for id in range(in_service)]
    sockets = [records.socket(id, accepted=True) for id in range(in_service + 3)]
    between = QueueBetween(records.HOST, 8001, depth=0, limit=16, connections=connections)
    front = None if connections is None else SeenFront("a front", (9,), "a server", (between,))
    record = records.timeline(requests, entries, replace(records.snapshot(*sockets), front=front), "max-offered")
    return judge(replace(record, ramp=Ramp("max-offered", 900, equals=equals)))


@pytest.mark.parametrize("connections", [None, 1])
def test_where_others_came_in_beside_equal_ones_the_number_is_at_least(connections):
    verdict = judged(EqualRequests(in_service=1, others=2), connections=connections)

    assert (verdict.ceiling.bounded, verdict.ceiling.interval) == (False, (1, None))
    assert "each of 2 requests with a query string of its own came into service" in verdict.warnings[0]


@pytest.mark.parametrize(
    ("equals", "in_service", "connections"),
    [(None, 1, None), (EqualRequests(1, 2), 2, None), (EqualRequests(1, 2), 2, 5)],
    ids=["not seen", "more came in since", "the front has handed on all"],
)
def test_else_it_is_a_bound(equals, in_service, connections):
    assert judged(equals, in_service=in_service, connections=connections).ceiling.bounded is True
