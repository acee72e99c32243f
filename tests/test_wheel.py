"""What people install is the wheel, not this tree: it is built, installed elsewhere and used from there."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from email import message_from_bytes
from pathlib import Path

import pytest
from support.placed import placed

FOREIGN = "holdfast==0.5.1"
ROOT = Path(__file__).parent.parent


def uv() -> str:
    """The uv that set this tree up: the environment's, or the one that make fetched."""
    fetched = ROOT / ".venv-uv" / "bin" / "uv"
    found = os.environ.get("UV") or shutil.which("uv") or (str(fetched) if fetched.exists() else None)
    assert found, "uv is neither on PATH nor in .venv-uv; `make test` fetches it"
    return found


def completed(*command: str, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a command to its end as a person's shell would, free of this tree and its environment."""
    own = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "VIRTUAL_ENV"))}
    done = subprocess.run(
        command, cwd=cwd, env={**own, **environment}, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, f"{command} ended with {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done


def environment_with(where: Path, *packages: str) -> Path:
    """A new virtual environment that holds these packages; its `bin`."""
    completed(uv(), "venv", "--quiet", "--python", sys.executable, str(where), cwd=where.parent)
    python = str(where / "bin" / "python")
    if packages:
        completed(uv(), "pip", "install", "--quiet", "--python", python, *packages, cwd=where.parent)
    return where / "bin"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("dist")
    completed(uv(), "build", "--quiet", "--wheel", "--python", sys.executable, "--out-dir", str(out), cwd=ROOT)
    (built,) = out.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return environment_with(tmp_path_factory.mktemp("tool") / "venv", str(wheel)) / "holdfast"


def test_the_wheel_holds_every_file_of_the_package_and_nothing_else(wheel: Path) -> None:
    source = ROOT / "src"
    files = [str(file.relative_to(source)) for file in source.rglob("*") if file.is_file()]
    sources = {name for name in files if not re.search(r"(^|/)(__pycache__|\.)", name)}  # caches of tools stay here

    packed = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}

    assert packed == sources
    assert any(name.startswith("holdfast/inside/holdfast_inside/") for name in packed)


@pytest.mark.parametrize("script", ["holdfast", "holdfast-probe"])
def test_the_installed_tool_tells_its_version(installed: Path, wheel: Path, tmp_path: Path, script: str) -> None:
    said = completed(str(installed.with_name(script)), "--version", cwd=tmp_path).stdout

    assert wheel.name.split("-")[1] in said


def test_what_the_wheel_says_of_itself_is_true(wheel: Path) -> None:
    (name,) = (name for name in zipfile.ZipFile(wheel).namelist() if name.endswith(".dist-info/METADATA"))
    said = message_from_bytes(zipfile.ZipFile(wheel).read(name))

    assert (said["Name"], said["License-Expression"]) == ("holdfast-probe", "MIT")
    assert said["Summary"].endswith(".")
    assert "setting" not in said["Summary"]  # no verdict names one yet
    assert said.get_all("Project-URL") is None
    assert {
        each.split()[0].partition(">=")[0] for each in said.get_all("Requires-Dist", []) if "extra" not in each
    } == {
        "click",
        "httptools",
        "jinja2",
        "msgspec",
    }
    classifiers = said.get_all("Classifier", [])
    assert [each for each in classifiers if each.startswith("Framework ::")] == [
        "Framework :: AsyncIO",
        "Framework :: Django",
        "Framework :: FastAPI",
        "Framework :: Flask",
        "Framework :: Pytest",
    ]
    versions = {each.rpartition(" ")[2] for each in classifiers if re.search(r":: 3\.\d+$", each)}
    tested = re.search(r"^for version in ([\d. ]+); do$", (ROOT / "scripts/test-all").read_text(), re.MULTILINE)
    assert tested is not None
    assert versions == set(tested[1].split())


