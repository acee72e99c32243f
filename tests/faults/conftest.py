"""A place to work in, a real command line, and the look afterwards that nothing of it is left."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from commandline import Holdfast, holdfast_in

APP = """
from flask import Flask

app = Flask(__name__)


@app.get("/")
def index():
    return "hello"
"""


@pytest.fixture
def holdfast(tmp_path: Path) -> Iterator[Holdfast]:
    """Starts command lines in a directory of the test; when it ends nothing of them may be left."""
    (tmp_path / "app.py").write_text(APP)
    with holdfast_in(tmp_path) as command_line:
        yield command_line


@pytest.fixture(scope="module")
def workshop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Holdfast]:
    """The same for all tests of a file, which run their command lines together."""
    directory = tmp_path_factory.mktemp("workshop")
    (directory / "app.py").write_text(APP)
    with holdfast_in(directory) as command_line:
        yield command_line


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str, str], Path]:
    """Writes a file of the test's own into its directory."""

    def write_(name: str, content: str) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
        return path

    return write_
