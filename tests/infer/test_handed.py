"""How many requests wait between the server and the view is told apart from what waits in the server, or not at all."""

from __future__ import annotations

from dataclasses import replace

import pytest
import records

from holdfast.infer.judge import judge
from holdfast.model.timeline import FirstRequest, Handed

EARLY, LATE = records.AT - 1000, records.AT + 1000


def seen(*handed: Handed):
    """One request in service, three in the server, one in the accept queue."""
    requests = [records.request(id) for id in range(5)]
    sockets = [records.socket(id, accepted=id < 4) for id in range(5)]
    timeline = records.timeline(requests, [records.entry(0)], records.snapshot(*sockets, depth=1))
    return replace(timeline, handed=handed)


def handed(id: int, at_ns: int = EARLY, *, by_server: bool = True) -> Handed:
    return Handed(id, at_ns, by_server)


def test_what_the_application_has_and_the_view_has_not_waits_before_the_view():
    places = judge(seen(handed(0), handed(1), handed(2, LATE))).places

    # Request 3 was never handed over, and request 2 only later.
    assert (places.in_service, places.userspace_queue, places.before_view) == (1, 3, 1)


def test_it_is_a_part_of_what_waits_in_the_server_so_the_places_still_add_up():
    verdict = judge(seen(handed(0), handed(1), handed(2)))

    assert verdict.places.before_view == 2
    assert verdict.places.in_service + verdict.places.userspace_queue + verdict.places.accept_queue == verdict.offered


def test_where_something_of_the_application_may_come_before_no_number_is_claimed():
    verdict = judge(seen(handed(0, by_server=False), handed(1, by_server=False)))

    assert verdict.places.before_view is None
    assert "call of the application was not seen" in verdict.unknown["places.before_view"]


def test_where_the_framework_has_all_that_wait_none_of_them_waits_in_the_server():
    places = judge(seen(*(handed(id, by_server=False) for id in range(4)))).places

    assert (places.userspace_queue, places.before_view) == (3, 3)


def test_where_requests_are_held_at_an_entry_no_number_is_claimed():
    at_entry = replace(seen(handed(0)), first_request=FirstRequest(200, "wsgi entry", "sync", "unknown"))

    verdict = judge(at_entry)

    assert verdict.places.before_view is None
    assert "wsgi entry" in verdict.unknown["places.before_view"]


@pytest.mark.parametrize(("kind", "known"), [("sync", 1), ("async-blocking", None)])
def test_behind_an_entry_that_a_function_has_for_one_request_at_a_time_no_more_run(kind, known):
    at_entry = replace(seen(handed(0)), first_request=FirstRequest(200, "wsgi entry", kind, "unknown"))

    verdict = judge(at_entry)

    assert (verdict.ceiling.in_service, verdict.model.kind, verdict.target.view) == (known, None, None)


def test_a_run_that_was_saved_before_it_was_kept_says_so():
    verdict = judge(replace(seen(), handed=None))

    assert verdict.places.before_view is None
    assert "was saved before" in verdict.unknown["places.before_view"]


def test_where_none_waits_in_the_server_none_waits_before_the_view():
    sockets = [records.socket(0, accepted=True), records.socket(1, accepted=False)]
    timeline = records.timeline(
        [records.request(0), records.request(1)], [records.entry(0)], records.snapshot(*sockets, depth=1)
    )

    verdict = judge(replace(timeline, handed=None))

    assert verdict.places.before_view == 0
    assert "places.before_view" not in verdict.unknown
