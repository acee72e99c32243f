"""Real servers under the real command line, whose views' bodies are called."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parents[1] / "faults"))

from commandline import Holdfast, holdfast_in


@pytest.fixture
def holdfast(tmp_path: Path) -> Iterator[Holdfast]:
    """Starts command lines in a directory of the test; when it ends nothing of them may be left."""
    with holdfast_in(tmp_path) as command_line:
        yield command_line
