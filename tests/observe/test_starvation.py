from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.observe.core_uses import read_core_use
from holdfast.observe.starvation import GAP_NS, CoreUse, FreeTime, busiest, share_with_a_core, starved_ns

MS = 1_000_000

uses = st.builds(CoreUse, st.booleans(), st.integers(0, 10**12), st.integers(0, 10**12))
looks = st.dictionaries(st.integers(1, 20), uses, max_size=10)


def asleep(ran_ns: int, waited_ns: int = 0) -> CoreUse:
    return CoreUse(runnable=False, ran_ns=ran_ns, waited_ns=waited_ns)


def ready(ran_ns: int, waited_ns: int = 0) -> CoreUse:
    return CoreUse(runnable=True, ran_ns=ran_ns, waited_ns=waited_ns)


def test_a_server_that_waits_for_requests_is_free():
    assert starved_ns({1: asleep(5), 2: asleep(7)}, {1: asleep(5), 2: asleep(7)}, 20 * MS) == 0


def test_a_server_that_computes_on_a_core_of_its_own_is_free():
    assert starved_ns({1: ready(5)}, {1: ready(5 + 20 * MS)}, 20 * MS) == 0


@pytest.mark.parametrize(
    ("seen", "share"),
    [
        pytest.param({1: asleep(20 * MS), 2: ready(5 * MS)}, 1, id="none has waited"),
        pytest.param({1: asleep(10 * MS, 20 * MS), 2: ready(15 * MS, 55 * MS)}, 0.25, id="25 ms of 100"),
        pytest.param({1: ready(0, 20 * MS)}, 1, id="too early to tell"),
        pytest.param({}, 1, id="no thread is left"),
        pytest.param(None, 1, id="not readable"),
    ],
)
def test_of_the_time_in_which_threads_could_have_run_this_share_was_on_a_core(seen, share):
    assert share_with_a_core(seen) == share


def test_waits_for_a_core_that_have_ended_count():
    assert starved_ns({1: asleep(5)}, {1: asleep(6, waited_ns=3 * MS)}, 20 * MS) == 3 * MS


def test_a_wait_for_a_core_that_goes_on_counts_although_the_kernel_has_not_added_it_yet():
    assert starved_ns({1: ready(5)}, {1: ready(5 + 4 * MS)}, 20 * MS) == 16 * MS


@pytest.mark.parametrize("after", [asleep(5 * MS, waited_ns=45 * MS), ready(5 * MS, waited_ns=45 * MS)])
def test_of_a_wait_that_began_before_the_first_look_only_what_came_after_it_counts(after):
    """The kernel adds a wait when it ends, so 45 ms may be added within 20; the other 5 were on a core."""
    assert starved_ns({1: ready(0)}, {1: after}, 20 * MS) == 15 * MS


def test_a_thread_that_was_started_and_has_not_run_yet_is_kept_from_running():
    assert starved_ns({}, {1: ready(0)}, 20 * MS) == 20 * MS


def test_threads_may_wait_one_after_another():
    waits = {1: asleep(1, 4 * MS), 2: asleep(1, 5 * MS)}

    assert starved_ns({1: asleep(1), 2: asleep(1)}, waits, 20 * MS) == 9 * MS


def test_threads_that_never_sleep_wait_side_by_side():
    after = {1: ready(10 * MS, 8 * MS), 2: ready(8 * MS, 10 * MS), 3: asleep(1, 1 * MS)}

    assert starved_ns({1: ready(0), 2: ready(0), 3: asleep(1)}, after, 20 * MS) == 12 * MS + 1 * MS


def test_a_server_is_as_busy_as_the_busiest_of_its_threads():
    after = {1: asleep(5 + 2 * MS), 2: ready(7 + 15 * MS), 3: asleep(0)}

    assert busiest({1: asleep(5), 2: ready(7)}, after, 20 * MS) == 1.0
    assert busiest({1: asleep(5), 2: asleep(7)}, {1: asleep(5 + 2 * MS), 2: asleep(7)}, 20 * MS) == 0.1
    assert busiest({1: asleep(5)}, {1: asleep(5, waited_ns=10 * MS)}, 20 * MS) == 0.5
    assert busiest({}, {}, 20 * MS) == 0.0


