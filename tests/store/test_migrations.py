"""A file of any earlier schema is read as it is, and becomes one of today when it is next written."""

from __future__ import annotations

import hashlib
import json
import sqlite3
import threading
from contextlib import closing

import pytest
from recorded.saved import RUNS, result_of
from store.earlier import ATTACH, EXPLANATION, LOAD, PROBE, RUN, TABLES, ask, make, put

from holdfast import store
from holdfast.errors import EnvironmentFailure, UsageError
from holdfast.infer.judge import judge
from holdfast.loadtest import saved as saved_loads
from holdfast.model.verdict import of_run
from holdfast.store.tables import SCHEMA

EVERY = pytest.mark.parametrize("by", TABLES)
KINDS = {PROBE: "probe", ATTACH: "attach", LOAD: "load", EXPLANATION: "explain"}


@pytest.fixture
def path(tmp_path, monkeypatch):
    path = tmp_path / "runs.sqlite"
    monkeypatch.setenv("HOLDFAST_RUNS", str(path))
    return path


def content(path):
    """Everything that is read of a file."""
    found = {}
    for run in store.saved_runs(path):
        form = store.form_of(run.id, path)
        if form == 2:
            head, parts = store.load_parts(run.id, path)
            found[run.id] = saved_loads.read(head, parts).result
        elif form == 5:
            found[run.id] = store.load_explanation(run.id, path)
        else:
            found[run.id] = store.load(run.id, path)
    return found


@EVERY
def test_a_file_of_an_earlier_version_is_read_without_being_changed(path, by):
    make(path, by)
    before = hashlib.sha256(path.read_bytes()).digest()

    listed = store.saved_runs(path)

    assert {each.id: each.kind for each in listed} == {each.id: KINDS[each.id] for each in listed}
    assert len(listed) == {"first": 2, "loads": 3, "versions": 4}[by]
    assert (
        judge(store.load(PROBE, path)).ceiling.in_service == result_of(RUNS, "flask-threaded")["ceiling"]["in_service"]
    )
    assert hashlib.sha256(path.read_bytes()).digest() == before


@EVERY
def test_the_next_run_brings_it_to_the_schema_of_today_and_loses_nothing(path, by):
    make(path, by)
    listed, before = store.saved_runs(path), content(path)

    number = store.save(before[PROBE], path)

    assert number == max(before) + 1
    after = content(path)
    assert after.pop(number) == before[PROBE]
    assert after == before
    assert store.saved_runs(path)[1:] == listed
    assert ask(path, "PRAGMA user_version") == [(SCHEMA,)]
    assert [row[0] for row in ask(path, "SELECT schema FROM schema_change")] == [SCHEMA]
    assert ask(path, "PRAGMA integrity_check") == [("ok",)]
    expected = [(EXPLANATION, PROBE)] if by == "versions" else []
    assert ask(path, "SELECT whole, run FROM part") == expected


@EVERY
def test_it_is_brought_there_once(path, by):
    make(path, by)
    timeline = store.load(PROBE, path)

    numbers = [store.save(timeline, path) for _ in range(3)]

    assert numbers == sorted(set(numbers))
    assert len(ask(path, "SELECT * FROM schema_change")) == 1


def test_a_version_that_does_not_know_the_schema_can_still_save_there(path):
    make(path, "versions")
    store.save(store.load(PROBE, path), path)

    # As 0.1.0 does: the columns that were added are left empty.
    with closing(sqlite3.connect(path)) as database, database:
        record = database.execute("SELECT timeline FROM run WHERE id = ?", (ATTACH,)).fetchone()[0]
        put(database, 90, 4, "attach", "http://127.0.0.1/", 7, record)

    newest = store.saved_runs(path)[0]
    assert (newest.id, newest.kind, newest.offered, newest.revision) == (90, "attach", 7, None)
    assert ask(path, "SELECT kind FROM saved_run WHERE run = 90") == [("attach",)]


def test_writers_that_meet_an_earlier_file_together_bring_it_there_once(path):
    make(path, "first")
    timeline = store.load(PROBE, path)
    numbers: list[int] = []

    together = [threading.Thread(target=lambda: numbers.append(store.save(timeline, path))) for _ in range(8)]
    for each in together:
        each.start()
    for each in together:
        each.join()

    assert sorted(numbers) == list(range(3, 11))
    assert len(ask(path, "SELECT * FROM schema_change")) == 1


def test_a_file_of_a_newer_version_is_named_with_that_version_and_left_alone(path):
    make(path, "versions")
    timeline = store.load(PROBE, path)
    store.save(timeline, path)
    with closing(sqlite3.connect(path)) as database, database:
        database.execute(f"PRAGMA user_version = {SCHEMA + 1}")
        database.execute("INSERT INTO schema_change VALUES (?, '7.2', 0)", (SCHEMA + 1,))
    before = path.read_bytes()

    for use in (
        lambda: store.saved_runs(path),
        lambda: store.load(PROBE, path),
        lambda: store.save(timeline, path),
        lambda: store.load_parts(LOAD, path),
    ):
        with pytest.raises(UsageError) as error:
            use()
        assert error.value.what == f"The saved runs in {path} are those of a newer version of holdfast, 7.2."
        assert f"schema {SCHEMA + 1}" in error.value.why
    assert path.read_bytes() == before


@pytest.mark.parametrize("table", ["CREATE TABLE run (x)", "CREATE TABLE other (timeline)"])
def test_the_database_of_another_program_is_left_alone(path, table):
    with closing(sqlite3.connect(path)) as database, database:
        database.execute(table)
    path.chmod(0o644)
    make_probe = path.with_name("other.sqlite")
    make(make_probe, "first")
    before, timeline = path.read_bytes(), store.load(PROBE, make_probe)

    for use in (lambda: store.saved_runs(path), lambda: store.save(timeline, path)):
        with pytest.raises(EnvironmentFailure) as error:
            use()
        assert error.value.why == "It is a database with tables of another program. Nothing was written to it."
    assert path.read_bytes() == before
    assert path.stat().st_mode & 0o777 == 0o644


def test_a_damaged_explanation_does_not_keep_the_file_from_its_schema(path):
    make(path, "versions")
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("UPDATE run SET timeline = 'x' WHERE id = ?", (EXPLANATION,))

    store.save(store.load(PROBE, path), path)

    assert ask(path, "SELECT * FROM part") == []
    assert len(store.saved_runs(path)) == 5


def test_what_cannot_be_kept_beside_a_record_costs_nothing(path, monkeypatch):
    """A verdict that is drawn while the file can no longer be written is still given."""
    make(path, "first")
    timeline = store.load(PROBE, path)
    number = store.save(timeline, path)
    monkeypatch.setenv("HOLDFAST_RUNS", str(path / "not a directory"))

    assert store.concluded(number, lambda: judge(timeline)) == of_run(judge(timeline), number)

    assert store.kept_result(number, path) is None


def test_a_record_without_its_own_table_of_rows_is_listed(path):
    with closing(sqlite3.connect(path)) as database, database:
        database.execute(RUN)

    assert store.saved_runs(path) == ()


def test_the_kept_verdict_is_the_one_that_json_writes(path):
    from holdfast.report.json import verdict_json

    make(path, "first")
    timeline = store.load(PROBE, path)
    number = store.save(timeline, path)

    verdict = store.concluded(number, lambda: judge(timeline))

    assert store.kept_result(number, path) == json.loads(verdict_json(verdict))
    assert store.kept_result(PROBE, path) is None
