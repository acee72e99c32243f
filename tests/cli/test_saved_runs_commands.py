"""`holdfast runs` with its filters, and `holdfast diff`."""

from __future__ import annotations

import contextlib
import json
import sqlite3
import subprocess
import time

import pytest
from recorded.saved import RUNS, put_run, record_of, result_of
from store.earlier import ATTACH, EXPLANATION, LOAD, PROBE, make

from holdfast import store
from holdfast.model.instants import age_of, instant_of
from holdfast.model.revision import Revision
from holdfast.model.saved import SavedRun, Wanted

ANSWERED, FAILED, USAGE, INCONCLUSIVE, ENVIRONMENT = range(5)
COMMIT = "0123456789abcdef0123456789abcdef01234567"
OTHER = "f" * 40
DAY = 86_400.0


@pytest.fixture(scope="module")
def saved(workshop):
    """A probe, an attach, a load and an explanation, saved by an earlier version."""
    workshop.runs.parent.mkdir()
    make(workshop.runs, "versions")
    with contextlib.closing(sqlite3.connect(workshop.runs)) as database, database:
        database.execute("ALTER TABLE run ADD COLUMN kept TEXT")  # what another program may have done to it
    store.save(store.load(PROBE, workshop.runs), workshop.runs)
    with contextlib.closing(sqlite3.connect(workshop.runs)) as database, database:
        database.execute("UPDATE run SET revision = ?, changed = 1 WHERE id = 5", (COMMIT,))
    return workshop


def listed(saved, *options):
    ended = saved.run("runs", "--json", "-", *options)
    assert ended.exit == ANSWERED, ended.err
    return [each["id"] for each in json.loads(ended.out)["runs"]]


@pytest.mark.parametrize(
    ("options", "numbers"),
    [
        ((), [5, EXPLANATION, LOAD, ATTACH, PROBE]),
        (("--kind", "probe"), [5, PROBE]),
        (("--kind", "explain"), [EXPLANATION]),
        (("--kind", "study"), []),
        (("--server", "flask"), [5, PROBE]),
        (("--server", "FLASK"), [5, PROBE]),
        (("--server", "gunicorn"), []),
        (("--app", "127.0.0.1:8000"), [ATTACH]),
        (("--since", "1d"), [5]),
        (("--until", "2026-09-21"), [EXPLANATION, LOAD, ATTACH, PROBE]),  # 1,790,000,000 s: 21 September, 14:13 UTC
        (("--until", "2026-09-21T14:00"), []),
        (("--since", "2026-09-21", "--until", "2026-09-22", "--kind", "load"), [LOAD]),
        (("--revision", "0123"), [5]),
        (("--revision", COMMIT), [5]),
        (("--revision", "ffff"), []),
        (("--limit", "2"), [5, EXPLANATION]),
    ],
    ids=lambda each: " ".join(map(str, each)) if isinstance(each, tuple) else "",
)
def test_a_filter_leaves_the_runs_that_it_is_about(saved, options, numbers):
    assert listed(saved, *options) == numbers


def test_the_list_names_the_commit_and_the_ceiling(saved):
    ended = saved.run("runs")

    assert "01234567+" in ended.out
    assert ended.out.splitlines()[0].split() == [
        "run",
        "when",
        "(UTC)",
        "server",
        "offered",
        "ceiling",
        "commit",
    ]


def test_what_is_left_out_is_counted(saved):
    assert json.loads(saved.run("runs", "--json", "-", "--limit", "2").out)["left_out"] == 3
    assert "3 older ones are saved too: holdfast runs --limit 5" in saved.run("runs", "--limit", "2").out
    assert saved.run("runs", "--kind", "study").out == "No saved run is like that.\n"


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--since", "yesterday"), "'yesterday' is not a date: write 2026-11-30"),
        (("--until", "2026-13-01"), "is not a date"),
        (("--revision", "no-such-branch"), "no-such-branch is not a git revision."),
        (("--kind", "probes"), "Invalid value for '--kind'"),
    ],
)
def test_a_filter_that_means_nothing_is_told(saved, options, words):
    ended = saved.run("runs", *options)

    assert (ended.exit, ended.out) == (USAGE, "")
    assert words in ended.err


def test_head_is_the_commit_of_the_directory(saved):
    git = ["git", "-c", "user.name=A", "-c", "user.email=a@example.invalid"]
    directory = saved.directory / "project"
    directory.mkdir()
    for arguments in (["init", "-q"], ["commit", "-q", "--allow-empty", "-m", "first"]):
        subprocess.run([*git, *arguments], cwd=directory, check=True, capture_output=True)

    ended = saved.run("probe", "--max-offered", "3", cwd=directory)
    assert ended.exit == ANSWERED, ended.err
    there = json.loads(saved.run("runs", "--json", "-", "--revision", "HEAD", cwd=directory).out)["runs"]

    head = subprocess.run(
        ["git", "rev-parse", "HEAD"], cwd=directory, check=True, capture_output=True, text=True
    ).stdout
    assert [each["revision"] for each in there] == [{"commit": head.strip(), "changed": False, "why": ""}]
    assert (there[0]["kind"], there[0]["ceiling"], there[0]["bounded"]) == ("probe", 3, False)
    assert saved.run("prune", "--keep", "0", "--older-than", "0s", "--kind", "study", "--yes").exit == ANSWERED


