"""What is seen on a terminal while `holdfast explain` and `holdfast study` run."""

from __future__ import annotations

import re

import pytest
from support.commandline import Holdfast
from support.terminal import Terminal

ANSWERED = 0
# It starts for longer than views are apart.
SLOW = """
import time
from flask import Flask

time.sleep(0.7)
app = Flask(__name__)

@app.route("/")
def index():
    return "hello"
"""
STUDY = """
[defaults]
app = "slow.py"
max-offered = 3

[[case]]
name = "one at a time"
server = "flask"
arguments = ["--no-threaded"]

[[case]]
name = "a thread for each"
server = "flask"

[[case]]
server = "waitress"
"""


@pytest.fixture(scope="module")
def terminals(workshop: Holdfast) -> dict[str, Terminal]:
    (workshop.directory / "slow.py").write_text(SLOW)
    (workshop.directory / "cases.toml").write_text(STUDY)
    command_lines = {
        "explain": ("explain", "slow.py", "--server", "flask", "--nofile", "48", "--up-to", "0"),
        "study": ("study", "cases.toml"),
        "quiet": ("study", "cases.toml", "--only", "waitress", "--quiet"),
    }
    opened = {name: Terminal(60, 30) for name in command_lines}
    running = [opened[name].start(workshop, *each) for name, each in command_lines.items()]
    for each in running:
        assert each.ended().exit == ANSWERED
        each.nothing_is_left()
    for terminal in opened.values():
        terminal.close()
    return opened


def screens(terminal: Terminal, first: str) -> list[str]:
    return ["\n".join(screen) for screen in terminal.screens() if screen and screen[0] == first]


def test_an_explanation_shows_each_trial_and_what_the_earlier_ones_saw(terminals):
    shown = screens(terminals["explain"], "flask")

    numbers = [int(found[1]) for screen in shown if (found := re.search(r"trial (\d+) of at most 12", screen))]
    assert numbers == sorted(numbers)
    assert {1, 2, 3} <= {*numbers}
    # Of 48 descriptors, three standard streams and the listening socket leave 44, one for each connection.
    raised = [screen for screen in shown if "trial 2 of" in screen]
    assert any("   1  as asked  44 at once" in screen and "may decide" in screen for screen in raised)
    assert any(re.search(r"decides +nofile", screen) for screen in shown)
    assert all(re.search(r"at most \d\d s more", screen) for screen in shown)
    assert "44 requests at once  decided by nofile" in terminals["explain"].after_the_view()


def test_a_study_shows_its_rows_and_what_came_of_those_before(terminals):
    shown = screens(terminals["study"], "study cases.toml")

    rows = [int(found[1]) for screen in shown if (found := re.search(r"row (\d) of 3", screen))]
    assert rows == sorted(rows)
    assert {*rows} == {1, 2, 3}
    *_, first, second, third = [line for line in shown[-1].splitlines() if re.match(r"  \d  ", line)]
    assert re.fullmatch(r"  1  one at a time: \S.*  1 at once", first)
    assert re.fullmatch(r"  2  a thread for each: \S.*  3 or more", second)
    assert third == "  3  waitress"
    # Three rows must have been measured before their mean says anything.
    assert not any(re.search(r"about .* more", screen) for screen in shown)


@pytest.mark.parametrize("which", ["explain", "study"])
def test_every_line_fits_and_the_terminal_is_left_as_it_was(terminals, which):
    frames = terminals[which].frames()

    assert any(frames)
    assert all(len(line) < 60 for frame in frames for line in frame)
    terminals[which].is_left_as_it_was()


def test_quiet_shows_nothing_but_the_result(terminals):
    assert not terminals["quiet"].frames()
    assert "1/1" not in terminals["quiet"].written
    assert "waitress" in terminals["quiet"].written


def test_where_there_is_no_terminal_a_line_says_which_row_begins(workshop, terminals):
    ended = workshop.run("study", "cases.toml", "--only", "waitress")

    assert ended.err == "1/1 waitress\n"
