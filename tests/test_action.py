"""The GitHub Action: its shell steps are run here as the runner runs them, on a real server.

What only GitHub has (its expressions, the upload) is replaced: each input reaches its step as a variable, which the
workflow linter of `make check` makes sure of too.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parent.parent
ACTION = yaml.safe_load((ROOT / "action.yml").read_text())
STEPS: Mapping[str, dict[str, Any]] = {step["name"]: step for step in ACTION["runs"]["steps"]}
RUN, FAIL = "Run holdfast", "Fail where it is not as expected"
EXPRESSION = re.compile(r"\$\{\{ *([\w.-]+) *\}\}")


class Job:
    """A job whose holdfast is the one of this environment."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory / "project"
        self.directory.mkdir()
        self.temporary = directory / "runner"
        self.temporary.mkdir()
        (self.temporary / "holdfast").symlink_to(sys.prefix)
        self.said = ""
        self.summary = directory / "summary.md"
        self.outputs: dict[str, str] = {}

    def step(self, name: str, **inputs: str) -> int:
        """Runs a step; gives its exit code."""
        output = self.temporary / "output"
        output.write_text("")
        values = {f"inputs.{name}": each["default"] for name, each in ACTION["inputs"].items()}
        values |= {f"inputs.{name}": each for name, each in inputs.items()}
        values |= {f"steps.run.outputs.{name}": each for name, each in self.outputs.items()}
        given = {key: EXPRESSION.sub(lambda found: values[found[1]], text) for key, text in STEPS[name]["env"].items()}
        runner = {
            "RUNNER_TEMP": self.temporary,
            "GITHUB_OUTPUT": output,
            "GITHUB_STEP_SUMMARY": self.summary,
            "GITHUB_ACTIONS": "true",
            "GITHUB_ACTION": "step",
            "VIRTUAL_ENV": sys.prefix,
        }
        done = subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", STEPS[name]["run"]],
            cwd=self.directory,
            env={**os.environ, **{key: str(each) for key, each in runner.items()}, **given},
            capture_output=True,
            text=True,
            check=False,
        )
        self.said = done.stdout + done.stderr
        self.outputs |= dict(line.split("=", 1) for line in output.read_text().splitlines())
        return done.returncode


@pytest.fixture
def job(tmp_path: Path) -> Job:
    return Job(tmp_path)


def test_a_result_that_is_as_expected_passes_and_is_there_to_be_uploaded(job: Job) -> None:
    # wsgiref serves one request after another (Lib/wsgiref/simple_server.py has no ThreadingMixIn).
    asked = {"arguments": "--server wsgiref --max-offered 4", "expect": "in_service == 1\n\n  offered == 4\n"}

    assert job.step(RUN, **asked) == 0, job.said
    assert job.outputs["exit-code"] == "0", job.said
    reports = Path(job.outputs["reports"])
    assert json.loads(Path(job.outputs["json"]).read_bytes())["ceiling"]["in_service"] == 1
    assert {each.name for each in reports.iterdir()} == {"result.json", "junit.xml", "report.html", "runs.sqlite"}
    assert "in_service == 1" in job.summary.read_text()
    assert job.step(FAIL) == 0


def test_one_that_is_not_fails_after_its_reports_are_written(job: Job) -> None:
    assert job.step(RUN, arguments="--server wsgiref --max-offered 4", expect="in_service >= 2") == 0, job.said

    assert job.outputs["exit-code"] == "1"
    assert "::error " in job.said
    assert Path(job.outputs["json"]).exists()
    assert job.step(FAIL) == 1


def test_nothing_of_an_input_is_run(job: Job) -> None:
    hostile = '"$(touch pwned)" `touch pwned`; touch pwned #\' ${{ inputs.expect }}'

    for name in ("command", "arguments", "expect", "baseline"):
        job.step(RUN, **{"arguments": "--no-such-option", name: hostile})
        assert job.outputs.get("exit-code") != "0"

    assert not [*job.directory.iterdir()]
    assert not [each for step in STEPS.values() for each in [step.get("run", "")] if "${{" in each]


@pytest.mark.parametrize(
    ("inputs", "words"),
    [
        ({"command": "runs"}, "none of probe, exec, attach, explain, study and load"),
        ({"arguments": "--server 'wsgiref"}, "cannot be split into words: No closing quotation"),
    ],
)
def test_an_input_that_cannot_be_used_is_an_error_of_the_job(job: Job, inputs: dict[str, str], words: str) -> None:
    ended = job.step(RUN, **inputs)

    assert words in job.said
    assert ended != 0 or job.step(FAIL) == 2


def test_arguments_are_words_as_a_shell_splits_them(job: Job) -> None:
    arguments = "--path '/a b' --server wsgiref"

    job.step(RUN, arguments=arguments)

    assert "'/a b' must begin with / and contain no spaces" in job.said


@pytest.mark.parametrize("name", [name for name, step in STEPS.items() if "run" in step])
def test_shellcheck_finds_nothing_in_a_step(name: str, tmp_path: Path) -> None:
    shellcheck = shutil.which("shellcheck", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    if shellcheck is None:
        pytest.skip("shellcheck is not installed; `make check` brings it")
    script = tmp_path / "step.sh"
    script.write_text(f"#!/usr/bin/env bash\nset -eo pipefail\n{STEPS[name]['run']}")

    done = subprocess.run([shellcheck, script], capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout
