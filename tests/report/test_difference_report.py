"""Two results compared, as a terminal shows it."""

from __future__ import annotations

import json
from copy import deepcopy
from pathlib import Path

import pytest

from holdfast.infer.difference import difference_of
from holdfast.model.difference import Side
from holdfast.model.revision import Revision
from holdfast.report.difference import render_difference
from holdfast.report.layout import rendered

RECORDED = Path(__file__).parents[1] / "recorded"
POOL = json.loads((RECORDED / "runs" / "gunicorn-gthread.json").read_text())
COMMIT = "0123456789abcdef0123456789abcdef01234567"
SIDES = (
    Side("run 12", 12, 0.0, "0.1.0", "gunicorn --threads 8", Revision(COMMIT, changed=True)),
    Side("new.json"),
)


def shown(before, after, *, width=100, everything=False):
    found = difference_of(before, after, SIDES)
    return rendered(render_difference(found, everything=everything), width, styled=False)


def changed(**parts):
    found = deepcopy(POOL)
    for name, fields in parts.items():
        found[name] = {**found[name], **fields}
    return found


def test_what_changed_stands_first_and_noise_is_counted():
    text = shown(POOL, changed(ceiling={"in_service": 8}, timing={"total_s": 1.5, "probe_s": 0.7}))

    assert text.splitlines() == [
        "run 12  1970-01-01 00:00:00 UTC  gunicorn --threads 8  holdfast 0.1.0  commit 01234567+",
        "new.json",
        "",
        "What changed",
        "  ceiling.in_service  16  ->  8",
        "",
        "2 fields differ by no more than two runs of one server do (--all lists them), and 57 fields are the",
        "same.",
    ]


def test_nothing_changed_is_said():
    text = shown(POOL, deepcopy(POOL))

    assert "Nothing changed." in text
    assert text.endswith("60 fields are the same.\n")


def test_everything_has_its_reason():
    text = shown(POOL, changed(timing={"total_s": 1.5}, cost={"threads": 1.0}), everything=True)

    assert "  within the spread of times of one run:\n    timing.total_s  1.901  ->  1.5\n" in text
    assert "Known on one side only\n  not known on one side: requests that wait inside the server" in text
    assert "    cost.threads  none  ->  1\n" in text


def test_at_least_and_an_interval_are_told_with_the_figure():
    unbounded = shown(POOL, changed(ceiling={"in_service": 8, "bounded": False}), everything=True)
    estimated = shown(POOL, changed(ceiling={"in_service": 8, "interval": [7, 9]}))

    assert "ceiling.in_service  16   ->  at least 8" in unbounded
    assert "ceiling.in_service  16    ->  8 (7 to 9)" in estimated


@pytest.mark.parametrize(
    ("after", "words"),
    [
        (["python", "-m", "x", "--port", "2", "--threads", "8"], ("--threads 4", "--threads 8")),
        (["python", "-m", "x", "--port", "2", "-w", "3"], ("--threads 4", "-w 3")),
        (["python", "-m", "x", "--port", "2"], ("… --threads 4", "…")),
        (["python", "-m", "x", "--port", "2", "--threads", "4", "-v"], ("…", "… -v")),
    ],
    ids=["a value", "an option", "fewer", "more"],
)
def test_of_a_command_only_the_words_that_differ_are_shown(after, words):
    before = ["python", "-m", "x", "--port", "2", "--threads", "4"]
    text = shown(changed(target={"command": before}), changed(target={"command": after}))

    (line,) = [line for line in text.splitlines() if "target.command" in line]
    assert tuple(each.strip() for each in line.removeprefix("  target.command").split(" -> ")) == words


def test_text_from_outside_controls_no_terminal():
    text = shown(POOL, changed(target={"app": "\x1b[2J\u202eevil", "command": ["\x1b]0;x\x07"]}))

    assert "\x1b" not in text
    assert "\u202e" not in text


@pytest.mark.parametrize("width", [40, 60, 120])
def test_it_fits_the_terminal(width):
    other = changed(ceiling={"in_service": 8}, target={"command": ["word"] * 60}, overflow={"then": ["x" * 30]})

    assert max(map(len, shown(POOL, other, width=width, everything=True).splitlines())) <= width
