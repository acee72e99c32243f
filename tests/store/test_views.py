"""What plain `sqlite3` reads of the file of saved runs."""

from __future__ import annotations

import json
import re
import shutil
import sqlite3
import subprocess
from contextlib import closing
from functools import partial
from pathlib import Path

import pytest
from recorded.saved import LOADS, RUNS, result_of
from store.earlier import LOAD, PROBE, make

from holdfast import store
from holdfast.errors import InconclusiveError
from holdfast.infer.judge import judge
from holdfast.loadtest import saved as saved_loads

VERDICT = result_of(RUNS, "flask-threaded")
RESULT = result_of(LOADS, "open")
DOCUMENT = Path(__file__).parents[2] / "docs" / "saved-runs.md"


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """A file with a judged probe, one without a verdict, and a load."""
    path = tmp_path_factory.mktemp("views") / "runs.sqlite"
    make(path, "loads")
    timeline = store.load(PROBE, path)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOLDFAST_RUNS", str(path))
        number = store.save(timeline, path)
        store.concluded(number, partial(judge, timeline))
        other = store.save(timeline, path)

        def inconclusive():
            raise InconclusiveError("No verdict.", "Because.", "Try again.")

        with pytest.raises(InconclusiveError):
            store.concluded(other, inconclusive)
        head, parts = store.load_parts(LOAD, path)
        store.keep_load(saved_loads.read(head, parts).numbered(LOAD).result)
    return path, number, other


def ask(runs, what):
    with closing(sqlite3.connect(runs[0])) as database:
        database.row_factory = sqlite3.Row
        return [dict(row) for row in database.execute(what)]


def test_a_verdict_has_a_column_for_what_people_ask(runs):
    (found,) = ask(runs, "SELECT * FROM verdict")

    assert found["run"] == runs[1]
    assert found["server"] == VERDICT["target"]["server"]
    assert found["in_service"] == VERDICT["ceiling"]["in_service"]
    assert found["bounded"] == int(VERDICT["ceiling"]["bounded"])
    assert found["client_sees"] == VERDICT["overflow"]["client_sees"]
    assert found["model"] == VERDICT["model"]["kind"]
    assert json.loads(found["json"])["ceiling"] == VERDICT["ceiling"]


def test_places_limits_and_reasons_are_rows(runs):
    places = {row["place"]: row["requests"] for row in ask(runs, "SELECT * FROM place")}
    limits = {row["name"]: row["value"] for row in ask(runs, "SELECT * FROM limit_in_force")}
    reasons = {row["field"]: row["reason"] for row in ask(runs, "SELECT * FROM not_known")}

    assert {name: places[name] for name in VERDICT["places"]} == VERDICT["places"]
    assert {name: limits[name] for name in VERDICT["limits"]} == VERDICT["limits"]
    assert reasons.keys() >= VERDICT["unknown"].keys()


def test_a_load_has_its_rates_percentiles_and_outcomes(runs):
    (found,) = ask(runs, "SELECT * FROM load_result")
    outcomes = {row["outcome"]: row["requests"] for row in ask(runs, "SELECT * FROM load_outcome")}

    assert found["run"] == LOAD
    assert found["throughput_per_s"] == RESULT["throughput_per_s"]
    assert found["p99_ms"] == RESULT["latency_from_due_ms"]["p99"]
    assert outcomes == RESULT["outcomes"]


def test_every_run_is_a_saved_run_whatever_came_of_it(runs):
    found = {row["run"]: row for row in ask(runs, "SELECT * FROM saved_run")}

    assert sorted(found) == [1, 2, 3, runs[1], runs[2]]
    assert found[runs[2]]["inconclusive"] == "No verdict.\nBecause.\nTry again."
    assert (found[runs[1]]["ceiling"], found[runs[2]]["ceiling"]) == (VERDICT["ceiling"]["in_service"], None)
    assert {row["kind"] for row in found.values()} == {"probe", "attach", "load"}
    assert all(row["record_bytes"] > 0 for row in found.values())


def test_the_views_leave_out_what_an_earlier_version_removed(runs, tmp_path):
    """It knows the table of runs alone, and leaves results behind."""
    copy = (Path(shutil.copy(runs[0], tmp_path)), *runs[1:])
    with closing(sqlite3.connect(copy[0])) as database, database:
        database.execute("DELETE FROM run")

    for view in documented_views():
        assert ask(copy, f"SELECT * FROM {view}") == [], view


def documented_views():
    return re.findall(r"^\| `(\w+)` \|", DOCUMENT.read_text().partition("## Tables and views")[2], re.MULTILINE)


def test_every_view_is_documented_with_all_its_columns(runs):
    views = {row["name"] for row in ask(runs, "SELECT name FROM sqlite_master WHERE type = 'view'")}

    assert set(documented_views()) == views
    for line in DOCUMENT.read_text().partition("## Tables and views")[2].splitlines():
        if found := re.match(r"\| `(\w+)` \| .* \| (.*) \|$", line):
            with closing(sqlite3.connect(runs[0])) as database:
                columns = [each[0] for each in database.execute(f"SELECT * FROM {found[1]}").description]
            assert re.findall(r"`(\w+)`", found[2]) == columns, found[1]


@pytest.mark.skipif(not shutil.which("sqlite3"), reason="needs the sqlite3 program")
def test_the_sqlite3_program_answers_what_the_document_asks(runs):
    queries = re.findall(r"^sqlite3 \S+ \"(.*?)\"$", DOCUMENT.read_text(), re.MULTILINE | re.DOTALL)

    assert queries
    for query in queries:
        done = subprocess.run(["sqlite3", str(runs[0]), query], capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr) == (0, ""), query
