"""When a server counts as settled."""

from __future__ import annotations

from dataclasses import replace

import pytest

from holdfast.observe.activity import (
    BUSY_NS,
    PAUSED_NS,
    REST_NS,
    RESTLESS_NS,
    Activity,
    ProcessActivity,
    Rest,
    ThreadActivity,
    settled,
)

ACCEPT, EPOLL_WAIT, FUTEX, OPENAT = 43, 232, 202, 257


def thread(tid=10, state="S", syscall=ACCEPT):
    return ThreadActivity(tid, state, syscall)


def process(pid=10, started=500, cpu=30, threads=None):
    return ProcessActivity(pid, started, cpu, threads or (thread(pid),))


def look(*processes):
    return Activity(processes)


REST = look(process(10), process(11, threads=(thread(11, syscall=EPOLL_WAIT), thread(12, syscall=FUTEX))))


def test_processes_that_wait_in_the_same_calls_and_use_no_cpu_are_settled():
    assert settled(REST, REST)


def test_a_zombie_that_nobody_has_waited_for_yet_does_not_keep_a_server_busy():
    zombie = process(13, threads=(thread(13, state="Z", syscall=None),))

    assert settled(look(process(10), zombie), look(process(10), zombie))


def test_where_system_calls_may_not_be_read_the_states_decide():
    hidden = look(process(10, threads=(thread(10, syscall=None),)))

    assert settled(hidden, hidden)


@pytest.mark.parametrize(
    ("why", "later"),
    [
        ("a new process", look(*REST.processes, process(14))),
        ("a process has ended", look(process(10))),
        ("another process under the same pid", look(process(10, started=501), REST.processes[1])),
        ("a tick of CPU was used", look(process(10, cpu=31), REST.processes[1])),
        ("a new thread", look(process(10, threads=(thread(10), thread(15))), REST.processes[1])),
        ("another thread", look(process(10, threads=(thread(15),)), REST.processes[1])),
        ("it runs", look(process(10, threads=(thread(10, state="R", syscall=None),)), REST.processes[1])),
        ("it waits for a disk", look(process(10, threads=(thread(10, state="D"),)), REST.processes[1])),
        ("it is stopped", look(process(10, threads=(thread(10, state="T"),)), REST.processes[1])),
        ("it waits for something else", look(process(10, threads=(thread(10, syscall=OPENAT),)), REST.processes[1])),
    ],
)
def test_a_server_has_not_settled_while_anything_of_it_changes_or_works(why, later):
    assert not settled(REST, later), why
    assert not settled(later, REST), why


def test_a_server_without_processes_has_not_settled():
    assert not settled(look(), look())


def test_a_state_that_a_thread_had_before_counts_as_much_as_the_one_after():
    running = replace(REST.processes[0], threads=(thread(10, state="R"),))

    assert not settled(look(running), look(REST.processes[0]))


LOOK_NS = 5_000_000


def ready_after_ns(looks, most_ns=10 * RESTLESS_NS):
    """When `Rest` is content with looks made every 5 ms; None where it never is."""
    rest = Rest()
    for at_ns in range(0, most_ns, LOOK_NS):
        if rest.seen(at_ns, looks(at_ns)):
            return at_ns
    return None


def sleeping(cpu=30):
    return process(10, cpu=cpu, threads=(ThreadActivity(10, "S", 230, sleeps=True),))


def test_a_server_that_rests_is_ready_as_soon_as_ticks_can_show_it():
    assert ready_after_ns(lambda _at_ns: REST) == REST_NS


def test_a_master_that_only_sleeps_may_be_about_to_start_another_worker():
    def starting(at_ns):
        # As a master that starts three workers with a tenth of a second in between.
        workers = [process(11 + number) for number in range(min(3, 1 + at_ns // 100_000_000))]
        return look(sleeping(), *workers)

    assert ready_after_ns(starting) == 200_000_000 + PAUSED_NS


def test_a_thread_that_may_be_sleeping_is_waited_for_as_one_that_sleeps():
    # Of another architecture, or in a sandbox, what a thread waits for cannot be told.
    unread = look(process(10, threads=(ThreadActivity(10, "S", None, sleeps=None),)))

    assert ready_after_ns(lambda _at_ns: unread) == PAUSED_NS


def test_a_worker_that_imports_is_waited_for_however_long_it_takes():
    def importing(at_ns):
        done = at_ns >= 3 * RESTLESS_NS
        states = "S" if done else "RRRRRRD"[at_ns // LOOK_NS % 7]
        return look(
            process(10), process(11, cpu=min(at_ns, 3 * RESTLESS_NS) // 10_000_000, threads=(thread(11, states),))
        )

    assert ready_after_ns(importing) == 3 * RESTLESS_NS + REST_NS


def test_a_timer_that_leaves_no_time_without_a_tick_does_not_keep_a_server_from_being_ready():
    def ticking(at_ns):
        busy = at_ns // LOOK_NS % 3 == 0
        return look(process(10, cpu=at_ns // 30_000_000, threads=(thread(10, "R" if busy else "S"),)))

    assert ready_after_ns(ticking) == RESTLESS_NS


def test_a_busy_thread_next_to_a_main_thread_that_waits_delays_readiness_only_for_a_while():
    def working(at_ns, main="S"):
        threads = (thread(10, main if at_ns // LOOK_NS % 3 else "R"), thread(11, "R"))
        return look(process(10, cpu=at_ns // 10_000_000, threads=threads), process(20))

    assert ready_after_ns(working) == BUSY_NS
    assert ready_after_ns(lambda at_ns: working(at_ns, main="R")) is None


def test_who_works_in_the_background_is_told():
    rest = Rest()
    for at_ns in range(0, BUSY_NS + LOOK_NS, LOOK_NS):
        threads = (thread(10), thread(11, "R"))
        rest.seen(at_ns, look(process(10, cpu=at_ns // 10_000_000, threads=threads), process(20)))

    assert rest.busy == (10,)


def test_a_process_that_always_runs_is_never_ready():
    assert ready_after_ns(lambda at_ns: look(process(10, cpu=at_ns // 10_000_000, threads=(thread(10, "R"),)))) is None


def polling(at_ns, work):
    return look(replace(process(10, cpu=at_ns // 10_000_000, threads=(thread(10, "R"),)), work=work))


def test_a_process_that_always_runs_is_ready_once_it_reads_nothing_and_takes_no_memory():
    last_work_ns = 400_000_000

    def starting(at_ns):
        return polling(at_ns, b"rchar: %d" % min(at_ns, last_work_ns))

    assert ready_after_ns(starting) == last_work_ns + BUSY_NS
    assert ready_after_ns(lambda at_ns: polling(at_ns, b"rchar: %d" % at_ns)) is None


def test_who_polls_is_told():
    rest = Rest()
    for at_ns in range(0, BUSY_NS + LOOK_NS, LOOK_NS):
        rest.seen(at_ns, polling(at_ns, b""))

    assert rest.polling == rest.busy == (10,)


def test_a_server_without_processes_never_becomes_ready():
    assert ready_after_ns(lambda _at_ns: look()) is None
