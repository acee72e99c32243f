"""Verdicts on servers of whose inside nothing was seen, from records that are written by hand."""

from __future__ import annotations

from dataclasses import fields, is_dataclass, replace

import msgspec
import pytest

from holdfast.errors import InconclusiveError
from holdfast.infer.judge import judge
from holdfast.model.experiment import OutsideExperiment, UrlTarget
from holdfast.model.outside import OutsideTimeline, Round, RunningServer
from holdfast.model.phase import Phase
from holdfast.model.places import Outcome
from holdfast.model.timeline import Listener, Request, ServerSocket, Snapshot

S = 1_000_000_000
MS = 1_000_000


def request(id, opened_ns, done_ns, phase, outcome=Outcome.ANSWERED, status=200):
    ends = {"outcome": outcome, "status": status, "done_ns": done_ns}
    starts = {
        "due_ns": opened_ns,
        "opened_ns": opened_ns,
        "connected_ns": opened_ns + 1000,
        "sent_ns": opened_ns + 2000,
    }
    return Request(id=id, phase=phase, **starts, **ends, local_address="127.0.0.1", local_port=40000 + id)


class Record:
    """A server with so many places, each request half a second in it, looked at from outside."""

    def __init__(self, places=4, turned_away=None):
        self.places, self.turned_away = places, turned_away
        self.requests, self.rounds, self.now = [], [], S

    def _add(self, kind, ends, clients, phase, snapshot=None, **more):
        first = len(self.requests)
        for sent, done, outcome in ends:
            status = {Outcome.ANSWERED: 200, Outcome.REJECTED: 503}.get(outcome, 0)
            self.requests.append(request(len(self.requests), sent, done, phase, outcome, status))
        stopped = max((sent for sent, _, _ in ends), default=self.now) + MS
        self.rounds.append(Round(kind, first, len(self.requests), clients, stopped, snapshot=snapshot, **more))
        self.now = max(done for _, done, _ in ends) + MS

    def single(self):
        self._add("single", [(self.now, self.now + S // 2, Outcome.ANSWERED)], 1, -1)
        return self

    def burst(self, offered, *, phase=Phase.ROUND, kernel=True, queue=0):
        ends = []
        for index in range(offered):
            sent = self.now + index * MS
            if index >= self.places and self.turned_away is not None:
                ends.append((sent, sent + MS, self.turned_away))
            else:
                ends.append((sent, self.now + index * MS + (index // self.places + 1) * S // 2, Outcome.ANSWERED))
        at = self.now + 350 * MS
        living = [len(self.requests) + n for n, (_, done, _) in enumerate(ends) if done > at]
        sockets = tuple(
            ServerSocket("127.0.0.1", 40000 + id, "ESTABLISHED", accepted=n < len(living) - queue)
            for n, id in enumerate(living)
        )
        listener = Listener(1, "127.0.0.1", 8000, queue, 2)
        self._add("burst", ends, offered, phase, Snapshot(at, at + MS, True, (listener,), sockets) if kernel else None)
        return self

    def steady(self, throughput_of=None):
        at_once = throughput_of or self.places
        ends = [
            (
                self.now + (index - 2 * at_once) // at_once * S // 2,
                self.now + index // at_once * S // 2,
                Outcome.ANSWERED,
            )
            for index in range(2 * at_once, 12 * at_once)
        ]
        self._add("steady", ends, 2 * self.places + 2, 1, cores=0.01)
        self.rounds[-1] = replace(self.rounds[-1], stopped_ns=ends[-2 * at_once][1])
        return self

    def timeline(self, *, kernel=True, others=0, alive=True):
        return OutsideTimeline(
            experiment=OutsideExperiment(UrlTarget("http://127.0.0.1:8000/slow"), path="/slow"),
            server=RunningServer("127.0.0.1", 8000, 4096, False),
            started_ns=S,
            first_sent_ns=S,
            ended_ns=self.now,
            rounds=tuple(self.rounds),
            requests=tuple(self.requests),
            kernel=kernel,
            others=others,
            alive=alive,
        )


def looked_at(record, **how):
    kernel = how.pop("kernel", True)
    for _ in range(4):
        record.single()
    record.burst(4, kernel=kernel).burst(16, kernel=kernel).burst(
        7, phase=Phase.RAMP, kernel=kernel, queue=how.pop("queue", 0)
    )
    return record.steady(how.pop("throughput_of", None)).timeline(kernel=kernel, **how)


def nulls(tree, stem=""):
    for name, value in tree.items():
        if isinstance(value, dict) and name != "unknown":
            yield from nulls(value, f"{stem}{name}.")
        elif value is None:
            yield stem + name


def check(verdict):
    """What every such verdict is."""
    built = msgspec.to_builtins(verdict)
    assert verdict.confidence == "estimated"
    assert sum(value for value in built["places"].values() if value is not None) == verdict.offered
    assert set(nulls(built)) == set(verdict.unknown)
    assert verdict.ceiling.interval is not None
    return verdict


def test_with_the_kernel_every_request_is_placed_and_in_service_is_the_estimate():
    verdict = check(judge(looked_at(Record(4), queue=2)))

    assert (verdict.ceiling.in_service, verdict.ceiling.bounded, verdict.ceiling.interval) == (4, True, (4, 4))
    places = verdict.places
    assert (places.in_service, places.userspace_queue, places.accept_queue, places.unplaced) == (4, 1, 2, 0)
    assert (verdict.ceiling.userspace_queue, verdict.ceiling.userspace_queue_bounded) == (1, True)
    assert (verdict.overflow.first, verdict.overflow.then) == ("userspace_queue", ("accept_queue",))
    assert verdict.overflow.client_sees == "waits"
    assert verdict.model.listen_queues == "shared"
    assert verdict.established == verdict.offered == 7


def test_a_full_accept_queue_is_a_bound_of_its_own():
    verdict = check(judge(looked_at(Record(4), queue=3)))

    assert (verdict.ceiling.accept_queue, verdict.ceiling.accept_queue_limit) == (3, 2)
    # Those in the queue wait; what the next one would get was not tried.
    assert verdict.overflow.client_sees is None
    assert verdict.unknown["overflow.client_sees"] == "no request went beyond every queue"


@pytest.mark.parametrize(
    ("limits", "words"),
    [
        ((2, 7), "its queues have different backlogs: 2, 7"),
        ((None,), "sock_diag"),
        ((), "the listening socket could not be read"),
    ],
)
def test_where_the_kernel_was_asked_and_tells_no_backlog_the_reason_is_its_own(limits, words):
    timeline = looked_at(Record(4))
    listeners = tuple(Listener(n, "127.0.0.1", 8000, 0, limit) for n, limit in enumerate(limits))
    rounds = tuple(
        replace(each, snapshot=each.snapshot and replace(each.snapshot, listeners=listeners))
        for each in timeline.rounds
    )

    verdict = check(judge(replace(timeline, rounds=rounds)))

    assert words in verdict.unknown["ceiling.accept_queue_limit"]
    assert (verdict.model.listen_queues is None) == (not limits)


def test_without_the_kernel_the_queues_are_not_told_apart():
    verdict = check(judge(looked_at(Record(4), kernel=False)))

    assert verdict.ceiling.in_service == 4
    places = verdict.places
    assert (places.in_service, places.userspace_queue, places.accept_queue, places.unplaced) == (4, None, None, 3)
    assert verdict.overflow.first is None
    assert verdict.overflow.client_sees == "waits"


@pytest.mark.parametrize("kernel", [True, False])
def test_who_is_turned_away_is_counted_and_its_fate_named(kernel):
    verdict = check(judge(looked_at(Record(4, Outcome.REJECTED), kernel=kernel)))

    assert (verdict.places.in_service, verdict.places.rejected) == (4, 3)
    assert verdict.overflow.client_sees == "503"
    assert verdict.ceiling.in_service == 4


@pytest.mark.parametrize("kernel", [True, False])
def test_where_waves_and_throughput_differ_there_is_no_number(kernel):
    record = Record(4)
    timeline = looked_at(record, throughput_of=2, kernel=kernel)
    # One burst only: with two of another size, the first wave would be believed.
    rounds = tuple(each for each in timeline.rounds if each.kind != "burst" or each.clients == 7)
    timeline = replace(timeline, rounds=rounds)

    verdict = check(judge(timeline))

    assert (verdict.ceiling.in_service, verdict.ceiling.bounded) == (None, None)
    assert verdict.ceiling.interval == (4, None)
    assert verdict.places.in_service is None
    assert verdict.places.unplaced == 7
    assert "throughput" in verdict.unknown["ceiling.in_service"]


def test_connections_of_other_clients_are_named_in_a_warning():
    assert "Others had 3 connections" in check(judge(looked_at(Record(4), others=3))).warnings[0]


def test_requests_that_were_lost_in_bursts_are_named_in_a_warning():
    warnings = check(judge(looked_at(Record(4, Outcome.RESET)))).warnings

    # Of bursts of 16 and of 7, all but four.
    assert any(each.endswith("some were not served when many were sent at once: 15 reset.") for each in warnings)


@pytest.mark.parametrize(
    ("outcome", "words"),
    [
        (Outcome.CLOSED, "a single one is closed without an answer"),
        (Outcome.RESET, "a single one is reset"),
        (Outcome.CONNECT_TIMEOUT, "a single one gets no connection"),
        (Outcome.GIVEN_UP, "a single one is not answered"),
    ],
)
def test_a_server_that_does_not_answer_any_more_gets_no_verdict(outcome, words):
    timeline = looked_at(Record(4), alive=False)
    last = replace(timeline.requests[-1], outcome=outcome, status=0)

    with pytest.raises(InconclusiveError, match="no longer answers") as raised:
        judge(replace(timeline, requests=(*timeline.requests[:-1], last)))

    assert words in raised.value.why


@pytest.mark.parametrize(("alive", "words"), [(None, "was interrupted"), (True, "accepts too slowly")])
def test_where_nobody_waited_it_says_why_no_more_were_offered(alive, words):
    verdict = judge(looked_at(Record(16), alive=alive))

    assert verdict.ceiling.bounded is False
    assert words in verdict.warnings[0]


def test_a_load_side_that_was_the_limit_gives_no_verdict():
    timeline = looked_at(Record(4))
    failed = replace(timeline.requests[-1], outcome=Outcome.FAILED)

    with pytest.raises(InconclusiveError, match="load side"):
        judge(replace(timeline, requests=(*timeline.requests[:-1], failed)))


def test_a_run_that_was_ended_before_any_burst_gives_no_verdict():
    with pytest.raises(InconclusiveError, match="before two requests"):
        judge(Record(4).single().timeline())


def test_shifting_all_times_changes_nothing():
    timeline = looked_at(Record(4))

    def later(ns):
        return ns + 5 * S if ns else ns

    def all_later(record):
        """Every instant in it, however deep."""
        if isinstance(record, tuple):
            return tuple(all_later(each) for each in record)
        if not is_dataclass(record):
            return record
        values = {each.name: getattr(record, each.name) for each in fields(record)}
        return replace(record, **{
            name: later(value) if name.endswith("_ns") else all_later(value) for name, value in values.items()
        })  # fmt: skip

    shifted = replace(timeline, requests=all_later(timeline.requests), rounds=all_later(timeline.rounds))

    assert judge(shifted) == judge(timeline)
