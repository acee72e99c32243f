"""`holdfast explain` as a person runs it: what it is given, what it leaves, and what it says where it cannot know."""

from __future__ import annotations

import json
import stat
import sys
from pathlib import Path

import pytest
from support.commandline import Holdfast
from support.waiting import until

from holdfast.explaining import run as explain_run
from holdfast.explaining.trials import bench_for
from holdfast.interrupts import listening
from holdfast.model.experiment import experiment_of

ANSWERED, FAILED, USAGE, INCONCLUSIVE = range(4)

ONCE = """#!/bin/sh
[ -e used ] && exit 1
touch used
exec {python} -m gunicorn --no-control-socket --bind 127.0.0.1:0 --threads 4 app:app
"""
APP = """
def app(environ, start_response):
    start_response("200 OK", [("Content-Length", "5")])
    return [b"plain"]
"""
STARTS_ONCE = (
    """
import os, time
if os.path.exists("used"):
    while True:
        time.sleep(60)
open("used", "w").close()
"""
    + APP
)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--rate", "5/s"), "--rate and --service-time belong together"),
        (("--memory", "1G"), "Say for what"),
        (("--want", "3", "--rate", "3/s", "--service-time", "1s"), "Give either --want, or --rate"),
        (("--rate", "10/s", "--service-time", "1s", "--p99", "500ms"), "--p99 cannot be kept"),
        (("--service-time", "1s"), "--service-time says how long"),
        (("--health", "/up"), "--health is requested during --overload"),
        (("--want", "3", "--memory", "12"), "If you mean megabytes, write 12M."),
    ],
)
def test_what_does_not_belong_together_is_told(holdfast: Holdfast, arguments: tuple[str, ...], says: str) -> None:
    ended = holdfast.run("explain", *arguments)

    assert ended.exit == USAGE
    assert says in " ".join(ended.err.split())


def test_a_command_that_runs_only_once_is_told_from_settings_that_do_nothing(holdfast: Holdfast) -> None:
    script = holdfast.directory / "once.sh"
    script.write_text(ONCE.format(python=sys.executable))
    script.chmod(script.stat().st_mode | stat.S_IXUSR)
    (holdfast.directory / "app.py").write_text(APP)

    ended = holdfast.run("explain", "--", "./once.sh", cwd=holdfast.directory)

    assert ended.exit == INCONCLUSIVE, ended.err
    said = " ".join(ended.out.split())
    assert "could not be started again with nothing changed" in said
    assert "4 requests at once" in said


def test_ctrl_c_keeps_what_was_shown_by_then(holdfast: Holdfast) -> None:
    running = holdfast.start("explain", "--json", "-", "--server", "flask", "--nofile", "96")
    running.until_held(2)
    first = set(running.directories())
    until(lambda: set(running.directories()) - first, "the next trial's directory")

    running.press_ctrl_c()
    ended = running.ended()

    assert ended.exit == INCONCLUSIVE, ended.err
    explanation = json.loads(ended.out)
    assert explanation["interrupted"]
    assert explanation["trials"][0]["in_service"] == 96 - 4  # werkzeug: one descriptor for each connection
    assert not running.processes()
    assert not running.directories()


def test_a_trial_that_is_not_over_in_time_is_ended_and_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOLDFAST_RUNS", str(tmp_path / "runs.sqlite"))
    monkeypatch.setattr(explain_run, "_MOST_SECONDS", 6.0)
    (tmp_path / "app.py").write_text(STARTS_ONCE)
    experiment = experiment_of(app="app.py", server="waitress", cwd=str(tmp_path), max_offered=50)
    told: list[str] = []

    with listening() as interrupts, bench_for(experiment, interrupts, told.append) as bench:
        found = explain_run.explain(bench, explain_run.Asked())

    assert found.out_of_time
    assert not found.interrupted
    assert [each.in_service for each in found.trials] == [4]  # waitress/adjustments.py: threads = 4
    assert len(told) == 2


def test_a_study_that_expects_something_of_the_binding_explains_the_row(holdfast: Holdfast) -> None:
    study = Path(holdfast.directory, "cases.toml")
    study.write_text(
        '[[case]]\nserver = "waitress"\narguments = ["--threads", "3"]\n'
        'expect = { "binding.setting" = "threads", "binding.formula" = "in_service = threads" }\n'
    )

    ended = holdfast.run("study", "cases.toml", cwd=holdfast.directory)

    assert ended.exit == ANSWERED, ended.out + ended.err
