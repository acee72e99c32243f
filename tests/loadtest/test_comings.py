"""When clients of journeys come and leave, and what ends them early."""

from __future__ import annotations

import socket
import threading
import time

import pytest
from support.waiting import PATIENCE_S
from travelling import Reply, answering, carried_out, crew, experiment_of, labels_of, reasons_of, sending

from holdfast.engine.plan import Stop
from holdfast.journeys.steps import EndLoad, Judged, NewVisitor, Unsent, Waiting, Walk
from holdfast.loadtest.rows import chunks
from holdfast.loadtest.run import FinishedLoad
from holdfast.model.journey import Crew, Stay
from holdfast.model.load import StopRule
from holdfast.model.scenario import Timeouts

MS = 1_000_000
S = 1_000_000_000


def ok(*_: object) -> tuple[int, dict[str, str], bytes]:
    return 200, {}, b"ok"


def column(finished: FinishedLoad, name: str) -> list:
    return [value for rows in chunks(finished) for value in getattr(rows, name)]


def test_arrivals_are_due_by_their_schedule_whatever_became_of_those_before():
    with answering(ok) as (origin, _):

        def walk(_crew: Crew, number: int) -> Walk:
            yield sending(f"{number}", origin)

        stays = tuple(Stay(at * 20 * MS) for at in range(10))
        finished = carried_out(experiment_of(crew(open=True, stays=stays)), walk)

    due = column(finished, "due_ns")
    assert [at - due[0] for at in due] == [at * 20 * MS for at in range(10)]
    assert labels_of(finished) == [str(number) for number in range(1, 11)]
    assert all(begun >= at for begun, at in zip(column(finished, "begun_ns"), due, strict=True))
    assert finished.result.pacing_lag_us.p50 is not None


def test_clients_that_are_not_written_in_order_come_in_order():
    with answering(ok) as (origin, _):

        def walk(_crew: Crew, number: int) -> Walk:
            yield sending(f"{number}", origin)

        stays = tuple(Stay(at * 10 * MS) for at in (3, 1, 2, 0))
        finished = carried_out(experiment_of(crew(stays=stays)), walk)

    assert labels_of(finished) == ["4", "2", "3", "1"]


def test_a_wait_makes_the_next_request_due_when_it_is_over():
    with answering(ok) as (origin, _):

        def walk(_crew: Crew, _number: int) -> Walk:
            told = yield Waiting(0)
            yield sending("first", origin)
            yield Waiting(told.now_ns + 60 * MS)
            yield sending("later", origin)
            yield Waiting(told.now_ns)
            yield sending("at once", origin)

        finished = carried_out(experiment_of(crew()), walk)

    first, later, at_once = column(finished, "due_ns")
    assert 60 * MS <= later - first < 61 * MS + S // 100
    # A wait whose time has passed does not make a request due before the one before has ended.
    assert at_once == column(finished, "done_ns")[1]


def test_a_client_begins_nothing_after_its_stay_and_its_wait_ends_with_it():
    with answering(ok) as (origin, seen):
        began = time.monotonic()

        def walk(_crew: Crew, _number: int) -> Walk:
            told = yield sending("one", origin)
            told = yield Waiting(told.now_ns + 60 * S)
            while True:
                told = yield sending("too late", origin)

        finished = carried_out(experiment_of(crew(stays=(Stay(0, until_ns=100 * MS),))), walk)

    assert seen.paths == ["/"]
    assert labels_of(finished) == ["one"]
    assert time.monotonic() - began < 30


def test_stages_follow_each_other_and_crews_one_by_one_if_they_are_to():
    with answering(ok) as (origin, seen):

        def walk(own: Crew, number: int) -> Walk:
            yield sending(own.name, origin, f"/{own.name}")
            yield sending(own.name, origin, f"/{own.name}")

        crews = [
            Crew(name, crew().journey, (Stay(0),) * 2, stage=stage)
            for name, stage in (("last", "after"), ("a", "main"), ("first", "before"), ("b", "main"))
        ]
        carried_out(experiment_of(*crews, one_by_one=True), walk)
        one_by_one, seen.requests = seen.paths, []
        carried_out(experiment_of(*crews), walk)
        together = seen.paths

    assert one_by_one == ["/first"] * 4 + ["/a"] * 4 + ["/b"] * 4 + ["/last"] * 4
    assert together[:4] == ["/first"] * 4
    assert sorted(together[4:12]) == ["/a"] * 4 + ["/b"] * 4
    assert together[12:] == ["/last"] * 4


