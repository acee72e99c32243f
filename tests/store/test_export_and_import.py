"""Saved runs in a file of their own, and taken from there."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest
from store.earlier import ATTACH, EXPLANATION, LOAD, PROBE, TABLES, explanation, make, packed, put

from holdfast import store
from holdfast.errors import UsageError
from holdfast.loadtest import saved as saved_loads
from holdfast.store.exchange import export_runs, import_runs


@pytest.fixture
def here(tmp_path, monkeypatch):
    path = tmp_path / "here.sqlite"
    monkeypatch.setenv("HOLDFAST_RUNS", str(path))
    return path


def loaded(number, path):
    head, parts = store.load_parts(number, path)
    return saved_loads.read(head, parts).result


@pytest.mark.parametrize("by", TABLES)
def test_exported_runs_are_read_under_the_same_numbers(here, tmp_path, by):
    make(here, by)
    chosen = [ATTACH] if by == "first" else [ATTACH, LOAD]
    target = tmp_path / "elsewhere.sqlite"

    assert export_runs(chosen, here, target) == tuple(chosen)

    assert [each.id for each in store.saved_runs(target)] == chosen[::-1]
    assert store.load(ATTACH, target) == store.load(ATTACH, here)
    if by != "first":
        assert loaded(LOAD, target) == loaded(LOAD, here)
    with pytest.raises(UsageError):
        store.load(PROBE, target)


@pytest.mark.parametrize("migrated", [False, True])
def test_an_explanation_brings_the_run_that_it_needs(here, tmp_path, migrated):
    make(here, "versions")
    if migrated:
        store.save(store.load(PROBE, here), here)

    assert export_runs([EXPLANATION], here, tmp_path / "x") == (PROBE, EXPLANATION)


def test_a_run_that_is_not_there_is_named(here, tmp_path):
    make(here, "first")

    with pytest.raises(UsageError, match="There is no saved run 77"):
        export_runs([PROBE, 77], here, tmp_path / "x")
    with pytest.raises(UsageError, match="There is no saved run 1"):
        export_runs([1], tmp_path / "nothing", tmp_path / "x")


def test_imported_runs_get_new_numbers_and_are_the_same(here, tmp_path):
    there = tmp_path / "there.sqlite"
    make(there, "loads")
    with closing(sqlite3.connect(there)) as database, database:
        database.execute("UPDATE run SET saved_at = saved_at + 1000")  # other runs than those here
    make(here, "first")

    found = import_runs(there, here)

    assert found.numbers == {PROBE: 3, ATTACH: 4, LOAD: 5}
    assert not found.known
    assert store.load(4, here) == store.load(ATTACH, there)
    assert loaded(5, here) == loaded(LOAD, there)
    assert len(store.saved_runs(here)) == 5


def test_a_run_that_is_here_already_is_left_as_it_is(here, tmp_path):
    make(here, "versions")
    export_runs([PROBE, EXPLANATION], here, tmp_path / "x")

    again = import_runs(tmp_path / "x", here)

    assert again.numbers == {PROBE: PROBE, EXPLANATION: EXPLANATION}
    assert again.known == {PROBE, EXPLANATION}
    assert len(store.saved_runs(here)) == 4


def test_an_imported_explanation_names_the_runs_as_they_are_numbered_here(here, tmp_path):
    there = tmp_path / "there.sqlite"
    make(there, "versions")
    with closing(sqlite3.connect(there)) as database, database:
        database.execute("UPDATE run SET saved_at = saved_at + 1000")
    make(here, "first")

    new = import_runs(there, here).numbers
    twice = import_runs(there, here)

    record = store.load_explanation(new[EXPLANATION], here)
    assert record.first_run == new[PROBE]
    assert record.trials[0].run == new[PROBE]
    assert store.load(record.first_run, here) == store.load(PROBE, there)
    assert twice.known == new.keys()
    with closing(sqlite3.connect(here)) as database:
        assert database.execute("SELECT whole, run FROM part").fetchall() == [(new[EXPLANATION], new[PROBE])]


def test_a_file_without_runs_is_named(here, tmp_path):
    (tmp_path / "empty").touch()

    with pytest.raises(UsageError, match="There are no saved runs in"):
        import_runs(tmp_path / "empty", here)


def test_the_commands_export_show_and_import(holdfast, tmp_path):
    holdfast.runs.parent.mkdir()
    make(holdfast.runs, "versions")
    target = tmp_path / "november.sqlite"
    elsewhere = {"HOLDFAST_RUNS": str(target)}

    done = holdfast.run("export", str(EXPLANATION), target)
    listed = holdfast.run("runs", env=elsewhere)
    shown = holdfast.run("show", str(PROBE), env=elsewhere)
    again = holdfast.run("export", str(PROBE), target)
    new = holdfast.run("import", target, env={"HOLDFAST_RUNS": str(tmp_path / "new.sqlite")})

    assert (done.exit, done.out) == (0, f"Run 4 written to {target}, and what they need: 1.\n")
    assert target.stat().st_mode & 0o777 == 0o600
    assert [line.split()[0] for line in listed.out.splitlines()] == ["run", "4", "1"]
    assert shown.exit == 0
    assert (again.exit, again.what) == (2, f"holdfast: {target} exists already.")
    assert new.out == "run 1 of the file is run 1\nrun 4 of the file is run 2\n"


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        (("export", "9", "x.sqlite"), "holdfast: There is no saved run 9."),
        (("import", "x.sqlite"), "holdfast: There is no file x.sqlite."),
        (("import", "app.py"), "holdfast: The saved runs in app.py cannot be read."),
    ],
)
def test_what_cannot_be_exchanged_is_named_and_leaves_no_file(holdfast, arguments, what):
    (holdfast.directory / "app.py").write_text("this is no database" * 100)

    ended = holdfast.run(*arguments)

    assert ended.exit in {2, 4}
    assert ended.what == what
    assert not (holdfast.directory / "x.sqlite").exists()


def test_a_damaged_explanation_is_taken_as_it_is(here, tmp_path):
    there = tmp_path / "there.sqlite"
    make(there, "versions")
    with closing(sqlite3.connect(there)) as database, database:
        put(database, 9, 5, "explain", "x", 1, b"damaged")
        put(database, 8, 5, "explain", "x", 1, packed(explanation()[:-1]))

    new = import_runs(there, here).numbers

    for number in (8, 9):
        with pytest.raises(UsageError, match="its record is damaged"):
            store.load_explanation(new[number], here)
