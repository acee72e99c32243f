"""Saved runs: the raw timeline of each, written before any conclusion is drawn from it.

One SQLite file. Verdicts are made again from the timelines, so a saved run profits from
better inference later.
"""

from __future__ import annotations

import os
import sqlite3
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import msgspec

from holdfast.errors import EnvironmentFailure, HoldfastError, UsageError
from holdfast.infer.judge import judge
from holdfast.model.experiment import Experiment
from holdfast.model.saved import SavedRun
from holdfast.model.timeline import Timeline
from holdfast.model.verdict import Verdict

_FORMAT = 1
_KEEP = 200  # newest runs that are kept; a timeline of 5,000 requests takes about 250 kB


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
            "There is no place for saved runs.", str(error), "Name a file for them with HOLDFAST_RUNS."
        ) from error


def saved_and_judged(timeline: Timeline, tell: Callable[[HoldfastError], None]) -> Verdict:
    """The verdict on a run that is saved first, at the usual place.

    Args:
        tell: is given the reason where it cannot be saved; the answer is not lost for it.

    Raises:
        InconclusiveError: as `judge` says.
    """
    try:
        save(timeline, default_path())
    except HoldfastError as error:
        tell(error)
    return judge(timeline)


def _open(path: Path) -> sqlite3.Connection:
    path.parent.mkdir(parents=True, exist_ok=True)
    # What was sent is in it, a session's cookie included: for nobody else to read.
    os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
    database = sqlite3.connect(path, timeout=5.0)
    database.execute(
        "CREATE TABLE IF NOT EXISTS run (id INTEGER PRIMARY KEY AUTOINCREMENT, saved_at REAL, format INTEGER, "
        "server TEXT, arguments TEXT, offered INTEGER, timeline BLOB)"
    )
    return database


def save(timeline: Timeline, path: Path) -> int:
    """Saves a run and gives its number.

    Raises:
        EnvironmentFailure: it cannot be written (disk full, no permission). Nothing else is lost by it.
    """
    experiment = timeline.experiment
    offered = sum(request.wave == 0 for request in timeline.requests)
    raw = zlib.compress(msgspec.json.encode(timeline), 1)
    row = (time.time(), _FORMAT, experiment.server, _said(experiment), offered, raw)
    try:
        with closing(_open(path)) as database, database:
            done = database.execute(
                "INSERT INTO run (saved_at, format, server, arguments, offered, timeline) VALUES (?, ?, ?, ?, ?, ?)",
                row,
            )
            number = int(done.lastrowid or 0)
            database.execute("DELETE FROM run WHERE id <= ?", (number - _KEEP,))
            return number
    except (sqlite3.Error, OSError) as error:
        raise EnvironmentFailure(
            f"The run could not be saved in {path}.",
            str(error),
            "Free some space there, or name another file with HOLDFAST_RUNS.",
        ) from error


def _said(experiment: Experiment) -> str:
    return experiment.url or " ".join(experiment.command or experiment.arguments)


def saved_runs(path: Path) -> tuple[SavedRun, ...]:
    """All saved runs, newest first; empty where none was ever saved."""
    with _reading(path) as database:
        if database is None:
            return ()
        rows = database.execute("SELECT id, saved_at, server, arguments, offered FROM run ORDER BY id DESC")
        return tuple(SavedRun(*row) for row in rows)


def load(number: int, path: Path) -> Timeline:
    """The timeline of a saved run.

    Raises:
        UsageError: there is no such run, or it was saved by another version in another form.
    """
    row = None
    with _reading(path) as database:
        if database is not None:
            row = database.execute("SELECT format, timeline FROM run WHERE id = ?", (number,)).fetchone()
    if row is None:
        raise UsageError(f"There is no saved run {number}.", f"Looked in {path}.", "holdfast runs lists them.")
    try:
        return msgspec.json.decode(zlib.decompress(row[1]), type=Timeline)
    except (msgspec.MsgspecError, zlib.error) as error:
        raise UsageError(
            f"Run {number} cannot be read by this version of holdfast.",
            f"It was saved in form {row[0]}, this version reads form {_FORMAT} ({error}).",
            "Make the run again, or read it with the version that saved it.",
        ) from error


@contextmanager
def _reading(path: Path) -> Iterator[sqlite3.Connection | None]:
    try:
        if not path.exists():
            yield None
            return
        with closing(sqlite3.connect(path, timeout=5.0)) as database:
            yield database
    except (sqlite3.Error, OSError) as error:
        raise EnvironmentFailure(
            f"The saved runs in {path} cannot be read.",
            str(error),
            "Move the file away to start a new one, or name another with HOLDFAST_RUNS.",
        ) from error
