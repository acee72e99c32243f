"""What runs in the server's process runs on that server's Python, from 3.8 on."""

from __future__ import annotations

import ast
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from holdfast.observe.record_reader import INSIDE_DIRECTORY, RecorderSettings, Recording

SCRIPT = Path(__file__).with_name("old_python.py")
SOURCES = sorted(Path(INSIDE_DIRECTORY, "holdfast_inside").rglob("*.py"))
VERSIONS = ("3.8", "3.9", "3.10", "3.11", "3.12", "3.13", "3.14", "3.15")
# By the first word of a file's name.
OF_FRAMEWORKS = {
    "aiohttp": {"aiohttp"},
    "bjoern": {"bjoern"},
    "django": {"django"},
    "eventlet": {"eventlet"},
    "fastapi": {"fastapi"},
    "fastpysgi": {"fastpysgi"},
    "flask": {"flask", "werkzeug"},
    "gevent": {"gevent"},
    "litestar": {"litestar"},
    "quart": {"quart", "werkzeug"},
    "sanic": {"sanic"},
    "starlette": {"starlette"},
    "tornado": {"tornado"},
    "werkzeug": {"werkzeug"},
}


def interpreter(version: str) -> str | None:
    """One that really is of that version: a name on PATH may be a stand-in that only says it is not installed."""
    root = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"), "versions")
    installed = sorted(root.glob(f"{version}.*/bin/python")) if root.is_dir() else []
    for candidate in (shutil.which(f"python{version}"), *map(str, installed)):
        if candidate and says_it_is(candidate, version):
            return candidate
    return None


def says_it_is(candidate: str, version: str) -> bool:
    command = [candidate, "-c", "import sys; print('%d.%d' % sys.version_info[:2])"]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip() == version
    except OSError:
        return False


@pytest.mark.parametrize("version", VERSIONS)
def test_the_recorder_works_on_python(version, tmp_path):
    python = interpreter(version)
    if python is None:
        pytest.skip(f"no Python {version} here")
    (tmp_path / "plain.py").write_text("def app(environ, start_response):\n    return [b'plain']\n")
    with Recording.create(tmp_path / "record", 5) as recording:
        recording.release(0)
        recording.release(4)
        variables = RecorderSettings(
            record=recording.path, token="token", trouble=tmp_path / "trouble", app="plain.py"
        ).environment()
        ended = subprocess.run(
            [python, "-W", "error", "-E", "-S", "-c", BOOTSTRAP.format(INSIDE_DIRECTORY), str(SCRIPT)],
            env={**os.environ, **variables},
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
        entries = recording.entries(0, 5)

    assert ended.stderr == ""
    assert ended.stdout.strip() == version
    assert [entry.loop for entry in entries] == [False, False, False, True, True]
    assert all(0 < entry.entered_ns <= entry.left_ns for entry in entries)
    assert len({entry.pid for entry in entries}) == 2
    assert [entry.process_seq for entry in entries] == [1, 2, 1, 3, 4]
    assert entries[0].tid != entries[1].tid


# -E and -S keep out what else is on this machine, PYTHONPATH too, so the path is set by hand.
BOOTSTRAP = "import sys, runpy; sys.path.insert(0, {!r}); runpy.run_path(sys.argv[1], run_name='__main__')"


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.stem)
def test_every_file_is_written_in_the_language_of_python_3_8(source):
    assert syntax_error(source.read_text()) is None


def syntax_error(source):
    try:
        ast.parse(source, feature_version=(3, 8))
    except SyntaxError as error:
        return str(error)
    return None


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.stem)
def test_a_framework_is_imported_only_by_the_files_that_are_named_after_it(source):
    for node in ast.walk(ast.parse(source.read_text())):
        if isinstance(node, ast.Import):
            imported = {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level:
            imported = {str(node.module).partition(".")[0]}
        else:
            continue
        allowed = OF_FRAMEWORKS.get(source.stem.partition("_")[0], set())
        assert imported <= sys.stdlib_module_names | allowed
