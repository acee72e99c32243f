"""What requests that waited before they were turned away say of the queue in which others wait."""

from __future__ import annotations

import pytest
from records import AT, entry, request, snapshot, socket, timeline

from holdfast.infer.judge import judge
from holdfast.model.places import Outcome
from holdfast.model.units import MS


def away(id, opened_ns, took_ns):
    """A request that got 503 so long after it had been sent."""
    times = {"opened_ns": opened_ns, "connected_ns": opened_ns + 1, "sent_ns": opened_ns + 2}
    return request(id, outcome=Outcome.REJECTED, status=503, done_ns=opened_ns + 2 + took_ns, **times)


def verdict_of(*rejected, waits_from_ns):
    """One is in service and one waits since then; the places were counted when all the others had been turned away."""
    waiting = request(1, opened_ns=waits_from_ns, connected_ns=waits_from_ns + 1, sent_ns=waits_from_ns + 2)
    seen = snapshot(socket(0, accepted=True), socket(1, accepted=True))
    return judge(timeline([request(0), waiting, *rejected], [entry(0)], seen, reason="turned away"))


AT_ONCE = (away(2, 3000, MS), away(3, 4000, MS), away(4, 5000, MS), away(5, 6000, 2 * MS))


def test_those_turned_away_at_once_found_a_full_queue():
    ceiling = verdict_of(*AT_ONCE, waits_from_ns=2000).ceiling

    assert (ceiling.userspace_queue, ceiling.userspace_queue_bounded) == (1, True)


@pytest.mark.parametrize(
    "waited",
    [
        # Of a time limit on a busy machine: not all waited about as long.
        (away(2, 3000, 300 * MS), away(3, 4000, 700 * MS), away(4, 5000, 900 * MS)),
        (*AT_ONCE, away(6, 2000, 400 * MS)),
    ],
    ids=["all", "one of them"],
)
def test_where_one_came_into_the_queue_after_others_had_waited_and_been_turned_away_it_was_not_full(waited):
    verdict = verdict_of(*waited, waits_from_ns=AT - 2 * MS)

    assert (verdict.ceiling.userspace_queue, verdict.ceiling.userspace_queue_bounded) == (None, False)
    assert "had waited before" in verdict.unknown["ceiling.userspace_queue"]
    assert verdict.ceiling.in_service == 1
