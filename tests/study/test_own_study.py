"""A study of a person's own runs on real servers, and says whether what was expected holds."""

from __future__ import annotations

import json
import sys
import venv
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from support.commandline import Ended, Holdfast

ANSWERED, FAILED, USAGE, INCONCLUSIVE, ENVIRONMENT = range(5)

SHOP = """
from flask import Flask

app = Flask(__name__)


@app.get("/")
def index():
    return "hello"


@app.get("/orders")
def orders():
    return "orders"
"""
SETTINGS = "[tool.holdfast]\napp = 'shop:app'\nserver = 'wsgiref'\npath = '/orders'\nmax-offered = 4\n"
JSON = ("--json", "-")
STUDY = ("study", "cases.toml", *JSON)


class Run(NamedTuple):
    """A command line in a directory of its own, which has shop.py, and these files."""

    arguments: tuple[str, ...]
    files: Mapping[str, str]
    below: str = "."


# All of them run together, once for all tests of this file.
RUNS = {
    "own-options": Run(
        STUDY,
        {
            "cases.toml": f"""
            [defaults]
            app = "shop:app"
            max-offered = 20
            [[case]]
            name = "one at a time"
            server = "flask"
            path = "/orders"
            arguments = ["--no-threaded"]
            expect = {{ in_service = 1, held_in = "flask view orders()" }}
            [[case]]
            command = ["{sys.executable}", "-c", "import shop; shop.app.run(port=0, threaded=False)"]
            expect = {{ in_service = 1, model.kind = "serial" }}
            """
        },
    ),
    "does-not-hold": Run(
        ("study", "cases.toml", "--markdown", "table.md"),
        {
            "cases.toml": """
            [[case]]
            server = "flask"
            arguments = ["--no-threaded"]
            max-offered = 5
            expect = { in_service = 2 }
            """
        },
    ),
    "not-measured": Run(
        STUDY,
        {
            "cases.toml": """
            [[case]]
            server = "flask"
            max-offered = 5
            expect = { userspace_queue = 2 }
            """
        },
    ),
    "not-installed": Run(
        STUDY,
        {
            "cases.toml": """
            [defaults]
            python = "bare/bin/python"
            max-offered = 3
            [[case]]
            server = "waitress"
            [[case]]
            server = "wsgiref"
            framework = "wsgi"
            """
        },
    ),
    "does-not-start": Run(
        STUDY,
        {
            "cases.toml": """
            [defaults]
            server = "flask"
            max-offered = 3
            [[case]]
            app = "missing:app"
            expect = { in_service = 1 }
            [[case]]
            name = "there"
            """
        },
    ),
    "only-some": Run(
        (*STUDY, "--only", "b"),
        {
            "cases.toml": """
            [defaults]
            max-offered = 3
            [[case]]
            server = "flask"
            [[case]]
            name = "b"
            server = "wsgiref"
            """
        },
    ),
    "plain": Run(("probe", *JSON), {"pyproject.toml": SETTINGS}, "below"),
    "overridden": Run(
        ("probe", *JSON, "--server", "flask", "--max-offered", "5", "--path", "/"),
        {"pyproject.toml": SETTINGS},
        "below",
    ),
    "built-in": Run(("probe", *JSON, "--framework", "wsgi"), {"pyproject.toml": SETTINGS}, "below"),
    "bundled": Run(
        ("study", "servers", "--only", "flask-serial", *JSON),
        {"pyproject.toml": "[tool.holdfast]\napp = 'shop:app'\nserver = 'waitress'\nmax-offered = 4\nnofile = 100\n"},
    ),
}


@pytest.fixture(scope="module")
def shops(workshop: Holdfast) -> dict[str, Path]:
    """The directory of each run."""
    shops = {name: workshop.directory / name for name in RUNS}
    for name, run in RUNS.items():
        (shops[name] / "below").mkdir(parents=True)
        for file, content in {"shop.py": SHOP, **run.files}.items():
            (shops[name] / file).write_text(content)
    venv.create(shops["not-installed"] / "bare", with_pip=False)
    return shops


@pytest.fixture(scope="module")
def ended(workshop: Holdfast, shops: dict[str, Path]) -> dict[str, Ended]:
    directories = [shops[name] / run.below for name, run in RUNS.items()]
    return dict(
        zip(RUNS, workshop.run_together([run.arguments for run in RUNS.values()], cwds=directories), strict=True)
    )


