"""Rows of events are saved: written again, carried to other files, and kept of a load that is killed."""

from __future__ import annotations

import csv
import json
import os
import signal
import sqlite3
from contextlib import closing

import pytest
from loadtest.test_event_load import serving
from support.waiting import until

from holdfast import store

ANSWERED, FAILED, USAGE, INCONCLUSIVE, ENVIRONMENT = range(5)


def event_parts(path) -> int:
    """How many parts of events there are of run 1."""
    return len([*store.EventParts(1, path)])


@pytest.mark.parametrize(
    "shape", [("--burst", "3"), ("--clients", "4", "--for", "2200ms", "--processes", "2")], ids=["short", "as-it-goes"]
)
def test_a_saved_load_writes_its_events_again(holdfast, tmp_path, shape) -> None:
    target = tmp_path / "events.csv"
    with serving() as server:
        result = json.loads(
            holdfast.run(
                "load", f"{server.url}/events/5", "--events", *shape, "--events-csv", target, "--json", "-"
            ).out
        )  # fmt: skip
    assert 0 < result["events"]["kept"] == result["events"]["events"] <= server.sent["events"]
    again, database = tmp_path / "again.csv", tmp_path / "rows.sqlite"
    assert holdfast.run("report", "1", "--events-csv", again, "--sqlite", database).exit == ANSWERED
    assert again.read_text() == target.read_text()
    with closing(sqlite3.connect(database)) as written:
        rows = written.execute("SELECT * FROM events").fetchall()
    assert rows == [tuple(map(int, each)) for each in csv.reader(target.read_text().splitlines()[1:])]
    assert json.loads(holdfast.run("show", "1", "--json", "-").out)["events"] == result["events"]


def test_another_file_takes_the_events_along_and_pruning_removes_them(holdfast, tmp_path) -> None:
    away, back = tmp_path / "away.sqlite", tmp_path / "back.sqlite"
    with serving() as server:
        assert holdfast.run("load", f"{server.url}/lines/4", "--events", "--burst", "6").exit == ANSWERED
    written = holdfast.run("report", "1", "--events-csv", "-").out
    assert written.count("\n") == 1 + 24

    assert holdfast.run("export", "1", away).exit == ANSWERED
    assert holdfast.run("import", away, env={"HOLDFAST_RUNS": str(back)}).exit == ANSWERED
    assert holdfast.run("report", "1", "--events-csv", "-", env={"HOLDFAST_RUNS": str(back)}).out == written

    assert event_parts(back) == 1
    assert holdfast.run("prune", "--keep", "0", "--yes", env={"HOLDFAST_RUNS": str(back)}).exit == ANSWERED
    assert event_parts(back) == 0


@pytest.mark.parametrize("shape", [("--clients", "3", "--for", "60s"), ("--burst", "3")], ids=["closed", "burst"])
def test_a_killed_load_keeps_its_events_though_no_reply_has_ended(holdfast, shape) -> None:
    with serving() as server:
        running = holdfast.start("load", f"{server.url}/hold/3", "--events", *shape, "--quiet")
        until(lambda: event_parts(holdfast.runs), "the first saved events")
        os.killpg(running.process.pid, signal.SIGKILL)
        running.process.communicate()
    (listed,) = store.saved_runs(holdfast.runs)
    told = list(csv.DictReader(holdfast.run("report", str(listed.id), "--events-csv", "-").out.splitlines()))
    assert sorted((int(each["id"]), int(each["number"])) for each in told) == [
        (request, number) for request in range(3) for number in range(3)
    ]
    shown = holdfast.run("show", str(listed.id), "--json", "-")
    assert shown.exit == INCONCLUSIVE
    events = json.loads(shown.out)["events"]
    assert (events["events"], events["streams"], events["kept"], events["ended_by_us"]) == (9, 3, 9, 0)


def test_a_load_without_events_says_that_it_has_none(holdfast, counting) -> None:
    holdfast.run("load", counting.url, "--burst", "2")
    ended = holdfast.run("report", "1", "--events-csv", "-")
    assert (ended.exit, ended.out) == (USAGE, "")
    assert "Run 1 has no events: it was not a load with --events." in ended.err


def test_a_load_of_an_earlier_version_says_that_it_kept_no_rows_of_events(holdfast) -> None:
    with serving() as server:
        holdfast.run("load", f"{server.url}/events/2", "--events", "--burst", "2")
    with closing(sqlite3.connect(holdfast.runs, isolation_level=None)) as database:
        database.execute("DROP TABLE event_rows")
    ended = holdfast.run("report", "1", "--events-csv", "-")
    assert (ended.exit, ended.out) == (USAGE, "")
    assert "Run 1 has 4 events, and no rows of them." in ended.err
    assert holdfast.run("show", "1").exit == ANSWERED


def test_a_damaged_part_is_told(holdfast, tmp_path) -> None:
    with serving() as server:
        holdfast.run("load", f"{server.url}/events/2", "--events", "--burst", "2")
    with closing(sqlite3.connect(holdfast.runs, isolation_level=None)) as database:
        database.execute("UPDATE event_rows SET rows = substr(rows, 1, 40)")
    ended = holdfast.run("report", "1", "--events-csv", tmp_path / "events.csv")
    assert ended.exit == USAGE
    assert "Run 1 cannot be read: its record is damaged." in ended.err
