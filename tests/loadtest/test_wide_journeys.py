"""Clients that remember, dealt out among several load processes: nothing is lost, doubled or mixed up."""

from __future__ import annotations

from collections import Counter
from itertools import count

from travelling import Reply, answering, carried_out, crew, experiment_of, labels_of, sending

from holdfast.engine.plan import Stop
from holdfast.journeys.steps import EndLoad, Grouped, Walk
from holdfast.loadtest.journey_results import transactions
from holdfast.loadtest.journey_rows import samples
from holdfast.loadtest.rows import chunks
from holdfast.loadtest.saved import head_of, parts_of, read
from holdfast.model.journey import Crew
from holdfast.model.load import StopRule

PASSES = 20


def shop(_method: str, path: str, fields: dict[str, str], _body: bytes) -> Reply:
    """A page that gives each visitor a cookie of its own, a redirect, and a page that is there for visitors only."""
    if path.startswith("/in"):
        return 200, {"Set-Cookie": f"who={path.partition('?')[2]}"}, b"in"
    if path.startswith("/old"):
        return 302, {"Location": f"/new?{fields.get('cookie', '')}"}, b""
    return (200 if "cookie" in fields else 403), {}, b"there"


def test_several_processes_send_what_one_would_and_count_what_the_server_counts():
    def walk(_crew: Crew, number: int) -> Walk:
        for turn in range(PASSES):
            yield sending("in", origin, f"/in?{number}") if not turn else sending("page", origin, "/page")
            yield sending("old", origin, "/old", follow=3, made={} if turn % 2 else None)
            yield sending(f"item {turn}", origin, f"/item/{number}/{turn}")
            yield Grouped("pass", 1000 + number, answered=True)

    crews = crew(clients=7, keeps_cookies=True), crew(clients=4, keeps_cookies=True)
    with answering(shop) as (origin, seen):
        finished = carried_out(experiment_of(*crews, processes=3), walk)

    run = finished.run
    known = run.particulars
    assert known is not None
    urls = Counter(known.texts[known.url[row]] for row in run.begun)
    # Redirects lead to each visitor's own cookie.
    assert urls == Counter(origin + path for path in seen.paths)
    assert len(run.begun) == len(seen.paths) == 11 * PASSES * 4
    assert finished.result.outcomes["answered"] == len(run.begun)
    assert finished.result.redirects == 11 * PASSES
    labels = Counter(labels_of(finished))
    assert labels == {
        "in": 11,
        "page": 11 * (PASSES - 1),
        "old": 11 * PASSES,
        "old, redirected": 11 * PASSES,
        **{f"item {turn}": 11 for turn in range(PASSES)},
    }
    assert {step.label: step.offered for step in finished.result.steps} == labels
    # Numbers of clients are those that one process would give.
    threads = Counter(name for _, more in samples(finished) for name in more.thread)
    assert threads == {
        f"crew {place}-{number}": PASSES * 4 for place, many in ((1, 7), (2, 4)) for number in range(1, many + 1)
    }
    (together,) = transactions(run)
    assert (together.label, together.ended) == ("pass", 11 * PASSES)
    assert {source for rows in chunks(finished) for source in rows.source} == {"127.0.0.1"}
    again = read(head_of(finished), parts_of(finished))
    assert again.result == finished.result
    assert labels_of(again) == labels_of(finished)


def test_a_client_that_ends_the_load_ends_it_in_all_processes():
    def walk(_crew: Crew, number: int) -> Walk:
        for turn in count():
            yield sending("each", origin)
            if number == 1 and turn == 5:
                yield EndLoad(at_once=False)

    with answering(shop) as (origin, seen):
        finished = carried_out(experiment_of(crew(clients=4), processes=2), walk)

    assert len(seen.paths) == len(finished.run.begun)


def test_a_load_of_several_processes_is_ended_like_one():
    def walk(_crew: Crew, number: int) -> Walk:
        while True:
            yield sending("each", origin, "/page")

    def stopped() -> Stop:
        return Stop.DRAIN if len(seen.paths) > 200 else Stop.NOT

    with answering(shop) as (origin, seen):
        drained = carried_out(experiment_of(crew(clients=4), processes=2), walk, stopped)
        many = len(seen.paths)
        ruled = carried_out(experiment_of(crew(clients=4), processes=2, stop=StopRule(error_share=0.1)), walk)

    assert len(drained.run.begun) == many
    assert len(ruled.run.begun) == len(seen.paths) - many
    assert ruled.result.stopped is not None
