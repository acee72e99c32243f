"""`holdfast servers`: what is installed where, and how to install the rest."""

from __future__ import annotations

import json
import subprocess
import sys
import venv
from importlib import metadata
from pathlib import Path

import pytest

from holdfast.servers.adapter import Package
from holdfast.servers.interpreter import answers, find_interpreter, install_command
from holdfast.servers.registry import ADAPTERS
from holdfast.servers.survey import ask_all, survey


@pytest.fixture(scope="module")
def bare(tmp_path_factory) -> str:
    """An environment with nothing in it."""
    directory = tmp_path_factory.mktemp("bare")
    venv.create(directory, with_pip=False, symlinks=True)
    return str(directory / "bin" / "python")


def test_what_is_installed_here_is_found_with_its_version():
    found = survey(ADAPTERS, {}, sys.executable, Path.cwd())

    by_name = {each.name: each for each in found.servers}
    assert set(by_name) == set(ADAPTERS)
    assert by_name["flask"].version == metadata.version("flask")
    assert by_name["flask"].interpreter == sys.executable
    assert by_name["flask"].install is None
    # bjoern is one of two distributions that bring the same module; it has no wheel for Python 3.15 yet.
    if sys.version_info < (3, 15):
        assert by_name["bjoern"].version == metadata.version("bjoern-binary")
    assert by_name["wsgiref"].version == ".".join(map(str, sys.version_info[:3]))


def test_an_empty_environment_is_told_how_to_get_everything_but_what_python_has(bare):
    found = survey(ADAPTERS, {}, bare, Path.cwd())

    missing = {each.name: each.install for each in found.servers if each.version is None}
    assert set(missing) == set(ADAPTERS) - {"wsgiref"}
    assert missing["gunicorn"] == f"{bare} -m pip install gunicorn"
    assert all(each.install for each in found.frameworks)


def test_an_environment_that_uv_made_has_no_pip_of_its_own(bare):
    settings = Path(bare).parents[1] / "pyvenv.cfg"
    by_venv = settings.read_text()
    assert install_command(bare, "gunicorn") == f"{bare} -m pip install gunicorn"

    settings.write_text(f"{by_venv}uv = 0.9.2\n")
    try:
        assert install_command(bare, "gunicorn") == f"uv pip install --python {bare} gunicorn"
        assert install_command(bare, "gunicorn", with_path=False) == "uv pip install gunicorn"
    finally:
        settings.write_text(by_venv)
    assert install_command("python3", "gunicorn") == "python3 -m pip install gunicorn"
    assert install_command(bare, "gunicorn", with_path=False) == "python -m pip install gunicorn"


def command(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "holdfast", "servers", *arguments], capture_output=True, text=True, check=False
    )


def test_the_command_prints_one_json_object(bare):
    done = command("--python", bare, "--json", "-")

    listed = json.loads(done.stdout)
    assert done.returncode == 0
    assert listed["schema"] == 1
    assert {each["name"] for each in listed["servers"]} >= set(ADAPTERS)


def test_the_command_prints_one_line_with_all_that_is_missing(bare):
    done = command("--python", bare)

    assert done.returncode == 0
    lines = [line for line in done.stdout.splitlines() if "pip install" in line]
    assert len(lines) == 1
    assert "gunicorn" in done.stdout


def test_an_interpreter_that_is_none_is_an_error_of_the_environment():
    done = command("--python", "/dev/null")

    assert done.returncode == 4
    assert "--python" in done.stderr


def test_an_interpreter_that_was_asked_for_all_servers_is_not_started_again_for_one_of_them(tmp_path):
    starts = tmp_path / "starts"
    python = tmp_path / "python"
    python.write_text(f'#!/bin/sh\necho >> {starts}\nexec {sys.executable} "$@"\n')
    python.chmod(0o755)
    flask = ADAPTERS["flask"]

    asked = ask_all(ADAPTERS.values(), str(python), tmp_path)
    found = find_interpreter(flask, str(python), tmp_path)

    assert starts.read_text() == "\n"
    assert found.version == asked[str(python)].found["flask"] != ""
    assert "flask" in found.frameworks


def test_versions_are_those_that_importlib_metadata_reads():
    packages = [package for adapter in ADAPTERS.values() for package in adapter.packages if package.distribution]

    ((_, answer),) = answers(packages, sys.executable, Path.cwd())

    assert answer is not None
    # Of two distributions that bring one module, each counts where it is there.
    known = {each.distribution: _version_of(each.distribution) for each in packages}
    for module, version in answer.found.items():
        assert version in {known[each.distribution] or "" for each in packages if each.module == module}


def _version_of(distribution: str) -> str | None:
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return None


def test_versions_are_found_however_an_installation_records_them(bare):
    (place,) = Path(bare).parent.parent.glob("lib/*/site-packages")
    for module in ("first", "second", "third", "unrecorded"):
        (place / f"{module}.py").touch()
    (place / "My.First-1.0.dist-info").mkdir()
    (place / "My.First-1.0.dist-info" / "METADATA").write_text("Name: my-first\nVersion: 1.0.post1\n\nVersion: 9\n")
    (place / "second-2-py3.11.egg-info").mkdir()
    (place / "second-2-py3.11.egg-info" / "PKG-INFO").write_text("Name: second\nVersion: 2\n")
    (place / "third-3.egg-info").write_text("Name: third\nVersion: 3\n")
    packages = [Package("first", "my_first", ""), *(Package(each, each, "") for each in ("second", "third"))]

    ((_, answer),) = answers([*packages, Package("unrecorded", "unrecorded", "")], bare, Path.cwd())

    assert answer is not None
    assert answer.found == {"first": "1.0.post1", "second": "2", "third": "3", "unrecorded": ""}
