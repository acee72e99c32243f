"""A load agent: the process on one host of a cluster that sends its share of a load.

It runs apart from the cluster's own worker process, so that nothing else runs between its requests, and talks to that
process by its standard input and output alone (`cluster.frames`). It ends itself when its worker is gone, and when it
has not heard for LEASE_S that the host that asked for the load is still there.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from multiprocessing.connection import Connection

import msgspec

from holdfast.cluster.assignment import Assignment, decode
from holdfast.cluster.frames import (
    BEGIN,
    DRAIN,
    FAILURE,
    INSTANT,
    PROGRESS,
    QUIT,
    READY,
    REPORT,
    ROWS,
    Failure,
    Progress,
)
from holdfast.cluster.merge import report_of, rows_of, rows_of_journeys
from holdfast.engine.ended import Stretch, newly_ended, stretches
from holdfast.engine.plan import Plan, Stop
from holdfast.engine.processes import Watched, load_runs
from holdfast.errors import HoldfastError
from holdfast.loadtest.journey_parts import Packing
from holdfast.loadtest.journey_plans import journey_plan, with_particulars
from holdfast.loadtest.plans import plans_of
from holdfast.model.load import StopRule

LEASE_S = 60.0
REPORT_EACH_NS = 250_000_000
ROWS_EACH_NS = 1_000_000_000


class Orders:
    """The worker's orders. Invariant: what was once asked for stays asked for."""

    def __init__(self, worker: Connection) -> None:
        self._worker = worker
        self._parent = os.getppid()
        self._heard_s = time.monotonic()
        self.stop = Stop.NOT
        self.start_ns: int | None = None

    def await_assignment(self) -> Assignment:
        """Waits for the assignment.

        Raises:
            EOFError: the worker is gone.
        """
        return decode(self._worker.recv_bytes())

    def follow(self, wait_s: float = 0.0) -> Stop:
        """Takes in the orders that have come, waiting up to `wait_s` for one; returns how the load is to end."""
        while self.stop is not Stop.AT_ONCE and self._worker.poll(wait_s):
            self._heard_s = time.monotonic()
            wait_s = 0.0
            self._obey()
        if os.getppid() != self._parent or time.monotonic() - self._heard_s > LEASE_S:
            self.stop = Stop.AT_ONCE
        return self.stop

    def _obey(self) -> None:
        try:
            order = self._worker.recv_bytes()
        except EOFError:
            order = QUIT
        if order[:1] == BEGIN:
            (self.start_ns,) = INSTANT.unpack(order[1:])
        elif order == DRAIN:
            self.stop = max(self.stop, Stop.DRAIN)
        elif order == QUIT:
            self.stop = Stop.AT_ONCE


class ProgressReporter:
    """Tells the worker how far the load is, a few times a second, and each second what has ended since.

    So a host that is lost does not take along what it had sent. The process that watches the load does it, as it would
    save the rows of a load on this host alone; packing takes 1.5 us a row (`engine.packing`).
    """

    def __init__(self, worker: Connection, plans: int) -> None:
        self._worker = worker
        self._plans = plans
        self._next_ns = self._next_rows_ns = 0
        self._stretches: list[Stretch] | None = None
        self._packing: Packing | None = None

    def report(self, watched: Watched) -> None:
        """Reports, if it is time to."""
        now_ns = time.monotonic_ns()
        if now_ns < self._next_ns:
            return
        self._next_ns = now_ns + REPORT_EACH_NS
        tally = watched.tally
        begun = [0] * self._plans
        for (plan, _), count in zip(watched.shares, tally.begun, strict=True):
            begun[plan] += count
        travel = watched.plans[0].travel
        ending = 0 if travel is None else travel.particulars.ending
        progress = Progress(begun, sum(tally.ended), sum(tally.unanswered), ending)
        self._worker.send_bytes(PROGRESS + msgspec.json.encode(progress))
        if now_ns >= self._next_rows_ns:
            self._next_rows_ns = now_ns + ROWS_EACH_NS
            self._pass_rows_on(watched)

    def _pass_rows_on(self, watched: Watched) -> None:
        if self._stretches is None:
            self._stretches = list(stretches(watched))
        if not (ended := newly_ended(watched, self._stretches)):
            return
        if (travel := watched.plans[0].travel) is None:
            self._worker.send_bytes(ROWS + rows_of(watched.columns, ended, watched.spans))
            return
        self._packing = self._packing or Packing(watched.columns, travel.particulars)
        self._worker.send_bytes(ROWS + rows_of_journeys(self._packing, ended))


def main() -> int:
    """Lives the agent's life; returns its exit code."""
    from_worker, to_worker = Connection(0, writable=False), Connection(1, readable=False)
    orders = Orders(from_worker)
    try:
        assignment = orders.await_assignment()
        plans = _plans(assignment)
        to_worker.send_bytes(READY)
        while orders.start_ns is None and orders.follow(1.0) is not Stop.AT_ONCE:
            pass
        if orders.start_ns is not None:
            _send(plans, assignment, orders, orders.start_ns, to_worker)
    except (EOFError, BrokenPipeError):
        return 1
    except (HoldfastError, ValueError, OSError) as error:
        words = error if isinstance(error, HoldfastError) else HoldfastError(str(error))
        to_worker.send_bytes(FAILURE + msgspec.json.encode(Failure(words.what, words.why, words.remedy)))
        return 1
    return 0


def _plans(assignment: Assignment) -> tuple[Plan, ...]:
    experiment, targets = assignment.experiment, assignment.targets
    return tuple(plans_of(experiment, targets)) if experiment.journeys is None else (journey_plan(experiment, targets),)


def _send(plans: Sequence[Plan], assignment: Assignment, orders: Orders, start_ns: int, to_worker: Connection) -> None:
    # This host does not know the share of errors on the others; the host that asked for the load does.
    rule = StopRule(first_failure=assignment.experiment.stop.first_failure)
    watch = ProgressReporter(to_worker, len(plans)).report
    run = load_runs(plans, orders.follow, rule=rule, watch=watch, share=assignment.share, start_ns=start_ns)
    if plans[0].travel is not None:
        run = with_particulars(run, plans[0])
    to_worker.send_bytes(REPORT + report_of(replace(run, facts=replace(run.facts, stopped=None))))


if __name__ == "__main__":
    sys.exit(main())
