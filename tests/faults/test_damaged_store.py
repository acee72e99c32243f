"""The file of saved runs is empty, damaged in a row, full, locked, or of a form that is not known."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import stat

import pytest
from support.commandline import in_mount_namespace

ANSWERED, USAGE, ENVIRONMENT = 0, 2, 4

FEW = ("--max-offered", "3")


@pytest.fixture
def two_runs(holdfast):
    for _ in range(2):
        assert holdfast.run("probe", *FEW).exit == ANSWERED
    return holdfast


def change(holdfast, what: str) -> None:
    with contextlib.closing(sqlite3.connect(holdfast.runs)) as database, database:
        database.execute(what)


@pytest.mark.parametrize("content", [b"", "no table"], ids=["empty", "no table"])
def test_a_file_without_runs_is_no_fault(holdfast, content):
    holdfast.runs.parent.mkdir()
    if content:
        with contextlib.closing(sqlite3.connect(holdfast.runs)) as database:
            database.execute("PRAGMA user_version = 1")
    else:
        holdfast.runs.touch()

    listed = holdfast.run("runs")
    shown = holdfast.run("show", "1")

    assert (listed.exit, listed.out, listed.err) == (ANSWERED, "No runs have been saved yet.\n", "")
    assert (shown.exit, shown.what) == (USAGE, "holdfast: There is no saved run 1.")


DAMAGE = {
    "saved_at is a text": "saved_at = 'yesterday'",
    "saved_at is missing": "saved_at = NULL",
    "saved_at is out of range": "saved_at = 1e300",
    "offered is a text": "offered = 'three'",
    "server is missing": "server = NULL",
    "arguments are not UTF-8": "arguments = CAST(x'ff' AS TEXT)",
    "the record is missing": "timeline = NULL",
    "the record is a text": "timeline = 'x'",
    "the record is not whole": "timeline = substr(timeline, 1, 100)",
    "the form is a text": "format = 'x'",
    "the form is missing": "format = NULL",
    "the form is none that ever was": "format = -1",
}


@pytest.mark.parametrize("name", DAMAGE)
def test_a_damaged_row_does_not_hide_the_others(two_runs, name):
    change(two_runs, f"UPDATE run SET {DAMAGE[name]} WHERE id = 1")

    listed = two_runs.run("runs")
    shown = two_runs.run("show", "1")
    other = two_runs.run("show", "2")

    assert listed.exit == ANSWERED, listed.err
    assert len(listed.out.splitlines()) == 3
    assert other.exit == ANSWERED
    assert shown.exit in {ANSWERED, USAGE}  # where only the list is damaged, the record can be read
    assert "Traceback" not in listed.err + shown.err
    if DAMAGE[name].startswith(("timeline", "format")):
        assert shown.what == "holdfast: Run 1 cannot be read: its record is damaged."


def test_a_form_that_is_not_known_is_refused_by_every_command(two_runs):
    change(two_runs, "UPDATE run SET format = 99, version = '99.0' WHERE id = 1")

    for command in (("show", "1"), ("report", "1", "--json", "-")):
        ended = two_runs.run(*command)

        assert (ended.exit, ended.out) == (USAGE, "")
        assert ended.what == "holdfast: Run 1 was saved by a newer version of holdfast, 99.0."


def on_file_system(holdfast, options: str) -> list[str]:
    """A program that runs holdfast where the directory of its saved runs is a file system of its own."""
    holdfast.runs.parent.mkdir(exist_ok=True)
    return in_mount_namespace(f'mount -t tmpfs -o {options} tmpfs "{holdfast.runs.parent}" && exec "$@"')


ADVICE = {"size=4k": "Free some space there", "size=16k": "Free some space there", "ro": "You may not write there"}


@pytest.mark.parametrize("options", ADVICE)
def test_the_advice_fits_what_is_wrong_with_the_file_system(holdfast, options):
    ended = holdfast.run("probe", "--max-offered", "300", program=on_file_system(holdfast, options))

    assert ended.exit == ENVIRONMENT
    assert ended.what == f"holdfast: The run could not be saved in {holdfast.runs}."
    assert ADVICE[options] in ended.err
    assert "at least 300 requests at once" in ended.out


@pytest.mark.parametrize(
    ("command", "code", "what"),
    [
        (("runs",), ANSWERED, ""),
        (("show", "1"), ANSWERED, ""),
        (("diff", "1", "2"), ANSWERED, ""),
        (("export", "1", "../exported.sqlite"), ANSWERED, ""),
        (("probe", *FEW), ENVIRONMENT, "holdfast: The run could not be saved in {runs}."),
        (("prune", "--keep", "1", "--yes"), ENVIRONMENT, "holdfast: No run could be removed from {runs}."),
        (("import", "other.sqlite"), ENVIRONMENT, "holdfast: The runs could not be added to those in {runs}."),
    ],
    ids=lambda each: each[0] if isinstance(each, tuple) else "",
)
def test_runs_that_may_only_be_read_are_read(two_runs, command, code, what):
    directory, writable = two_runs.runs.parent, two_runs.directory
    two_runs.run("export", "1", writable / "other.sqlite")
    mounted = f'mount -t tmpfs tmpfs "{directory}.ro" && cp -p "{two_runs.runs}" "{directory}.ro"'
    script = f'{mounted} && mount -o remount,ro "{directory}.ro" && cd "{writable}" && exec "$@"'
    (directory.parent / f"{directory.name}.ro").mkdir()
    read_only = f"{directory}.ro/{two_runs.runs.name}"

    ended = two_runs.run(*command, program=in_mount_namespace(script), env={"HOLDFAST_RUNS": read_only})

    assert (ended.exit, ended.what) == (code, what.format(runs=read_only))
    if code == ENVIRONMENT:
        assert "You may not write there" in ended.err


@pytest.mark.parametrize(
    ("command", "code"),
    [
        (("runs",), USAGE),
        (("show", "1"), USAGE),
        (("prune", "--keep", "1", "--yes"), USAGE),
        (("probe", *FEW), ENVIRONMENT),
    ],
    ids=lambda each: each[0] if isinstance(each, tuple) else "",
)
def test_a_file_of_a_newer_version_is_told_and_left_alone(two_runs, command, code):
    change(two_runs, "INSERT INTO schema_change VALUES (7, '9.9', 0)")
    change(two_runs, "PRAGMA user_version = 7")
    before = two_runs.runs.read_bytes()

    ended = two_runs.run(*command)

    assert ended.exit == code
    assert ended.what == f"holdfast: The saved runs in {two_runs.runs} are those of a newer version of holdfast, 9.9."
    assert "Upgrade" in ended.err
    assert two_runs.runs.read_bytes() == before
    if command[0] == "probe":
        assert "at least 3 requests at once" in ended.out


def test_what_is_no_database_is_to_be_moved_away_and_not_given_space(holdfast):
    holdfast.runs.parent.mkdir()
    holdfast.runs.write_bytes(b"this is no database " * 100)

    ended = holdfast.run("probe", *FEW)

    assert ended.exit == ENVIRONMENT
    assert "Move the file away" in ended.err
    assert "space" not in ended.err


def test_the_runs_of_a_file_that_others_could_read_are_its_owners_alone_after_the_next(two_runs):
    two_runs.runs.chmod(0o644)

    assert two_runs.run("probe", *FEW).exit == ANSWERED

    assert stat.S_IMODE(two_runs.runs.stat().st_mode) == 0o600


def test_the_mode_of_another_programs_database_is_left_alone(holdfast):
    holdfast.runs.parent.mkdir()
    change(holdfast, "CREATE TABLE run (x)")
    holdfast.runs.chmod(0o644)

    assert holdfast.run("probe", *FEW).exit == ENVIRONMENT

    assert stat.S_IMODE(holdfast.runs.stat().st_mode) == 0o644
    assert os.path.getsize(holdfast.runs)