def test_a_client_keeps_its_connection_until_it_is_another_visitor_or_is_not_to():
    with answering(ok) as (origin, seen):

        def walk(_crew: Crew, _number: int) -> Walk:
            yield sending("", origin)
            yield sending("", origin)
            yield NewVisitor(False, True)
            yield sending("", origin)
            yield sending("", origin, keep_alive=False)
            yield sending("", origin, keep_alive=False)

        finished = carried_out(experiment_of(crew()), walk)

    opened = [bool(at) for at in column(finished, "opened_ns")]
    assert opened == [True, False, True, True, True]
    assert seen.connections == 4


@pytest.mark.parametrize("at_once", [False, True])
def test_a_journey_can_end_the_whole_load(at_once):
    with answering(ok) as (origin, seen):

        def walk(_crew: Crew, number: int) -> Walk:
            told = yield sending(f"{number}", origin)
            if number == 1:
                yield EndLoad(at_once)
            told = yield Waiting(told.now_ns + 60 * S)
            assert told.ending
            yield sending("never", origin)

        finished = carried_out(experiment_of(crew(3)), walk)

    assert "never" not in labels_of(finished)
    assert len(seen.paths) <= 3


@pytest.mark.parametrize("kind", [Stop.DRAIN, Stop.AT_ONCE])
def test_a_stop_that_drains_waits_for_what_is_in_flight_and_one_at_once_gives_it_up(kind):
    released = threading.Event()

    def held(*_: object) -> Reply:
        released.wait(PATIENCE_S)
        return ok()

    with answering(held) as (origin, seen):

        def walk(_crew: Crew, _number: int) -> Walk:
            while True:
                yield sending("", origin)

        asked: list[Stop] = []

        def stopped() -> Stop:
            if len(seen.requests) < 2:
                return Stop.NOT
            asked.append(kind)
            # By then the load process has been told.
            if kind is Stop.DRAIN and len(asked) > 2:
                released.set()
            return kind

        try:
            result = carried_out(experiment_of(crew(2)), walk, stopped).result
        finally:
            released.set()

    if kind is Stop.DRAIN:
        assert result.outcomes["answered"] == result.offered == len(seen.requests)
    else:
        assert (result.outcomes["given-up"], result.offered) == (2, 2)


@pytest.mark.parametrize("rule", [StopRule(first_failure=True), StopRule(error_share=0.5)])
def test_a_stop_rule_ends_journeys_as_it_ends_other_loads(rule):
    with answering(lambda *_: (500, {}, b"")) as (origin, seen):

        def walk(_crew: Crew, _number: int) -> Walk:
            while True:
                yield sending("", origin)

        finished = carried_out(experiment_of(crew(1), stop=rule), walk)

    assert finished.result.stopped
    # The request after the first failure is never sent; a share counts once there are twenty.
    assert len(seen.paths) == finished.result.offered
    assert finished.result.offered == 1 if rule.first_failure else finished.result.offered >= 20


def test_a_failure_that_a_journey_finds_counts_for_a_stop_rule():
    with answering(ok) as (origin, seen):

        def walk(_crew: Crew, _number: int) -> Walk:
            while True:
                yield sending("", origin)
                yield Judged(False, "not what it should be")

        finished = carried_out(experiment_of(crew(1), stop=StopRule(first_failure=True)), walk)

    assert len(seen.paths) == finished.result.outcomes["wrong-body"] == 1


TIMEOUTS = [
    (Timeouts(whole_s=0.2), "/slow", "unanswered"),
    (Timeouts(first_byte_s=0.2, whole_s=None), "/slow", "unanswered"),
    (Timeouts(connect_s=0.2, whole_s=None), "/", "answered"),
    (Timeouts(0.2, 5.0, 10.0), "/slow", "answered"),
]


