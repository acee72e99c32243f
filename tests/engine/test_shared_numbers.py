"""Numbers that several processes change at once."""

from __future__ import annotations

import os
import signal

import pytest

from holdfast.engine.shared_numbers import MOST_NUMBERS, SharedNumbers

PROCESSES, TIMES = 4, 1000


def one_more(before: int | None) -> int:
    return (before or 0) + 1


def ended(pid: int) -> int:
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def in_a_process(do) -> int:
    if (pid := os.fork()) == 0:
        status = 1
        try:
            do()
            status = 0
        finally:
            os._exit(status)
    return pid


def test_no_change_is_lost_and_none_is_seen_twice_whatever_process_makes_it():
    numbers = SharedNumbers()

    def count() -> None:
        for turn in range(TIMES):
            numbers.changed(("count", 1), one_more)
            # Names come in another order in each process, and mean the same.
            numbers.changed(("of", (os.getpid() + turn) % 7), one_more)

    pids = [in_a_process(count) for _ in range(PROCESSES)]

    assert [ended(pid) for pid in pids] == [0] * PROCESSES
    assert numbers.changed(("count", 1), one_more) == PROCESSES * TIMES
    assert sum(numbers.changed(("of", name), one_more) or 0 for name in range(7)) == PROCESSES * TIMES


def test_a_process_that_is_killed_while_it_changes_a_number_does_not_keep_the_others_out():
    numbers = SharedNumbers()

    def be_killed() -> None:
        def change(_before: int | None) -> int:
            os.kill(os.getpid(), signal.SIGKILL)
            return 1

        numbers.changed("n", change)

    assert ended(in_a_process(be_killed)) == -signal.SIGKILL
    assert numbers.changed("n", lambda before: 5 if before is None else 0) is None
    assert numbers.changed("n", one_more) == 5


def test_a_number_begins_again_at_the_other_end_as_one_of_java_does():
    """The Java Language Specification, 15.18.2: an overflow gives the low-order bits of the sum."""
    numbers = SharedNumbers()
    numbers.changed("n", lambda _: (1 << 63) - 1)
    numbers.changed("n", one_more)

    assert numbers.changed("n", one_more) == -(1 << 63)


def test_there_is_an_end_to_numbers_and_it_is_told():
    numbers = SharedNumbers()
    for name in range(MOST_NUMBERS - 1):  # one is nobody's
        numbers.changed(name, one_more)

    with pytest.raises(ValueError, match="4,096 numbers"):
        numbers.changed("another", one_more)
