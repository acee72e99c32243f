"""The study of the article runs on this machine, and its figures are those that Linux must give."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

LONGEST_S = 120

DESCRIPTORS_AT_REST = 4  # standard input, output, error and the listener (socketserver.TCPServer)
QUEUE = 128 + 1  # werkzeug.serving.LISTEN_QUEUE; sk_acceptq_is_full() in Linux' net/sock.h
ROUTED = 4000  # as many as are offered: uWSGI's router takes all (corerouter.c, uwsgi_corerouter_loop())
TASKS = 2784  # the article's limit; one is the server, an async view takes two (asgiref.sync.AsyncToSync)
AT_ONCE_IN_TASKS = str((TASKS - 1) // 2)
EITHER_FATE = {"500", "closed"}  # one task is left over: a request fails on its way to the view, or before

HERE: dict[str, dict[str, str | set[str]]] = {
    "E1": {
        "at once": str(256 - DESCRIPTORS_AT_REST),
        "established": str(256 - DESCRIPTORS_AT_REST + QUEUE),
        "beyond": "connect-timeout",
        "handlers run on": "thread-per-request",
        "threads reused": "no",
    },
    "E2": {"at once": "10", "established": str(ROUTED), "waiting": str(ROUTED - 10)},
    "E3": {"at once": "2", "threads reused": "yes"},
    "E4": {"at once": "1", "the rest": "waits"},
    "E5": {"at once": "100", "established": str(100 + QUEUE), "waiting": str(QUEUE), "beyond": "connect-timeout"},
    "E6": {"at once": "10", "established": str(10 + QUEUE), "waiting": str(QUEUE), "queue": "shared"},
    "E7": {"run all the same": "yes, all", "processes reused": "no", "globals shared": "no"},
    "E8": {"at once": "no bound up to 1000", "handlers run on": "thread-per-request", "executors reused": "no"},
    "E9": {"at once": AT_ONCE_IN_TASKS, "beyond": EITHER_FATE},
    "E10": {"at once": "2", "threads reused": "yes", "executors reused": "no"},
    "E11": {"at once": AT_ONCE_IN_TASKS, "handlers run on": "thread-per-request", "executors reused": "no"},
    "E12": {"at once": "2", "threads reused": "yes", "executors reused": "no"},
}


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    runs = tmp_path_factory.mktemp("study") / "runs.sqlite"
    command = [sys.executable, "-m", "holdfast", "study", "flask-concurrency", "--json", "-"]
    done = subprocess.run(
        command,
        env={**os.environ, "HOLDFAST_RUNS": str(runs)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
        cwd=Path(__file__).parent,
    )

    assert done.returncode == 0, done.stderr.decode()
    result: dict[str, Any] = json.loads(done.stdout)
    return result


pytestmark = [pytest.mark.conformance, pytest.mark.scale]


def test_the_study_takes_two_minutes_at_most(study: dict[str, Any]) -> None:
    assert study["seconds"] <= LONGEST_S


def test_the_study_has_a_row_for_each_experiment_in_its_order(study: dict[str, Any]) -> None:
    assert [row["id"] for row in study["rows"]] == list(HERE)


@pytest.mark.parametrize("id", HERE)
def test_a_row_has_the_figures_that_linux_must_give(study: dict[str, Any], id: str) -> None:
    (row,) = (row for row in study["rows"] if row["id"] == id)

    assert row["skipped"] == ""
    assert set(HERE[id]) == {finding["what"] for finding in row["findings"]}
    for finding in row["findings"]:
        expected = HERE[id][finding["what"]]
        assert finding["here"] in expected if isinstance(expected, set) else finding["here"] == expected


def test_whatever_differs_from_the_article_says_why(study: dict[str, Any]) -> None:
    findings = [finding for row in study["rows"] for finding in row["findings"]]

    assert all(finding["same"] is not None for finding in findings)
    assert [finding for finding in findings if not finding["same"] and not finding["why_not"]] == []
