"""Journeys, from walks that are written by hand to rows and a result, against a server that counts what it gets."""

from __future__ import annotations

import json

from travelling import answering, carried_out, crew, experiment_of, labels_of, reasons_of, sending

from holdfast.journeys.steps import Grouped, Judged, Unsent, Walk
from holdfast.loadtest import saved
from holdfast.loadtest.rows import chunks, samples
from holdfast.model.journey import Crew
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


def test_a_saved_load_of_journeys_reads_as_it_was():
    with answering(lambda _method, path, _fields, _body: token_of(path)) as (origin, _):

        def walk(_crew: Crew, number: int) -> Walk:
            yield sending("a", origin, f"/{number}")
            yield Judged(number % 2 == 0, "odd")
            yield Grouped("both", 1, answered=True)

        finished = carried_out(experiment_of(crew(4)), walk)

    again = saved.read(saved.head_of(finished), saved.parts_of(finished))

    assert again.result == finished.result
    assert again.experiment == finished.experiment
    assert [*jtl(samples(again), 0)] == [*jtl(samples(finished), 0)]
    assert reasons_of(again) == reasons_of(finished)