def rows_of(study: Ended) -> list[dict[str, Any]]:
    assert study.out, study.err
    rows: list[dict[str, Any]] = json.loads(study.out)["rows"]
    return rows


def test_servers_and_commands_are_measured_with_their_own_options(ended: dict[str, Ended]) -> None:
    serial, command = rows_of(ended["own-options"])

    assert ended["own-options"].exit == ANSWERED
    assert [each["same"] for row in (serial, command) for each in row["findings"]] == [True] * 4
    assert serial["id"] == "one at a time"
    assert (serial["server"], serial["application"], serial["outcome"]) == ("flask", "shop:app", "measured")
    assert serial["verdict"]["offered"] == command["verdict"]["offered"] == 20
    assert command["server"] == Path(sys.executable).name


def test_an_expectation_that_does_not_hold_is_exit_code_1_and_said(
    ended: dict[str, Ended], shops: dict[str, Path]
) -> None:
    done = ended["does-not-hold"]

    assert done.exit == FAILED
    assert "expected ceiling.in_service 2, measured 1" in done.out
    table = (shops["does-not-hold"] / "table.md").read_text()
    assert "1. expected ceiling.in\\_service 2, measured 1" in table


def test_an_expectation_of_what_was_not_measured_is_inconclusive(ended: dict[str, Ended]) -> None:
    (row,) = rows_of(ended["not-measured"])

    assert ended["not-measured"].exit == INCONCLUSIVE
    (finding,) = row["findings"]
    assert (finding["here"], finding["same"]) == (None, None)
    assert finding["why_not"] == row["verdict"]["unknown"]["ceiling.userspace_queue"]


def test_a_server_that_is_not_installed_has_a_row_that_says_so_and_the_others_run(
    ended: dict[str, Ended], shops: dict[str, Path]
) -> None:
    missing, there = rows_of(ended["not-installed"])

    assert ended["not-installed"].exit == ANSWERED
    assert missing["outcome"] == "not installed"
    python = shops["not-installed"] / "bare" / "bin" / "python"
    assert missing["remedy"] == f"{python} -m pip install waitress"
    assert missing["install"] == "python -m pip install waitress"
    assert (missing["version"], missing["verdict"]) == (None, None)
    assert there["verdict"]["ceiling"]["in_service"] == 1


def test_a_server_that_does_not_start_has_a_row_that_says_why(ended: dict[str, Ended]) -> None:
    broken, there = rows_of(ended["does-not-start"])

    assert ended["does-not-start"].exit == ENVIRONMENT  # what `holdfast probe missing:app` ends with
    assert broken["outcome"] == "failed"
    assert "missing" in broken["skipped"] + broken["why"]
    assert there["outcome"] == "measured"


def test_only_some_rows_are_run_when_only_these_are_asked_for(ended: dict[str, Ended]) -> None:
    assert [row["id"] for row in rows_of(ended["only-some"])] == ["b"]


def test_the_projects_settings_are_defaults_that_the_command_line_overrides(
    ended: dict[str, Ended], shops: dict[str, Path]
) -> None:
    plain, overridden, builtin = (ended[name] for name in ("plain", "overridden", "built-in"))

    for name in ("plain", "overridden", "built-in"):
        file = shops[name] / "pyproject.toml"
        assert ended[name].err == f"holdfast: Defaults from {file}: app, server, path, max-offered.\n"
    verdict = json.loads(plain.out)
    assert (verdict["target"]["server"], verdict["target"]["app"]) == ("wsgiref", "shop:app")
    assert (verdict["target"]["held_in"], verdict["offered"]) == ("flask view orders()", 4)
    verdict = json.loads(overridden.out)
    assert (verdict["target"]["server"], verdict["target"]["app"]) == ("flask", "shop:app")
    assert (verdict["target"]["held_in"], verdict["offered"]) == ("flask view index()", 5)
    assert json.loads(builtin.out)["target"]["app"] == "built-in"


def test_the_projects_settings_do_not_change_a_bundled_study(ended: dict[str, Ended]) -> None:
    (row,) = rows_of(ended["bundled"])

    assert (row["server"], row["application"]) == ("flask", "flask")
    assert row["verdict"]["limits"]["nofile"] != 100
    assert row["verdict"]["ceiling"]["accept_queue"] == 129  # werkzeug.serving.LISTEN_QUEUE, and one
