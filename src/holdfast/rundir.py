"""The directory of one run: the recorder's file and the server's log, in memory, removed at the end."""

from __future__ import annotations

import contextlib
import fcntl
import itertools
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from holdfast.errors import EnvironmentFailure

_NAME = re.compile(r"holdfast-[0-9]+-[0-9a-f]{8}")
_LOCK = "holdfast.lock"
"""A file that only our directories have; its lock is held as long as the run lasts, and the kernel drops it with us."""
_TRIES = 5


def _parent() -> Path:
    """Where runs have their directories.

    Raises:
        EnvironmentFailure: there is no directory that can be written.
    """
    shm = Path("/dev/shm")  # noqa: S108 - a file there is memory: a mapped page never waits for a disk
    if os.access(shm, os.W_OK):
        return shm
    import tempfile  # noqa: PLC0415 - a dozen modules that most machines need not

    try:
        return Path(tempfile.gettempdir())
    except OSError as error:
        raise EnvironmentFailure(
            "There is no directory for the files of the run.",
            f"{shm} cannot be written. {error.strerror}",
            "Name a directory that you may write to with TMPDIR.",
        ) from error


def _sweep(parent: Path) -> None:
    """Removes what runs of ours left that were killed with SIGKILL."""
    for path in parent.iterdir():
        if _NAME.fullmatch(path.name):
            with contextlib.suppress(OSError):
                _remove_if_left(path)


def _remove_if_left(path: Path) -> None:
    """Removes a directory of ours whose run has ended.

    Only the lock tells: a number in a name may be another process by now, or one in another pid namespace that has the
    same /dev/shm. What merely has such a name is not ours, unless it is empty.

    Raises:
        OSError: it is not a directory of a run.
    """
    try:
        lock = os.open(path / _LOCK, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
    except FileNotFoundError:
        # Killed before the lock was there; `_made` begins again where this meets one that is about to be locked.
        if path.lstat().st_uid == os.geteuid():
            path.rmdir()
        return
    try:
        # By the file, since the directory is given to the server's user where that is another one.
        if os.fstat(lock).st_uid == os.geteuid():
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            _remove(path)
    finally:
        os.close(lock)


def _remove(path: Path) -> None:
    try:
        shutil.rmtree(path, ignore_errors=True)
    except RecursionError:
        _remove_nested(path)


def _remove_nested(path: Path) -> None:
    """Removes directories that are nested deeper than what removes them can follow, and than a path can be long.

    Each directory's own directories are first moved up to the top, so that none is deeper than that.
    """
    numbers = itertools.count()
    with contextlib.suppress(OSError):
        while below := [each for each in path.iterdir() if each.is_dir() and not each.is_symlink()]:
            for directory in below:
                for each in directory.iterdir():
                    if each.is_dir() and not each.is_symlink():
                        each.rename(path / f"nested-{os.getpid()}-{next(numbers)}")
                    else:
                        each.unlink()
                directory.rmdir()
        shutil.rmtree(path, ignore_errors=True)


def room_for_a_run() -> Path:
    """Path of a directory that is not there yet, for `run_directory`.

    Raises:
        EnvironmentFailure: there is no directory that can be written.
    """
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
        lock = _made(path)
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
        _remove(path)
        os.close(lock)


def _made(path: Path) -> int:
    """Makes the directory and locks it; returns the descriptor that holds the lock.

    Raises:
        OSError: it cannot be made.
    """
    for left in reversed(range(_TRIES)):
        path.mkdir(0o700)
        try:
            return _locked(path / _LOCK)
        except OSError as error:
            # Another holdfast's sweep may have met it before it was locked, and removed it.
            if not left or not isinstance(error, FileNotFoundError | BlockingIOError):
                _remove(path)
                raise
            _remove(path)
    raise AssertionError("the last try returns or raises")


def _locked(path: Path) -> int:
    """A new file, locked.

    Raises:
        OSError: it cannot be made.
        FileNotFoundError, BlockingIOError: a sweep takes it, or has taken it.
    """
    lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        path.stat()
    except OSError:
        os.close(lock)
        raise
    return lock


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
