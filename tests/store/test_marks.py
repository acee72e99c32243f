"""A run marks that it has begun, and one that was killed is known by the mark that it left."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing

import pytest
from store.earlier import PROBE, make

from holdfast import store
from holdfast.errors import UsageError
from holdfast.model.saved import Asked
from holdfast.runs_file import marked, marks_beside

ASKED = Asked("probe", "gunicorn", "-w 4", "shop:app")
BEGIN = """
import sys, time
from holdfast.model.saved import Asked
from holdfast.runs_file import marked
with marked(Asked("probe", "gunicorn", "-w 4", "shop:app")) as mark:
    print(mark, flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def runs(tmp_path, monkeypatch):
    path = tmp_path / "state" / "runs.sqlite"
    monkeypatch.setenv("HOLDFAST_RUNS", str(path))
    return path


@contextlib.contextmanager
def begun():
    """A process whose run has begun and is not over."""
    process = subprocess.Popen([sys.executable, "-c", BEGIN], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield process, process.stdout.readline().strip()
    finally:
        process.kill()
        process.communicate()


def killed():
    with begun() as (process, mark):
        process.kill()
        process.wait()
    return mark


def test_a_run_that_is_over_leaves_no_mark(runs):
    with marked(ASKED) as mark:
        (seen,) = marks_beside(runs)
        assert (seen.name, seen.asked, seen.lives, seen.pid) == (mark, ASKED, True, os.getpid())

    assert list(runs.parent.iterdir()) == []


def test_a_run_that_ends_by_an_error_leaves_no_mark(runs):
    with pytest.raises(ZeroDivisionError), marked(ASKED):
        raise ZeroDivisionError

    assert list(runs.parent.iterdir()) == []


def test_one_that_still_runs_is_listed_without_a_number(runs):
    with begun():
        (listed,) = store.saved_runs(runs)

        assert (listed.id, listed.state, listed.server, listed.app) == (None, "not over yet", "gunicorn", "shop:app")
        assert listed.arguments == "not over yet: -w 4"
        assert len(marks_beside(runs)) == 1


def test_one_that_was_killed_gets_a_number_once_and_its_mark_is_removed(runs):
    killed()

    (listed,) = store.saved_runs(runs)
    (again,) = store.saved_runs(runs)

    assert listed == again
    assert (listed.id, listed.state, listed.kind, listed.arguments) == (1, "cut short", "probe", "cut short: -w 4")
    assert [each.name for each in runs.parent.iterdir()] == ["runs.sqlite"]
    with pytest.raises(UsageError, match="Run 1 was cut short, and nothing of it could be saved"):
        store.load(1, runs)


def test_one_that_was_killed_after_it_was_saved_is_over(runs, tmp_path):
    make(tmp_path / "earlier.sqlite", "first")
    timeline = store.load(PROBE, tmp_path / "earlier.sqlite")
    mark = killed()

    number = store.save(timeline, runs, mark)

    (listed,) = store.saved_runs(runs)
    assert (listed.id, listed.state) == (number, "over")
    assert marks_beside(runs) == ()


def test_marks_are_kept_where_the_runs_cannot_be_written(runs):
    killed()
    with closing(sqlite3.connect(runs)) as database:
        database.execute("CREATE TABLE run (x)")

    with contextlib.suppress(Exception):
        store.saved_runs(runs)

    assert len(marks_beside(runs)) == 1


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"kind": "party"}', b"\xff"])
def test_a_damaged_mark_is_still_that_of_a_run(runs, content):
    runs.parent.mkdir()
    path = runs.parent / ".runs.sqlite.begun-17-00c0ffee"
    path.write_bytes(content)
    os.utime(path, (1_000_000, 1_000_000))

    (listed,) = store.saved_runs(runs)

    assert (listed.state, listed.arguments) == ("cut short", "cut short: its mark is damaged")


def test_an_empty_mark_that_is_new_is_left_alone(runs):
    """It is being made, and not locked yet."""
    runs.parent.mkdir()
    path = runs.parent / ".runs.sqlite.begun-17-00c0ffee"
    path.touch()

    assert store.saved_runs(runs) == ()
    assert path.exists()


@pytest.mark.parametrize(
    "name", [".other.sqlite.begun-17-00c0ffee", ".runs.sqlite.begun-x", "runs.sqlite.begun-1-00c0ffee"]
)
def test_what_only_looks_like_a_mark_is_left_alone(runs, name):
    runs.parent.mkdir()
    (runs.parent / name).write_text(json.dumps({}))

    assert store.saved_runs(runs) == ()
    assert (runs.parent / name).exists()


def test_a_link_is_not_followed(runs, tmp_path):
    runs.parent.mkdir()
    (tmp_path / "secret").write_text("x")
    (runs.parent / ".runs.sqlite.begun-17-00c0ffee").symlink_to(tmp_path / "secret")

    assert store.saved_runs(runs) == ()
    assert (tmp_path / "secret").exists()


def test_a_run_goes_on_where_no_mark_can_be_made(monkeypatch, tmp_path):
    (tmp_path / "file").touch()
    monkeypatch.setenv("HOLDFAST_RUNS", str(tmp_path / "file" / "runs.sqlite"))

    with marked(ASKED) as mark:
        assert mark is None


def test_a_probe_that_is_killed_is_named(holdfast):
    running = holdfast.start("probe", "--server", "flask", "--max-offered", "20")
    running.until_listening()
    os.killpg(running.pid, signal.SIGKILL)
    running.process.communicate()

    listed = holdfast.run("runs")
    shown = holdfast.run("show", "1")

    assert "cut short" in listed.out
    assert shown.exit == 2
    assert shown.what == "holdfast: Run 1 was cut short, and nothing of it could be saved."
    running.nothing_is_left(within_s=10.0)
