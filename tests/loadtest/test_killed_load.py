"""A load that is killed leaves the rows that had ended, and is listed as cut short."""

from __future__ import annotations

import csv
import io
import json
import os
import signal
import sqlite3
from contextlib import closing

import pytest
from support.waiting import until

from holdfast import store

ANSWERED, FAILED, USAGE, INCONCLUSIVE, ENVIRONMENT = range(5)


@pytest.mark.parametrize(
    "shape",
    [
        ("--rate", "100"),
        ("--clients", "3", "--think", "5ms"),
        ("--clients", "2", "--quiet"),
        ("--clients", "2", "--cookies", "--first", "/first"),
    ],
    ids=["open", "sessions", "closed-quiet", "journeys"],
)
def test_rows_of_a_killed_load_are_saved(holdfast, counting, shape):
    running = holdfast.start("load", counting.url, *shape, "--for", "60s")
    until(lambda: any(each.offered for each in store.saved_runs(holdfast.runs)), "the first saved rows")
    os.killpg(running.process.pid, signal.SIGKILL)
    running.process.communicate()

    (listed,) = store.saved_runs(holdfast.runs)
    assert listed.arguments.startswith("cut short, or not over yet: ")
    assert "cut short" in holdfast.run("runs").out

    shown = holdfast.run("show", str(listed.id), "--json", "-")
    result = json.loads(shown.out)
    assert shown.exit == INCONCLUSIVE
    assert any(each.startswith("The load was cut short") for each in result["warnings"])
    assert 0 < listed.offered <= result["outcomes"]["answered"] == result["offered"]
    assert result["offered"] <= counting.seen()["requests"]

    written = holdfast.run("report", str(listed.id), "--csv", "-").out
    rows = list(csv.DictReader(io.StringIO(written)))
    assert len(rows) == result["offered"] == len({row["id"] for row in rows})
    assert {row["outcome"] for row in rows} == {"answered"}
    labels = {row["label"] for row in rows}
    assert labels == ({"GET /", "GET /first"} if "--first" in shape else {"GET /"})


@pytest.mark.parametrize("shape", [("--rate", "50"), ("--clients", "3", "--think", "1ms")], ids=["open", "closed"])
def test_a_load_that_ends_is_the_same_as_what_was_saved_of_it(holdfast, counting, shape, tmp_path):
    ended = holdfast.run("load", counting.url, *shape, "--for", "2500ms", "--json", "-", "--csv", tmp_path / "rows.csv")

    result = json.loads(ended.out)
    (listed,) = store.saved_runs(holdfast.runs)
    assert "cut short" not in listed.arguments
    assert listed.offered == result["offered"] == counting.seen()["requests"]
    assert json.loads(holdfast.run("show", str(listed.id), "--json", "-").out) == result
    assert holdfast.run("report", str(listed.id), "--csv", "-").out == (tmp_path / "rows.csv").read_text()


ROWS = store.LoadRows([b"all of it"], 2, [b"third"], store.LoadRows([b"all events"], 1, [b"2"]))


def test_what_was_saved_while_a_load_ran_stays_and_the_rest_is_added(tmp_path):
    path = tmp_path / "runs.sqlite"
    number = store.begin_load("title", b"head", path)
    store.add_to_load(number, store.FurtherRows(0, [b"first", b"second"]), 2, store.FurtherRows(0, [b"1"]), path)

    assert store.save_load("title", 3, b"whole head", ROWS, path, number) == number

    _, parts = store.load_parts(number, path)
    assert list(parts) == [b"first", b"second", b"third"]
    assert list(store.EventParts(number, path)) == [b"1", b"2"]


def test_all_rows_are_saved_where_the_run_was_removed_while_it_ran(tmp_path):
    path = tmp_path / "runs.sqlite"
    number = store.begin_load("title", b"head", path)
    store.add_to_load(number, store.FurtherRows(0, [b"first", b"second"]), 2, store.FurtherRows(0, [b"1"]), path)
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        database.execute("DELETE FROM load_rows")
        database.execute("DELETE FROM event_rows")
        database.execute("DELETE FROM run")

    store.save_load("title", 3, b"whole head", ROWS, path, number)

    _, parts = store.load_parts(number, path)
    assert list(parts) == [b"all of it"]
    assert list(store.EventParts(number, path)) == [b"all events"]


def test_a_load_keeps_the_revision_that_was_checked_out_when_it_began(tmp_path, monkeypatch):
    path = tmp_path / "runs.sqlite"
    monkeypatch.chdir(tmp_path)
    number = store.begin_load("title", b"head", path)
    (tmp_path / ".git").write_text("gitdir: nowhere\n")

    store.save_load("title", 3, b"whole head", ROWS, path, number)

    (listed,) = store.saved_runs(path)
    assert listed.revision.commit is None
    assert listed.revision.why.endswith(" is not in a git repository")
