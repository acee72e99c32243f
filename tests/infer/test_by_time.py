"""What turns requests away where nothing is in service does not show a bound of places."""

from __future__ import annotations

from dataclasses import replace

import pytest
import records

from holdfast.infer.judge import judge
from holdfast.model.front import QueueBetween, SeenFront
from holdfast.model.phase import Phase
from holdfast.model.places import Outcome
from holdfast.model.timeline import ExactLoad, Leaving, Repeat
from holdfast.model.units import MS
from holdfast.model.units import NS_PER_S as S

IN_SERVICE = 3


def seen(*let_in):
    """Three requests in service and one turned away; then repeats of three, of which so many were let in."""
    offered = [records.request(id) for id in range(IN_SERVICE)]
    beyond = records.request(IN_SERVICE, outcome=Outcome.REJECTED, status=429, done_ns=records.AT - 1)
    entries, requests, repeats = [records.entry(id) for id in range(IN_SERVICE)], [*offered, beyond], []
    for at, number in enumerate(let_in):
        first = 100 + at * IN_SERVICE
        repeats.append(Repeat(first, first + IN_SERVICE, 2 * records.AT))
        for id in range(first, first + IN_SERVICE):
            away = id - first >= number
            ends = {"outcome": Outcome.REJECTED, "status": 429} if away else {"outcome": Outcome.ANSWERED}
            requests.append(records.request(id, phase=Phase.EXACT_LOAD, done_ns=3 * records.AT, **ends))
            entries += [] if away else [records.entry(id, entered_ns=records.AT + 1, left_ns=3 * records.AT)]
    sockets = [records.socket(id, accepted=True) for id in range(IN_SERVICE)]
    record = records.timeline(requests, entries, records.snapshot(*sockets), reason="rejected")
    return replace(record, exact=ExactLoad(tuple(repeats)))


def test_requests_turned_away_by_an_empty_server_make_the_ceiling_at_least():
    verdict = judge(seen(0, 0, 1))

    assert (verdict.ceiling.in_service, verdict.ceiling.bounded) == (IN_SERVICE, False)
    assert verdict.ceiling.interval == (IN_SERVICE, None)
    assert (verdict.ceiling.userspace_queue, verdict.ceiling.userspace_queue_bounded) == (None, False)
    assert "8 of 9 that came when all earlier ones had been answered" in verdict.warnings[0]
    assert "ceiling.userspace_queue" in verdict.unknown
    # 0 of 3 would be what the limit had left, not how the places are shared out.
    assert verdict.ceiling.at_exact_load is None
    assert "counts them over a time" in verdict.unknown["ceiling.at_exact_load"]


@pytest.mark.parametrize(("let_in", "fate"), [((0, 0, 1), None), ((3, 3, 3), "finishes")])
def test_a_place_that_a_client_leaves_is_not_told_where_a_rate_decides_what_comes_in(let_in, fate):
    """The next request is turned away by the rate, whether there is a place for it or not."""
    record = seen(*let_in)
    left = (Leaving(0, "fin", records.AT + 1000, records.AT + 2000),)
    entries = [replace(each, entered_ns=records.AT + 3000) if each.id >= 100 else each for each in record.entries]
    marks = replace(record.marks, abandoned_ns=records.AT + 3000)

    verdict = judge(replace(record, entries=tuple(entries), left_in_service=left, marks=marks))

    assert verdict.abandoned.in_service.fin == fate
    why = verdict.unknown.get("abandoned.in_service.fin", "")
    assert ("counts them over a time" in why) is (fate is None)


@pytest.mark.parametrize(("let_in", "at_exact_load"), [((0, 0, 1), None), ((3, 3, 3), (3, 3))])
def test_what_a_rate_of_a_front_has_left_does_not_show_how_places_are_filled(let_in, at_exact_load):
    """Others wait behind the front, so that the number in service is a bound all the more."""
    record = seen(*let_in)
    assert record.placed is not None
    between = QueueBetween("127.0.0.1", 9000, depth=0, limit=16, connections=IN_SERVICE + 2)
    front = SeenFront("nginx", (9,), "uvicorn", (between,))

    verdict = judge(replace(record, placed=replace(record.placed, front=front)))

    assert (verdict.ceiling.in_service, verdict.ceiling.bounded) == (IN_SERVICE, True)
    assert verdict.ceiling.at_exact_load == at_exact_load


