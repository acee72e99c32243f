"""A study of a person's own runs on real servers, and says whether what was expected holds."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import venv
from pathlib import Path
from typing import Any

import pytest

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


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    (tmp_path / "shop.py").write_text(SHOP)
    return tmp_path


def holdfast(directory: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "HOLDFAST_RUNS": str(directory / ".runs.sqlite")}
    environment.pop("VIRTUAL_ENV", None)
    return subprocess.run(
        [sys.executable, "-m", "holdfast", *arguments],
        cwd=directory,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


def study(directory: Path, content: str, *arguments: str) -> tuple[int, list[dict[str, Any]]]:
    (directory / "cases.toml").write_text(content)
    done = holdfast(directory, "study", "cases.toml", "--json", "-", *arguments)
    assert done.stdout, done.stderr
    rows: list[dict[str, Any]] = json.loads(done.stdout)["rows"]
    return done.returncode, rows


def test_servers_and_commands_are_measured_with_their_own_options(shop: Path) -> None:
    code, (serial, command) = study(
        shop,
        f"""
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
        """,
    )

    assert code == ANSWERED
    assert [each["same"] for row in (serial, command) for each in row["findings"]] == [True] * 4
    assert serial["id"] == "one at a time"
    assert (serial["server"], serial["application"], serial["outcome"]) == ("flask", "shop:app", "measured")
    assert serial["verdict"]["offered"] == command["verdict"]["offered"] == 20
    assert command["server"] == Path(sys.executable).name


def test_an_expectation_that_does_not_hold_is_exit_code_1_and_said(shop: Path) -> None:
    (shop / "cases.toml").write_text(
        """
        [[case]]
        server = "flask"
        arguments = ["--no-threaded"]
        max-offered = 5
        expect = { in_service = 2 }
        """
    )

    done = holdfast(shop, "study", "cases.toml", "--markdown", "table.md")

    assert done.returncode == FAILED
    assert "expected ceiling.in_service 2, measured 1" in done.stdout
    assert "1. expected ceiling.in\\_service 2, measured 1" in (shop / "table.md").read_text()


def test_an_expectation_of_what_was_not_measured_is_inconclusive(shop: Path) -> None:
    code, (row,) = study(
        shop,
        """
        [[case]]
        server = "flask"
        max-offered = 5
        expect = { userspace_queue = 2 }
        """,
    )

    assert code == INCONCLUSIVE
    (finding,) = row["findings"]
    assert (finding["here"], finding["same"]) == (None, None)
    assert finding["why_not"] == row["verdict"]["unknown"]["ceiling.userspace_queue"]


def test_a_server_that_is_not_installed_has_a_row_that_says_so_and_the_others_run(tmp_path: Path) -> None:
    venv.create(tmp_path / "bare", with_pip=False)

    code, (missing, there) = study(
        tmp_path,
        """
        [defaults]
        python = "bare/bin/python"
        max-offered = 3
        [[case]]
        server = "waitress"
        [[case]]
        server = "wsgiref"
        framework = "wsgi"
        """,
    )

    assert code == ANSWERED
    assert missing["outcome"] == "not installed"
    assert missing["remedy"] == f"{tmp_path}/bare/bin/python -m pip install waitress"
    assert (missing["version"], missing["verdict"]) == (None, None)
    assert there["verdict"]["ceiling"]["in_service"] == 1


def test_a_server_that_does_not_start_has_a_row_that_says_why(tmp_path: Path) -> None:
    code, (broken, there) = study(
        tmp_path,
        """
        [defaults]
        server = "flask"
        max-offered = 3
        [[case]]
        app = "missing:app"
        expect = { in_service = 1 }
        [[case]]
        name = "there"
        """,
    )

    assert code == ENVIRONMENT  # what `holdfast probe missing:app` ends with
    assert broken["outcome"] == "failed"
    assert "missing" in broken["skipped"] + broken["why"]
    assert there["outcome"] == "measured"


def test_only_some_rows_are_run_when_only_these_are_asked_for(tmp_path: Path) -> None:
    content = '[defaults]\nmax-offered = 3\n[[case]]\nserver = "flask"\n[[case]]\nname = "b"\nserver = "wsgiref"\n'

    _, rows = study(tmp_path, content, "--only", "b")

    assert [row["id"] for row in rows] == ["b"]


def test_the_projects_settings_are_defaults_that_the_command_line_overrides(shop: Path) -> None:
    (shop / "pyproject.toml").write_text(
        "[tool.holdfast]\napp = 'shop:app'\nserver = 'wsgiref'\npath = '/orders'\nmax-offered = 4\n"
    )
    below = shop / "below"
    below.mkdir()

    plain = holdfast(below, "probe", "--json", "-")
    overridden = holdfast(below, "probe", "--json", "-", "--server", "flask", "--max-offered", "5", "--path", "/")
    builtin = holdfast(below, "probe", "--json", "-", "--framework", "wsgi")

    assert (plain.stderr, overridden.stderr, builtin.stderr) == ("", "", "")
    verdict = json.loads(plain.stdout)
    assert (verdict["target"]["server"], verdict["target"]["app"]) == ("wsgiref", "shop:app")
    assert (verdict["target"]["held_in"], verdict["offered"]) == ("flask view orders()", 4)
    verdict = json.loads(overridden.stdout)
    assert (verdict["target"]["server"], verdict["target"]["app"]) == ("flask", "shop:app")
    assert (verdict["target"]["held_in"], verdict["offered"]) == ("flask view index()", 5)
    assert json.loads(builtin.stdout)["target"]["app"] == "built-in"


def test_the_projects_settings_do_not_change_a_bundled_study(shop: Path) -> None:
    (shop / "pyproject.toml").write_text(
        "[tool.holdfast]\napp = 'shop:app'\nserver = 'waitress'\nmax-offered = 4\nnofile = 100\n"
    )

    done = holdfast(shop, "study", "servers", "--only", "flask-serial", "--json", "-")

    (row,) = json.loads(done.stdout)["rows"]
    assert (row["server"], row["application"]) == ("flask", "flask")
    assert row["verdict"]["limits"]["nofile"] != 100
    assert row["verdict"]["ceiling"]["accept_queue"] == 129  # werkzeug.serving.LISTEN_QUEUE, and one
