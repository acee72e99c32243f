"""Ten thousand connections and more at once; run by `make scale`."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from driving import outcomes, run_plan

from holdfast.engine.collect import LoadRun
from holdfast.engine.http1 import host_field, request_head
from holdfast.engine.plan import Plan
from holdfast.engine.shapes import Open
from holdfast.model import schedule
from holdfast.model.places import Outcome
from holdfast.model.scenario import Timeouts

SERVER = Path(__file__).with_name("held_server.py")
PATIENCE_S = 120

pytestmark = pytest.mark.scale


@pytest.fixture
def hold() -> Iterator[Callable[[int, int], int]]:
    """Starts a server that holds so many requests in so many processes; gives its port."""
    started: list[subprocess.Popen[str]] = []

    def start(requests: int, processes: int) -> int:
        server = subprocess.Popen(
            [sys.executable, str(SERVER), str(requests), str(processes)],
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        started.append(server)
        assert server.stdout is not None
        return int(server.stdout.readline())

    yield start
    for server in started:
        os.killpg(server.pid, signal.SIGKILL)
        server.communicate()


def run(port: int, requests: int, seconds: float) -> LoadRun:
    head = request_head("GET", "/", host_field("127.0.0.1", port))
    return run_plan(
        Plan("127.0.0.1", port, head, Open(schedule.spread(requests, seconds)), timeouts=Timeouts(whole_s=PATIENCE_S))
    )


def test_ten_thousand_requests_in_ten_seconds_are_held_at_once_and_all_answered(hold):
    summary = run(hold(10_000, 1), 10_000, 10).summary

    assert summary.outcomes == {Outcome.ANSWERED.label: 10_000}
    assert summary.peak_in_flight == 10_000
    assert summary.rate_reached_per_s == pytest.approx(1000, rel=0.01)


@pytest.mark.parametrize(("requests", "servers"), [(19_000, 2), (40_000, 4), (100_000, 6)])
def test_more_than_one_source_or_process_can_have_are_held_at_once_without_a_loss(hold, requests, servers):
    done = run(hold(requests, servers), requests, requests / 2000)

    assert outcomes(done) == {Outcome.ANSWERED: requests}
    assert done.summary.peak_in_flight == requests
    assert len(done.facts.sources[0]) == -(-requests // 14_116)
    ports = zip(done.columns.source[:requests], done.columns.local_port[:requests], strict=True)
    assert len(set(ports)) == requests
