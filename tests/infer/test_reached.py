"""A number in service of none is never a ceiling."""

from __future__ import annotations

from dataclasses import replace

import pytest
import records

from holdfast.errors import InconclusiveError
from holdfast.infer.judge import judge
from holdfast.model.places import Outcome
from holdfast.model.units import NS_PER_S as S


def unreached(*, accepted: bool = True, **changed):
    requests = [records.request(id, **changed) for id in range(3)]
    sockets = [records.socket(id, accepted=accepted) for id in range(3)]
    return records.timeline(requests, [], records.snapshot(*sockets))


@pytest.mark.parametrize(
    ("seen", "words"),
    [
        (unreached(), "The server had taken 3 of them"),
        (unreached(accepted=False), "The server accepted none of them"),
        (unreached(outcome=Outcome.REJECTED, status=429, done_ns=records.AT - 1), "3 were turned away"),
        (unreached(outcome=Outcome.ANSWERED, status=200, done_ns=records.AT - 1), "3 were answered without it"),
    ],
)
def test_requests_of_which_none_reached_its_view_give_no_verdict(seen, words):
    with pytest.raises(InconclusiveError, match="None of the 3 requests reached its view") as raised:
        judge(seen)

    assert words in f"{raised.value.what} {raised.value.why}"


def test_the_reason_names_how_long_the_first_request_took():
    seen = unreached()

    with pytest.raises(InconclusiveError) as raised:
        judge(replace(seen, first_request=replace(seen.first_request, ways_ns=(3 * S,))))

    assert "took 3.0 s to its view" in raised.value.why


def test_requests_that_others_answer_past_the_view_leave_no_number_in_service():
    past = [records.request(id, outcome=Outcome.ANSWERED, status=200, done_ns=records.AT - 1) for id in (1, 2)]
    snapshot = records.snapshot(records.socket(0, accepted=True))
    seen = records.timeline([records.request(0), *past], [records.entry(0)], snapshot)

    with pytest.raises(InconclusiveError, match="2 of the 3 requests were answered without their view") as raised:
        judge(seen)

    assert "1 was in service, and those others got HTTP 200" in raised.value.why


def test_requests_that_ran_again_after_the_places_were_counted_are_not_said_to_have_reached_no_view():
    turned_away = {"outcome": Outcome.REJECTED, "status": 504, "done_ns": records.AT - 1}
    again = [records.entry(id, entered_ns=records.AT + 10, left_ns=records.AT + 20, entries=2) for id in range(2)]

    with pytest.raises(InconclusiveError) as raised:
        judge(records.timeline([records.request(id, **turned_away) for id in range(2)], again, records.snapshot()))

    assert "2 of the 2 requests were handed to the application more than once" in raised.value.what
