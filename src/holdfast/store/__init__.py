"""Saved runs: the raw timeline of each, written before any conclusion is drawn from it.

One SQLite file. Verdicts are made again from the timelines, so a saved run profits from
better inference later. The rows of a load are in a table of their own, a part at a time.
"""

from __future__ import annotations

import os
import sqlite3
import stat
import time
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from holdfast import __distribution__, __version__
from holdfast.errors import EnvironmentFailure, HoldfastError, UsageError
from holdfast.model.migration import EXPLANATION_FORM, FORMS, LOAD_FORM, OUTSIDE_FORM, TIMELINE_FORM, migrated
from holdfast.model.phase import Phase
from holdfast.model.saved import SavedRun
from holdfast.store.advice import advice

if TYPE_CHECKING:
    # A load does without.
    from holdfast.model.experiment import StartedTarget
    from holdfast.model.explanation import ExplanationRecord
    from holdfast.model.outside import OutsideTimeline
    from holdfast.model.timeline import Timeline

_KEEP = 200  # newest runs that are kept; a timeline of 5,000 requests takes about 250 kB
_MANY_REQUESTS = 3000
_WAIT_S = 60.0
"""For others that write: a load of a million rows takes several seconds, and two may end together."""
_SHORT_WAIT_S = 0.2
"""During a load, whose rows can be saved a moment later."""
_UNENDED = "cut short, or not over yet"
_LAST_YEAR_S = 253_402_300_800  # 10,000 AD, the first year that a date cannot have
_MOST_BYTES = 1 << 30  # of the rows of loads: those of the oldest runs go first


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


def save_or_tell(timeline: Timeline | OutsideTimeline, tell: Callable[[HoldfastError], None]) -> bool:
    """Saves a run in the usual file; returns whether it could be.

    Args:
        tell: is given the reason if it cannot be saved: the verdict must not be lost because of that.
    """
    try:
        save(timeline, default_path())
    except HoldfastError as error:
        tell(error)
        return False
    return True


def _open(path: Path, wait_s: float = _WAIT_S) -> sqlite3.Connection:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    # Requests are in it, with cookies and tokens: only the owner may read it.
    os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
    database = sqlite3.connect(path, timeout=wait_s)
    database.execute(
        "CREATE TABLE IF NOT EXISTS run (id INTEGER PRIMARY KEY AUTOINCREMENT, saved_at REAL, format INTEGER, "
        "server TEXT, arguments TEXT, offered INTEGER, timeline BLOB, version TEXT)"
    )
    columns = _columns(database)
    # Without the others, the table is not ours.
    if "timeline" in columns:
        if "version" not in columns:
            database.execute("ALTER TABLE run ADD COLUMN version TEXT")
        _close_to_others(path)
    return database


def _close_to_others(path: Path) -> None:
    """Takes the right to read a file from all but its owner, who may have copied it or made it with `touch`."""
    status = path.stat()
    if status.st_uid == os.geteuid() and stat.S_IMODE(status.st_mode) & 0o077:
        path.chmod(0o600)


def _columns(database: sqlite3.Connection) -> set[str]:
    """The columns of the table of runs; older files have no version."""
    return {name for _, name, *_ in database.execute("PRAGMA table_info(run)")}


def save(timeline: Timeline | OutsideTimeline, path: Path) -> int:
    """Saves a run and gives its number.

    Raises:
        EnvironmentFailure: it cannot be written (disk full, no permission); runs saved before are not affected.
    """
    offered = sum(request.phase is Phase.RAMP for request in timeline.requests)
    raw = zlib.compress(_encoded(timeline), 1)
    return _save((*_head(timeline), offered, raw), (), path)


def _encoded(timeline: Timeline | OutsideTimeline) -> bytes:
    if len(timeline.requests) < _MANY_REQUESTS:
        from holdfast.model.plain_json import encoded  # noqa: PLC0415 - what saves a load does without

        return encoded(timeline)
    import msgspec  # noqa: PLC0415 - its import takes as long as the other way does for so many requests

    return msgspec.json.encode(timeline)


def save_explanation(record: ExplanationRecord, said: str, path: Path) -> int:
    """Saves an explanation and gives its number.

    Args:
        said: what was explained, in one line.

    Raises:
        EnvironmentFailure: as `save`.
    """
    import msgspec  # noqa: PLC0415 - what reads a load does without

    raw = zlib.compress(msgspec.json.encode(record), 1)
    return _save((EXPLANATION_FORM, "explain", said, record.trials[0].offered, raw), (), path)


def load_explanation(number: int, path: Path) -> ExplanationRecord:
    """A saved explanation.

    Raises:
        UsageError: as `load`.
    """
    import msgspec  # noqa: PLC0415 - as in `save_explanation`

    from holdfast.model.explanation import ExplanationRecord  # noqa: PLC0415

    _, saved = _row(number, path)
    try:
        return msgspec.json.decode(zlib.decompress(saved), type=ExplanationRecord, dec_hook=_target)
    except (msgspec.MsgspecError, zlib.error) as error:
        raise unreadable(number, error) from error


