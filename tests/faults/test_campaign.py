"""The fault campaign: after each nothing is left, no finished run is lost, and there is no traceback.

`make faults` runs all of it, `make test` a part of each kind.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path

import pytest
from support.answering import answering_server
from support.commandline import PROGRAM, Holdfast, Running, after_mounts, in_mount_namespace
from support.waiting import PATIENCE_S, until

from holdfast import store
from holdfast.model.saved import SavedRun

ANSWERED, FAILED, INCONCLUSIVE, ENVIRONMENT = 0, 1, 3, 4
IN_TIME_S = 10.0
LONGEST_S = 3.0  # a probe of these is over by then on an idle machine

# So many that each worker is dealt some: they share connections by chance.
PROBE = ("probe", "app.py", "--server", "gunicorn", "--max-offered", "200", "--", "-w", "2", "--threads", "2")
SHORT = ("--max-offered", "3")


def moments(seed: int, many: int, few: int = 2) -> list[object]:
    """Seconds after a start, the same in every run of the tests; of `make test`, the first few."""
    chosen = [random.Random(seed * 1000 + at).uniform(0.05, LONGEST_S) for at in range(many)]
    return [
        pytest.param(each, id=f"{each:.2f}s", marks=[pytest.mark.faults] if at >= few else [])
        for at, each in enumerate(chosen)
    ]


def after(running: Running, seconds: float) -> bool:
    """Waits so long; whether the command line still runs then."""
    try:
        running.process.wait(seconds)
    except subprocess.TimeoutExpired:
        return True
    return False


def kill(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


@pytest.fixture
def saved(holdfast: Holdfast) -> Holdfast:
    """A command line whose store has a run that must not be lost."""
    assert holdfast.run("probe", *SHORT).exit == ANSWERED
    return holdfast


def check_saved(holdfast: Holdfast, at_least: int = 1) -> list[SavedRun]:
    """Gives the list of runs, of which at least so many must be there, the first of them whole."""
    with closing(sqlite3.connect(holdfast.runs)) as database:
        assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    listed = holdfast.run("runs", "--limit", "1000")
    assert listed.exit == ANSWERED, listed.err
    assert len(listed.out.splitlines()) >= 1 + at_least
    shown = holdfast.run("show", "1")
    assert shown.exit == ANSWERED, shown.err
    return list(store.saved_runs(holdfast.runs))


@pytest.fixture
def url() -> Iterator[str]:
    with answering_server() as port:
        yield f"http://127.0.0.1:{port}/"


@pytest.mark.parametrize("moment", moments(1, 50))
def test_a_holdfast_that_is_killed_leaves_nothing(saved: Holdfast, moment: float) -> None:
    running = saved.start(*PROBE)

    after(running, moment)
    kill(running.pid)
    ended = running.ended()

    assert ended.exit in {ANSWERED, -signal.SIGKILL}
    running.nothing_is_left(within_s=IN_TIME_S)
    check_the_other_is_named(check_saved(saved), saved)


LOAD_OF_TWO_SECONDS = ("--rate", "400/s", "--for", "2s", "--quiet")


@pytest.mark.parametrize("moment", moments(4, 50, few=1))
def test_a_load_that_is_killed_is_named_with_what_had_ended(saved: Holdfast, url: str, moment: float) -> None:
    running = saved.start("load", url, *LOAD_OF_TWO_SECONDS)

    after(running, moment)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(running.pid, signal.SIGKILL)
    running.ended()

    check_the_other_is_named(check_saved(saved), saved)


def check_the_other_is_named(runs: Sequence[SavedRun], holdfast: Holdfast) -> None:
    """The run that was killed is whole, or cut short, or had not begun when it was; nothing else is left of it."""
    others = [each for each in runs if each.id != 1]
    assert len(others) <= 1, others
    for other in others:
        assert other.id is not None
        shown = holdfast.run("show", str(other.id))
        if other.state == "over":
            # A busy machine may have made the load late, which is not an answer, and is saved.
            assert shown.exit in {ANSWERED, INCONCLUSIVE}, shown.err
        else:
            assert other.state == "cut short"
            assert "cut short" in shown.out + shown.err
    # The journal of a transaction that had changed nothing yet: the next one takes its place.
    journal = f"{holdfast.runs.name}-journal"
    assert {each.name for each in holdfast.runs.parent.iterdir()} - {journal} == {holdfast.runs.name}


@pytest.mark.parametrize("moment", moments(5, 20, few=0))
def test_an_explanation_that_is_killed_keeps_the_probes_that_were_over(saved: Holdfast, moment: float) -> None:
    running = saved.start("explain", "app.py", "--server", "gunicorn", "--quiet", "--", "--threads", "2")

    after(running, 3 * moment)
    kill(running.pid)
    running.ended()

    until(lambda: not running.processes(), "the end of the server", IN_TIME_S)
    # What it had in memory for copies of configuration files is removed by the next run.
    assert saved.run("probe", *SHORT).exit == ANSWERED
    running.nothing_is_left()
    runs = check_saved(saved)
    assert [each.kind for each in runs if each.state == "cut short"] in ([], ["explain"])
    for each in runs:
        if each.state == "over":
            assert saved.run("show", str(each.id)).exit in {ANSWERED, INCONCLUSIVE}


@pytest.mark.parametrize("moment", moments(2, 20, few=1))
def test_a_server_that_is_killed_leaves_nothing_and_no_traceback(saved: Holdfast, moment: float) -> None:
    running = saved.start(*PROBE)

    after(running, moment)
    for pid in running.processes():
        with contextlib.suppress(OSError):
            if os.getsid(pid) != os.getsid(running.pid) and b"HOLDFAST_TOKEN=" in _environment(pid):
                kill(pid)
                break
    ended = running.ended()

    assert ended.exit in {ANSWERED, INCONCLUSIVE, ENVIRONMENT}, ended.err
    assert "Traceback" not in ended.err
    assert "error in holdfast itself" not in ended.err
    running.nothing_is_left()
    check_saved(saved)


def _environment(pid: int) -> bytes:
    return Path("/proc", str(pid), "environ").read_bytes()


@pytest.mark.parametrize("moment", moments(3, 20, few=1))
def test_a_load_process_that_is_killed_costs_its_own_requests_alone(saved: Holdfast, url: str, moment: float) -> None:
    running = saved.start("load", url, "--rate", "200/s", "--for", "2s", "--processes", "2")

    still = after(running, moment)
    victims = running.processes() if still else []
    for pid in victims[:1]:
        kill(pid)
    ended = running.ended()

    assert ended.exit in {ANSWERED, FAILED, INCONCLUSIVE}, ended.err
    assert "Traceback" not in ended.err
    running.nothing_is_left()
    check_saved(saved, 2)


FORMS = ["json", "csv", "jsonl", "jtl", "sqlite"]


@pytest.mark.parametrize(
    "form", [pytest.param(each, marks=[pytest.mark.faults] if each in FORMS[1:4] else []) for each in FORMS]
)
def test_a_full_disk_costs_the_file_and_not_the_run(saved: Holdfast, url: str, form: str) -> None:
    full = saved.directory / "full"
    full.mkdir()
    filled = f'head -c 4096 /dev/zero >"{full}/filler"'
    program = after_mounts(f'mount -t tmpfs -o size=4k tmpfs "{full}"', filled)

    ended = saved.run("load", url, "--burst", "400", f"--{form}", full / "rows", program=program)

    assert ended.exit == ENVIRONMENT, ended.err
    assert f"Cannot write {full}/rows." in ended.what
    assert f"holdfast report 2 --{form} FILE writes it again" in ended.err
    assert "Traceback" not in ended.err
    check_saved(saved, 2)
    assert saved.run("report", "2", f"--{form}", "again").exit == ANSWERED


@pytest.mark.parametrize("rounds", [1, pytest.param(6, marks=pytest.mark.faults)])
def test_eight_that_write_at_once_lose_none_of_their_runs(saved: Holdfast, url: str, rounds: int) -> None:
    for _ in range(rounds):
        running = [saved.start("load", url, "--burst", "50", "--quiet") for _ in range(8)]
        for each in running:
            ended = each.ended()
            assert ended.exit == ANSWERED, ended.err
            each.nothing_is_left()

    check_saved(saved, 1 + 8 * rounds)


@pytest.mark.parametrize("rounds", [1, pytest.param(6, marks=pytest.mark.faults)])
def test_two_large_loads_that_end_together_lose_no_row(saved: Holdfast, url: str, rounds: int) -> None:
    """Each takes a while to be written, and the other waits for it."""
    many = 4000
    for _ in range(rounds):
        shape = ("--clients", "8", "--requests", str(many), "--quiet", "--json", "-")
        running = [saved.start("load", url, *shape) for _ in range(2)]
        results = [json.loads(each.ended().out) for each in running]
        assert [result["offered"] for result in results] == [many, many]
        for result in results:
            rows = saved.run("report", str(result["run"]), "--jsonl", "-").out.splitlines()
            assert len(rows) == many

    check_saved(saved, 1 + 2 * rounds)


@pytest.mark.parametrize(
    "size", [pytest.param(each, marks=[pytest.mark.faults] if each != 96 else []) for each in (72, 96, 128, 160, 200)]
)
def test_a_disk_that_becomes_full_costs_the_run_and_not_those_before(saved: Holdfast, size: int) -> None:
    """In a file system of so many KiB, runs are saved until it is full; all that were told to be saved are there."""
    rounds = 8
    small = saved.directory / "small"
    small.mkdir()
    runs = small / "runs.sqlite"
    script = f"""
        mount -t tmpfs -o size={size}k tmpfs "{small}" && cp "{saved.runs}" "{runs}" && chmod 600 "{runs}"
        for each in $(seq {rounds}); do "$@"; echo "exit $?"; done
        cp "{runs}" "{saved.directory}/after.sqlite"
    """
    program, environment = in_mount_namespace(script), {"HOLDFAST_RUNS": str(runs)}
    command = ("probe", *SHORT, "--json", "-")
    ended = saved.run(*command, program=program, env=environment, within_s=rounds * PATIENCE_S)

    codes = re.findall(r"^exit (\d+)$", ended.out, re.MULTILINE)
    assert len(codes) == rounds, ended.err
    assert set(codes) <= {str(ANSWERED), str(ENVIRONMENT)}
    assert "Traceback" not in ended.err
    after_all = store.saved_runs(saved.directory / "after.sqlite")
    assert len([each for each in after_all if each.state == "over"]) == 1 + codes.count(str(ANSWERED))
    with closing(sqlite3.connect(saved.directory / "after.sqlite")) as database:
        assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    for each in after_all:
        store.load(each.id or 0, saved.directory / "after.sqlite")


@pytest.mark.parametrize("options", ["ro", pytest.param("size=64k", marks=pytest.mark.faults)])
def test_without_shared_memory_there_is_an_answer_or_one_sentence(saved: Holdfast, options: str) -> None:
    program = after_mounts(f"mount -t tmpfs -o {options} tmpfs /dev/shm")

    ended = saved.run(*PROBE, program=program)

    assert ended.exit in {ANSWERED, ENVIRONMENT}, ended.err
    assert "Traceback" not in ended.err
    assert not list(saved.temporary.iterdir())


@pytest.mark.skipif(os.geteuid() != 0 or not shutil.which("setpriv"), reason="only root can become another user")
def test_an_ordinary_user_gets_the_same_answer(saved: Holdfast) -> None:
    reads_all = ["--inh-caps", "+dac_read_search", "--ambient-caps", "+dac_read_search"]
    user = ["setpriv", "--reuid", "1000", "--regid", "1000", "--clear-groups", *reads_all]
    home = saved.directory / "home"
    home.mkdir()
    os.chown(home, 1000, 1000)
    saved.temporary.chmod(0o777)

    # Named, since access(2) looks at the user's own rights alone, and it may lie where only root can read.
    probe = (*PROBE[:2], "--python", sys.executable, *PROBE[2:])

    ended = saved.run(*probe, program=[*user, *PROGRAM], env={"HOLDFAST_RUNS": str(home / "r"), "HOME": str(home)})

    assert ended.exit == ANSWERED, ended.err
    assert "4 requests at once" in ended.out


def test_one_core_is_enough_for_the_right_answer(saved: Holdfast) -> None:
    core = min(os.sched_getaffinity(0))

    ended = saved.run(*PROBE, preexec_fn=lambda: os.sched_setaffinity(0, {core}))

    assert ended.exit == ANSWERED, ended.err
    assert "4 requests at once" in ended.out


@pytest.fixture
def quota() -> Iterator[Path]:
    """A control group whose processes get a fifth of a core (cgroups(7), cpu controller of either version)."""
    second, first = Path("/sys/fs/cgroup"), Path("/sys/fs/cgroup/cpu")
    group = (first if first.is_dir() else second) / f"holdfast-test-{os.getpid()}"
    try:
        group.mkdir()
    except OSError as error:
        pytest.skip(f"needs a control group: {error}")
    try:
        try:
            if first.is_dir():
                (group / "cpu.cfs_quota_us").write_text("20000")
            else:
                (group / "cpu.max").write_text("20000 100000")
        except OSError as error:
            pytest.skip(f"needs the cpu controller: {error}")
        yield group
    finally:
        group.rmdir()


@pytest.mark.faults
def test_a_fifth_of_a_core_gives_the_right_answer_or_none(saved: Holdfast, quota: Path) -> None:
    ended = saved.run(*PROBE, preexec_fn=lambda: (quota / "cgroup.procs").write_text(str(os.getpid())))

    assert ended.exit in {ANSWERED, INCONCLUSIVE}, ended.err
    assert "Traceback" not in ended.err
    if ended.exit == ANSWERED:
        assert "4 requests at once" in ended.out
