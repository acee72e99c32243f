"""The real command line, and the look afterwards that nothing is left."""

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


@pytest.fixture(scope="module")
def workshop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Holdfast]:
    """The same for all tests of a file, which run their command lines together."""
    with holdfast_in(tmp_path_factory.mktemp("workshop")) as command_line:
        yield command_line