def holdfast_of_another(environment: Path) -> None:
    """Puts the registry's own `holdfast` into an environment; it wants a newer Python only of its dependencies."""
    python = str(environment / "python")
    newer = ("--python-version", "3.12", "--no-deps", "--link-mode", "copy")
    completed(uv(), "pip", "install", "--quiet", "--python", python, *newer, FOREIGN, cwd=environment)


def start(script: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a script that is expected to fail."""
    return subprocess.run(
        [script, *arguments], cwd=script.parent, capture_output=True, text=True, timeout=120, check=False
    )


@pytest.fixture
def bin_of(wheel: Path, tmp_path: Path) -> Path:
    return environment_with(tmp_path / "venv", str(wheel))


@pytest.mark.parametrize("order", ["ours last", "ours first", "ours editable"])
@pytest.mark.parametrize("script", ["holdfast", "holdfast-probe"])
def test_with_the_foreign_holdfast_in_the_same_environment_both_scripts_say_so(
    wheel: Path, tmp_path: Path, order: str, script: str
) -> None:
    ours = {"ours editable": ("--editable", str(ROOT))}.get(order, (str(wheel),))
    environment = environment_with(tmp_path / "venv", *(ours if order != "ours last" else ()))
    holdfast_of_another(environment)
    if order == "ours last":
        completed(uv(), "pip", "install", "--quiet", "--python", str(environment / "python"), *ours, cwd=tmp_path)

    ended = start(environment / script, "--version")

    assert (ended.returncode, ended.stdout) == (4, "")
    assert "Another distribution, holdfast 0.5.1, is installed in" in ended.stderr
    assert f"{environment}/python" in ended.stderr
    assert "-m pip uninstall holdfast" in ended.stderr
    assert "-m pip install --force-reinstall holdfast-probe" in ended.stderr


def test_what_uninstalling_the_foreign_holdfast_took_away_is_said_and_reinstalling_mends_it(
    wheel: Path, bin_of: Path
) -> None:
    python = str(bin_of / "python")
    holdfast_of_another(bin_of)
    completed(uv(), "pip", "uninstall", "--quiet", "--python", python, "holdfast", cwd=bin_of)

    damaged = start(bin_of / "holdfast", "--version")
    completed(uv(), "pip", "install", "--quiet", "--python", python, "--reinstall", str(wheel), cwd=bin_of)

    assert (damaged.returncode, damaged.stdout) == (4, "")
    assert "Its files were overwritten or removed" in damaged.stderr
    assert "holdfast, version" in completed(str(bin_of / "holdfast"), "--version", cwd=bin_of).stdout


def test_the_foreign_holdfast_in_another_environment_is_no_matter(bin_of: Path, tmp_path: Path) -> None:
    other = environment_with(tmp_path / "other")
    holdfast_of_another(other)
    site = next(other.parent.glob("lib/python*/site-packages"))

    # Later on the path than ours, it hides nothing.
    (next(bin_of.parent.glob("lib/python*/site-packages")) / "other.pth").write_text(f"{site}\n")

    assert "holdfast, version" in completed(str(bin_of / "holdfast"), "--version", cwd=tmp_path).stdout


def test_the_installed_tool_explains_probe(installed: Path, tmp_path: Path) -> None:
    assert "--max-offered" in completed(str(installed), "probe", "--help", cwd=tmp_path).stdout


def test_the_installed_tool_probes_an_application_in_its_own_environment(installed: Path, tmp_path: Path) -> None:
    # As with pipx: Flask is in the project's environment alone, holdfast in its own alone.
    project = environment_with(tmp_path / ".venv", "flask").parent
    shutil.copy(ROOT / "examples" / "hello.py", tmp_path / "app.py")

    probe = [str(installed), "probe", "app.py", "--server", "flask", "--json", "-", "--", "--processes", "2"]
    said = completed(*probe, cwd=tmp_path, VIRTUAL_ENV=str(project), HOLDFAST_RUNS=str(tmp_path / "runs")).stdout

    verdict = json.loads(said)
    assert verdict["places"]["in_service"] == 2
    assert placed(verdict) == verdict["offered"]
