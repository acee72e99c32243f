"""The loop's logic under scripted events: no clock, no socket."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from driving import steady
from hypothesis import given
from hypothesis import strategies as st

from holdfast.engine.columns import Columns
from holdfast.engine.loop import AT_ONCE, Loop, Seen, closed_model, open_model
from holdfast.engine.timeouts import Deadlines
from holdfast.model import schedule
from holdfast.model.places import Outcome

MS = 1_000_000
S = 1000 * MS
START = 5 * S


@dataclass
class Scripted:
    """Carries out steps in a time of its own; every request takes as long as the script says.

    Attributes:
        service_ns: row -> time until the answer; None never answers.
        keeps: whether the server keeps connections.
        lag_ns: how much later than asked each step comes.
    """

    columns: Columns
    service_ns: Callable[[int], int | None]
    keeps: bool = True
    lag_ns: int = 0
    now_ns: int = START - 10 * MS
    ends: dict[int, int | None] = field(default_factory=dict)
    opened: list[int] = field(default_factory=list)
    expired: list[int] = field(default_factory=list)
    taken: int = 0
    ended: int = 0
    peak: int = 0
    refill: range = range(0)

    def begin(self, row: int) -> None:
        service = self.service_ns(row)
        self.ends[row] = None if service is None else self.now_ns + service
        self.peak = max(self.peak, len(self.ends))

    def end(self, row: int, outcome: Outcome) -> None:
        del self.ends[row]
        self.columns.done[row] = self.now_ns
        self.columns.outcome[row] = outcome
        self.ended += 1

    def answer(self) -> bool:
        """Answers what is due; whether there was anything."""
        answered = [row for row, at in self.ends.items() if at is not None and at <= self.now_ns]
        for row in answered:
            self.end(row, Outcome.ANSWERED)
            if self.keeps and self.refill:
                following, self.refill = self.refill[0], self.refill[1:]
                self.taken += 1
                self.columns.due[following] = self.columns.sent[following] = self.now_ns
                self.begin(following)
        return bool(answered)

    def run(self, loop: Loop, until_ns: int = 10**18) -> None:
        step = next(loop)
        while self.now_ns < until_ns:
            for row in step.expire:
                self.expired.append(row)
                self.end(row, Outcome.UNANSWERED)
            for row in step.open:
                self.opened.append(row)
                self.columns.opened[row] = self.columns.sent[row] = self.now_ns
                self.begin(row)
            self.refill = step.refill
            if not self.answer():
                nearest = min((at for at in self.ends.values() if at is not None), default=10**18)
                assert step.wait_ns >= 0
                self.now_ns = min(self.now_ns + step.wait_ns, max(nearest, self.now_ns)) + self.lag_ns
                self.answer()
            try:
                step = loop.send(Seen(self.now_ns, self.ended, self.taken))
            except StopIteration:
                return


def test_each_request_of_an_open_run_is_opened_when_it_is_due_whatever_became_of_the_others():
    due = schedule.spread(5, 5)
    columns = Columns(5)
    script = Scripted(columns, lambda _row: 20 * S)

    script.run(open_model(due, range(5), START, Deadlines(columns, (), None), columns))

    assert [at - START for at in columns.opened] == [0, 1 * S, 2 * S, 3 * S, 4 * S]
    assert list(columns.due) == list(columns.opened)
    assert (script.peak, script.ended) == (5, 5)


def test_a_late_load_still_remembers_when_its_requests_were_due():
    columns = Columns(100)
    script = Scripted(columns, lambda _row: 0, lag_ns=70 * MS)

    script.run(open_model(steady(100, 1), range(100), START, Deadlines(columns, (), None), columns))

    assert [at - START for at in columns.due] == list(steady(100, 1))
    assert max(map(int.__sub__, columns.opened, columns.due)) <= 80 * MS


def test_a_burst_is_opened_in_portions_so_that_answers_are_seen_in_between():
    columns = Columns(1000)
    loop = open_model(schedule.burst(1000), range(1000), START, Deadlines(columns, (), None), columns)
    next(loop)

    step = loop.send(Seen(START, 0))

    assert (step.open, step.wait_ns) == (range(AT_ONCE), 0)


def test_a_request_that_is_not_answered_in_time_expires_in_both_models():
    for model in (
        lambda columns: open_model(schedule.spread(3, 3), range(3), START, Deadlines(columns, (), 2 * S), columns),
        lambda columns: closed_model(1, range(3), START, None, Deadlines(columns, (), 2 * S)),
    ):
        columns = Columns(3)
        script = Scripted(columns, lambda row: None if row == 1 else MS)

        script.run(model(columns))

        assert script.expired == [1]
        assert columns.done[1] - columns.sent[1] == 2 * S
        assert script.ended == 3


def test_one_load_process_opens_its_own_rows_alone():
    columns = Columns(10)
    script = Scripted(columns, lambda _row: MS)

    script.run(open_model(schedule.spread(10, 1), range(1, 10, 3), START, Deadlines(columns, (), None), columns))

    assert script.opened == [1, 4, 7]


def test_a_closed_run_keeps_so_many_requests_in_flight_and_ends_with_its_rows():
    columns = Columns(100)
    script = Scripted(columns, lambda _row: 10 * MS)

    script.run(closed_model(4, range(100), START, None, Deadlines(columns, (), None)))

    assert (script.peak, script.ended) == (4, 100)
    assert script.opened == [0, 1, 2, 3]
    assert script.now_ns == START + 25 * 10 * MS


def test_a_closed_run_of_many_clients_is_opened_in_portions_and_can_be_stopped_in_between():
    columns, many = Columns(1000), 1000
    loop = closed_model(many, range(many), START, None, Deadlines(columns, (), None))
    next(loop)

    opened = list[int]()
    for _ in range(3):
        step = loop.send(Seen(START, 0))
        opened += step.open
        assert (len(step.open), step.wait_ns) == (AT_ONCE, 0)
    last = loop.send(Seen(START, 0, draining=True))

    assert opened == [*range(3 * AT_ONCE)]
    assert [*last.open] == []


def test_a_closed_run_replaces_connections_that_are_not_kept():
    columns = Columns(20)
    script = Scripted(columns, lambda _row: 10 * MS, keeps=False)

    script.run(closed_model(4, range(20), START, None, Deadlines(columns, (), None)))

    assert (script.peak, script.ended, script.opened) == (4, 20, list(range(20)))


def test_a_closed_run_begins_nothing_after_its_time_and_waits_for_what_it_began():
    columns = Columns(10_000)
    script = Scripted(columns, lambda _row: 300 * MS)

    script.run(closed_model(2, range(10_000), START, START + S, Deadlines(columns, (), None)))

    begun = [at for at in columns.sent if at]
    assert max(begun) < START + S
    assert script.ended == len(begun) == 8
    assert script.now_ns == START + 1200 * MS


def test_nothing_begins_before_the_common_start():
    for model in (
        lambda columns: open_model(schedule.burst(2), range(2), START, Deadlines(columns, (), None), columns),
        lambda columns: closed_model(2, range(2), START, None, Deadlines(columns, (), None)),
    ):
        columns = Columns(2)
        Scripted(columns, lambda _row: MS).run(model(columns))

        assert min(columns.opened) >= START


def test_a_run_without_requests_is_over_at_once():
    columns = Columns(0)

    for model in (
        open_model(schedule.burst(0), range(0), START, Deadlines(columns, (), None), columns),
        closed_model(3, range(0), START, None, Deadlines(columns, (), None)),
    ):
        script = Scripted(columns, lambda _row: MS)
        script.run(model)

        assert script.now_ns <= START
        assert script.opened == []


@given(
    st.lists(st.none() | st.integers(0, 500 * MS), min_size=1, max_size=60),
    st.integers(1, 20),
    st.integers(0, 50 * MS),
    st.booleans(),
)
def test_every_request_of_a_closed_run_ends_once_and_never_more_are_in_flight_than_asked(
    services, connections, lag, keeps
):
    columns = Columns(len(services))
    script = Scripted(columns, services.__getitem__, keeps, lag)

    script.run(closed_model(connections, range(len(services)), START, None, Deadlines(columns, (), 400 * MS)))

    assert script.peak <= connections
    assert script.ended == len(services)
    assert all(columns.outcome)


@given(
    st.lists(st.integers(0, 3 * S), min_size=1, max_size=60).map(sorted),
    st.none() | st.integers(0, 2 * S),
    st.integers(0, 50 * MS),
)
def test_every_request_of_an_open_run_is_opened_at_its_time_and_ends_once(due, service, lag):
    columns = Columns(len(due))
    script = Scripted(columns, lambda _row: service, lag_ns=lag)

    script.run(open_model(due, range(len(due)), START, Deadlines(columns, (), 1 * S), columns))

    assert script.opened == list(range(len(due)))
    assert all(0 <= opened - START - at <= lag + 10 * MS for opened, at in zip(columns.opened, due, strict=True))
    assert all(columns.outcome)
