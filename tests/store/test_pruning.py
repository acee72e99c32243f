"""Runs are removed, with all that belongs to them, and their space is given back."""

from __future__ import annotations

import os
import pty
import subprocess
import time

import pytest
from store.earlier import ATTACH, EXPLANATION, LOAD, PROBE, ask, make
from support.commandline import PROGRAM

from holdfast import store
from holdfast.store.pruning import prunable, remove
from holdfast.store.saving import LoadRows

ANSWERED, USAGE = 0, 2


@pytest.fixture
def saved(holdfast):
    """A probe, an attach, a load and an explanation that needs the probe, in this order, all of last year."""
    holdfast.runs.parent.mkdir()
    make(holdfast.runs, "versions")
    return holdfast


def numbers(holdfast):
    return [each.id for each in store.saved_runs(holdfast.runs)]


def test_a_dry_run_says_what_would_be_removed_and_removes_nothing(saved):
    before = saved.runs.read_bytes()

    ended = saved.run("prune", "--keep", "2", "--dry-run")

    assert ended.exit == ANSWERED
    assert [line.split()[0] for line in ended.out.splitlines()[:2]] == ["run", "2"]
    assert "stays needs them: 1." in ended.out
    assert "1 of 4 saved runs would be removed, which frees about " in ended.out
    assert saved.runs.read_bytes() == before


def test_the_newest_are_kept(saved):
    ended = saved.run("prune", "--keep", "2", "--yes")

    assert ended.exit == ANSWERED
    assert numbers(saved) == [EXPLANATION, LOAD, PROBE]  # which the explanation needs


@pytest.mark.parametrize(
    ("options", "left"),
    [
        (("--keep", "0", "--kind", "load"), [EXPLANATION, ATTACH, PROBE]),
        (("--keep", "1", "--kind", "load"), [EXPLANATION, LOAD, ATTACH, PROBE]),
        (("--older-than", "1d"), []),
        (("--older-than", "999999d"), [EXPLANATION, LOAD, ATTACH, PROBE]),
        (("--older-than", "1d", "--keep", "3"), [EXPLANATION, LOAD, ATTACH, PROBE]),
    ],
)
def test_what_is_chosen_is_removed(saved, options, left):
    ended = saved.run("prune", *options, "--yes")

    assert ended.exit == ANSWERED, ended.err
    assert numbers(saved) == left


def test_what_an_explanation_needs_stays_with_it(saved):
    store.save(store.load(PROBE, saved.runs), saved.runs)  # which brings the file to the tables of today
    runs = store.saved_runs(saved.runs)

    alone = prunable([each for each in runs if each.id == PROBE], saved.runs)
    both = prunable([each for each in runs if each.id in {PROBE, EXPLANATION}], saved.runs)

    assert (alone.runs, alone.needed) == ((), (PROBE,))
    assert ({each.id for each in both.runs}, both.needed) == ({PROBE, EXPLANATION}, ())


def test_all_that_belongs_to_a_run_goes_with_it_and_the_file_becomes_smaller(saved):
    store.save(store.load(PROBE, saved.runs), saved.runs)
    before = saved.runs.stat().st_size
    chosen = [each for each in store.saved_runs(saved.runs) if each.id in {LOAD, ATTACH}]
    found = prunable(chosen, saved.runs)

    assert remove(found, saved.runs) == ""

    assert found.bytes_ > 0
    assert saved.runs.stat().st_size < before
    assert ask(saved.runs, "SELECT count(*) FROM load_rows") == [(0,)]
    assert ask(saved.runs, "PRAGMA integrity_check") == [("ok",)]


def test_without_a_terminal_it_needs_yes(saved):
    ended = saved.run("prune", "--keep", "1")

    assert (ended.exit, ended.what) == (USAGE, "holdfast: Nothing was removed.")
    assert "--yes" in ended.err
    assert len(numbers(saved)) == 4


@pytest.mark.parametrize(
    ("answer", "left"), [("y\n", 2), ("\n", 4), ("n\n", 4), ("", 4)], ids=["yes", "enter", "no", "end"]
)
def test_at_a_terminal_it_asks(saved, answer, left):
    master, terminal = pty.openpty()
    process = subprocess.Popen(
        [*PROGRAM, "prune", "--keep", "1"],
        env={**os.environ, "HOLDFAST_RUNS": str(saved.runs)},
        stdin=terminal,
        stdout=terminal,
        stderr=terminal,
        start_new_session=True,
    )
    os.close(terminal)
    said = b""
    while b"[y/N]" not in said:
        said += os.read(master, 4096)
    os.write(master, answer.encode() or b"\x04")
    while True:
        try:
            said += os.read(master, 4096)
        except OSError:  # EIO: the other end is closed
            break
    os.close(master)

    assert process.wait() == ANSWERED, said
    assert len(numbers(saved)) == left
    assert (b"Nothing was removed." in said) == (left == 4)


def test_what_to_remove_must_be_said(saved):
    ended = saved.run("prune", "--kind", "load", "--yes")

    assert ended.exit == USAGE
    assert "--keep N, --older-than AGE" in ended.err


def test_a_file_of_an_earlier_version_can_be_pruned_too(holdfast):
    holdfast.runs.parent.mkdir()
    make(holdfast.runs, "first")

    assert holdfast.run("prune", "--keep", "1", "--yes").exit == ANSWERED

    assert numbers(holdfast) == [ATTACH]


def test_without_runs_there_is_nothing_to_remove(holdfast):
    ended = holdfast.run("prune", "--keep", "0", "--yes")

    assert (ended.exit, ended.out) == (ANSWERED, "Nothing is to be removed.\n")


def test_a_run_that_is_not_over_is_not_removed(saved):
    began = time.time()
    mark = saved.runs.parent / f".{saved.runs.name}.begun-1-00c0ffee"
    mark.touch()  # as one that is just being made

    assert saved.run("prune", "--keep", "0", "--yes").exit == ANSWERED

    assert mark.exists() or time.time() - began > 10


def test_the_oldest_run_goes_when_there_are_too_many_unless_it_is_needed(saved, monkeypatch):
    monkeypatch.setattr("holdfast.store.forgetting.KEEP", 2)
    timeline = store.load(PROBE, saved.runs)

    store.save(timeline, saved.runs)
    assert numbers(saved) == [5, EXPLANATION, PROBE]  # which the explanation needs

    store.save(timeline, saved.runs)
    store.save(timeline, saved.runs)
    assert numbers(saved) == [7, 6]


def test_the_oldest_loads_are_forgotten_where_all_rows_together_take_too_much(tmp_path, monkeypatch):
    monkeypatch.setattr("holdfast.store.forgetting.MOST_BYTES", 250_000)
    path, rows = tmp_path / "runs.sqlite", [bytes(100_000)]

    for title in ("first", "second", "third"):
        store.save_load(title, 1, b"head", LoadRows(rows), path)

    assert [each.id for each in store.saved_runs(path)] == [3, 2]
    assert ask(path, "SELECT run FROM load_rows") == [(2,), (3,)]
