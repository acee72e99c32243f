"""Clients that remember, dealt out among several load processes: nothing is lost, doubled or mixed up."""

from __future__ import annotations

import os
import signal
from collections import Counter
from itertools import count, pairwise

from travelling import Reply, answering, carried_out, crew, experiment_of, labels_of, sending

from holdfast.cluster.clocks import SAME, Offset
from holdfast.cluster.merge import LOST, Merged, read_report, report_of, rows_of_journeys
from holdfast.engine.parts import Loss
from holdfast.engine.plan import Stop
from holdfast.engine.processes import Watched, load_runs
from holdfast.journeys.steps import EndLoad, Grouped, Walk
from holdfast.loadtest.journey_parts import Packing
from holdfast.loadtest.journey_plans import journey_plan, with_particulars
from holdfast.loadtest.journey_results import transactions
from holdfast.loadtest.journey_rows import samples
from holdfast.loadtest.rows import chunks
from holdfast.loadtest.saved import head_of, parts_of, read
from holdfast.model.answers import FunctionCall, Variable
from holdfast.model.journey import Count, Crew, Pace, Sequence, Stay, TakeRow, Timed
from holdfast.model.journey_request import Request
from holdfast.model.load import StopRule
from holdfast.model.units import NS_PER_S

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


def test_a_process_that_is_lost_takes_along_only_what_it_had_in_flight():
    killed: list[int] = []

    def walk(_crew: Crew, number: int) -> Walk:
        # Clients 1 and 3, of the process that is killed, have no end of their own.
        for _ in count() if number % 2 else range(100):
            yield sending("each", origin, "/item")

    def watch(watched: Watched) -> None:
        if sum(watched.tally.ended) > 20 and not killed:
            killed.append(watched.pids[0])
            os.kill(killed[0], signal.SIGKILL)

    with answering(shop) as (origin, seen):
        finished = carried_out(experiment_of(crew(clients=4), processes=2), walk, watch=watch)

    outcomes, run = finished.result.outcomes, finished.run
    assert outcomes["rejected"] >= 200  # of clients 2 and 4
    assert outcomes["failed"] <= 2
    assert len(run.begun) == outcomes["rejected"] + outcomes["failed"]
    assert outcomes["rejected"] <= len(seen.paths) <= len(run.begun) + 2
    assert any("was lost (killed by SIGKILL)" in each for each in run.facts.limits)
    assert set(labels_of(finished)) == {"each"}


def test_processes_share_counters_and_the_rows_of_a_table_as_threads_do():
    """JMeter counts and takes rows once for each thread that comes, in the order in which threads come."""
    served = 100
    numbered = FunctionCall("__counter", (("FALSE",),))
    with answering(shop) as (origin, seen):
        path = ("/item/", Variable("n"), "/", Variable("user"), "/", numbered)
        nodes = (
            TakeRow(("user",), tuple((f"u{at}",) for at in range(served)), again=False, ends=True),
            Count("n", first=("7",), step=("3",)),
            Request(("item",), (origin,), path),
        )
        own = Crew("crew", Sequence(nodes), (Stay(0, passes=None),) * 5)
        finished = carried_out(experiment_of(own, processes=3), None)

    assert len(finished.run.begun) == served
    taken = [path.split("/")[2:] for path in seen.paths]
    assert sorted(int(n) for n, _, _ in taken) == [7 + 3 * at for at in range(served)]
    assert sorted(user for _, user, _ in taken) == sorted(f"u{at}" for at in range(served))
    assert sorted(int(each) for _, _, each in taken) == [*range(1, served + 1)]


def test_processes_keep_to_a_rate_together():
    gap_ns, many = 10_000_000, 5 * 6
    with answering(shop) as (origin, _):
        request = Request(("item",), (origin,), ("/item",))
        paced = Timed((Pace((str(60 * NS_PER_S // gap_ns),), shared_by="load"),), (request,))
        own = Crew("crew", Sequence((paced,)), (Stay(0, passes=6),) * 5)
        finished = carried_out(experiment_of(own, processes=3), None)

    due = sorted(finished.run.columns.due[row] for row in finished.run.begun)
    assert len(due) == many
    # The first one is not delayed; its due time is that of its client.
    assert all(later - sooner >= gap_ns for sooner, later in pairwise(due[1:]))


def test_what_hosts_record_becomes_one_run_with_the_texts_and_the_clock_of_this_one():
    def walk(_crew: Crew, number: int) -> Walk:
        for turn in range(3):
            yield sending(f"of {number}", origin, f"/page/{number}/{turn}", expected=frozenset({403}))
            yield Grouped(f"pass of {number}", 5, answered=True)

    ahead_ns = 1_000_000_000_000
    with answering(shop) as (origin, _):
        experiment = experiment_of(crew(clients=5))
        plan = journey_plan(experiment, (), walk)
        merged = Merged((plan,), (range(plan.requests),))
        runs = []
        for share in ((1, 3), (0, 3)):
            own = journey_plan(experiment, (), walk)
            runs.append(with_particulars(load_runs((own,), share=share), own))
            rows = merged.take(read_report(report_of(runs[-1])), Offset(ahead_ns, ahead_ns))
            assert list(rows) == list(runs[-1].begun)
        # The third host was lost: it had passed on the rows of one of its clients' passes, of three that it had begun.
        own = journey_plan(experiment, (), walk)
        lost = with_particulars(load_runs((own,), share=(2, 3)), own)
        packed = rows_of_journeys(Packing(lost.columns, own.travel.particulars), lost.begun[:2])
        kept = merged.take_rows(packed, SAME, merged.unpacking())
        failed = merged.lose((2, 3), (Loss(0, 7, 3),), kept)

    known = plan.travel.particulars
    labels = Counter(known.texts[known.label[row]] for row in merged.begun)
    urls = {known.texts[known.url[row]] for row in merged.begun if row not in failed}
    assert [len(run.begun) for run in runs] == [6, 6]  # clients 2 and 5, and 1 and 4, of five
    assert labels == {**{f"of {number}": 3 for number in (1, 2, 4, 5)}, "of 3": 2, LOST: 1}
    assert urls == {f"{origin}/page/{number}/{turn}" for number in (1, 2, 4, 5) for turn in range(3)} | {
        f"{origin}/page/3/{turn}" for turn in range(2)
    }
    for run in runs:
        assert [merged.columns.done[row] for row in run.begun] == [
            run.columns.done[row] - ahead_ns for row in run.begun
        ]
    grouped = known.grouped
    assert Counter(known.texts[number] for number in grouped.label[: len(grouped)]) == {
        f"pass of {number}": 3 for number in (1, 2, 3, 4, 5)
    }
    (sources,) = merged.sources
    assert {sources[merged.columns.source[row]] for run in runs for row in run.begun} == {"127.0.0.1"}
