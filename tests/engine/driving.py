"""What tests of the load do to drive a prober and to play the server by hand."""

from __future__ import annotations

import socket
import time
from array import array
from collections import Counter
from collections.abc import Callable

from holdfast.engine.collect import LoadRun
from holdfast.engine.plan import Plan, Stop
from holdfast.engine.prober import Prober
from holdfast.engine.processes import load_runs
from holdfast.model import schedule
from holdfast.model.places import Outcome

MS = 1_000_000
PATIENCE_S = 20


def turn_until(prober: Prober, condition: Callable[[], object]) -> None:
    """Turns the prober until the condition holds; fails after a generous time on any machine."""
    end = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < end, f"it did not come to that: {prober.outcome_counts()}"
        prober.turn(10 * MS)


def accept(listener: socket.socket) -> socket.socket:
    """The next connection, with the whole head of its request read."""
    connection = listener.accept()[0]
    connection.settimeout(PATIENCE_S)
    read = b""
    while b"\r\n\r\n" not in read:
        piece = connection.recv(65536)
        assert piece, "the prober closed before its request was complete"
        read += piece
    return connection


def steady(rate_per_s: float, seconds: float) -> array[int]:
    """When requests at one rate are due."""
    return schedule.steps([(rate_per_s, seconds)])


def run_plan(plan: Plan, stopped: Callable[[], Stop] = lambda: Stop.NOT) -> LoadRun:
    """Carries out one plan."""
    return load_runs((plan,), stopped)


def outcomes(run: LoadRun) -> dict[Outcome, int]:
    """How many of a run's requests ended in each way, counted in its rows."""
    return dict(Counter(Outcome(run.columns.outcome[row]) for row in run.begun))
