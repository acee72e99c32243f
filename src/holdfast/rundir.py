"""The directory of one run: the recorder's file and the server's log, in memory, removed at the end."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from holdfast.errors import EnvironmentFailure

_NAME = re.compile(r"^holdfast-(\d+)-")


def _parent() -> Path:
    shm = Path("/dev/shm")  # noqa: S108 - a file there is memory: a mapped page never waits for a disk
    if os.access(shm, os.W_OK):
        return shm
    import tempfile  # noqa: PLC0415 - a dozen modules that most machines need not

    return Path(tempfile.gettempdir())


def _sweep(parent: Path) -> None:
    """Removes directories left by runs that were killed with SIGKILL: the process is gone, the directory is not."""
    for path in parent.iterdir():
        match = _NAME.match(path.name)
        if match and not Path("/proc", match[1]).exists():
            shutil.rmtree(path, ignore_errors=True)


def room_for_a_run() -> Path:
    """A path for `run_directory` at which nothing exists yet."""
    return _parent() / f"holdfast-{os.getpid()}-{os.urandom(4).hex()}"


@contextmanager
def run_directory(path: Path, owner_uid: int | None = None) -> Iterator[Path]:
    """A new private directory, always removed at the end.

    Args:
        path: where; its parent must exist.
        owner_uid: the server's user, if it is not ours.

    Raises:
        EnvironmentFailure: it cannot be created.
    """
    parent = path.parent
    with contextlib.suppress(OSError):
        _sweep(parent)
    try:
        path.mkdir(0o700)
    except OSError as error:
        raise EnvironmentFailure(
            f"The directory for the run could not be created in {parent}.",
            str(error),
            "Free some space or inodes there.",
        ) from error
    try:
        if owner_uid is not None:
            os.chown(path, owner_uid, -1)
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


def shared_with_all(directory: Path, library: Path) -> tuple[Path, Path]:
    """Makes room within a run's directory for a server that changes its user.

    Any user who knows the name of the first can write into it, but it cannot be listed or guessed. Only root has to go
    to this trouble, since only root can change its user.

    Args:
        library: a directory that the server must be able to read as whatever user it becomes.

    Returns:
        The directory for what the server writes, and a copy of the library that every user can read.
    """
    if os.geteuid() != 0:
        return directory, library
    directory.chmod(0o711)
    secret, copy = directory / os.urandom(16).hex(), directory / library.name
    secret.mkdir()
    secret.chmod(0o1733)
    # With its byte code, which is used only if the source keeps its modification time.
    shutil.copytree(library, copy)
    for path in (copy, *copy.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)
    return secret, copy


def open_to_all(path: Path) -> None:
    """Lets a server that has changed its user write to a file in `shared_with_all`'s first directory."""
    if os.geteuid() == 0:
        path.chmod(0o666)
