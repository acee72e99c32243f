"""A load agent: the process on one host of a cluster that sends its share of a load.

It is started beside the cluster's own worker process, so that nothing else runs between its requests, and talks to
that by its standard input and output alone (`load.frames`). It ends itself when its worker is gone, and also when it
has not heard for LEASE_S that whoever asked for the load is still there.
"""

from __future__ import annotations

import os
import pickle
import select
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

import msgspec

from holdfast.cluster.frames import (
    BEGIN,
    DRAIN,
    FAILURE,
    INSTANT,
    PROGRESS,
    QUIT,
    READY,
    REPORT,
    Failure,
    Progress,
    Unframed,
    framed,
)
from holdfast.cluster.merge import report_of
from holdfast.errors import HoldfastError
from holdfast.load.plan import Plan, Stop
from holdfast.load.processes import Watched, load_runs
from holdfast.load.target import Target
from holdfast.loadtest.run import plans_of
from holdfast.model.load import LoadExperiment, StopRule

LEASE_S = 60.0
TOLD_EACH_NS = 250_000_000
_READ_BYTES = 1 << 16


@dataclass(frozen=True, slots=True)
class Assignment:
    """What one host is to do: its share (i, n) of the experiment's load."""

    experiment: LoadExperiment
    targets: tuple[Target, ...]
    share: tuple[int, int]


class Orders:
    """What comes in on standard input. Invariant: what was once asked for stays asked for."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._parent = os.getppid()
        self._unframed = Unframed()
        self._unread = b""
        self._heard_s = time.monotonic()
        self.stop = Stop.NOT
        self.start_ns: int | None = None

    def assignment(self) -> Assignment:
        """Waits for it.

        Raises:
            EOFError: nobody gives one.
        """
        while True:
            data = os.read(self._descriptor, _READ_BYTES)
            if not data:
                raise EOFError
            for _, content in self._unframed.feed(data):
                # From our own parent, which runs whatever the cluster's client asks for anyway.
                return pickle.loads(content)  # type: ignore[no-any-return]  # noqa: S301

    def look(self, wait_s: float = 0.0) -> Stop:
        """Takes in what has come; waits so long for something."""
        if select.select([self._descriptor], [], [], wait_s)[0]:
            data = os.read(self._descriptor, _READ_BYTES)
            self._heard_s = time.monotonic()
            if not data:
                self.stop = Stop.AT_ONCE
            self._follow(self._unread + data)
        if os.getppid() != self._parent or time.monotonic() - self._heard_s > LEASE_S:
            self.stop = Stop.AT_ONCE
        return self.stop

    def _follow(self, orders: bytes) -> None:
        while orders:
            order = orders[:1]
            if order == BEGIN:
                if len(orders) <= INSTANT.size:
                    break
                (self.start_ns,) = INSTANT.unpack_from(orders, 1)
                orders = orders[INSTANT.size :]
            elif order in (DRAIN, QUIT):
                self.stop = max(self.stop, Stop.AT_ONCE if order == QUIT else Stop.DRAIN)
            orders = orders[1:]
        self._unread = orders


class Telling:
    """Says how far the load is, a few times a second."""

    def __init__(self, plans: int) -> None:
        self._plans = plans
        self._next_ns = 0

    def __call__(self, watched: Watched) -> None:
        """Says it, if it is time."""
        now_ns = time.monotonic_ns()
        if now_ns < self._next_ns:
            return
        self._next_ns = now_ns + TOLD_EACH_NS
        tally = watched.tally
        begun = [0] * self._plans
        for (plan, _), count in zip(watched.shares, tally.begun, strict=True):
            begun[plan] += count
        tell(PROGRESS, msgspec.json.encode(Progress(begun, sum(tally.ended), sum(tally.unanswered))))


def tell(kind: bytes, content: bytes = b"") -> None:
    """Writes one frame to standard output."""
    data = memoryview(framed(kind, content))
    while data:
        data = data[os.write(sys.stdout.fileno(), data) :]


def main() -> int:
    """The agent's life."""
    orders = Orders(sys.stdin.fileno())
    try:
        assignment = orders.assignment()
        plans = plans_of(assignment.experiment, assignment.targets)
        tell(READY)
        while orders.start_ns is None and orders.look(1.0) is not Stop.AT_ONCE:
            pass
        if orders.start_ns is not None:
            _send(plans, assignment, orders, orders.start_ns)
    except (EOFError, BrokenPipeError):
        return 1
    except (HoldfastError, ValueError, OSError) as error:
        words = error if isinstance(error, HoldfastError) else HoldfastError(str(error))
        tell(FAILURE, msgspec.json.encode(Failure(words.what, words.why, words.remedy)))
        return 1
    return 0


def _send(plans: Sequence[Plan], assignment: Assignment, orders: Orders, start_ns: int) -> None:
    # What share of the errors others have this host does not know; whoever asked for the load does.
    rule = StopRule(first_failure=assignment.experiment.stop.first_failure)
    run = load_runs(plans, orders.look, rule=rule, watch=Telling(len(plans)), share=assignment.share, start_ns=start_ns)
    tell(REPORT, report_of(replace(run, stopped=None)))


if __name__ == "__main__":
    sys.exit(main())
