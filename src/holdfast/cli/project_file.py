"""Whether a pyproject.toml may have settings of holdfast: looked at before what reads them is imported."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from holdfast.errors import EnvironmentFailure


def naming_holdfast(cwd: Path) -> Iterator[tuple[Path, bytes]]:
    """Each pyproject.toml from `cwd` upwards that has the word holdfast in it, with its content; the nearest first.

    Raises:
        EnvironmentFailure: one cannot be read.
    """
    for directory in (cwd, *cwd.parents):
        file = directory / "pyproject.toml"
        # A broken one without the word is none of our business, nor is one in a directory that is closed to us
        # (Path.is_file would raise there).
        content = content_of(file) if os.path.isfile(file) else b""
        if b"holdfast" in content:
            yield file, content


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