def test_two_runs_are_compared(saved):
    ended = saved.run("diff", str(PROBE), "5")
    exit_code = saved.run("diff", str(PROBE), "5", "--exit-code")

    assert (ended.exit, exit_code.exit) == (ANSWERED, ANSWERED)
    assert ended.out.startswith("run 1  2026-09-21 14:13:21 UTC  flask  holdfast 0.1.0\nrun 5  ")
    assert "Nothing changed." in ended.out


def test_a_file_is_compared_with_a_run(saved):
    verdict = json.loads(saved.run("show", str(PROBE), "--json", "-").out)
    verdict["ceiling"]["in_service"], verdict["ceiling"]["bounded"] = 40, True
    (saved.directory / "baseline.json").write_text(json.dumps(verdict))

    ended = saved.run("diff", "baseline.json", str(PROBE), "--json", "-", "--exit-code")

    assert ended.exit == FAILED
    difference = json.loads(ended.out)
    assert (difference["kind"], difference["of"], difference["before"]["name"]) == (
        "difference",
        "verdict",
        "baseline.json",
    )
    changes = {each["field"]: each for each in difference["fields"] if each["meaning"] == "change"}
    assert changes.keys() == {"ceiling.in_service", "ceiling.bounded"}
    assert changes["ceiling.in_service"]["after_interval"] == [200, None]


@pytest.mark.parametrize(
    ("pair", "code", "what"),
    [
        (("1", "3"), USAGE, "holdfast: run 1 and run 3 are of different kinds."),
        (("1", "77"), USAGE, "holdfast: There is no saved run 77."),
        (("1", "x.json"), USAGE, "holdfast: There is no file x.json, and it is not the number of a run."),
        (("1", "broken.json"), USAGE, "holdfast: broken.json is not JSON."),
        (("1", "list.json"), USAGE, "holdfast: list.json holds no result."),
        (("1", "."), USAGE, "holdfast: . cannot be read."),
    ],
    ids=lambda each: " ".join(each) if isinstance(each, tuple) else "",
)
def test_what_cannot_be_compared_is_named(saved, pair, code, what):
    (saved.directory / "broken.json").write_text('{"a": ')
    (saved.directory / "list.json").write_text("[1, 2]")

    ended = saved.run("diff", *pair)

    assert (ended.exit, ended.out, ended.what) == (code, "", what)


def test_a_run_without_a_verdict_is_told_with_its_reason(saved, tmp_path):
    path = tmp_path / "runs.sqlite"
    numbers = [put_run(path, name, record_of(RUNS, name)) for name in ("attach-too-quick", "attach")]
    expected = result_of(RUNS, "attach-too-quick")["inconclusive"]["what"]

    ended = saved.run("diff", *map(str, numbers), env={"HOLDFAST_RUNS": str(path)})

    assert ended.exit == INCONCLUSIVE
    assert ended.what == f"holdfast: Run 1 has no verdict: {expected}"


def test_two_loads_are_compared(saved):
    assert "Nothing changed." in saved.run("diff", str(LOAD), str(LOAD)).out


def test_a_store_that_another_program_keeps_locked_is_told_of(holdfast, monkeypatch):
    holdfast.runs.parent.mkdir()
    make(holdfast.runs, "first")
    monkeypatch.setattr("holdfast.store.database._READ_WAIT_S", 0.05)
    with contextlib.closing(sqlite3.connect(holdfast.runs, isolation_level=None)) as database:
        database.execute("BEGIN EXCLUSIVE")
        with pytest.raises(Exception, match="cannot be read") as error:
            store.saved_runs(holdfast.runs)

    assert "Another program keeps it locked" in str(error.value)


def run(**changed):
    fields = {"id": 1, "saved_at": 100.0, "server": "gunicorn", "arguments": "-w 2", "offered": 3, "kind": "probe"}
    return SavedRun(**{**fields, **changed})


@pytest.mark.parametrize(
    ("wanted", "of", "takes"),
    [
        (Wanted(), run(saved_at=None), True),
        (Wanted(since=1.0), run(saved_at=None), False),
        (Wanted(server="uwsgi"), run(kind="exec", server="exec", arguments="sh -c uwsgi"), True),
        (Wanted(server="uwsgi"), run(kind="exec", server="exec", arguments="sh run.sh", measured="uwsgi"), True),
        (Wanted(app="shop"), run(app="shop:app"), True),
        (Wanted(app="-w"), run(app="shop:app"), False),
        (Wanted(revision="ab"), run(revision=Revision(None, None, "no git")), False),
        (Wanted(revision="ab"), run(revision=Revision("abc")), True),
    ],
)
def test_which_runs_are_wanted(wanted, of, takes):
    assert wanted.takes(of) is takes


@pytest.mark.parametrize(
    ("text", "last", "seconds"),
    [
        ("1970-01-02", False, DAY),
        ("1970-01-02", True, 2 * DAY - 1e-6),
        ("1970-01-02T01:00", True, DAY + 3600),
        ("1970-01-02 01:00:00+01:00", False, DAY),
        ("2d", False, 10 * DAY - 2 * DAY),
        ("90m", False, 10 * DAY - 5400),
        ("1w", False, 3 * DAY),
    ],
)
def test_instants_as_a_person_writes_them(text, last, seconds):
    assert instant_of(text, 10 * DAY, last=last) == pytest.approx(seconds)


def test_an_age_is_not_a_date():
    assert age_of("30d") == 30 * DAY
    with pytest.raises(ValueError, match="is not an age"):
        age_of("2026-11-30")
    assert instant_of("1s", time.time()) < time.time()
