"""Journeys, from walks that are written by hand to rows and a result, against a server that counts what it gets."""

from __future__ import annotations

import json
import time
import zlib
from collections import Counter
from dataclasses import replace
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as some
from travelling import Reply, answering, carried_out, crew, experiment_of, labels_of, reasons_of, sending

from holdfast.engine.journey_counts import JourneyCounts
from holdfast.engine.processes import Watched
from holdfast.journeys.steps import Grouped, Judged, NewVisitor, Unsent, Waiting, Walk
from holdfast.loadtest import saved
from holdfast.loadtest.rows import chunks, samples, together
from holdfast.model.journey import Crew
from holdfast.model.progress import Progress
from holdfast.report.jtl import jtl

CLIENTS, PASSES = 3, 5


def token_of(path: str) -> tuple[int, dict[str, str], bytes]:
    return 200, {"Content-Type": "application/json"}, json.dumps({"token": f"of{path}"}).encode()


def test_the_second_request_has_a_value_from_the_answer_to_the_first():
    with answering(lambda _method, path, _fields, _body: token_of(path)) as (origin, seen):

        def walk(_crew: Crew, number: int) -> Walk:
            for pass_ in range(PASSES):
                told = yield sending("login", origin, f"/login?{number}.{pass_}")
                assert told.answer is not None
                token = json.loads(told.answer.body)["token"]
                yield sending("use", origin, f"/use?token={token}")

        finished = carried_out(experiment_of(crew(CLIENTS)), walk)

    asked = {f"/login?{client}.{each}" for client in range(1, CLIENTS + 1) for each in range(PASSES)}
    assert set(seen.paths) == asked | {f"/use?token=of{path}" for path in asked}
    assert len(seen.paths) == finished.result.offered == finished.result.outcomes["answered"] == 2 * CLIENTS * PASSES
    assert [(each.label, each.offered) for each in finished.result.steps] == [("login", 15), ("use", 15)]
    assert seen.connections == CLIENTS
    assert finished.result.target.url == origin


def test_what_a_journey_makes_of_an_answer_is_the_outcome_of_its_row():
    with answering(lambda _method, path, _fields, _body: (int(path[1:]), {}, b"")) as (origin, _):

        def walk(_crew: Crew, _number: int) -> Walk:
            yield sending("good", origin, "/200")
            yield sending("wrong", origin, "/200")
            yield Judged(False, "no total in it")
            yield sending("error", origin, "/500")
            yield sending("error that is wanted", origin, "/404")
            yield Judged(True, "")
            yield Unsent("no value", "token has no value", 4)
            yield Grouped("all", 5_000_000, answered=False)

        finished = carried_out(experiment_of(crew()), walk)

    names = [outcome for rows in chunks(finished) for outcome in rows.outcome]
    assert names == ["answered", "wrong-body", "rejected", "answered", "unsent"]
    assert labels_of(finished) == ["good", "wrong", "error", "error that is wanted", "no value"]
    assert reasons_of(finished) == ["", "no total in it", "", "", "token has no value"]
    (together,) = finished.result.transactions
    assert (together.label, together.ended, together.answered, together.took_ms.max) == ("all", 1, 0, 5.0)
    assert finished.result.statuses == {"200": 2, "404": 1, "500": 1}
    assert not finished.result.generator_limited


def test_counts_of_journeys_in_progress_come_to_those_of_the_result():
    looks: list[Progress] = []
    counts: list[JourneyCounts] = []

    def watch(watched: Watched) -> None:
        if not counts:
            counts.append(JourneyCounts(watched))
        looks.append(counts[0].look(time.monotonic_ns()))

    with answering(lambda _method, path, _fields, _body: (503 if "busy" in path else 200, {}, b"")) as (origin, _):

        def walk(_crew: Crew, number: int) -> Walk:
            for at in range(20):
                told = yield sending("good", origin, f"/{number}")
                yield Judged(at % 3 > 0, "every third")
                yield sending("busy", origin, "/busy")
                yield Unsent("unsent", "no value", 0)
                yield Waiting(told.now_ns + 5_000_000)

        result = carried_out(experiment_of(crew(4)), walk, watch=watch).result

    last = looks[-1]
    assert last.begun == last.ended == result.offered == 240
    assert last.outcomes == {name: count for name, count in result.outcomes.items() if count}
    assert last.outcomes == {"answered": 52, "rejected": 80, "wrong-body": 28, "unsent": 80}
    assert {each.label: each.ended for each in last.labels} == {"good": 80, "busy": 80, "unsent": 80}
    assert all(before.ended <= after.ended for before, after in pairwise(looks))


def test_labels_that_are_another_one_each_time_share_one_beyond_a_hundred():
    with answering(lambda *_: (200, {}, b"")) as (origin, _):

        def walk(_crew: Crew, _number: int) -> Walk:
            for at in range(150):
                yield sending(f"order {at}", origin, number=3)
                yield sending("home", origin, number=4)

        finished = carried_out(experiment_of(crew()), walk)

    counts = {each.label: each.offered for each in finished.result.steps}
    assert counts == {**{f"order {at}": 1 for at in range(100)}, "order 0, and others": 50, "home": 150}