def begin_load(said: str, head: bytes, path: Path) -> int:
    """Saves that a load has begun, and gives its number; until it is over, the list of runs says so.

    Args:
        said, head: as for `save_load`.

    Raises:
        EnvironmentFailure: as `save`.
    """
    return _save((LOAD_FORM, "load", f"{_UNENDED}: {said}", 0, head), (), path, wait_s=_SHORT_WAIT_S)


def add_to_load(number: int, first_part: int, parts: Iterable[bytes], rows: int, path: Path) -> None:
    """Saves further rows of a load that still runs.

    Args:
        first_part: number of the first of these parts.
        rows: how many they are.

    Raises:
        EnvironmentFailure: as `save`.
    """
    try:
        with closing(_open(path, _SHORT_WAIT_S)) as database, database:
            database.executemany(
                "INSERT INTO load_rows VALUES (?, ?, ?)",
                ((number, at, part) for at, part in enumerate(parts, first_part)),
            )
            database.execute("UPDATE run SET offered = offered + ? WHERE id = ?", (rows, number))
    except (sqlite3.Error, OSError) as error:
        raise EnvironmentFailure(f"The run could not be saved in {path}.", str(error), advice(error, path)) from error


def save_load(  # parameters: what is saved, where, and under which number
    said: str, offered: int, head: bytes, parts: Iterable[bytes], path: Path, number: int | None = None
) -> int:
    """Saves a load run that is over, and gives its number.

    Args:
        said: what was asked, in one line.
        number: of what was saved of it while it ran, which is replaced; None if nothing was.
        head, parts: as `loadtest.saved` makes them.

    Raises:
        EnvironmentFailure: as `save`.
    """
    return _save((LOAD_FORM, "load", said, offered, head), parts, path, number)


def _save(
    row: tuple[object, ...], parts: Iterable[bytes], path: Path, number: int | None = None, wait_s: float = _WAIT_S
) -> int:
    try:
        with closing(_open(path, wait_s)) as database, database:
            done = database.execute(
                "INSERT OR REPLACE INTO run (id, saved_at, version, format, server, arguments, offered, timeline) "
                "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (number, time.time(), __version__, *row),
            )
            number = int(done.lastrowid or 0)
            # Only after the row was written: the file may be another program's database.
            database.execute(
                "CREATE TABLE IF NOT EXISTS load_rows (run INTEGER, part INTEGER, rows BLOB, PRIMARY KEY (run, part))"
            )
            database.execute("DELETE FROM load_rows WHERE run = ?", (number,))
            database.executemany(
                "INSERT INTO load_rows VALUES (?, ?, ?)", ((number, at, part) for at, part in enumerate(parts))
            )
            _forget_oldest(database, number)
            return number
    except (sqlite3.Error, OSError) as error:
        raise EnvironmentFailure(f"The run could not be saved in {path}.", str(error), advice(error, path)) from error


def _forget_oldest(database: sqlite3.Connection, newest: int) -> None:
    database.execute("DELETE FROM run WHERE id <= ?", (newest - _KEEP,))
    kept = 0
    sizes = database.execute("SELECT run, sum(length(rows)) FROM load_rows GROUP BY run ORDER BY run DESC").fetchall()
    for run, many in sizes:
        kept += many
        if run != newest and kept > _MOST_BYTES:
            database.execute("DELETE FROM run WHERE id = ?", (run,))
    database.execute("DELETE FROM load_rows WHERE run NOT IN (SELECT id FROM run)")


def _head(timeline: Timeline | OutsideTimeline) -> tuple[int, str, str]:
    """Form, server and arguments of a run, as the list of runs has them."""
    from holdfast.model.experiment import CommandTarget, command_line_of  # noqa: PLC0415
    from holdfast.model.timeline import Timeline  # noqa: PLC0415

    if not isinstance(timeline, Timeline):
        return OUTSIDE_FORM, "attach", timeline.experiment.target.url
    target = timeline.experiment.target
    words = command_line_of(target)
    if isinstance(target, CommandTarget):
        return TIMELINE_FORM, "exec", " ".join(words)
    return TIMELINE_FORM, words[0], " ".join(words[1:])


def saved_runs(path: Path) -> tuple[SavedRun, ...]:
    """All saved runs, newest first; empty where none was ever saved."""
    with _reading(path) as database:
        if database is None:
            return ()
        # A text that is not UTF-8 must not hide the others.
        database.text_factory = lambda raw: raw.decode(errors="replace")
        rows = database.execute("SELECT id, saved_at, server, arguments, offered FROM run ORDER BY id DESC")
        return tuple(_listed(*row) for row in rows)


