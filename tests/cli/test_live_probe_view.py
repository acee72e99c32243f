"""What is seen on a terminal while `holdfast probe` runs: the screen, as a terminal emulator has it."""

from __future__ import annotations

import os
import re
import signal
import termios
from collections.abc import Iterator
from types import SimpleNamespace

import pytest
from support.commandline import Ended, Holdfast, Running
from support.terminal import Terminal
from support.waiting import until

from holdfast.cli import live_view

ANSWERED, INCONCLUSIVE = 0, 3
SIGNALLED = 128

# It starts, and lets each request wait before its view, for longer than views are apart.
SLOW = """
import time
from flask import Flask

time.sleep(0.7)
app = Flask(__name__)

@app.before_request
def wait():
    time.sleep(0.3)

@app.route("/")
def index():
    return "hello"
"""
# Of a pool of three threads, three hold a request, and the other nine wait in front of it.
POOL = ("probe", "slow.py", "--server", "gunicorn", "--max-offered", "12")
THREE_THREADS = ("--", "--threads", "3")
SHORT = ("probe", "slow.py", "--server", "flask", "--max-offered", "2")


class Shown:
    """A command line that has run to its end on a terminal of its own."""

    def __init__(self, holdfast: Holdfast, *arguments: str, **env: str) -> None:
        self.terminal = Terminal(60, 24)
        self._running = self.terminal.start(holdfast, *arguments, env=env)
        self.ended = Ended(0, "", "")

    def end(self) -> None:
        self.ended = self._running.ended()
        self.terminal.close()

    @property
    def frames(self) -> list[list[str]]:
        return self.terminal.frames()


@pytest.fixture(scope="module")
def slow(workshop: Holdfast) -> Holdfast:
    (workshop.directory / "slow.py").write_text(SLOW)
    return workshop


@pytest.fixture(scope="module")
def together(slow: Holdfast) -> tuple[dict[str, Shown], Ended]:
    """Several at the same time, because most of each is waiting; the last one in pipes."""
    running = slow.start(*SHORT)
    views = {
        "pool": Shown(slow, *POOL, *THREE_THREADS),
        "ascii": Shown(slow, *POOL, *THREE_THREADS, PYTHONIOENCODING="latin-1"),
        "no colour": Shown(slow, *SHORT, NO_COLOR="1"),
        "quiet": Shown(slow, *SHORT, "--quiet"),
        "dumb": Shown(slow, *SHORT, TERM="dumb"),
        "over at once": Shown(slow, "exec", "--", "true"),
    }
    for each in views.values():
        each.end()
    return views, running.ended()


@pytest.fixture
def shown(together: tuple[dict[str, Shown], Ended]) -> dict[str, Shown]:
    return together[0]


@pytest.fixture
def piped(together: tuple[dict[str, Shown], Ended]) -> Ended:
    return together[1]


@pytest.fixture
def terminal() -> Iterator[Terminal]:
    opened = Terminal(60, 24)
    yield opened
    opened.close()


def phase_of(screen: list[str]) -> str:
    """The phase that a screen with a view shows; "" if it shows none."""
    there = len(screen) > 1 and screen[0].startswith("gunicorn --threads 3")
    return screen[1].strip().partition("  ")[0] if there else ""


def holds_a_request(terminal: Terminal, running: Running) -> None:
    """Returns when a view shows a request in service."""
    until(
        lambda: (
            any("in service" in line for frame in terminal.frames() for line in frame)
            or running.process.poll() is not None
        ),
        "a view with a request in service",
    )
    assert running.process.poll() is None


def test_the_screen_shows_the_phases_of_a_probe_its_places_and_its_workers(shown):
    terminal = shown["pool"].terminal

    assert shown["pool"].ended.exit == ANSWERED
    screens = [screen for screen in terminal.screens() if phase_of(screen)]
    phases = list(dict.fromkeys(map(phase_of, screens)))
    assert [each for each in phases if each in {"starting the server", "ramp"}] == ["starting the server", "ramp"]
    assert re.search(r"at most \d+ s more", screens[0][1])
    full = [screen for screen in screens if any("█ 3 in service" in line for line in screen)]
    assert any("  ███▓▓▓▓▓▓▓▓▓" in screen and "9 server's own queue" in "\n".join(screen) for screen in full)
    assert any(screen[-1] == "  ■■■" and "1 process  3 threads  3 held" in screen[-2] for screen in full)
    assert "3 requests at once" in terminal.after_the_view()


@pytest.mark.parametrize("which", ["pool", "ascii", "no colour"])
def test_every_line_fits_and_the_terminal_is_left_as_it_was(shown, which):
    terminal = shown[which].terminal

    assert any(shown[which].frames)
    assert all(len(line) < terminal.columns for frame in shown[which].frames for line in frame)
    terminal.is_left_as_it_was()


