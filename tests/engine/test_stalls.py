"""What a load's own standing still comes to: told, and never the server's."""

from __future__ import annotations

import os
import re
import signal
import time
from array import array

import pytest
from driving import steady

from holdfast.engine.http1 import host_field, request_head
from holdfast.engine.plan import Plan
from holdfast.engine.processes import Watched, load_runs
from holdfast.engine.reports import WorkerReport
from holdfast.engine.sessions import Sessions
from holdfast.engine.shapes import Closed, Open
from holdfast.engine.stalls import Stalls, is_fault, stalled, stalls_limit
from holdfast.engine.timeouts import IDLE_NS
from holdfast.model.scenario import Pause
from holdfast.model.units import MS, NS_PER_S

STOPPED_LOOKS = 8


class StopsOnce:
    """Stops the load process (SIGSTOP) for some looks of its parent, once it has begun requests."""

    def __init__(self) -> None:
        self.looks = 0
        self.instants: list[int] = []

    def __call__(self, watched: Watched) -> None:
        if not watched.pids or sum(watched.tally.begun) < 10 or len(self.instants) == 2:
            return
        (pid,) = watched.pids
        if not self.looks:
            os.kill(pid, signal.SIGSTOP)
        if self.looks in (0, STOPPED_LOOKS):
            self.instants.append(time.monotonic_ns())
        if self.looks == STOPPED_LOOKS:
            os.kill(pid, signal.SIGCONT)
        self.looks += 1


@pytest.mark.parametrize(
    "shape",
    [
        Closed(4, 10_000_000, seconds=1.5),
        Sessions(array("q", [0] * 4), 100_000, (Pause(0.01),), seconds=1.5),
        Open(steady(5, 3)),
    ],
    ids=["closed", "sessions", "open"],
)
def test_a_load_that_was_stopped_says_for_how_long_and_does_not_blame_the_server(port, shape):
    stops = StopsOnce()
    head = request_head("GET", "/same", host_field("127.0.0.1", port))

    summary = load_runs([Plan("127.0.0.1", port, head, shape)], watch=stops).summary

    stopped_s = (stops.instants[1] - stops.instants[0]) / NS_PER_S
    (words,) = [each for each in summary.warnings if each.startswith("The load itself stood still, ")]
    longest_s = float(re.search(r"for ([\d.]+) s at most", words)[1])
    # A stall that begins within a wait counts from the end of that wait.
    assert longest_s >= stopped_s - IDLE_NS / NS_PER_S - 0.01
    assert summary.generator_limited


def test_only_what_is_beyond_the_turns_own_work_is_a_stall():
    stalls = Stalls()

    for beyond_ns in (-90 * MS, 0, 12 * MS, 49 * MS, 60 * MS, 130 * MS):
        stalls.add(beyond_ns)

    assert (stalls.longest_ns, stalls.total_ns) == (130 * MS, 190 * MS)


@pytest.mark.parametrize(
    ("longest_s", "total_s", "lasted_s", "fault"),
    [(0.06, 0.06, 0.2, False), (0.06, 0.12, 0.2, True), (0.06, 0.12, 10.0, False), (0.06, 0.06, 0.6, True)],
)
def test_what_the_load_did_itself_is_its_fault_in_a_short_load_too(longest_s, total_s, lasted_s, fault):
    assert is_fault(longest_s, total_s, lasted_s, own=True) == fault


@pytest.mark.parametrize(
    ("longest_s", "total_s", "lasted_s", "told", "limits"),
    [
        (0.0, 0.0, 10.0, False, False),
        (0.08, 0.08, 10.0, False, False),
        (0.15, 0.15, 10.0, True, False),
        (2.0, 2.0, 600.0, True, True),
        # A processor quota of a fifth: 80 ms of each 100 ms.
        (0.08, 8.0, 10.0, True, True),
        (0.06, 0.06, 0.2, False, False),
    ],
)
def test_a_long_stall_or_many_are_the_loads_own_fault(longest_s, total_s, lasted_s, told, limits):
    reports = [
        WorkerReport(lasted_s=10.0),
        WorkerReport(lasted_s=lasted_s, longest_stall_s=longest_s, stalled_s=total_s),
    ]

    assert (stalled(reports) is not None, stalls_limit(reports)) == (told, limits)
