"""A server whose processes end and come again is told from one that only takes its time."""

from __future__ import annotations

import subprocess
import sys

from holdfast.probing.turnover import Turnover


def seen_to_end(turnover, *arguments):
    """Starts a process, lets it be seen, and ends it."""
    command = [sys.executable, "-c", "input(1)", *arguments]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        process.stdout.read(1)  # else it might not have its command line yet
        turnover.seen([process.pid])
        process.communicate(b"\n")
    turnover.seen([])


def test_what_ends_three_times_is_told_whatever_numbers_are_in_its_command_line():
    turnover = Turnover()
    for number in range(2):
        seen_to_end(turnover, f"--worker={number}")
    assert turnover.words() == ""

    seen_to_end(turnover, "--worker=17")

    assert turnover.words() == f"3 times by now: {sys.executable} -c 'input(1)' --worker=17"


def test_different_commands_of_a_start_script_are_not_the_same_one_again():
    turnover = Turnover()
    for name in ("migrate", "collect", "compile", "check"):
        seen_to_end(turnover, name)

    assert turnover.words() == ""


def test_a_process_that_a_look_has_missed_has_not_ended():
    turnover = Turnover()
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        for _ in range(5):
            turnover.seen([process.pid])
            turnover.seen([])
        assert turnover.words() == ""
        process.communicate(b"\n")
