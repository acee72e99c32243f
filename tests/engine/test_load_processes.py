"""Load runs against a real server, in one process and in several."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
import tracemalloc
from array import array
from itertools import count
from pathlib import Path

import pytest
from driving import PATIENCE_S, outcomes, run_plan, steady
from hypothesis import given, settings
from hypothesis import strategies as st
from support.lateness import apart_from_lateness
from support.waiting import until

from holdfast.engine.acceptance import Acceptance
from holdfast.engine.http1 import host_field, request_head
from holdfast.engine.plan import Plan, Stop
from holdfast.engine.processes import Watched, load_runs
from holdfast.engine.sessions import Sessions
from holdfast.engine.shapes import Closed, Open
from holdfast.model import schedule
from holdfast.model.places import Outcome
from holdfast.model.scenario import Pause, Timeouts

TIMEOUTS = Timeouts(whole_s=PATIENCE_S)


def plan(
    port: int, shape: Open | Closed | Sessions, path: str = "/same", timeouts: Timeouts = TIMEOUTS, **more: object
) -> Plan:
    return Plan("127.0.0.1", port, request_head("GET", path, host_field("127.0.0.1", port)), shape, timeouts, **more)


def children() -> set[int]:
    """Processes that this one has started, the server among them."""
    return {int(pid) for pid in Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()}


@pytest.mark.parametrize("processes", [1, 3])
def test_every_request_of_an_open_run_is_answered_whoever_opened_it(port, processes):
    done = run_plan(plan(port, Open(steady(500, 0.4)), processes=processes))

    assert outcomes(done) == {Outcome.ANSWERED: 200}
    assert done.summary.offered == 200
    columns = done.columns
    assert all(due <= opened <= sent <= end for due, opened, sent, end in zip(
        columns.due, columns.opened, columns.sent, columns.done, strict=True
    ))  # fmt: skip
    gaps = {later - earlier for earlier, later in zip(columns.due, columns.due[1:], strict=False)}
    assert gaps == {2_000_000}


@pytest.mark.parametrize("processes", [1, 2])
def test_a_closed_run_sends_all_its_requests_over_as_many_connections_as_asked(port, processes):
    done = run_plan(plan(port, Closed(8, 1000), processes=processes))

    assert outcomes(done) == {Outcome.ANSWERED: 1000}
    assert sum(opened > 0 for opened in done.columns.opened) == 8
    assert done.summary.peak_in_flight <= 8
    assert list(done.columns.status) == [200] * 1000


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/varied", {Outcome.ANSWERED: 300}),
        ("/pieces", {Outcome.ANSWERED: 300}),
        ("/mixed", {Outcome.ANSWERED: 200, Outcome.REJECTED: 100}),
        ("/last", {Outcome.ANSWERED: 300}),
        ("/excess", {Outcome.ANSWERED: 300}),
    ],
)
def test_a_kept_connection_tells_its_replies_apart(port, path, expected):
    done = run_plan(plan(port, Closed(1, 300), path))

    assert outcomes(done) == expected
    connections = sum(opened > 0 for opened in done.columns.opened)
    assert connections == {"/last": 100, "/excess": 300}.get(path, 1)


def test_a_run_keeps_nothing_of_requests_that_are_over_beside_their_rows(port):
    requests = 10_000
    looks = count()
    used = array("q", [0]) * (2 * requests)

    def look() -> Stop:
        used[next(looks)] = tracemalloc.get_traced_memory()[0]
        return Stop.NOT

    tracemalloc.start()
    try:
        run_plan(plan(port, Closed(1, requests), "/mixed"), look)
    finally:
        tracemalloc.stop()

    # Columns lie in memory that is not Python's. One word for each request in the second half would be 40 kB.
    last = next(looks) - 1
    assert used[last] - used[last // 2] < 20_000


def test_the_replies_to_head_have_no_body(port):
    request = request_head("HEAD", "/head", host_field("127.0.0.1", port))

    done = run_plan(Plan("127.0.0.1", port, request, Closed(2, 100), TIMEOUTS))

    assert outcomes(done) == {Outcome.ANSWERED: 100}
    assert sum(opened > 0 for opened in done.columns.opened) == 2


def test_a_closed_run_of_a_certain_time_ends_by_itself(port):
    start_ns = time.monotonic_ns()

    done = load_runs([plan(port, Closed(4, 10_000_000, seconds=0.2))], start_ns=start_ns)

    assert outcomes(done).keys() == {Outcome.ANSWERED}
    # From the start, which is a little before the first request; what is on its way at the end still comes back.
    assert 0.2 <= (max(done.columns.done[row] for row in done.begun) - start_ns) / 1e9 < 0.2 + PATIENCE_S


def test_what_is_not_answered_in_time_is_unanswered(port):
    done = run_plan(plan(port, Open(schedule.burst(5)), "/silent", timeouts=Timeouts(whole_s=0.1)))

    assert outcomes(done) == {Outcome.UNANSWERED: 5}


def test_what_is_not_connected_in_time_is_a_connect_timeout(listen):
    listener = listen(backlog=0)

    done = run_plan(plan(listener.getsockname()[1], Open(schedule.burst(3)), timeouts=Timeouts(whole_s=0.2)))

    assert outcomes(done) == {Outcome.CONNECT_TIMEOUT: 2, Outcome.UNANSWERED: 1}
    assert apart_from_lateness(done.summary.warnings) == []


def test_replies_longer_than_announced_are_noted(port):
    done = run_plan(plan(port, Open(schedule.burst(5)), "/excess"))

    said = apart_from_lateness(done.summary.warnings)
    assert said == ["5 replies were followed by more bytes than they announced."]


@pytest.mark.parametrize("processes", [1, 2])
def test_a_run_that_is_stopped_gives_up_what_has_not_ended(port, processes):
    begin, before = time.monotonic(), children()

    done = run_plan(
        plan(port, Open(steady(100, 60)), "/silent", processes=processes),
        lambda: Stop.AT_ONCE if time.monotonic() > begin + 0.3 else Stop.NOT,
    )

    assert outcomes(done).keys() == {Outcome.GIVEN_UP}
    assert 0 < done.summary.offered < 6000
    assert children() == before


@pytest.mark.parametrize("processes", [1, 2])
@pytest.mark.parametrize("shape", [Open(steady(200, 60)), Closed(4, 10_000_000)])
def test_a_run_that_is_to_drain_begins_nothing_more_and_waits_for_what_is_on_its_way(port, shape, processes):
    end = time.monotonic() + 0.3

    done = run_plan(plan(port, shape, "/same", processes=processes), lambda: Stop(time.monotonic() >= end))

    assert outcomes(done).keys() == {Outcome.ANSWERED}
    assert 0 < done.summary.offered < len(done.columns.due)


def test_a_drain_that_takes_too_long_is_cut_short(port):
    asked = iter([Stop.NOT, *[Stop.DRAIN] * 3])

    done = run_plan(plan(port, Open(schedule.burst(5)), "/silent"), lambda: next(asked, Stop.AT_ONCE))

    assert outcomes(done) == {Outcome.GIVEN_UP: 5}


def test_requests_may_differ_from_row_to_row_and_an_expected_status_counts_as_an_answer(port):
    def request(row: int) -> bytes:
        return request_head("GET", "/mixed" if row % 2 else "/same", host_field("127.0.0.1", port))

    shape = Closed(1, 60)

    done = run_plan(Plan("127.0.0.1", port, request, shape, TIMEOUTS, acceptances=(Acceptance(frozenset({503})),)))

    assert outcomes(done) == {
        Outcome.ANSWERED: list(done.columns.status).count(503),
        Outcome.REJECTED: list(done.columns.status).count(200),
    }
    assert set(done.columns.status) == {200, 503}


def test_a_run_that_is_stopped_before_it_begins_has_lost_no_process(port):
    done = run_plan(plan(port, Open(steady(100, 60)), "/silent", processes=3), lambda: Stop.AT_ONCE)

    assert not any("lost" in warning for warning in done.summary.warnings)
    assert outcomes(done).keys() <= {Outcome.GIVEN_UP}


def test_a_lost_load_process_is_told_and_its_requests_are_our_own_failure(port):
    before = children()
    killed = []

    def kill_one() -> Stop:
        if not killed:
            killed.append(min(children() - before))
            os.kill(killed[0], signal.SIGKILL)
        return Stop.NOT

    done = run_plan(plan(port, Open(steady(100, 0.5)), processes=2), kill_one)

    assert sum(outcomes(done).values()) == done.summary.offered == 50
    assert outcomes(done).keys() == {Outcome.ANSWERED, Outcome.FAILED}
    assert done.summary.generator_limited
    assert done.summary.warnings[0].startswith("A load process was lost (killed by SIGKILL): ")
    assert children() == before


def test_the_clients_of_a_lost_process_leave_with_it_and_the_others_go_on(port):
    before = children()
    killed = []

    def kill_one(watched: Watched) -> None:
        if not killed and min(watched.tally.begun) >= 20:
            killed.append(min(children() - before))
            os.kill(killed[0], signal.SIGKILL)

    shape = Sessions(array("q", [0] * 8), 100, (Pause(0.005),))
    done = load_runs([plan(port, shape, processes=2)], watch=kill_one)

    found = outcomes(done)
    assert sum(found.values()) == done.summary.offered < 800
    # Of each of its four clients one request at most was on its way.
    assert found.pop(Outcome.FAILED, 0) <= 4
    assert found.keys() == {Outcome.ANSWERED}
    assert sorted({row % 8 for row in done.begun if row >= 760}) in ([0, 2, 4, 6], [1, 3, 5, 7])
    assert done.summary.generator_limited


def test_groups_run_together_and_keep_their_rows_apart(port):
    plans = [
        plan(port, Open(schedule.spread(50, 0.2))),
        plan(port, Closed(3, 40), "/other"),
        plan(port, Sessions(array("q", [0, 0]), 5, (Pause(), Pause(0.001))), acceptances=(Acceptance(),) * 2),
    ]

    done = load_runs(plans)

    assert done.facts.spans == (range(50), range(50, 90), range(90, 110))
    assert list(done.begun) == list(range(110))
    assert outcomes(done) == {Outcome.ANSWERED: 110}


@given(st.integers(1, 5), st.integers(1, 40))
@settings(max_examples=10, deadline=None)
def test_shares_of_a_plan_add_up_to_it(port, shares, many):
    shapes = [
        Open(schedule.burst(many)),
        Closed(many // 3 + 1, many),
        Sessions(array("q", [0] * many), 2, (Pause(),)),
    ]
    for shape in shapes:
        whole = plan(port, shape)
        begun = [row for index in range(shares) for row in load_runs([whole], share=(index, shares)).begun]

        assert sorted(begun) == list(range(whole.requests))


LOWERED = """
import resource, sys
resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
from holdfast.engine.plan import Plan
from holdfast.engine.processes import load_runs
from holdfast.engine.shapes import Open
from holdfast.model import schedule
from holdfast.model.scenario import Timeouts
port, processes = int(sys.argv[1]), int(sys.argv[2]) or None
plan = Plan("127.0.0.1", port, b"GET /silent HTTP/1.1\\r\\n\\r\\n", Open(schedule.burst(100)), Timeouts(whole_s=2.0),
            processes=processes)