def test_a_single_one_turned_away_may_have_come_before_the_server_knew_that_it_was_empty():
    record = seen(0)
    (repeat,) = record.exact.repeats

    verdict = judge(replace(record, exact=ExactLoad((replace(repeat, last=repeat.first + 1),))))

    assert (verdict.ceiling.in_service, verdict.ceiling.bounded) == (IN_SERVICE, True)


@pytest.mark.parametrize("let_in", [(3, 3, 3), (3, 1, 2), (1, 1, 2), (3, 3, 0)])
def test_places_that_become_free_again_are_a_bound_however_they_are_shared_out(let_in):
    verdict = judge(seen(*let_in))

    assert (verdict.ceiling.in_service, verdict.ceiling.bounded) == (IN_SERVICE, True)
    assert verdict.ceiling.userspace_queue == 0


@pytest.mark.parametrize(("repeats", "bounded"), [(4, True), (5, False)])
def test_one_process_that_turns_some_away_each_time_it_is_empty_counts_by_time(repeats, bounded):
    """Two of three each time: ten of them are too many to have come before the server knew that it was empty."""
    verdict = judge(seen(*[1] * repeats))

    assert (verdict.ceiling.in_service, verdict.ceiling.bounded) == (IN_SERVICE, bounded)
    assert any("fewer were in service than before: 10 of 15" in each for each in verdict.warnings) is not bounded


@pytest.mark.parametrize(("took_ms", "queue", "bounded"), [(200, None, False), (2, 2, True)])
def test_a_number_that_waits_is_a_bound_only_where_others_are_turned_away_at_once(took_ms, queue, bounded):
    """Two wait for a place when the places are counted, and get 503 later; one more was turned away before."""
    waiting = [records.request(id, outcome=Outcome.REJECTED, status=503, done_ns=records.AT + S) for id in (1, 2)]
    began = records.AT - S // 2
    away = records.request(
        3, opened_ns=began, sent_ns=began, outcome=Outcome.REJECTED, status=503, done_ns=began + took_ms * MS
    )
    sockets = [records.socket(id, accepted=True) for id in range(3)]
    record = records.timeline([records.request(0), *waiting, away], [records.entry(0)], records.snapshot(*sockets))

    verdict = judge(record)

    assert (verdict.ceiling.in_service, verdict.ceiling.bounded) == (1, True)
    assert (verdict.ceiling.userspace_queue, verdict.ceiling.userspace_queue_bounded) == (queue, bounded)
    assert ("a time limit for waiting" in verdict.unknown.get("ceiling.userspace_queue", "")) is not bounded


@pytest.mark.parametrize(
    ("took_ms", "way_ms", "waited"),
    [
        ((400, 410, 450), 5, True),
        ((400, 410), 5, False),  # too few
        ((30, 40, 400), 5, False),
        ((100, 400, 450), 5, False),  # held up by other programs
        ((400, 410, 450), 300, False),  # as long as the way to the view
    ],
)
def test_who_is_turned_away_after_about_the_same_time_has_waited_although_none_waits_any_more(took_ms, way_ms, waited):
    began = records.AT - S // 2
    away = [
        records.request(
            id, opened_ns=began, sent_ns=began, outcome=Outcome.REJECTED, status=429, done_ns=began + each * MS
        )
        for id, each in enumerate(took_ms, 1)
    ]
    record = records.timeline(
        [records.request(0), *away], [records.entry(0)], records.snapshot(records.socket(0, accepted=True))
    )
    assert record.first_request is not None
    record = replace(record, first_request=replace(record.first_request, ways_ns=(way_ms * MS,)))

    verdict = judge(record)

    assert (verdict.ceiling.userspace_queue, verdict.overflow.client_sees) == (None if waited else 0, "429")
    assert (verdict.overflow.first == "userspace_queue") is waited
    assert any("a time limit for waiting" in each for each in verdict.warnings) is waited


