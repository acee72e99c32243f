"""A rate that turns requests away is no bound of a queue, nor of what runs at once."""

from __future__ import annotations

from dataclasses import replace

import pytest
import records

from holdfast.infer.judge import judge
from holdfast.model.places import Outcome
from holdfast.model.units import MS
from holdfast.model.units import NS_PER_S as S

ENDED_NS = 3 * S


def seen(latest_ns=records.AT // 2, *, waits=True):
    """Two in service, the second since then; in the second after the first 503, two more were let in between others."""
    requests = [records.request(id) for id in range(2)]
    for id, at_ns in ((2, 500 * MS), (4, S), (6, 1500 * MS)):
        away = {"opened_ns": at_ns - MS, "sent_ns": at_ns - MS, "done_ns": at_ns}
        requests.append(records.request(id, outcome=Outcome.REJECTED, status=503, **away))
    later = [records.request(id, opened_ns=at_ns, sent_ns=at_ns) for id, at_ns in ((3, 800 * MS), (5, 1200 * MS))]
    entries = [records.entry(0), records.entry(1, entered_ns=latest_ns)]
    entries += [] if waits else [records.entry(each.id, entered_ns=each.opened_ns + MS) for each in later]
    sockets = [records.socket(id, accepted=True) for id in (0, 1, 3, 5)]
    placed = replace(records.snapshot(*sockets), began_ns=ENDED_NS - 10, ended_ns=ENDED_NS)
    record = records.timeline([*requests, *later], entries, placed, reason="let in later")
    return replace(record, marks=replace(record.marks, placed_ns=ENDED_NS, ended_ns=2 * ENDED_NS))


def test_as_many_are_in_service_as_can_be_where_others_wait_and_the_queue_is_not_known():
    verdict = judge(seen())

    assert (verdict.ceiling.in_service, verdict.ceiling.bounded) == (2, True)
    assert (verdict.ceiling.userspace_queue, verdict.ceiling.userspace_queue_bounded) == (None, False)
    assert verdict.overflow.client_sees is None
    # Two within a second.
    assert verdict.unknown["ceiling.userspace_queue"].startswith("a rate turned requests away")
    assert verdict.unknown["overflow.client_sees"] == (
        "whether it waits or gets HTTP 503 depends on a rate, of about 2 a second"
    )
    assert "(a rate limiter) lets in about 2 a second" in verdict.warnings[0]


@pytest.mark.parametrize("changed", [{"latest_ns": ENDED_NS - 500 * MS}, {"waits": False}])
def test_where_those_that_are_let_in_come_into_service_or_may_the_ceiling_is_at_least_that(changed):
    verdict = judge(seen(**changed))

    assert verdict.ceiling.bounded is False
    assert verdict.ceiling.interval == (verdict.places.in_service, None)
    assert verdict.overflow.client_sees is None
    assert "or a pool that grows, lets in about 2 a second" in verdict.warnings[0]
    assert "Take a limit away to see the ceiling" in verdict.warnings[0]


def offered_until_no_more(turned_away):
    """Two in service; one waits that came after so many others had got 503, then some more got it."""
    requests, sockets = [records.request(id) for id in range(3)], [records.socket(id, accepted=True) for id in range(3)]
    requests[2] = records.request(2, opened_ns=S, sent_ns=S)
    times = [500 * MS + each * MS for each in range(turned_away)] + [1500 * MS, 1600 * MS]
    for id, at_ns in enumerate(times, 3):
        away = {"opened_ns": at_ns - MS, "sent_ns": at_ns - MS, "done_ns": at_ns}
        requests.append(records.request(id, outcome=Outcome.REJECTED, status=503, **away))
    placed = replace(records.snapshot(*sockets), began_ns=ENDED_NS - 10, ended_ns=ENDED_NS)
    record = records.timeline(requests, [records.entry(0), records.entry(1)], placed, reason="max-offered")
    return replace(record, marks=replace(record.marks, placed_ns=ENDED_NS, ended_ns=2 * ENDED_NS))


def test_one_that_waits_after_many_in_a_row_were_turned_away_shows_that_no_queue_was_full():
    # Of two processes with queues of their own that have room for as many, eight in a row come to the full one once of
    # 256 times.
    verdict = judge(offered_until_no_more(8))

    assert (verdict.ceiling.userspace_queue, verdict.ceiling.userspace_queue_bounded) == (None, False)
    assert verdict.overflow.client_sees is None
    assert judge(offered_until_no_more(7)).ceiling.userspace_queue == 1
