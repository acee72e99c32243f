"""What becomes of requests whose clients leave, from records that are known."""

from __future__ import annotations

from dataclasses import replace

import pytest
import records

from holdfast.infer.disconnect import abandoned_of, client_gone
from holdfast.infer.judge import judge
from holdfast.model.timeline import NEVER, Leaving
from holdfast.model.verdict import ClientGone
from holdfast.report.columns import COLUMNS

LEFT_AT = records.AT + 100
WATCHED_UNTIL = records.AT + 200


def run(*entries, fin_until=WATCHED_UNTIL):
    """Request 0 is in service when its client leaves by FIN."""
    seen = records.snapshot(records.socket(0, accepted=True))
    some = records.timeline([records.request(0)], [records.entry(0), *entries], seen)
    return replace(
        some,
        left_in_service=(Leaving(0, "fin", LEFT_AT, fin_until),),
        marks=replace(some.marks, abandoned_ns=records.AT + 300),
    )


def with_end(timeline, left_ns):
    first, *rest = timeline.entries
    return replace(timeline, entries=(replace(first, left_ns=left_ns), *rest))


def test_a_handler_that_nothing_happens_to_finishes():
    gone, unknown = client_gone(with_end(run(), WATCHED_UNTIL + 1))

    assert gone.fin == "finishes"
    assert gone.rst is None
    assert unknown == {"abandoned.in_service.rst": "no request was in service that its client could leave"}


def test_a_handler_that_ends_before_its_release_is_cancelled_even_if_its_place_is_refilled():
    gone, _ = client_gone(with_end(run(records.entry(1, entered_ns=LEFT_AT + 60)), LEFT_AT + 50))

    assert gone.fin == "cancelled"


def test_a_place_is_free_where_another_handler_begins_beside_the_one_whose_client_left():
    gone, _ = client_gone(run(records.entry(1, entered_ns=LEFT_AT + 60)))

    assert gone.fin == "place freed, handler goes on"


def test_of_a_handler_in_a_worker_that_came_later_its_own_end_is_told():
    later = replace(with_end(run(), LEFT_AT + 50), came_later=(records.entry(0).pid,))

    assert client_gone(later)[0].fin == "cancelled"


def test_what_a_time_limit_may_have_ended_is_not_said_to_be_cancelled():
    struck_at = LEFT_AT + 1_000_000_000
    plain = with_end(run(records.entry(1)), struck_at)
    cut = records.request(1, done_ns=struck_at, outcome=records.Outcome.REJECTED, status=503)
    some = replace(
        plain,
        requests=(*plain.requests, cut),
        left_in_service=(Leaving(0, "fin", LEFT_AT, struck_at),),
        marks=replace(plain.marks, released_ns=struck_at + 1),
    )

    gone, unknown = client_gone(some)

    assert gone.fin is None
    assert "time limit" in unknown["abandoned.in_service.fin"]


def test_handlers_that_began_before_or_after_the_watch_free_no_place():
    early, late = records.entry(1, entered_ns=LEFT_AT - 1), records.entry(2, entered_ns=WATCHED_UNTIL + 1)

    assert client_gone(run(early, late))[0].fin == "finishes"


def test_a_server_that_had_no_core_is_not_judged():
    gone, unknown = client_gone(run(fin_until=NEVER))

    assert gone.fin is None
    assert "core" in unknown["abandoned.in_service.fin"]


def test_a_run_that_ended_before_says_so_for_every_field():
    early = replace(run(), left_in_service=(), marks=replace(run().marks, abandoned_ns=NEVER))

    abandoned, unknown = abandoned_of(early)

    assert (abandoned.left, abandoned.run_anyway, abandoned.in_service.fin, abandoned.in_service.rst) == (None,) * 4
    assert set(unknown.values()) == {"the run ended before this step"}


@pytest.mark.parametrize(
    ("fin", "rst", "words"),
    [
        ("finishes", "finishes", "finishes"),
        ("finishes", "cancelled", "see note"),
        ("finishes", None, "finishes (FIN)"),
        (None, "place freed, handler goes on", "place freed (RST)"),
        (None, None, "?"),
    ],
)
def test_a_table_says_of_one_way_of_leaving_alone_that_it_is_of_that_one(fin, rst, words):
    verdict = judge(records.timeline([records.request(0)], [records.entry(0)], records.snapshot()))
    verdict = replace(verdict, abandoned=replace(verdict.abandoned, in_service=ClientGone(fin, rst)))

    cell = next(each.cell for each in COLUMNS if each.head == "client\ngone")

    assert cell(verdict) == words
