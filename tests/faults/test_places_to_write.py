"""No room, no permission or nobody there where a record, a run or an answer is to be written."""

from __future__ import annotations

import contextlib
import json
import os
import sqlite3

import pytest
from support.commandline import PROGRAM, after_mounts

ANSWERED, USAGE, ENVIRONMENT = 0, 2, 4
BROKEN_PIPE = 141

FEW = ("--max-offered", "5")


def test_a_full_shared_memory_is_said_before_a_server_is_started(holdfast):
    ended = holdfast.run(
        "probe", "--max-offered", "100000", program=after_mounts("mount -t tmpfs -o size=64k tmpfs /dev/shm")
    )

    assert ended.exit == ENVIRONMENT
    assert ended.what == "holdfast: The record of the run could not be created."
    assert "No space left on device" in ended.err
    assert "MB on that file system" in ended.err
    assert "--max-offered" in ended.err


def test_a_shared_memory_without_inodes_is_said_too(holdfast):
    ended = holdfast.run("probe", program=after_mounts("mount -t tmpfs -o nr_inodes=1 tmpfs /dev/shm"))

    assert ended.exit == ENVIRONMENT
    assert ended.what == "holdfast: The directory for the run could not be created in /dev/shm."
    assert "inodes" in ended.err


def test_where_there_is_no_shared_memory_another_directory_serves(holdfast):
    program = after_mounts("mount -t tmpfs -o ro tmpfs /dev/shm")

    assert holdfast.run("probe", *FEW, program=program).exit == ANSWERED
    assert not list(holdfast.temporary.iterdir())


def test_what_a_killed_holdfast_left_is_swept_by_the_next(holdfast):
    program = after_mounts("mount -t tmpfs -o ro tmpfs /dev/shm")
    left = holdfast.temporary / "holdfast-1-01234567"  # process 1 lives, and the lock is not held
    left.mkdir()
    (left / "holdfast.lock").touch()
    (left / "record").write_bytes(b"x")

    ended = holdfast.run("probe", *FEW, program=program)

    assert ended.exit == ANSWERED
    assert not left.exists()


@pytest.mark.parametrize(
    "runs",
    ["/dev/full", "/proc/nowhere/runs.sqlite", "/proc/runs.sqlite", "app.py", "."],
    ids=["full", "no permission", "no disk", "no runs", "directory"],
)
def test_the_answer_is_given_all_the_same_where_the_run_cannot_be_saved(holdfast, runs):
    ended = holdfast.run("probe", "--json", "-", *FEW, env={"HOLDFAST_RUNS": runs})

    assert ended.exit == ENVIRONMENT  # as of a load: the run is lost
    assert ("Free some space" in ended.err) == (runs == "/dev/full")
    assert json.loads(ended.out)["places"]["in_service"] == 5
    assert ended.what == f"holdfast: The run could not be saved in {runs}."
    assert "HOLDFAST_RUNS" in ended.err


def test_saved_runs_that_cannot_be_read_are_said_to_be(holdfast):
    assert holdfast.run("probe", *FEW).exit == ANSWERED
    good = holdfast.runs.read_bytes()

    with contextlib.closing(sqlite3.connect(holdfast.runs)) as database, database:
        database.execute("UPDATE run SET timeline = x'00', format = 99, version = '99.0'")
    unknown_form = holdfast.run("show", "1")

    assert unknown_form.exit == USAGE
    assert unknown_form.what == "holdfast: Run 1 was saved by a newer version of holdfast, 99.0."
    assert "form 99" in unknown_form.err

    for spoilt in (b"this is no database", good[:4096] + b"\xff" * (len(good) - 4096)):
        holdfast.runs.write_bytes(spoilt)
        ended = holdfast.run("show", "1")

        assert ended.exit == ENVIRONMENT
        assert ended.what == f"holdfast: The saved runs in {holdfast.runs} cannot be read."
        assert "Move the file away" in ended.err


def test_a_file_of_somebody_elses_is_not_taken_for_saved_runs(holdfast, write):
    theirs = write("theirs.sqlite", "")
    with contextlib.closing(sqlite3.connect(theirs)) as database, database:
        database.execute("CREATE TABLE run (x)")
    before = theirs.read_bytes()

    listed = holdfast.run("runs", env={"HOLDFAST_RUNS": str(theirs)})
    probed = holdfast.run("probe", *FEW, env={"HOLDFAST_RUNS": str(theirs)})

    assert (listed.exit, probed.exit) == (ENVIRONMENT, ENVIRONMENT)
    assert probed.what == f"holdfast: The run could not be saved in {theirs}."
    assert theirs.read_bytes() == before


def test_without_saved_runs_their_list_is_empty(holdfast):
    ended = holdfast.run("runs")

    assert (ended.exit, ended.err) == (ANSWERED, "")


def test_a_file_that_may_not_be_written_is_said_before_the_run(holdfast, write):
    write("theirs.json", "{}").chmod(0o444)
    directory = write("closed/x", "").parent
    directory.chmod(0o555)
    ordinary = [*as_ordinary_user(), *PROGRAM]

    for target in ("theirs.json", "closed/verdict.json"):
        ended = holdfast.run("probe", "--json", target, program=ordinary)

        assert ended.exit == ENVIRONMENT
        assert ended.what == f"holdfast: Cannot write {target}."
    directory.chmod(0o755)


def as_ordinary_user() -> list[str]:
    """Takes root's right to write everywhere away; from others there is none to take."""
    if os.geteuid() != 0:
        return []
    return ["setpriv", "--bounding-set", "-dac_override", "--inh-caps", "-dac_override"]


def test_a_file_that_cannot_be_written_to_its_end_leaves_the_answer_on_the_screen(holdfast):
    ended = holdfast.run("probe", "--json", "/dev/full", *FEW)

    assert ended.exit == ENVIRONMENT
    assert ended.what == "holdfast: Cannot write /dev/full."
    assert "No space left on device" in ended.err
    assert "holdfast show" in ended.err
    assert "5 requests at once" in ended.out


def test_an_answer_that_does_not_arrive_is_no_answer(holdfast):
    with open("/dev/full", "w") as full:
        ended = holdfast.run("probe", "--json", "-", *FEW, stdout=full)

    assert ended.exit == ENVIRONMENT
    assert ended.what == "holdfast: Cannot write the answer to standard output."


@pytest.mark.parametrize(
    "command", [["probe", *FEW], ["probe", *FEW, "--json", "-"], ["runs"], ["--help"]], ids=" ".join
)
def test_a_reader_that_has_gone_is_no_error(holdfast, command):
    reading, writing = os.pipe()
    os.close(reading)
    try:
        ended = holdfast.run(*command, stdout=writing)
    finally:
        os.close(writing)

    assert ended.exit == BROKEN_PIPE
    assert not ended.err


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_closed_standard_streams_do_not_disturb_the_measurement(holdfast, closed):
    ended = holdfast.run(
        "probe", *FEW, "--json", "verdict.json", program=["sh", "-c", f'exec "$@" {closed}', "-", *PROGRAM]
    )

    assert ended.exit == (ENVIRONMENT if "1" in closed or ">&-" in closed.split() else ANSWERED)
    assert json.loads((holdfast.directory / "verdict.json").read_text())["places"]["in_service"] == 5


def test_a_terminal_that_knows_no_blocks_gets_the_figures(holdfast):
    ended = holdfast.run("probe", *FEW, env={"PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"})

    assert ended.exit == ANSWERED
    assert "at least 5 requests at once" in ended.out
    assert "?" not in ended.out