STEPS = some.sampled_from(["200", "204", "404", "500", "302", "loop", "wrong", "unsent", "group", "another"])


@settings(max_examples=25, deadline=None)
@given(some.lists(some.lists(STEPS, max_size=8), min_size=1, max_size=4), some.booleans())
def test_rows_are_what_a_server_counts_whatever_clients_do(walks, hops_count):
    def answer(_method: str, path: str, _fields: dict[str, str], _body: bytes) -> Reply:
        if path in ("/302", "/loop"):
            return 302, {"Location": "/loop" if path == "/loop" else "/200"}, b""
        return int(path[1:4]), {}, b""

    with answering(answer) as (origin, seen):

        def walk(_crew: Crew, number: int) -> Walk:
            for what in walks[number - 1]:
                if what == "unsent":
                    yield Unsent(what, "no value", 0)
                elif what == "group":
                    yield Grouped(what, 1, answered=True)
                elif what == "another":
                    yield NewVisitor(True, True)
                else:
                    path = "/200" if what == "wrong" else f"/{what}"
                    yield sending(what, origin, path, follow=2, hops_count=hops_count)
                    if what == "wrong":
                        yield Judged(False, "it is")

        result = carried_out(experiment_of(crew(len(walks))), walk).result

    done = Counter(what for each in walks for what in each)
    hops = done["302"] + 2 * done["loop"]
    answered = done["200"] + done["204"] + done["302"] + (hops if hops_count else 0)
    wanted = {
        "answered": answered,
        "rejected": done["404"] + done["500"] + done["loop"],
        "wrong-body": done["wrong"],
        "unsent": done["unsent"],
    }
    assert {name: count for name, count in result.outcomes.items() if count} == {
        name: count for name, count in wanted.items() if count
    }
    assert result.redirects == hops
    assert len(seen.paths) == result.offered - done["unsent"] + (0 if hops_count else hops)
    assert sum(each.ended for each in result.transactions) == done["group"]


def test_clients_that_are_busy_all_the_time_keep_no_other_from_sending():
    replies, most_s = 20, 5.0
    # Of the process that has all clients.
    others: list[None] = []

    def walk(member: Crew, _number: int) -> Walk:
        if member.name == "busy":
            deadline_s = time.monotonic() + most_s
            while len(others) < replies and time.monotonic() < deadline_s:
                told = yield Waiting(0)
                while time.monotonic_ns() < told.now_ns + 6_000_000:
                    pass
        else:
            for _ in range(replies):
                yield sending("", origin, "/")
                others.append(None)

    begun_s = time.monotonic()
    with answering(lambda *_: (200, {}, b"")) as (origin, _):
        finished = carried_out(experiment_of(replace(crew(5), name="busy"), crew(), processes=1), walk)

    assert finished.result.outcomes["answered"] == replies
    assert time.monotonic() < begun_s + most_s


def test_a_saved_load_of_journeys_reads_as_it_was():
    with answering(lambda _method, path, _fields, _body: token_of(path)) as (origin, _):

        def walk(_crew: Crew, number: int) -> Walk:
            yield sending("a", origin, f"/{number}")
            yield Judged(number % 2 == 0, "odd")
            yield Grouped("both", 1, number > 1, 3, int(number == 1), 7)

        finished = carried_out(experiment_of(crew(4)), walk)

    again = saved.read(saved.head_of(finished), saved.parts_of(finished))

    assert again.result == finished.result
    assert again.experiment == finished.experiment
    assert [*jtl(samples(again), 0)] == [*jtl(samples(finished), 0)]
    assert [*together(again)] == [*together(finished)]
    said = sorted((each.answered, each.requests, each.failed, each.pauses_ns) for each in together(again))
    assert said == [(False, 3, 1, 7), *[(True, 3, 0, 7)] * 3]
    assert reasons_of(again) == reasons_of(finished)


def test_transactions_that_an_earlier_version_saved_are_read_without_what_it_did_not_count():
    with answering(lambda _method, path, _fields, _body: token_of(path)) as (origin, _):

        def walk(_crew: Crew, number: int) -> Walk:
            yield sending("a", origin, f"/{number}")
            yield Grouped("both", 5, answered=True, requests=1)

        finished = carried_out(experiment_of(crew(2)), walk)
    (part,) = saved.parts_of(finished)
    size = int.from_bytes(part[:8], "little")
    head = json.loads(zlib.decompress(part[8 : 8 + size]))
    for name in ("requests", "failed", "pauses_ns"):
        del head["together"][name]
    earlier = zlib.compress(json.dumps(head).encode())

    again = saved.read(saved.head_of(finished), [len(earlier).to_bytes(8, "little") + earlier + part[8 + size :]])

    assert again.result.transactions == finished.result.transactions
    assert [(each.requests, each.failed) for each in together(again)] == [(0, 0)] * 2