def _listed(id: int, saved_at: object, server: object, arguments: object, offered: object) -> SavedRun:
    """A run as it is listed; of a damaged row only the number is sure."""
    if (
        isinstance(saved_at, int | float)
        and 0 <= saved_at < _LAST_YEAR_S
        and isinstance(server, str)
        and isinstance(arguments, str)
        and isinstance(offered, int)
    ):
        return SavedRun(id, saved_at, server, arguments, offered)
    return SavedRun(id, None, "?", "its row is damaged", None)


def load(number: int, path: Path) -> Timeline | OutsideTimeline:
    """The timeline of a saved run.

    Raises:
        UsageError: there is no such run, its record is damaged, or a newer version saved it.
    """
    import msgspec  # noqa: PLC0415 - what reads a load does without

    from holdfast.model.outside import OutsideTimeline  # noqa: PLC0415
    from holdfast.model.timeline import Timeline  # noqa: PLC0415

    form, saved = _row(number, path)
    try:
        form, record = migrated(msgspec.json.decode(zlib.decompress(saved)), form)
        if form == OUTSIDE_FORM:
            return msgspec.convert(record, OutsideTimeline)
        return msgspec.convert(record, Timeline, dec_hook=_target)
    except (msgspec.MsgspecError, zlib.error, KeyError, TypeError, AttributeError) as error:
        raise unreadable(number, error) from error


def _target(kind: type, record: object) -> StartedTarget:
    """A target of either kind; msgspec tells no dataclasses apart by their fields.

    Raises:
        TypeError: it is neither.
    """
    import msgspec  # noqa: PLC0415 - as in `load`

    from holdfast.model.experiment import CommandTarget, ProbeTarget, StartedTarget  # noqa: PLC0415

    if kind is not StartedTarget or not isinstance(record, dict):
        raise TypeError(f"{kind.__name__} cannot be read from {type(record).__name__}")
    target: StartedTarget = msgspec.convert(record, CommandTarget if "command" in record else ProbeTarget)
    return target


def form_of(number: int, path: Path) -> int:
    """What kind of run was saved, as `model.migration` numbers them.

    Raises:
        UsageError: there is no such run.
    """
    return _row(number, path)[0]


def load_parts(number: int, path: Path) -> tuple[bytes, Iterator[bytes]]:
    """The head and the rows of a saved load run, as `loadtest.saved` reads them.

    Raises:
        UsageError: there is no such run, or it is not a load.
    """
    form, head = _row(number, path)
    if form != LOAD_FORM:
        raise UsageError(
            f"Run {number} is not a load: it has no rows of requests.",
            "It was made by probe, exec, attach or explain.",
            f"holdfast show {number} prints its verdict.",
        )
    return head, _parts(number, path)


def _parts(number: int, path: Path) -> Iterator[bytes]:
    with _reading(path) as database:
        if database is not None:
            for (part,) in database.execute("SELECT rows FROM load_rows WHERE run = ? ORDER BY part", (number,)):
                yield part


def unreadable(number: int, error: Exception) -> UsageError:
    """The error for a saved run whose record is damaged."""
    return UsageError(
        f"Run {number} cannot be read: its record is damaged.",
        str(error),
        "Make the run again; the others are not affected.",
    )


def _row(number: int, path: Path) -> tuple[int, bytes]:
    """Form and record of a saved run.

    Raises:
        UsageError: there is no such run, or a newer version saved it in a form that this one does not know.
    """
    row = None
    with _reading(path) as database:
        if database is not None:
            by = "version" if "version" in _columns(database) else "NULL"
            row = database.execute(f"SELECT format, timeline, {by} FROM run WHERE id = ?", (number,)).fetchone()  # noqa: S608
    if row is None:
        raise UsageError(
            f"There is no saved run {number}.", f"Looked in {path}.", "Run `holdfast runs` to list the saved runs."
        )
    form, record, saved_by = row
    if not isinstance(form, int) or form < min(FORMS) or not isinstance(record, bytes):
        raise unreadable(number, ValueError("its row in the table of runs has values of the wrong kinds"))
    if form not in FORMS:
        raise UsageError(
            f"Run {number} was saved by a newer version of holdfast{f', {saved_by}' if saved_by else ''}.",
            f"Its record has form {form}; this version, {__version__}, reads forms up to {max(FORMS)}.",
            f"Upgrade (pip install --upgrade {__distribution__}), or make the run again with this version.",
        )
    return form, record


@contextmanager
def _reading(path: Path) -> Iterator[sqlite3.Connection | None]:
    try:
        # An empty file is what is left where the disk was full when the first run was to be saved.
        if not path.exists() or (path.is_file() and not path.stat().st_size):
            yield None
            return
        with closing(sqlite3.connect(path, timeout=_WAIT_S)) as database:
            has_tables = database.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone()
            yield database if has_tables else None
    except (sqlite3.Error, OSError) as error:
        raise EnvironmentFailure(
            f"The saved runs in {path} cannot be read.", str(error), advice(error, path)
        ) from error
