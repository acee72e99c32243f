"""Whether a pyproject.toml may have settings of holdfast: looked at before what reads them is imported."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from holdfast.errors import EnvironmentFailure

_TOPS = (".git", ".hg", ".svn", ".jj", ".bzr")
"""What lies in the topmost directory of a project under version control."""


def naming_holdfast(cwd: Path) -> Iterator[tuple[Path, bytes]]:
    """Each pyproject.toml of the project that has the word holdfast in it, with its content; the nearest first.

    A project ends with the directory that is under version control; where none is, with the file system.

    Raises:
        EnvironmentFailure: one cannot be read.
    """
    for directory in (cwd, *cwd.parents):
        file = directory / "pyproject.toml"
        # A broken one without the word is not ours to read, nor is one in a directory that is closed to us
        # (Path.is_file would raise there).
        content = content_of(file) if os.path.isfile(file) else b""
        if b"holdfast" in content:
            yield file, content
        if any(os.path.exists(directory / top) for top in _TOPS):
            return


def names_holdfast(cwd: Path) -> bool:
    """Whether there is any."""
    return any(True for _ in naming_holdfast(cwd))


def content_of(file: Path) -> bytes:
    """What a file holds.

    Raises:
        EnvironmentFailure: it cannot be read.
    """
    try:
        return file.read_bytes()
    except OSError as error:
        raise EnvironmentFailure(
            f"{file} cannot be read.", str(error), "Check that it is a file and that you may read it."
        ) from error
