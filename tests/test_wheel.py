"""What people install is the wheel, not this tree: it is built, installed elsewhere and used from there."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

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
    package = ROOT / "src" / "holdfast"
    files = [str(file.relative_to(ROOT / "src")) for file in package.rglob("*") if file.is_file()]
    sources = {name for name in files if not re.search(r"/(__pycache__|\.)", name)}  # caches of tools stay here

    packed = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}

    assert packed == sources
    assert any(name.startswith("holdfast/inside/holdfast_inside/") for name in packed)


def test_the_installed_tool_tells_its_version(installed: Path, wheel: Path, tmp_path: Path) -> None:
    said = completed(str(installed), "--version", cwd=tmp_path).stdout

    assert wheel.name.split("-")[1] in said


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
    assert sum(verdict["places"].values()) == verdict["offered"]
