"""The directory of one run: the recorder's file and the server's log, in memory, gone at its end."""

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
    """Removes what a holdfast left that was killed with SIGKILL: its process is gone, its directory is not."""
    for path in parent.iterdir():
        match = _NAME.match(path.name)
        if match and not Path("/proc", match[1]).exists():
            shutil.rmtree(path, ignore_errors=True)


def room_for_a_run() -> Path:
    """Path of a directory that is not there yet, for `run_directory`."""
    return _parent() / f"holdfast-{os.getpid()}-{os.urandom(4).hex()}"


@contextmanager
def run_directory(path: Path, owner_uid: int | None = None) -> Iterator[Path]:
    """A fresh private directory, removed at the end whatever happens.

    Args:
        path: where; the directory that it is in must be there.
        owner_uid: the user of the server, where it is another one.

    Raises:
        EnvironmentFailure: it cannot be made.
    """
    parent = path.parent
    with contextlib.suppress(OSError):
        _sweep(parent)
    try:
        path.mkdir(0o700)
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


def shared_with_all(directory: Path, library: Path) -> tuple[Path, Path]:
    """Makes room within a run's directory for a server that changes its user.

    Who knows the name may put files into the first, but nobody can list or guess it; only root has to
    take this trouble, since only root can become somebody else.

    Args:
        library: a directory that the server must be able to read, whoever it is by then.

    Returns:
        Where to put what the server writes, and a copy of the library that everybody may read.
    """
    if os.geteuid() != 0:
        return directory, library
    directory.chmod(0o711)
    secret, copy = directory / os.urandom(16).hex(), directory / library.name
    secret.mkdir()
    secret.chmod(0o1733)
    # With its byte code, which is only used where the source's time is kept.
    shutil.copytree(library, copy)
    for path in (copy, *copy.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)
    return secret, copy


def open_to_all(path: Path) -> None:
    """Lets a server that has changed its user write to a file in `shared_with_all`'s first directory."""
    if os.geteuid() == 0:
        path.chmod(0o666)
