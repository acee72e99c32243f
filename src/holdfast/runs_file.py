"""Where saved runs are, and the marks of runs that have begun.

A run that is killed (SIGKILL, a machine that stops) saves nothing, and a person would never know of it. So each run
first makes a small file beside the saved runs, its mark, which it locks and removes at its end. The kernel drops the
lock of a process that is killed: a mark without a lock is a run that was cut short. Making one takes 0.1 ms and waits
for no disk; a row in the file of saved runs would wait for the disk (20 to 70 ms, measured) and for others that write.

It is not in `store`, whose import brings SQLite and what reads records: a run that begins needs neither until its end.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

from holdfast import __version__
from holdfast.errors import EnvironmentFailure, HoldfastError
from holdfast.model.frozen import frozen
from holdfast.model.saved import RUN_KINDS, Asked

_NEW_S = 10.0
"""A mark is empty, and not locked, for an instant after it was made."""
_MOST_BYTES = 65536


def default_path() -> Path:
    """`$HOLDFAST_RUNS`, else runs.sqlite under `$XDG_STATE_HOME/holdfast` (the XDG base directories).

    Raises:
        EnvironmentFailure: neither is set, and this user has no home.
    """
    if own := os.environ.get("HOLDFAST_RUNS"):
        return Path(own)
    state = os.environ.get("XDG_STATE_HOME")
    try:
        return (Path(state) if state else Path.home() / ".local" / "state") / "holdfast" / "runs.sqlite"
    except RuntimeError as error:
        raise EnvironmentFailure(
            "holdfast has nowhere to save runs.", str(error), "Name a file for them with HOLDFAST_RUNS."
        ) from error


@frozen
class Mark:
    """The mark of a run that has begun.

    Attributes:
        name: of its file, which no other run has.
        asked: what the run was to do.
        began_at: wall time, seconds since the epoch.
        holdfast: its version.
        pid: of its process.
        lives: it is still running.
    """

    name: str
    asked: Asked
    began_at: float
    holdfast: str
    pid: int
    lives: bool


@contextmanager
def marked(asked: Asked) -> Iterator[str | None]:
    """Marks that a run has begun, for as long as the block lasts.

    Yields:
        The mark's name, which its saved run has too; None where none could be made, which keeps no run from running.
    """
    made: tuple[Path, int] | None = None
    with contextlib.suppress(OSError, HoldfastError):
        made = _made(default_path(), asked)
    if made is None:
        yield None
        return
    path, descriptor = made
    try:
        yield path.name
    finally:
        with contextlib.suppress(OSError):
            path.unlink()
        os.close(descriptor)


def _made(runs: Path, asked: Asked) -> tuple[Path, int]:
    runs.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = runs.parent / f".{runs.name}.begun-{os.getpid()}-{os.urandom(4).hex()}"
    content = {**asdict(asked), "began_at": time.time(), "holdfast": __version__, "pid": os.getpid()}
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)  # waits for no longer than another looks at it
        os.write(descriptor, json.dumps(content).encode())
    except OSError:
        path.unlink()
        os.close(descriptor)
        raise
    return path, descriptor


def marks_beside(runs: Path) -> tuple[Mark, ...]:
    """The marks beside a file of saved runs, those of runs that were cut short included; the oldest first."""
    pattern = re.compile(re.escape(f".{runs.name}.begun-") + r"\d+-[0-9a-f]{8}")
    found = []
    with contextlib.suppress(OSError):
        for each in os.scandir(runs.parent):
            if pattern.fullmatch(each.name):
                with contextlib.suppress(OSError):
                    found += _read(Path(each.path))
    return tuple(sorted(found, key=lambda mark: mark.began_at))


def _read(path: Path) -> list[Mark]:
    """A mark of ours; none where it was just made, or is not one."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    try:
        status = os.fstat(descriptor)
        if status.st_uid != os.geteuid():
            return []
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
            lives = False
        except OSError:
            lives = True
        content = os.read(descriptor, _MOST_BYTES)
        if not content and time.time() - status.st_mtime < _NEW_S:
            return []
    finally:
        os.close(descriptor)
    return [_mark_of(path.name, content, status.st_mtime, lives=lives)]


def _mark_of(name: str, content: bytes, made_at: float, *, lives: bool) -> Mark:
    """What a mark says; of one that is damaged, that there was a run."""
    try:
        said = json.loads(content)
        if said["kind"] not in RUN_KINDS:
            raise ValueError(said["kind"])
        asked = Asked(said["kind"], *(str(said[each]) for each in ("server", "arguments", "app")))
        return Mark(name, asked, float(said["began_at"]), str(said["holdfast"]), int(said["pid"]), lives)
    except (ValueError, KeyError, TypeError):
        return Mark(name, Asked("probe", "?", "its mark is damaged"), made_at, "", 0, lives)


def remove_mark(runs: Path, name: str) -> None:
    """Removes the mark of a run that was cut short, once it is known elsewhere."""
    with contextlib.suppress(OSError):
        (runs.parent / name).unlink()
