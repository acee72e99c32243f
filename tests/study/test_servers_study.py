"""The study of all servers: which rows it has, its table in three forms, and that it ends in time."""

from __future__ import annotations

import json
import os
import re
import socketserver
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from holdfast.servers.adapter import FRAMEWORKS
from holdfast.servers.registry import ADAPTERS
from holdfast.study.run import STUDIES

CASES = STUDIES["servers"].cases
WIDEST = 120
ROOT = Path(__file__).parents[2]


def holdfast(directory: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "holdfast", "study", "servers", *arguments],
        cwd=directory,
        env={**os.environ, "HOLDFAST_RUNS": str(directory / "runs.sqlite"), "COLUMNS": str(WIDEST)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


def test_every_server_has_rows_and_one_with_nothing_but_its_defaults() -> None:
    assert {case.experiment.target.server for case in CASES} == set(ADAPTERS)
    # uWSGI has none: it listens where it is told to; granian's own interface is one that no framework has.
    plain = {case.experiment.target.server for case in CASES if not case.experiment.target.arguments}
    assert set(ADAPTERS) - plain == {"uwsgi", "granian"}


def test_every_row_has_a_name_of_its_own_and_can_be_started() -> None:
    assert len({case.id for case in CASES}) == len(CASES)
    for case in CASES:
        adapter = ADAPTERS[case.experiment.target.server]
        assert any(case.experiment.target.framework in FRAMEWORKS[each] for each in adapter.frameworks), case.id


def cells(table: str) -> list[list[str]]:
    return [
        [cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines() if line.startswith("|")
    ]


def test_a_row_of_the_servers_study_is_the_same_in_every_form(tmp_path: Path) -> None:
    done = holdfast(tmp_path, "--only", "flask-serial", "--only", "wsgiref", "--markdown", "a.md", "--json", "a.json")

    assert done.returncode == 0, done.stderr
    result = json.loads((tmp_path / "a.json").read_text())
    assert [row["id"] for row in result["rows"]] == ["flask-serial", "wsgiref"]
    queue = result["rows"][1]["verdict"]["ceiling"]["accept_queue"]
    # One more than the backlog: 5, and SOMAXCONN from Python 3.15 on; the kernel cuts it to its own limit.
    limit = int(Path("/proc/sys/net/core/somaxconn").read_text())
    assert queue == min(socketserver.TCPServer.request_queue_size, limit) + 1
    head, _, serial, plain = cells((tmp_path / "a.md").read_text())
    assert serial[:4] == ["flask-serial", f"flask {result['rows'][0]['version']}", "`--no-threaded`", "flask sync"]
    row = dict(zip(head, plain, strict=True))
    at_once = row["at once"].partition(" ")[0]  # a busy machine adds the number of a note
    assert (row["settings"], at_once, row["handlers run on"]) == ("defaults", "1", "serial")
    assert row["accept queue"].replace(",", "") == f"{queue} full"
    assert (row["one more gets"], row["listen queue"]) == ("connect-timeout", "one")
    assert row["procs x threads"] == "1 x 1"
    assert re.fullmatch(r"(\d)/\1", row["ran/ left"])  # socketserver knows nothing of its clients until it reads
    assert re.search(
        r"wsgiref [\d.]+  flask sync +wsgiref\n +1 +1  serial +1 x 1 +0 +[\d,]+ full\s+connect-timeout\s", done.stdout
    )
    assert result["made"]["date"] in done.stdout


def test_markdown_alone_can_go_to_standard_output(tmp_path: Path) -> None:
    done = holdfast(tmp_path, "--only", "flask-serial", "--markdown", "-")

    assert done.stdout.startswith("# holdfast study servers\n")
    assert done.stderr.startswith("1/1 flask-serial")


@pytest.mark.conformance
@pytest.mark.scale
def test_the_whole_study_fits_a_terminal_and_leaves_no_row_out(tmp_path: Path) -> None:
    done = holdfast(tmp_path, "--markdown", "servers.md", "--json", "servers.json")

    assert done.returncode == 0, done.stderr
    result: dict[str, Any] = json.loads((tmp_path / "servers.json").read_text())
    rows = {row["id"]: row for row in result["rows"]}
    assert list(rows) == [case.id for case in CASES]
    # gunicorn has no eventlet worker since 26.0 (its docs/content/news.md).
    odd = {id: row["skipped"] for id, row in rows.items() if row["outcome"] != "measured"}
    # mod_wsgi has no wheel (make apache).
    assert set(odd) <= {"gunicorn-eventlet", "mod_wsgi", "mod_wsgi-processes"}, odd
    assert all(row["verdict"] or row["skipped"] for row in rows.values())
    for line in done.stdout.splitlines():
        assert len(line) <= WIDEST or line.lstrip().startswith("!"), line
    text = (tmp_path / "servers.md").read_text()
    assert len(cells(text)) == len(CASES) + 2
    assert str(ROOT) not in text
    assert sys.prefix not in text