def test_in_every_view_the_places_add_up_to_what_was_offered(shown):
    seen = 0
    for frame in shown["pool"].frames:
        text = "\n".join(frame)
        if offered := re.search(r"offered +(\d+) of", text):
            seen += 1
            left = re.search(r"(\d+) clients? ha", text)
            counts = re.findall(r"[█▓▒░·] (\d+) [a-z]", text)
            assert sum(map(int, counts)) + int(left[1] if left else 0) == int(offered[1])
    assert seen > 1


@pytest.mark.parametrize("which", ["quiet", "dumb"])
def test_no_view_is_shown_where_none_is_wanted(shown, which):
    assert not shown[which].frames
    assert "2 requests at once" in shown[which].terminal.written


def test_what_ends_at_its_start_is_told_below_the_view(shown):
    assert "The server ended at its start." in shown["over at once"].terminal.after_the_view()


def test_what_is_over_in_half_a_second_flashes_no_view(monkeypatch):
    """On a clock of its own: on a busy machine nothing is over in half a second."""
    now_ms, drawn = 0, []
    monkeypatch.setattr(live_view, "time", SimpleNamespace(monotonic_ns=lambda: now_ms * 1_000_000))
    terminal = SimpleNamespace(show=lambda _drawn: drawn.append(now_ms), close=lambda: None, say=lambda _line: None)
    monkeypatch.setattr(live_view, "terminal_for_views", lambda: terminal)

    with live_view.shown_while_it_lasts(live_view.probe_view_of, "", quiet=False) as what:
        for now_ms in range(1_000):
            what.watch(lambda: None, at_once=now_ms % 2 == 0)

    assert min(drawn) == 500


def test_what_is_no_terminal_gets_the_result_alone(piped):
    assert piped.exit == ANSWERED
    assert piped.err == ""
    assert "\x1b" not in piped.out


def test_no_colour_is_used_where_none_is_wanted(shown):
    assert not re.search(r"\x1b\[[\d;]*m", shown["no colour"].terminal.written)


def test_a_terminal_without_utf_8_gets_ascii(shown):
    views = "\n".join(line for frame in shown["ascii"].frames for line in frame)

    assert views.isascii()
    assert "  ###=========" in views
    assert "# 3 in service  = 9 server's own queue" in views


def test_a_view_follows_a_terminal_that_is_made_smaller(slow):
    terminal = Terminal(120, 40)
    try:
        running = terminal.start(slow, *POOL, *THREE_THREADS)
        holds_a_request(terminal, running)
        before = len(terminal.frames())
        terminal.resize(30, 5)
        running.ended()

        # One may have been drawn while the size changed.
        later = terminal.frames()[before + 1 :]
        assert any(later)
        assert all(len(frame) < 5 and all(len(line) < 30 for line in frame) for frame in later)
    finally:
        terminal.close()


def test_a_signal_that_ends_a_probe_leaves_the_terminal_as_it_was(slow, terminal):
    running = terminal.start(slow, *POOL, *THREE_THREADS)
    holds_a_request(terminal, running)

    running.signal(signal.SIGTERM)

    assert running.ended().exit == SIGNALLED + signal.SIGTERM
    terminal.is_left_as_it_was()
    running.nothing_is_left()


def test_ctrl_c_on_the_terminal_takes_the_view_away_and_shows_what_was_seen(slow, terminal):
    running = terminal.start(slow, *POOL, *THREE_THREADS)
    holds_a_request(terminal, running)

    os.write(terminal.ours, b"\x03")

    assert running.ended().exit == INCONCLUSIVE
    terminal.is_left_as_it_was()
    assert "at once" in terminal.after_the_view()


def test_a_terminal_that_is_closed_ends_the_probe_and_leaves_nothing(slow):
    terminal = Terminal()
    running = terminal.start(slow, *POOL, *THREE_THREADS, reads=False)
    running.until_held(1)
    os.close(terminal.theirs)

    os.close(terminal.ours)

    assert running.ended().exit == SIGNALLED + signal.SIGHUP
    running.nothing_is_left()


def test_a_terminal_that_takes_nothing_holds_up_no_probe(slow):
    terminal = Terminal()
    try:
        running = terminal.start(slow, *POOL, *THREE_THREADS, reads=False)
        running.until_held(1)
        # As Ctrl-S does: what is written stays where it is.
        termios.tcflow(terminal.theirs, termios.TCOOFF)
        until(lambda: not running.processes(), "the end of the server, which the probe ends when it is done")
        termios.tcflow(terminal.theirs, termios.TCOON)
        terminal.read_now()

        assert running.ended().exit == ANSWERED
        until(lambda: "3 requests at once" in terminal.written, "the result")
    finally:
        terminal.close()
