"""A study is saved as a run of its own, and shown again from the runs of its rows."""

from __future__ import annotations

import contextlib
import json
import sqlite3

import pytest
from support.commandline import Holdfast

from holdfast import store

ANSWERED, FAILED, USAGE = 0, 1, 2
CASES = """
[defaults]
server = "flask"
max-offered = 6
[[case]]
name = "one at a time"
arguments = ["--no-threaded"]
expect = { in_service = 1 }
[[case]]
name = "not there"
app = "missing:app"
"""


@pytest.fixture(scope="module")
def studied(workshop: Holdfast) -> tuple[Holdfast, dict]:
    """A study of a row that was measured, which is run 1, and one that was not; and its JSON."""
    (workshop.directory / "cases.toml").write_text(CASES)
    ended = workshop.run("study", "cases.toml", "--json", "-")
    assert ended.exit == ANSWERED, ended.err
    return workshop, json.loads(ended.out)


def test_it_has_a_number_and_so_have_its_rows(studied):
    holdfast, result = studied

    assert result["run"] == 2
    assert [row["run"] for row in result["rows"]] == [1, None]
    listed = {each.id: each for each in store.saved_runs(holdfast.runs)}
    assert (listed[2].kind, listed[2].arguments, listed[2].offered) == ("study", result["name"], 2)
    assert (listed[1].kind, listed[1].ceiling) == ("probe", 1)


def test_it_is_shown_again_as_it_was(studied):
    holdfast, result = studied

    shown = holdfast.run("show", "2", "--json", "-")

    assert shown.exit == ANSWERED
    assert json.loads(shown.out) == result
    assert store.kept_result(2, holdfast.runs) == result


def test_it_does_not_differ_from_itself_and_keeps_the_runs_of_its_rows(studied):
    holdfast, _ = studied

    assert "Nothing changed." in holdfast.run("diff", "2", "2").out
    kept = holdfast.run("prune", "--keep", "1", "--dry-run")
    assert kept.out == "Nothing is to be removed.\n"


def test_exported_it_takes_them_along(studied):
    holdfast, result = studied
    target = holdfast.directory / "study.sqlite"

    exported = holdfast.run("export", "2", target)
    imported = holdfast.run("import", target, env={"HOLDFAST_RUNS": str(holdfast.directory / "new.sqlite")})
    shown = holdfast.run("show", "2", "--json", "-", env={"HOLDFAST_RUNS": str(holdfast.directory / "new.sqlite")})

    assert (exported.exit, imported.exit) == (ANSWERED, ANSWERED)
    assert json.loads(shown.out) == result


def test_a_row_whose_run_was_removed_says_so(studied):
    holdfast, _ = studied
    copy = holdfast.directory / "copy.sqlite"
    holdfast.run("export", "2", copy)
    with contextlib.closing(sqlite3.connect(copy)) as database, database:
        database.execute("DELETE FROM run WHERE id = 1")

    shown = holdfast.run("show", "2", "--json", "-", env={"HOLDFAST_RUNS": str(copy)})

    row = json.loads(shown.out)["rows"][0]
    assert row["verdict"] is None
    assert row["skipped"] == "run 1, which it was made from, was removed"
