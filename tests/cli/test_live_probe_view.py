"""What is seen on a terminal while `holdfast probe` runs: the screen, as a terminal emulator has it."""

from __future__ import annotations

import os
import re
import signal
import sqlite3
import termios

import pytest
from support.commandline import Holdfast
from support.terminal import Terminal
from support.waiting import until

ANSWERED, INCONCLUSIVE = 0, 3
SIGNALLED = 128

# It starts, and lets each request wait before its view, for longer than views are apart.
SLOW = """
import time
from flask import Flask

time.sleep(1)
app = Flask(__name__)

@app.before_request
def wait():
    time.sleep(0.4)

@app.route("/")
def index():
    return "hello"
"""
SLOW_POOL = ("probe", "slow.py", "--server", "gunicorn", "--max-offered", "12")
THREE_THREADS = ("--", "--threads", "3")
# Where only the time without a view has to be over.
SHORT = ("probe", "slow.py", "--server", "flask", "--max-offered", "2")


@pytest.fixture
def slow(holdfast: Holdfast) -> Holdfast:
    (holdfast.directory / "slow.py").write_text(SLOW)
    return holdfast


@pytest.fixture
def terminal():
    opened = Terminal(60, 24)
    yield opened
    opened.close()


def step_of(screen: list[str]) -> str:
    """The step that a screen with a view shows; "" if it shows none."""
    return (
        screen[1].strip().partition("  ")[0] if len(screen) > 1 and screen[0].startswith(("gunicorn", "flask")) else ""
    )


def test_the_screen_shows_the_steps_of_a_probe_its_places_and_its_workers(slow, terminal):
    ended = terminal.start(slow, *SLOW_POOL, *THREE_THREADS).ended()

    assert ended.exit == ANSWERED
    screens = [screen for screen in terminal.screens() if step_of(screen)]
    steps = list(dict.fromkeys(map(step_of, screens)))
    assert [each for each in steps if each in {"starting the server", "ramp"}] == ["starting the server", "ramp"]
    assert any(re.search(r"at most \d+ s more", screen[1]) for screen in screens)
    assert all(len(line) < terminal.columns for screen in screens for line in screen)
    full = [screen for screen in screens if any("█ 3 in service" in line for line in screen)]
    # A pool of three threads holds three, all others of the twelve wait in front of it.
    assert any("  ███▓▓▓▓▓▓▓▓▓" in screen and "9 server's own queue" in "\n".join(screen) for screen in full)
    assert any(screen[-1] == "  ■■■" and "1 process  3 threads  3 held" in screen[-2] for screen in full)
    terminal.is_left_as_it_was()
    assert "3 requests at once" in terminal.after_the_view()


def test_in_every_view_the_places_add_up_to_what_was_offered(slow, terminal):
    terminal.start(slow, *SLOW_POOL, *THREE_THREADS).ended()

    seen = 0
    for frame in terminal.frames():
        text = "\n".join(frame)
        if offered := re.search(r"offered +(\d+) of", text):
            seen += 1
            left = re.search(r"(\d+) clients? ha", text)
            counts = re.findall(r"[█▓▒░·] (\d+) [a-zS]", text)
            assert sum(map(int, counts)) + int(left[1] if left else 0) == int(offered[1])
    assert seen > 1


@pytest.mark.parametrize("how", ["quiet", "dumb"])
def test_no_view_is_shown_where_none_is_wanted(slow, terminal, how):
    arguments = [*SHORT, *(["--quiet"] if how == "quiet" else [])]
    terminal.start(slow, *arguments, env={"TERM": "dumb"} if how == "dumb" else {}).ended()

    until(lambda: "requests at once" in terminal.written, "the result")
    assert not terminal.frames()
    assert terminal.written.startswith("flask ")


def test_what_is_no_terminal_gets_the_result_alone(slow):
    ended = slow.run(*SHORT)

    assert ended.exit == ANSWERED
    assert ended.err == ""
    assert "\x1b" not in ended.out


def test_no_colour_is_used_where_none_is_wanted(slow, terminal):
    terminal.start(slow, *SHORT, env={"NO_COLOR": "1"}).ended()

    assert terminal.frames()
    assert not re.search(r"\x1b\[[\d;]*m", terminal.written)
    terminal.is_left_as_it_was()


def test_a_terminal_without_utf_8_gets_ascii(slow, terminal):
    terminal.start(slow, *SLOW_POOL, *THREE_THREADS, env={"PYTHONIOENCODING": "latin-1"}).ended()

    views = "\n".join(line for frame in terminal.frames() for line in frame)
    assert views.isascii()
    assert "  ###=========" in views
    assert "# 3 in service  = 9 server's own queue" in views


def test_a_view_follows_a_terminal_that_is_made_smaller(slow):
    terminal = Terminal(120, 40)
    try:
        running = terminal.start(slow, *SLOW_POOL, *THREE_THREADS)
        until(lambda: any("ramp" in line for frame in terminal.frames() for line in frame), "the ramp")
        before = len(terminal.frames())
        terminal.resize(30, 5)
        running.ended()

        # One may have been drawn while the size changed.
        later = terminal.frames()[before + 1 :]
        assert any(later)
        assert all(len(frame) < 5 and all(len(line) < 30 for line in frame) for frame in later)
    finally:
        terminal.close()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_that_ends_a_probe_leaves_the_terminal_as_it_was(slow, terminal, number):
    running = terminal.start(slow, *SLOW_POOL, *THREE_THREADS)
    until(lambda: any("in service" in line for frame in terminal.frames() for line in frame), "a held request")

    running.signal(number)

    assert running.ended().exit == SIGNALLED + number
    terminal.is_left_as_it_was()
    running.nothing_is_left()


def test_ctrl_c_on_the_terminal_takes_the_view_away_and_shows_what_was_seen(slow, terminal):
    running = terminal.start(slow, *SLOW_POOL, *THREE_THREADS)
    until(lambda: any("in service" in line for frame in terminal.frames() for line in frame), "a held request")

    os.write(terminal.ours, b"\x03")

    assert running.ended().exit == INCONCLUSIVE
    terminal.is_left_as_it_was()
    assert "at once" in terminal.after_the_view()


def test_a_terminal_that_is_closed_ends_the_probe_and_leaves_nothing(slow):
    terminal = Terminal()
    running = terminal.start(slow, *SLOW_POOL, *THREE_THREADS, reads=False)
    running.until_held(1)
    os.close(terminal.theirs)

    os.close(terminal.ours)

    assert running.ended().exit == SIGNALLED + signal.SIGHUP
    running.nothing_is_left()


def test_a_terminal_that_takes_nothing_holds_up_no_probe(slow):
    terminal = Terminal()
    try:
        running = terminal.start(slow, *SLOW_POOL, *THREE_THREADS, reads=False)
        running.until_held(1)
        # As Ctrl-S does: what is written stays where it is.
        termios.tcflow(terminal.theirs, termios.TCOOFF)

        def is_saved() -> bool:
            if not slow.runs.exists():
                return False
            with sqlite3.connect(slow.runs) as runs:
                return runs.execute("SELECT count(*) FROM runs").fetchone() == (1,)

        until(is_saved, "the run, which is saved before its verdict is shown")
        termios.tcflow(terminal.theirs, termios.TCOON)
        terminal.read_now()

        assert running.ended().exit == ANSWERED
        until(lambda: "3 requests at once" in terminal.written, "the result")
    finally:
        terminal.close()
