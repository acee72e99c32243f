"""When a server counts as asleep, on looks that a test makes up and on real processes."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from holdfast.observe.asleep import ASLEEP_NS, GAP_NS, LOOKS, Asleep, Holding
from holdfast.observe.core_uses import read_core_use
from holdfast.observe.processes import read_descendants, read_process_tree, will_be_woken
from holdfast.observe.starvation import CoreUse

MS = 1_000_000
NONE_HOLDS = Holding((), ())


def sleeping(ran_ns: int = 5) -> CoreUse:
    return CoreUse(runnable=False, ran_ns=ran_ns, waited_ns=0, asleep=True)


def running(ran_ns: int = 5) -> CoreUse:
    return CoreUse(runnable=True, ran_ns=ran_ns, waited_ns=0)


def seen_for_ns(
    *looks: dict[int, CoreUse], holding: Holding = NONE_HOLDS, dozes: bool = False, since_ns: int = 0
) -> int:
    """For how long a server counts as asleep after these looks, GAP_NS apart from 0 on."""
    now = [0]
    left = list(looks)
    asleep = Asleep(lambda _holding: left.pop(0), lambda _holding: dozes, lambda: now[0])
    for _ in looks:
        asleep.look(lambda: holding)
        now[0] += GAP_NS
    return asleep.asleep_ns(since_ns)


def test_a_server_in_which_nothing_runs_is_asleep():
    assert seen_for_ns(*[{1: sleeping(), 2: sleeping(9)}] * 5) == 4 * GAP_NS


def test_only_what_came_after_an_instant_counts():
    assert seen_for_ns(*[{1: sleeping()}] * 5, since_ns=3 * GAP_NS) == GAP_NS


def test_two_looks_are_not_enough():
    assert seen_for_ns(*[{1: sleeping()}] * (LOOKS - 1)) == 0
    assert seen_for_ns(*[{1: sleeping()}] * LOOKS) > 0


@pytest.mark.parametrize(
    "last",
    [
        pytest.param({1: running()}, id="runnable"),
        pytest.param({1: CoreUse(runnable=False, ran_ns=5, waited_ns=0)}, id="waits for a disk"),
        pytest.param({1: sleeping(6)}, id="has run"),
        pytest.param({1: sleeping(), 2: sleeping()}, id="a new thread"),
        pytest.param({}, id="nothing to look at"),
    ],
)
def test_a_server_in_which_something_moves_is_not(last):
    assert seen_for_ns(*[{1: sleeping()}] * 4, last) == 0


def test_a_loop_that_holds_requests_may_run_between_looks_if_it_sleeps_at_each():
    looks = [{1: sleeping(ran_ns), 2: sleeping()} for ran_ns in range(5)]

    assert seen_for_ns(*looks, holding=Holding((), (1,))) == 4 * GAP_NS
    assert seen_for_ns(*looks[:-1], {1: running(9), 2: sleeping()}, holding=Holding((), (1,))) == 0


def test_a_server_that_a_clock_wakes_before_long_is_not():
    assert seen_for_ns(*[{1: sleeping()}] * 5, dozes=True) == 0


@contextmanager
def process(code: str) -> Iterator[int]:
    """A process that has come to its last line."""
    with subprocess.Popen([sys.executable, "-c", f"print(flush=True)\n{code}"], stdout=subprocess.PIPE) as child:
        try:
            assert child.stdout is not None
            child.stdout.readline()
            yield child.pid
        finally:
            child.kill()


def until_asleep(pid: int, within_ns: int = 60 * MS) -> bool:
    """Whether a process was seen asleep for ASLEEP_NS within two seconds."""
    asleep = Asleep(
        lambda _holding: read_core_use([pid]),
        lambda _holding: will_be_woken([pid], within_ns),
        time.monotonic_ns,
    )
    deadline = time.monotonic() + 2
    while time.monotonic() < deadline:
        asleep.look(lambda: NONE_HOLDS)
        if asleep.asleep_ns() >= ASLEEP_NS:
            return True
    return False


def test_a_process_that_waits_for_a_pipe_is_asleep():
    with process("import os; os.read(os.pipe()[0], 1)") as pid:
        assert until_asleep(pid)


def test_a_process_that_waits_with_a_long_timeout_is_asleep():
    with process("import select; select.epoll().poll(1000)") as pid:
        assert until_asleep(pid)


@pytest.mark.parametrize(
    "code",
    [
        "import time\nwhile True: time.sleep(0.03)",
        "import select\nwhile True: select.epoll().poll(0.03)",
        "while True: pass",
    ],
)
def test_a_process_that_wakes_by_itself_or_computes_is_not(code):
    with process(code) as pid:
        assert not until_asleep(pid)


def test_descendants_are_those_of_the_process_tree():
    waits = "import os; os.read(os.pipe()[0], 1)"
    started: list[int] = []
    with process(waits) as child:
        thread = threading.Thread(target=lambda: started.append(os.spawnv(os.P_NOWAIT, "/bin/sleep", ["sleep", "60"])))
        thread.start()
        thread.join()
        try:
            found = read_descendants(os.getpid())
            assert found == read_process_tree(os.getpid())
            assert {child, *started} <= {*found}
        finally:
            os.kill(started[0], 9)
            os.waitpid(started[0], 0)


def test_a_process_that_has_ended_has_no_descendants():
    with process("") as pid:
        pass
    assert read_descendants(pid) == ()
