"""The directory of one run: the recorder's file and the server's log, in memory, gone at its end."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from holdfast.errors import EnvironmentFailure

_NAME = re.compile(r"^holdfast-(\d+)-")


def _parent() -> Path:
    shm = Path("/dev/shm")  # noqa: S108 - a file there is memory: a mapped page never waits for a disk
    return shm if os.access(shm, os.W_OK) else Path(tempfile.gettempdir())


def _sweep(parent: Path) -> None:
    """Removes what a holdfast left that was killed with SIGKILL: its process is gone, its directory is not."""
    for path in parent.iterdir():
        match = _NAME.match(path.name)
        if match and not Path("/proc", match[1]).exists():
            shutil.rmtree(path, ignore_errors=True)


@contextmanager
def run_directory(owner_uid: int | None = None) -> Iterator[Path]:
    """A fresh private directory, removed at the end whatever happens.

    Args:
        owner_uid: the user of the server, where it is another one.

    Raises:
        EnvironmentFailure: it cannot be made.
    """
    parent = _parent()
    with contextlib.suppress(OSError):
        _sweep(parent)
    try:
        path = Path(tempfile.mkdtemp(prefix=f"holdfast-{os.getpid()}-", dir=parent))
    except OSError as error:
        raise EnvironmentFailure(
            f"No directory for the run could be made in {parent}.", str(error), "Free some space or inodes there."
        ) from error
    try:
        if owner_uid is not None:
            os.chown(path, owner_uid, -1)
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)
