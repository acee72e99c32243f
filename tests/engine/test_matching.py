"""Patterns that backtrack, and load processes that do not end by themselves, are ended; the rows stay."""

from __future__ import annotations

import os
import resource
import signal
import time
from collections.abc import Iterator

import pytest
from driving import outcomes, run_plan

from holdfast.engine import matching
from holdfast.engine.acceptance import Acceptance, TooSlowError
from holdfast.engine.http1 import host_field, request_head
from holdfast.engine.listening import HUNG
from holdfast.engine.matching import checks_in_time
from holdfast.engine.plan import Plan, Stop
from holdfast.engine.processes import Watched, load_runs
from holdfast.engine.shapes import Closed, Open
from holdfast.model import schedule
from holdfast.model.places import Outcome
from holdfast.model.scenario import Check, Timeouts

# Each further `a` before the `b` doubles the steps: 40 take hours.
BACKTRACKING = Check("(a+)+$", pattern=True)


@pytest.fixture(autouse=True)
def _own_handler() -> Iterator[None]:
    before = signal.getsignal(signal.SIGVTALRM)
    yield
    signal.signal(signal.SIGVTALRM, before)


def plan(port, shape, path, check):
    head = request_head("GET", path, host_field("127.0.0.1", port))
    return Plan("127.0.0.1", port, head, shape, Timeouts(whole_s=20), acceptances=(Acceptance(checks=(check,)),))


def test_a_check_ends_in_time():
    passes = checks_in_time()

    with pytest.raises(TooSlowError, match=r"'\(a\+\)\+\$' did not come to an end within 1 s on a body of 41 bytes"):
        passes([BACKTRACKING], b"a" * 40 + b"b")

    assert passes([Check("(a+)+$", pattern=True)], b"a" * 40)
    assert not passes([Check("c", pattern=True)], b"a" * 40)
    assert signal.getitimer(signal.ITIMER_VIRTUAL) == (0.0, 0.0)


@pytest.mark.parametrize("shape", [Closed(2, 20), Open(schedule.burst(20))], ids=["closed", "burst"])
def test_a_pattern_that_backtracks_is_given_up_once_and_told(port, shape):
    before_s = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime

    done = run_plan(plan(port, shape, "/aaab", BACKTRACKING))

    # Whether the body passes is not known, and that is the load's own doing.
    assert outcomes(done) == {Outcome.FAILED: 20}
    assert done.summary.generator_limited
    assert done.summary.warnings[0].startswith("The pattern '(a+)+$' did not come to an end within 1 s on a body of 41")
    assert resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before_s < 3 * matching.MOST_S


def test_a_pattern_that_ends_is_checked_as_without_a_limit(port):
    assert outcomes(run_plan(plan(port, Closed(2, 50), "/aaab", Check("^a+b$", pattern=True)))) == {
        Outcome.ANSWERED: 50
    }
    assert outcomes(run_plan(plan(port, Closed(2, 50), "/aaab", Check("^a+$", pattern=True)))) == {
        Outcome.WRONG_BODY: 50
    }


def test_a_load_process_that_hangs_is_ended_soon_after_it_is_asked_to_and_its_rows_stay(port):
    asked_ns: list[int] = []

    def stop_it(watched: Watched) -> None:
        if watched.pids and sum(watched.tally.ended) >= 10 and not asked_ns:
            os.kill(watched.pids[0], signal.SIGSTOP)
            asked_ns.append(time.monotonic_ns())

    head = request_head("GET", "/same", host_field("127.0.0.1", port))
    load = Plan("127.0.0.1", port, head, Closed(2, 1_000_000, seconds=60.0))
    done = load_runs([load], lambda: Stop.AT_ONCE if asked_ns else Stop.NOT, watch=stop_it)

    assert (time.monotonic_ns() - asked_ns[0]) / 1e9 < 5
    found = outcomes(done)
    assert found.pop(Outcome.ANSWERED) >= 10
    assert found.keys() <= {Outcome.FAILED}
    assert any(HUNG in warning for warning in done.summary.warnings)
    assert done.summary.generator_limited