def test_what_waits_is_counted_although_none_of_it_is_turned_away_later():
    began = records.AT - S // 2
    ended = {"outcome": Outcome.REJECTED, "status": 429, "done_ns": records.AT - MS}
    away = [records.request(id, opened_ns=began, sent_ns=began, **ended) for id in (1, 2, 3)]
    waiting = [records.request(id, outcome=Outcome.ANSWERED, status=200, done_ns=records.AT + S) for id in (4, 5)]
    entries = [records.entry(0), *(replace(records.entry(id), entered_ns=records.AT + S // 2) for id in (4, 5))]
    sockets = [records.socket(id, accepted=True) for id in (0, 4, 5)]

    verdict = judge(records.timeline([records.request(0), *away, *waiting], entries, records.snapshot(*sockets)))

    assert verdict.places.userspace_queue == 2
    assert "however many waited; 2 did at that moment" in verdict.unknown["ceiling.userspace_queue"]


@pytest.mark.parametrize(
    ("outcome", "status", "sees"),
    [(Outcome.REJECTED, 500, "500"), (Outcome.ANSWERED, 200, "200"), (Outcome.CLOSED, 0, "closed")],
)
def test_what_ends_while_all_places_are_taken_has_waited_for_a_time_whatever_it_got(outcome, status, sees):
    later = records.request(1, outcome=outcome, status=status, done_ns=records.AT + S)
    sockets = [records.socket(id, accepted=True) for id in range(2)]
    record = records.timeline([records.request(0), later], [records.entry(0)], records.snapshot(*sockets))
    record = replace(record, marks=replace(record.marks, released_ns=records.AT + 2 * S))

    verdict = judge(record)

    assert (verdict.places.userspace_queue, verdict.ceiling.userspace_queue) == (1, None)
    assert (verdict.overflow.first, verdict.overflow.client_sees) == ("userspace_queue", sees)
    assert any("while all places were taken" in each for each in verdict.warnings)


def singly(*let_in):
    """As `seen`, without exact load: requests sent one after another, of which these were let in."""
    record = seen()
    ends = {True: {"outcome": Outcome.ANSWERED}, False: {"outcome": Outcome.REJECTED, "status": 429}}
    sent = [
        records.request(200 + at, phase=Phase.REUSE, done_ns=3 * records.AT, **ends[each])
        for at, each in enumerate(let_in)
    ]
    ran = [records.entry(200 + at, entered_ns=records.AT + 1) for at, each in enumerate(let_in) if each]
    return replace(record, requests=(*record.requests, *sent), entries=(*record.entries, *ran), exact=None)


@pytest.mark.parametrize(("let_in", "bounded"), [((False,) * 4, False), ((True, False, False, False), True)])
def test_where_exact_load_was_not_offered_single_requests_tell(let_in, bounded):
    assert judge(singly(*let_in)).ceiling.bounded is bounded


@pytest.mark.parametrize(("opened_ms", "bounded"), [((100, 110, 120), False), ((100, 100, 100), True)])
def test_requests_turned_away_one_by_one_with_fewer_in_service_show_no_bound(opened_ms, bounded):
    record = seen(3)
    away = [
        records.request(
            300 + at,
            opened_ns=each * MS,
            connected_ns=each * MS,
            done_ns=(each + 5) * MS,
            outcome=Outcome.REJECTED,
            status=429,
        )
        for at, each in enumerate(opened_ms)
    ]
    # The third comes into service only after these, and one more is turned away then.
    opens = {IN_SERVICE - 1: 499 * MS, IN_SERVICE: 800 * MS}
    late = [replace(each, opened_ns=opens.get(each.id, each.opened_ns)) for each in record.requests]
    ran = [replace(each, entered_ns=500 * MS) if each.id == IN_SERVICE - 1 else each for each in record.entries]

    verdict = judge(replace(record, requests=(*late, *away), entries=tuple(ran)))

    assert verdict.ceiling.bounded is bounded
    assert bounded or "one with 2, beside which others were let in later" in verdict.warnings[0]
