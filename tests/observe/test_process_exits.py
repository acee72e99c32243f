from __future__ import annotations

import signal
import subprocess
import sys

import pytest
from support.waiting import until

from holdfast.observe.process_exits import ProcessExits

WAITS = (sys.executable, "-c", "input()")
PATIENCE_S = 20.0


@pytest.fixture
def process():
    with subprocess.Popen(WAITS, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL) as child:
        yield child
        child.kill()


def test_nobody_has_ended_while_all_run(process):
    with ProcessExits() as ends:
        ends.watch([process.pid])

        assert (ends.ended(), ends.killed()) == (frozenset(), {})


def test_who_is_killed_is_told_with_the_signal_before_its_parent_knows_and_after(process):
    with ProcessExits() as ends:
        ends.watch([process.pid])
        process.kill()
        until(lambda: process.pid in ends.ended(), "its end")

        assert ends.killed() == {process.pid: signal.SIGKILL}

        process.wait()

        # What is left of it then is told since Linux 6.15 only.
        assert ends.killed() in ({process.pid: signal.SIGKILL}, {})


def test_who_ends_in_good_order_has_ended_and_was_not_killed(process):
    with ProcessExits() as ends:
        ends.watch([process.pid])
        process.communicate(b"\n")
        until(lambda: process.pid in ends.ended(), "its end")

        assert (ends.killed(), ends.failed()) == ({}, {})


def test_who_ends_with_an_error_has_failed_with_that_status_and_was_not_killed():
    fails = (sys.executable, "-c", "input(); raise SystemExit(3)")
    with subprocess.Popen(fails, stdin=subprocess.PIPE) as child, ProcessExits() as ends:
        ends.watch([child.pid])
        assert ends.failed() == {}
        assert child.stdin is not None
        child.stdin.write(b"\n")
        child.stdin.flush()
        until(lambda: child.pid in ends.ended(), "its end")

        # It is a zombie until its parent waits for it.
        assert (ends.failed(), ends.killed()) == ({child.pid: 3}, {})


def test_who_is_asked_to_end_was_not_killed(process):
    with ProcessExits() as ends:
        ends.watch([process.pid])
        process.terminate()
        until(lambda: process.pid in ends.ended(), "its end")

        assert ends.killed() == {}


def test_who_is_not_there_any_more_is_not_watched(process):
    process.kill()
    process.wait()

    with ProcessExits() as ends:
        ends.watch([process.pid])

        assert ends.ended() == frozenset()


def test_others_are_watched_instead_of_those_before(process):
    with ProcessExits() as ends:
        ends.watch([process.pid])
        process.kill()
        until(lambda: process.pid in ends.ended(), "its end")
        ends.watch([])

        assert (ends.ended(), ends.killed()) == (frozenset(), {})
