"""Of what lies next to the directories of runs, only those of runs that have ended are removed; a lock tells."""

from __future__ import annotations

import fcntl
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from support.commandline import PROGRAM
from support.waiting import PATIENCE_S, until

from holdfast import rundir
from holdfast.rundir import room_for_a_run, run_directory

ANSWERED, INCONCLUSIVE, ENVIRONMENT = 0, 3, 4
FEW = ("--max-offered", "3")


@pytest.fixture
def parent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(rundir, "_parent", lambda: tmp_path)
    return tmp_path


def left_by_a_run(parent: Path, name: str) -> Path:
    """What is left of a run that was killed: its lock is there, and not held."""
    path = parent / name
    path.mkdir()
    (path / rundir._LOCK).touch()
    (path / "record").write_bytes(b"x")
    return path


def gone() -> int:
    with subprocess.Popen(["true"]) as process:
        process.wait()
    return process.pid


def test_what_a_killed_run_left_is_removed_whichever_process_has_its_number(parent: Path) -> None:
    left = [left_by_a_run(parent, f"holdfast-{pid}-0123abc{pid % 10}") for pid in (1, os.getpid(), gone())]

    with run_directory(room_for_a_run()):
        assert not any(path.exists() for path in left)
    assert not list(parent.iterdir())


def test_a_run_that_lives_in_another_namespace_of_processes_keeps_its_directory(parent: Path) -> None:
    # Its number means nothing here: no process has it.
    with run_directory(parent / f"holdfast-{gone()}-01234567") as other:
        (other / "record").write_bytes(b"x")
        with run_directory(room_for_a_run()):
            assert (other / "record").exists()
        assert (other / "record").exists()


@pytest.mark.parametrize(
    "name", ["holdfast-20261129-results", "holdfast-20261129-0123abcd", "holdfast-1-0123abcd.old", "holdfast"]
)
def test_what_is_merely_called_like_a_run_is_never_removed(parent: Path, name: str) -> None:
    (parent / name).mkdir()
    (parent / name / "results.csv").write_text("a year's work")
    (parent / "holdfast-20261129-ffffffff").symlink_to(parent / name)

    with run_directory(room_for_a_run()):
        pass

    assert (parent / name / "results.csv").read_text() == "a year's work"


def test_a_link_to_a_run_that_has_ended_is_not_followed(parent: Path) -> None:
    elsewhere = parent / "elsewhere"
    elsewhere.mkdir()
    theirs = left_by_a_run(elsewhere, "theirs")
    (parent / "holdfast-7-01234567").symlink_to(theirs)

    with run_directory(room_for_a_run()):
        pass

    assert (theirs / "record").exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files to other users")
def test_what_another_user_left_is_not_removed(parent: Path) -> None:
    theirs = left_by_a_run(parent, "holdfast-7-01234567")
    for path in (theirs, *theirs.iterdir()):
        os.chown(path, 65534, -1)

    with run_directory(room_for_a_run()):
        pass

    assert (theirs / "record").exists()


def test_a_directory_that_is_deeper_than_can_be_followed_is_removed_too(parent: Path) -> None:
    deep = left_by_a_run(parent, "holdfast-7-01234567")
    before = os.getcwd()
    try:
        os.chdir(deep)
        for _ in range(1500):
            os.mkdir("d")
            os.chdir("d")
    finally:
        os.chdir(before)

    with run_directory(room_for_a_run()) as ours:
        assert ours.is_dir()
        assert not deep.exists()


def test_a_directory_that_a_sweep_met_before_it_was_locked_is_made_again(parent: Path, monkeypatch) -> None:
    lock, swept = fcntl.flock, []

    def met_by_a_sweep(descriptor: int, how: int) -> None:
        if not swept:
            swept.append(descriptor)
            shutil.rmtree(next(parent.iterdir()))
        lock(descriptor, how)

    monkeypatch.setattr(fcntl, "flock", met_by_a_sweep)

    with run_directory(room_for_a_run()) as ours:
        assert swept
        assert (ours / rundir._LOCK).exists()


def test_files_that_somebody_removes_are_not_the_servers_fault(holdfast):
    running = holdfast.start("probe", "--max-offered", "3000", "--", "--threaded")
    running.until_held(2)
    running.signal(signal.SIGSTOP)
    (directory,) = running.directories()
    shutil.rmtree(directory)
    running.signal(signal.SIGCONT)

    ended = running.ended()

    assert ended.exit == INCONCLUSIVE
    assert ended.what == "holdfast: holdfast's own files were removed while it measured."
    assert str(directory) in ended.err
    assert "time limit" not in ended.err
    assert not ended.out


def test_a_probe_in_another_namespace_of_processes_leaves_ours_alone(holdfast):
    apart = ["unshare", "--pid", "--fork", "--mount-proc"]
    if not shutil.which("unshare") or subprocess.run([*apart, "true"], capture_output=True, check=False).returncode:
        pytest.skip("needs a pid namespace of its own: root, or a kernel that gives one to users")
    running = holdfast.start("probe", "--max-offered", "3000", "--", "--threaded")
    running.until_held(2)
    running.signal(signal.SIGSTOP)
    (directory,) = running.directories()

    other = holdfast.run("probe", *FEW, program=[*apart, *PROGRAM])
    still_there = directory.exists()
    running.signal(signal.SIGCONT)

    assert other.exit == ANSWERED, other.err
    assert still_there
    assert running.ended().exit in {ANSWERED, INCONCLUSIVE}  # it stood still for as long as the other took


def test_without_a_directory_that_can_be_written_there_is_one_sentence(holdfast, write):
    # As `mount -o remount,ro` of all of them would leave it: tempfile finds none.
    write(
        "nowhere.py",
        "import os, tempfile\n"
        "def gettempdir():\n"
        "    raise FileNotFoundError(2, 'No usable temporary directory found')\n"
        "tempfile.gettempdir = gettempdir\n"
        "access = os.access\n"
        "os.access = lambda path, *a, **k: str(path) != '/dev/shm' and access(path, *a, **k)\n"
        "from holdfast.cli.main import main\n"
        "main()\n",
    )

    ended = holdfast.run("probe", *FEW, program=[PROGRAM[0], "nowhere.py"])

    assert ended.exit == ENVIRONMENT
    assert ended.what == "holdfast: There is no directory for the files of the run."
    assert "TMPDIR" in ended.err
    assert "Traceback" not in ended.err


# Elsewhere than usual, where the sweep of no other run removes it.
KILLED_WHEN_ITS_DIRECTORY_IS_THERE = """
import os, runpy, signal, sys
from pathlib import Path

from holdfast import rundir

parent = Path(sys.argv[1])
rundir._parent = lambda: parent

def seen(event, arguments):
    if event == "open" and str(arguments[0]).endswith("/holdfast.lock"):
        os.kill(os.getpid(), signal.SIGKILL)

sys.addaudithook(seen)
sys.argv = ["holdfast", "probe", "--server", "wsgiref"]
runpy.run_module("holdfast", run_name="__main__")
"""


def test_a_run_that_is_killed_before_its_server_has_started_leaves_no_directory(tmp_path: Path) -> None:
    ended = subprocess.run([sys.executable, "-c", KILLED_WHEN_ITS_DIRECTORY_IS_THERE, tmp_path], check=False)

    assert ended.returncode == -signal.SIGKILL
    until(lambda: not list(tmp_path.iterdir()), "the directory's removal", PATIENCE_S)