@given(looks, looks, st.integers(0, 10**12))
def test_starvation_lies_between_nothing_and_the_time_between_two_looks(before, after, wall_ns):
    assert 0 <= starved_ns(before, after, wall_ns) <= wall_ns


class Clock:
    """Time that a test moves."""

    def __init__(self) -> None:
        self.now_ns = 10**9

    def __call__(self) -> int:
        return self.now_ns

    def pass_time(self, duration_ns: int) -> None:
        self.now_ns += duration_ns


def nobody() -> tuple[int, ...]:
    return ()


def test_free_time_adds_up_between_looks_and_not_over_a_pause():
    clock = Clock()
    free = FreeTime(lambda _holding: {1: asleep(1)}, clock)

    free.look(nobody)
    assert free.total_ns == 0
    clock.pass_time(GAP_NS)
    free.look(nobody)
    assert free.total_ns == GAP_NS
    free.pause()
    clock.pass_time(10 * GAP_NS)
    free.look(nobody)
    assert free.total_ns == GAP_NS


def test_starved_time_is_told_apart_until_the_next_pause():
    clock = Clock()
    free = FreeTime(lambda _holding: {1: ready(1)}, clock)

    free.look(nobody)
    clock.pass_time(GAP_NS)
    free.look(nobody)
    assert (free.total_ns, free.starved_ns) == (0, GAP_NS)
    free.pause()

    assert free.starved_ns == 0


def test_two_workers_that_never_rest_are_free_for_what_each_gets_of_the_cores_however_short_their_turns():
    """Each of two has 4 ms of every 40, one after the other, among ten that want the core."""
    clock = Clock()

    def ran_ns(after_ns: int) -> int:
        turns, within = divmod(max(0, clock() - 10**9 - after_ns), 40 * MS)
        return turns * 4 * MS + min(within, 4 * MS)

    free = FreeTime(lambda _holding: {1: ready(ran_ns(0)), 2: ready(ran_ns(20 * MS))}, clock)
    while clock() < 16 * 10**9:
        free.look(nobody)
        clock.pass_time(MS)

    assert free.total_ns is not None
    # A tenth of 15 s is the most there was, and a plateau takes a second at most.
    assert 10**9 < free.total_ns <= 15 * 10**8


def test_looking_takes_at_most_a_tenth_of_the_time():
    clock = Clock()
    looked = []

    def read(_holding: object) -> dict[int, CoreUse]:
        looked.append(clock())
        clock.pass_time(10 * MS)
        return {}

    free = FreeTime(read, clock)
    while clock() < 2 * 10**9:
        free.look(nobody)
        clock.pass_time(MS)

    assert len(looked) * 10 * MS <= 10**8 + 10 * MS


def test_free_time_is_unknown_where_the_use_of_cores_cannot_be_read():
    free = FreeTime(lambda _holding: None, Clock())

    free.look(nobody)

    assert free.total_ns is None


@contextmanager
def running(code: str) -> Iterator[int]:
    """A process that has come to its last line."""
    command = [sys.executable, "-c", f"print(flush=True)\n{code}"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, start_new_session=True)
    assert process.stdout is not None
    try:
        process.stdout.readline()
        yield process.pid
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        process.stdout.close()


def test_the_kernel_tells_what_each_thread_had_of_the_cores():
    with running("while True: pass") as pid:
        first = read_core_use([pid])
        assert first is not None
        deadline = time.monotonic() + 10
        while (then := read_core_use([pid])) is not None and then[pid].ran_ns < first[pid].ran_ns + 20 * MS:
            assert time.monotonic() < deadline

    assert then is not None
    assert then[pid].runnable


def test_threads_that_only_hold_a_request_can_be_left_out_of_core_use():
    with running("import signal; signal.pause()") as pid:
        assert read_core_use([pid], {pid}) == {}


def test_two_processes_on_one_core_keep_each_other_from_running():
    code = "import os; os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})\nwhile True: pass"
    with running(code), running(code) as pid:
        free = FreeTime(lambda holding: read_core_use([pid], holding), time.monotonic_ns)
        deadline = time.monotonic() + 10
        while free.starved_ns < 100 * MS:
            free.look(nobody)
            assert time.monotonic() < deadline


@pytest.mark.parametrize("pid", [2**22 + 1])
def test_a_process_that_is_gone_has_no_threads(pid):
    assert read_core_use([pid]) == {}