summary = load_runs((plan,)).summary
print(summary.outcomes, summary.peak_in_flight)
print(*summary.warnings, sep="\\n")
"""


def lowered(port: int, processes: int) -> list[str]:
    """What a load of 100 held requests comes to with 64 descriptors for each process, and its warnings."""
    command = [sys.executable, "-c", LOWERED, str(port), str(processes)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout.splitlines()


def test_more_connections_than_descriptors_are_spread_over_processes(port):
    ended, *words = lowered(port, 0)

    # A request that a process had no descriptor for counts as failed, and is warned of.
    assert ended == "{'unanswered': 100} 100"
    assert apart_from_lateness(filter(None, words)) == []


def test_one_process_alone_fails_on_its_own_side_and_says_which_limit(port):
    ended, *words = lowered(port, 1)

    assert "failed" in ended
    (why,) = apart_from_lateness(words)
    assert why.startswith(
        "No descriptor is left for the load (RLIMIT_NOFILE of holdfast's own process): Too many open files. "
    )


ORPHANED = """
import sys
from holdfast.engine.plan import Plan
from holdfast.engine.processes import load_runs
from holdfast.engine.shapes import Open
from holdfast.model import schedule
print("begun", flush=True)
head = b"GET /silent HTTP/1.1\\r\\n\\r\\n"
load_runs((Plan("127.0.0.1", int(sys.argv[1]), head, Open(schedule.burst(10)), processes=3),))
"""


def test_load_processes_end_when_their_parent_is_killed(port):
    parent = subprocess.Popen(
        [sys.executable, "-c", ORPHANED, str(port)], stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    try:
        assert parent.stdout is not None
        assert parent.stdout.readline() == "begun\n"
        forked = Path(f"/proc/{parent.pid}/task/{parent.pid}/children")
        until(lambda: len(forked.read_text().split()) == 3, "three processes")

        parent.kill()

        # All of them have this pipe: it ends when the last one is gone.
        assert parent.stdout.read() == ""
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(parent.pid, signal.SIGKILL)
        parent.communicate()
