"""An application for the command lines to find in their directory."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from support.commandline import Holdfast

APP = """
from flask import Flask

app = Flask(__name__)


@app.get("/")
def index():
    return "hello"
"""


@pytest.fixture
def holdfast(holdfast: Holdfast) -> Holdfast:
    """The same, with an application in its directory."""
    (holdfast.directory / "app.py").write_text(APP)
    return holdfast


@pytest.fixture(scope="module")
def workshop(workshop: Holdfast) -> Holdfast:
    """The same, with an application in its directory."""
    (workshop.directory / "app.py").write_text(APP)
    return workshop


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str, str], Path]:
    """Writes a file of the test's own into its directory."""

    def write_(name: str, content: str) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
        return path

    return write_
