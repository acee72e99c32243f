"""Clusters on this machine's loopback whose workers cannot take part."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

import pytest
from hosts import DASK, end, until, worker_command

INCONCLUSIVE, ENVIRONMENT = 3, 4

pytestmark = pytest.mark.cluster


@pytest.fixture
def scheduler(scheduling: tuple[Path, subprocess.Popen[bytes]]) -> Path:
    """The file of a running scheduler."""
    return scheduling[0]


@pytest.fixture
def scheduling(tmp_path: Path) -> Iterator[tuple[Path, subprocess.Popen[bytes]]]:
    """A running scheduler: its file, and its process."""
    file = tmp_path / "scheduler.json"
    where = ("--host", "127.0.0.1", "--port", "0", "--dashboard-address", "127.0.0.1:0", "--no-dashboard")
    process = subprocess.Popen(
        [*DASK, "scheduler", *where, "--scheduler-file", str(file)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        until(lambda: file.exists() and file.read_text().endswith("}"), "a scheduler's file")
        yield file, process
    finally:
        end(process)


def joined(scheduler: Path, directory: Path, *python: str, **environment: str) -> subprocess.Popen[bytes]:
    """A worker that has joined."""
    log = directory / "worker.log"
    file = ("--scheduler-file", str(scheduler))
    command = [each for each in worker_command("", directory, "127.0.0.1") if each]
    with log.open("wb") as words:
        process = subprocess.Popen(
            [*(python or (sys.executable,)), *command[1:], *file],
            stdout=words,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            env={**os.environ, **environment},
        )
    try:
        until(lambda: "Registered to" in log.read_text() or process.poll() is not None, "a worker")
        assert process.poll() is None, log.read_text()
    except BaseException:
        end(process)
        raise
    return process


def loaded(holdfast, counting, scheduler):
    return holdfast.run("load", counting.url, "--burst", "4", "--cluster", scheduler)


def test_a_scheduler_file_leads_to_its_workers(holdfast, counting, scheduler, tmp_path):
    process = joined(scheduler, tmp_path)
    try:
        ended = loaded(holdfast, counting, scheduler)
    finally:
        end(process)

    assert ended.exit == 0, ended.err
    assert counting.seen()["requests"] == 4


def test_a_scheduler_that_is_killed_in_the_run_costs_its_rows_and_no_result(holdfast, counting, scheduling, tmp_path):
    scheduler, process = scheduling
    worker = joined(scheduler, tmp_path)
    try:
        options = ("--rate", "50", "--for", "6s", "--cluster", str(scheduler), "--json", "-")
        running = holdfast.start("load", f"{counting.url}/{{id}}", *options, "--csv", tmp_path / "rows.csv")
        until(lambda: counting.seen()["requests"] >= 150, "three seconds of the load")
        process.kill()
        ended = running.ended()
    finally:
        end(worker)

    assert ended.exit == INCONCLUSIVE, ended.err
    assert "Traceback" not in ended.err
    result = json.loads(ended.out)
    answered, failed = result["outcomes"]["answered"], result["outcomes"]["failed"]
    assert sum(result["outcomes"].values()) == result["offered"] == answered + failed == 300
    assert (bool(result["hosts"][0]["lost"]), result["hosts"][0]["failed"]) == (True, failed)
    # What had ended was passed on each second before, and the server knows of it.
    assert 0 < answered < 300
    rows = csv.DictReader((tmp_path / "rows.csv").read_text().splitlines())
    kept = {f"GET /{row['id']}" for row in rows if row["outcome"] == "answered"}
    assert len(kept) == answered
    assert kept <= set(counting.seen()["paths"])
    assert any(f"The rows of {answered} had been passed on" in each for each in result["warnings"])


def test_a_cluster_without_workers_is_said_to_have_none(holdfast, counting, scheduler):
    ended = loaded(holdfast, counting, scheduler)

    assert ended.exit == ENVIRONMENT
    assert "has no workers" in ended.err


def test_another_version_of_holdfast_is_refused_and_both_are_named(holdfast, counting, scheduler, tmp_path):
    other = tmp_path / "other" / "holdfast_probe-9.8.7.dist-info"
    other.mkdir(parents=True)
    (other / "METADATA").write_text("Metadata-Version: 2.1\nName: holdfast-probe\nVersion: 9.8.7\n")
    process = joined(scheduler, tmp_path, PYTHONPATH=str(other.parent))
    try:
        ended = loaded(holdfast, counting, scheduler)
    finally:
        end(process)

    assert ended.exit == ENVIRONMENT
    assert "has holdfast 9.8.7" in ended.err
    assert f"this is holdfast {version('holdfast-probe')}" in ended.err
    assert counting.seen()["requests"] == 0


def test_a_worker_without_holdfast_is_told_from_one_with_another(holdfast, counting, scheduler, tmp_path):
    packages = tmp_path / "packages"
    packages.mkdir()
    for each in Path(pytest.__file__).parents[1].iterdir():
        if "holdfast" not in each.name and each.suffix != ".pth":
            (packages / each.name).symlink_to(each)
    process = joined(scheduler, tmp_path, sys.executable, "-S", PYTHONPATH=str(packages))
    try:
        ended = loaded(holdfast, counting, scheduler)
    finally:
        end(process)

    assert ended.exit == ENVIRONMENT
    assert "has no holdfast" in ended.err
    assert "pip install 'holdfast-probe[cluster]" in ended.err