@pytest.mark.parametrize(("timeouts", "path", "outcome"), TIMEOUTS)
def test_each_request_has_its_own_timeouts(timeouts, path, outcome):
    def slow(_method: str, path: str, *_: object) -> tuple[int, dict[str, str], bytes]:
        if path == "/slow":
            time.sleep(0.6)
        return ok()

    with answering(slow) as (origin, _):

        def walk(_crew: Crew, _number: int) -> Walk:
            yield sending("one", origin, path, timeouts=timeouts)
            yield sending("more", origin, timeouts=Timeouts())

        finished = carried_out(experiment_of(crew()), walk)

    assert column(finished, "outcome") == [outcome, "answered"]
    if outcome == "unanswered":
        took = column(finished, "done_ns")[0] - column(finished, "due_ns")[0]
        assert 200 * MS <= took < 550 * MS


def test_a_server_that_takes_no_connection_is_a_connect_timeout():
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full:
        address = full.getsockname()
        others = [socket.socket() for _ in range(3)]
        for each in others:
            each.setblocking(False)
            each.connect_ex(address)
        try:

            def walk(_crew: Crew, _number: int) -> Walk:
                timeouts = Timeouts(connect_s=0.2, whole_s=None)
                yield sending("", f"http://127.0.0.1:{address[1]}", timeouts=timeouts)

            finished = carried_out(experiment_of(crew()), walk)
        finally:
            for each in others:
                each.close()

    assert column(finished, "outcome") == ["connect-timeout"]


@pytest.mark.parametrize("is_open", [False, True])
def test_a_closed_port_ends_journeys_early_unless_they_have_a_schedule(is_open):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        origin = f"http://127.0.0.1:{taken.getsockname()[1]}"

        def walk(_crew: Crew, _number: int) -> Walk:
            for _ in range(40):
                yield sending("", origin)

        finished = carried_out(experiment_of(crew(5, open=is_open)), walk)

    assert finished.result.outcomes["refused"] == finished.result.offered
    assert (finished.result.offered == 200) is is_open
    assert (finished.result.stopped is None) is is_open


def test_a_fault_of_one_walk_ends_its_client_alone_and_is_told():
    with answering(ok) as (origin, _):

        def walk(_crew: Crew, number: int) -> Walk:
            yield sending(f"{number}", origin)
            if number == 2:
                raise ValueError("no such thing")
            yield sending(f"{number}", origin)

        finished = carried_out(experiment_of(crew(3)), walk)

    assert sorted(labels_of(finished)) == ["1", "1", "2", "3", "3"]
    assert finished.result.generator_limited
    assert any("ValueError: no such thing" in each for each in finished.result.warnings)


def test_a_client_that_can_send_nothing_keeps_no_other_from_sending():
    with answering(ok) as (origin, seen):

        def walk(_crew: Crew, number: int) -> Walk:
            if number == 2:
                for _ in range(20):
                    yield sending("sent", origin)
                yield EndLoad(False)
            while number == 1:
                told = yield sending("away", "http://shop.example")
                assert told.answer is not None

        finished = carried_out(experiment_of(crew(2)), walk)

    assert len(seen.paths) == 20
    assert finished.result.outcomes["unsent"] < 20_000
    assert not finished.result.generator_limited


def test_a_request_that_cannot_be_sent_as_it_is_written_is_unsent_and_told():
    with answering(ok) as (origin, seen):

        def walk(_crew: Crew, _number: int) -> Walk:
            told = yield sending("space", origin, "/a b")
            assert told.answer is not None
            assert not told.answer.answered
            yield sending("break", origin, headers=(("X-A", "1\r\nX-B: 2"),))
            yield sending("scheme", "ftp://127.0.0.1")
            yield Unsent("value", "it has no value", 0)

        finished = carried_out(experiment_of(crew()), walk)

    assert not seen.paths
    assert column(finished, "outcome") == ["unsent"] * 4
    assert "/a b" in reasons_of(finished)[0]
    assert "control character" in reasons_of(finished)[1]
    assert finished.result.outcomes["unsent"] == finished.result.offered == 4
