"""Ctrl-C, SIGTERM, a closed terminal and SIGKILL, at every stage of a run."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import re
import signal
import termios

import pytest
from support.placed import placed
from support.waiting import until

INCONCLUSIVE, ENVIRONMENT = 3, 4
SIGNALLED = 128

MANY = ("--max-offered", "2000")
SERVERS = {
    "flask": ("--server", "flask"),
    "flask processes": ("--server", "flask", "--", "--processes", "3"),
    "uwsgi": ("--server", "uwsgi", "--", "--processes", "2"),
    "uwsgi master": ("--server", "uwsgi", "--", "--processes", "2", "--master"),
}
every_server = pytest.mark.parametrize("arguments", SERVERS.values(), ids=SERVERS)


@every_server
def test_ctrl_c_once_releases_and_reports_what_was_seen(holdfast, arguments):
    running = holdfast.start("probe", "--json", "-", *MANY, *arguments)
    running.until_held(2)

    running.press_ctrl_c()
    ended = running.ended()

    assert ended.exit == INCONCLUSIVE, ended.err
    verdict = json.loads(ended.out)
    assert verdict["places"]["in_service"] >= 2
    assert placed(verdict) == verdict["offered"]
    assert verdict["ceiling"]["in_service"] is None
    assert verdict["unknown"]["ceiling.in_service"] == "the run was interrupted before the ceiling was met"
    assert not ended.err


def test_what_was_seen_is_also_shown_to_a_person(holdfast):
    running = holdfast.start("probe", *MANY)
    running.until_held()

    running.press_ctrl_c()
    ended = running.ended()

    assert ended.exit == INCONCLUSIVE
    words = " ".join(ended.out.split())
    why = "the ceiling is not known: the run was interrupted before the ceiling was met"
    assert re.search(rf"at least \d+ requests? at once; {why}", words)


@every_server
def test_ctrl_c_twice_quits(holdfast, arguments):
    running = holdfast.start("probe", *MANY, *arguments)
    running.until_held(2)

    running.press_ctrl_c()
    running.press_ctrl_c()
    ended = running.ended()

    assert ended.exit == INCONCLUSIVE
    assert "Traceback" not in ended.err


def test_ctrl_c_by_an_impatient_person_leaves_nothing_either(holdfast):
    running = holdfast.start("probe", *MANY)
    running.until_held()

    def pressed() -> bool:
        if running.process.poll() is None:
            running.press_ctrl_c()
        return running.process.poll() is not None

    until(pressed, "the end")
    ended = running.ended()

    assert ended.exit == INCONCLUSIVE
    assert "Traceback" not in ended.err


def test_ctrl_c_while_holdfast_itself_is_loaded_is_one_line(holdfast, write):
    # `python -m` looks for modules in the working directory first. A pause that began just after the signal had come
    # would never end.
    write("click.py", "import pathlib\npathlib.Path('loading').touch()\nwhile True: pass\n")
    running = holdfast.start("probe")
    until((holdfast.directory / "loading").exists, "the import of click")

    running.press_ctrl_c()
    ended = running.ended()

    assert (ended.exit, ended.out, ended.err) == (INCONCLUSIVE, "", "Stopped. Nothing is left running.\n")


def test_ctrl_c_while_the_server_starts_says_that_nothing_was_seen(holdfast, write):
    write("slow.py", "import signal\nprint('started', flush=True)\nsignal.pause()\n")
    running = holdfast.start("probe", "slow.py")
    running.server()

    running.press_ctrl_c()
    ended = running.ended()

    assert ended.exit == INCONCLUSIVE
    assert ended.what == "holdfast: Stopped before the server was ready."
    assert not ended.out


def test_ctrl_c_while_interpreters_are_asked_does_not_look_like_a_missing_server(holdfast):
    running = holdfast.start("probe", "--start-timeout", "5")
    until(running.processes, "an interpreter that is asked")

    running.press_ctrl_c()
    ended = running.ended()

    assert ended.exit == INCONCLUSIVE, ended.err
    assert ended.what == "holdfast: Stopped before the server was ready."


def test_ctrl_c_while_the_first_request_waits_does_not_wait_for_it(holdfast, write):
    write(
        "silent.py",
        "import signal\nfrom app import app\n"
        "@app.before_request\n"
        "def wait():\n    print('waiting', flush=True)\n    signal.pause()\n",
    )
    running = holdfast.start("probe", "silent.py", "--", "--no-threaded")
    until(lambda: "waiting" in running.log(), "the request")

    running.press_ctrl_c()
    ended = running.ended()

    assert ended.exit == INCONCLUSIVE
    assert ended.what == "holdfast: Stopped before anything was seen."


@every_server
def test_whoever_is_told_to_end_ends_everything_first(holdfast, arguments):
    running = holdfast.start("probe", "--json", "-", *MANY, *arguments)
    running.until_held(2)

    running.signal(signal.SIGTERM)
    ended = running.ended()

    assert ended.exit == SIGNALLED + signal.SIGTERM
    assert ended.err == "Stopped by SIGTERM. Nothing is left running.\n"
    assert json.loads(ended.out)["places"]["in_service"] >= 2


def test_a_second_sigterm_ends_the_run_on_the_spot(holdfast):
    running = holdfast.start("probe", *MANY)
    running.until_held()

    running.signal(signal.SIGTERM)
    running.signal(signal.SIGTERM)
    ended = running.ended()

    assert ended.exit == SIGNALLED + signal.SIGTERM
    assert ended.err == "Stopped by SIGTERM. Nothing is left running.\n"


def test_sigterm_before_anything_was_seen_says_so(holdfast, write):
    app = write("slow_import.py", "import time\ntime.sleep(60)\n")
    running = holdfast.start("probe", app)
    until(running.processes, "the server")

    running.signal(signal.SIGTERM)
    ended = running.ended()

    assert ended.exit == SIGNALLED + signal.SIGTERM
    assert ended.what == "holdfast: Stopped before the server was ready."
    assert ended.err.endswith("Stopped by SIGTERM. Nothing is left running.\n")


def test_a_signal_while_the_server_starts_leaves_nothing(holdfast):
    running = holdfast.start("probe", *MANY)
    until(running.directories, "the directory of the run")

    running.signal(signal.SIGTERM)

    assert running.ended().exit == SIGNALLED + signal.SIGTERM


def test_a_closed_terminal_ends_the_run(holdfast):
    ours, theirs = pty.openpty()

    def take_terminal() -> None:
        # In its own session already; the terminal becomes that session's, so its end is told to whoever leads it.
        fcntl.ioctl(theirs, termios.TIOCSCTTY, 0)

    running = holdfast.start("probe", *MANY, stdin=theirs, stdout=theirs, stderr=theirs, preexec_fn=take_terminal)
    os.close(theirs)
    running.until_held()

    os.close(ours)

    assert running.ended().exit == SIGNALLED + signal.SIGHUP


@every_server
def test_even_if_holdfast_is_killed_its_server_does_not_stay(holdfast, arguments):
    running = holdfast.start("probe", *MANY, *arguments)
    running.until_held(2)

    running.signal(signal.SIGKILL)

    assert running.ended().exit == -signal.SIGKILL
    until(lambda: not running.processes(), "the end of the server")
    running.nothing_is_left()


def test_ctrl_c_in_a_study_ends_it_with_the_table_so_far(holdfast):
    running = holdfast.start("study", "flask-concurrency", "--json", "-")
    until(running.processes, "the first server")

    running.press_ctrl_c()
    ended = running.ended()

    assert ended.exit == INCONCLUSIVE, ended.err
    rows = json.loads(ended.out)["rows"]
    assert len(rows) == 12
    assert all(not row["findings"] and row["skipped"] for row in rows)


def test_a_study_of_which_nothing_could_be_run_is_no_answer(holdfast):
    ended = holdfast.run("study", "flask-concurrency", "--json", "-", "--python", "/bin/true")

    assert ended.exit == ENVIRONMENT
    assert all(
        "/bin/true could not be run" in row["skipped"] or "was not run" in row["skipped"]
        for row in json.loads(ended.out)["rows"]
    )
