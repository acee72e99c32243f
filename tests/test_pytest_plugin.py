"""The plug-in in sessions of pytest as people run them: each is a process of its own, and its servers are real."""

from __future__ import annotations

import json
import os
import shutil
import sys
import venv
from pathlib import Path

import pytest
from support.commandline import Holdfast

from holdfast import store

pytest_plugins = ["pytester"]

EXAMPLE = Path(__file__).parent.parent / "examples" / "checked"

APP = """
from flask import Flask

app = Flask(__name__)


@app.get("/")
def index():
    return "hello"
"""
OFF = ("-p", "no:cacheprovider", "-p", "no:hypothesispytest", "--strict-markers")


@pytest.fixture
def project(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """A project with a Flask application, whose runs nothing else uses."""
    monkeypatch.setenv("HOLDFAST_RUNS", str(pytester.path / "own.sqlite"))
    monkeypatch.delenv("VIRTUAL_ENV", raising=False)
    pytester.makepyprojecttoml("")
    pytester.makepyfile(app=APP)
    return pytester


def test_a_session_asserts_skips_and_keeps_what_failed(project: pytest.Pytester) -> None:
    # An environment of its own, in which nothing is installed.
    venv.create(project.path / "bare", symlinks=True)
    bare = str(project.path / "bare" / "bin" / "python")
    # waitress has as many threads as it is told (waitress.readthedocs.io, arguments), wsgiref serves one by one.
    project.makepyfile(
        f"""
        import pytest

        pytestmark = pytest.mark.holdfast(server="wsgiref", max_offered=4)

        def test_mark(holdfast):
            assert holdfast.probe("app:app").ceiling.in_service == 1

        @pytest.mark.holdfast(server="waitress", args=["--threads", "2"])
        class TestNearest:
            @pytest.mark.holdfast(args=["--threads", "3"])
            def test_wins(self, holdfast):
                assert holdfast.probe("app:app").ceiling.in_service == 3

            def test_fails(self, holdfast):
                verdict = holdfast.probe("app:app")
                assert verdict.run == 1
                assert verdict.ceiling.in_service == 3

        def test_absent_server(holdfast):
            holdfast.probe("app:app", server="waitress", python={bare!r})

        def test_absent_framework(holdfast):
            holdfast.probe(python={bare!r}, framework="flask")

        def test_absent_application(holdfast):
            holdfast.probe("nothing:app")

        @pytest.mark.holdfast(sever="wsgiref")
        def test_misspelt(holdfast):
            holdfast.probe()
        """
    )

    result = project.runpytest_subprocess(*OFF, "-rs", "--basetemp", str(project.path / "kept"))

    result.assert_outcomes(passed=2, skipped=1, failed=3, errors=1)
    result.stdout.fnmatch_lines_random(
        [
            "SKIPPED * waitress is not installed where holdfast looked for it. Looked in: *",
            "*EnvironmentFailure: There is no module nothing.",
            "Did you mean server?",
            "  2 requests at once*",
            "Kept in */kept/holdfast*",
            "HOLDFAST_RUNS=*/runs.sqlite holdfast show 1",
        ]
    )
    (kept,) = (project.path / "kept").glob("holdfast*/runs.sqlite")
    assert {each.name for each in kept.parent.iterdir()} == {"runs.sqlite", "1-probe.json", "1-probe.txt"}
    assert json.loads((kept.parent / "1-probe.json").read_bytes())["ceiling"]["in_service"] == 2
    assert not (project.path / "own.sqlite").exists()
    # Of the others no file is left.
    assert [*(project.path / "kept").glob("holdfast*")] == [kept.parent]


def test_eight_workers_in_any_order_keep_every_result_in_one_file(project: pytest.Pytester) -> None:
    project.makepyfile(
        """
        import pytest

        @pytest.mark.holdfast(server="wsgiref", max_offered=3, time_limit=100)
        @pytest.mark.parametrize("number", range(8))
        def test_ceiling(holdfast, number):
            assert holdfast.probe("app:app").ceiling.in_service == 1
        """
    )

    order = ("--random-order", "--random-order-seed", "7")
    result = project.runpytest_subprocess(*OFF, "-n", "8", *order, "--holdfast-report", "results")

    result.assert_outcomes(passed=8)
    runs = project.path / "results" / "runs.sqlite"
    assert sorted(each.id for each in store.saved_runs(runs)) == [*range(1, 9)]
    assert all(store.load(number, runs) for number in range(1, 9))
    written = [json.loads(each.read_bytes()) for each in (project.path / "results").glob("*/1-probe.json")]
    assert sorted(each["run"] for each in written) == [*range(1, 9)]


def test_a_session_that_does_not_use_it_imports_nothing_of_it(project: pytest.Pytester) -> None:
    project.makepyfile(
        """
        import sys

        def test_imports():
            assert [name for name in sys.modules if name.startswith("holdfast.")] == ["holdfast.pytest_plugin"]
        """
    )

    result = project.runpytest_subprocess(*OFF, "--markers")
    result.stdout.fnmatch_lines(["@pytest.mark.holdfast(*arguments): *"])
    project.runpytest_subprocess(*OFF).assert_outcomes(passed=1)


def test_ctrl_c_ends_the_session_and_the_server(holdfast: Holdfast) -> None:
    (holdfast.directory / "slow.py").write_text("import threading\nthreading.Event().wait(60)\n")
    (holdfast.directory / "test_slow.py").write_text(
        "def test_slow(holdfast):\n    holdfast.probe('slow:app', server='wsgiref')\n"
    )

    running = holdfast.start(*OFF, "--basetemp", "kept", program=(sys.executable, "-m", "pytest"))
    running.server()
    measuring = running.processes()
    running.press_ctrl_c()
    ended = running.ended()

    assert ended.exit == pytest.ExitCode.INTERRUPTED
    assert "KeyboardInterrupt" in ended.out
    running.nothing_is_left()
    assert not [each for pid in measuring for each in Path("/dev/shm").glob(f"holdfast-{pid}-*")]


def test_the_directory_of_results_says_why_it_cannot_be_written(project: pytest.Pytester) -> None:
    (project.path / "results").write_text("a file")
    project.makepyfile("def test_ceiling(holdfast):\n    holdfast.probe('app:app', server='wsgiref')\n")

    result = project.runpytest_subprocess(*OFF, "--holdfast-report", "results")

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines([f"*{os.fspath(project.path / 'results')}*"])


def test_the_example_project_passes_and_fails_with_half_of_its_threads(project: pytest.Pytester) -> None:
    shutil.copytree(EXAMPLE, project.path / "shop")
    shop = project.path / "shop"
    off = (*OFF, "-c", str(shop / "pyproject.toml"), "--rootdir", str(shop), str(shop))

    project.runpytest_subprocess(*off).assert_outcomes(passed=2)
    settings = shop / "gunicorn.conf.py"
    settings.write_text(settings.read_text().replace("threads = 4", "threads = 2"))
    halved = project.runpytest_subprocess(*off, "-k", "eight")

    halved.assert_outcomes(failed=1)
    halved.stdout.fnmatch_lines(["*assert 4 == 8", "  4 requests at once*"])
