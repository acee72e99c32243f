"""Writes the raw record of a run, in one transaction, before anything is concluded from it."""

from __future__ import annotations

import sqlite3
import time
import zlib
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from holdfast import __version__
from holdfast.errors import HoldfastError
from holdfast.model.frozen import frozen
from holdfast.model.migration import (
    CAPACITY_FORM,
    CUT_SHORT_FORM,
    EXPLANATION_FORM,
    LOAD_FORM,
    OUTSIDE_FORM,
    STUDY_FORM,
    TIMELINE_FORM,
)
from holdfast.model.phase import Phase
from holdfast.model.revision import Revision
from holdfast.model.saved import Asked
from holdfast.runs_file import Mark, default_path, marks_beside, remove_mark
from holdfast.store.database import WRITE_WAIT_S, writing
from holdfast.store.forgetting import forget_oldest
from holdfast.store.revision import looking

if TYPE_CHECKING:
    # A load does without.
    from holdfast.model.capacity import CapacityRecord
    from holdfast.model.explanation import ExplanationRecord
    from holdfast.model.outside import OutsideTimeline
    from holdfast.model.study import StudyRecord
    from holdfast.model.timeline import Timeline

_MANY_REQUESTS = 3000
_SHORT_WAIT_S = 0.2
"""During a load, whose rows can be saved a moment later."""
UNENDED = "cut short, or not over yet"
CUT_SHORT = "cut short"


@frozen
class _Row:
    """A row of the table of runs.

    Attributes:
        form: as `model.migration` numbers them.
        record: packed.
        revision: None is that of the row in whose place it comes.
        mark: of the run that saves itself; None without one.
        saved_at: None is now.
    """

    form: int
    asked: Asked
    offered: int
    record: bytes
    revision: Revision | None
    mark: str | None = None
    holdfast: str = __version__
    saved_at: float | None = None


@frozen
class LoadRows:
    """The rows of a load that is over, packed.

    Attributes:
        whole: all parts.
        kept: how many parts were saved while it ran.
        rest: parts with the rows that are in none of those.
        events: the same of its events; None without any.
    """

    whole: Iterable[bytes]
    kept: int = 0
    rest: Iterable[bytes] = ()
    events: LoadRows | None = None


@frozen
class FurtherRows:
    """Rows of a load that still runs, packed.

    Attributes:
        first: the number of the first part.
        parts: those that have come since.
    """

    first: int
    parts: Sequence[bytes]


_NO_ROWS = LoadRows(())


def save_or_tell(timeline: Timeline | OutsideTimeline, tell: Callable[[HoldfastError], None]) -> int | None:
    """Saves a run in the usual file; returns its number, None where it could not be saved.

    Args:
        tell: is given the reason if it cannot be saved: the verdict must not be lost because of that.
    """
    try:
        return save(timeline, default_path())
    except HoldfastError as error:
        tell(error)
        return None


def save(timeline: Timeline | OutsideTimeline, path: Path, mark: str | None = None) -> int:
    """Saves a run and gives its number.

    Args:
        mark: of the run, as `runs_file.marked` gives it.

    Raises:
        EnvironmentFailure: it cannot be written (disk full, no permission); runs saved before are not affected.
        UsageError: a newer version made the file.
    """
    form, asked, directory = _of(timeline)
    with looking(directory) as look:
        record = zlib.compress(_encoded(timeline), 1)
        offered = sum(request.phase is Phase.RAMP for request in timeline.requests)
        return _saved(_Row(form, asked, offered, record, look.found(), mark), path)


def _of(timeline: Timeline | OutsideTimeline) -> tuple[int, Asked, Path]:
    """Form of a record, what was asked, and the directory that the project is in."""
    from holdfast.model.asked import asked_of  # noqa: PLC0415 - a load does without
    from holdfast.model.timeline import Timeline  # noqa: PLC0415

    if isinstance(timeline, Timeline):
        return TIMELINE_FORM, asked_of(timeline.experiment), Path(timeline.experiment.cwd)
    return OUTSIDE_FORM, asked_of(timeline.experiment), Path()


def _encoded(timeline: Timeline | OutsideTimeline) -> bytes:
    if len(timeline.requests) < _MANY_REQUESTS:
        from holdfast.model.plain_json import encoded  # noqa: PLC0415 - what saves a load does without

        return encoded(timeline)
    import msgspec  # noqa: PLC0415 - its import takes as long as the other way does for so many requests

    return msgspec.json.encode(timeline)


def save_explanation(record: ExplanationRecord, asked: Asked, path: Path, directory: Path, mark: str | None) -> int:
    """Saves an explanation and gives its number.

    Args:
        asked: what was explained.
        directory: of the project.
        mark: as for `save`.

    Raises:
        EnvironmentFailure, UsageError: as `save`.
    """
    import msgspec  # noqa: PLC0415 - what reads a load does without

    with looking(directory) as look:
        packed = zlib.compress(msgspec.json.encode(record), 1)
        row = _Row(EXPLANATION_FORM, asked, record.trials[0].offered, packed, look.found(), mark)
        return _saved(row, path, parts_of=[record.first_run])


def save_study(record: StudyRecord, path: Path, mark: str | None) -> int:
    """Saves a study and gives its number.

    Args:
        mark: as for `save`.

    Raises:
        EnvironmentFailure, UsageError: as `save`.
    """
    import msgspec  # noqa: PLC0415 - as above

    with looking(Path()) as look:
        packed = zlib.compress(msgspec.json.encode(record), 1)
        row = _Row(STUDY_FORM, Asked("study", "study", record.name), len(record.rows), packed, look.found(), mark)
        return _saved(row, path, parts_of=[each.run for each in record.rows if each.run is not None])


def save_capacity(record: CapacityRecord, asked: Asked, path: Path, directory: Path, mark: str | None) -> int:
    """Saves a search for the highest rate that holds, and gives its number.

    Args:
        asked: what was searched.
        directory, mark: as for `save_explanation`.

    Raises:
        EnvironmentFailure, UsageError: as `save`.
    """
    import msgspec  # noqa: PLC0415 - as above

    with looking(directory) as look:
        packed = zlib.compress(msgspec.json.encode(record), 1)
        offered = sum(each.offered for each in record.loads)
        return _saved(_Row(CAPACITY_FORM, asked, offered, packed, look.found(), mark), path)


def begin_load(said: str, head: bytes, path: Path, mark: str | None = None) -> int:
    """Saves that a load has begun, and gives its number; until it is over, the list of runs says so.

    Args:
        said, head: as for `save_load`.
        mark: as for `save`.

    Raises:
        EnvironmentFailure, UsageError: as `save`.
    """
    row = _Row(LOAD_FORM, Asked("load", "load", f"{UNENDED}: {said}"), 0, head, _look(), mark)
    return _saved(row, path, wait_s=_SHORT_WAIT_S)


def add_to_load(number: int, rows: FurtherRows, many: int, events: FurtherRows, path: Path) -> None:
    """Saves further rows of a load that still runs.

    Args:
        many: how many requests the rows are of.

    Raises:
        EnvironmentFailure, UsageError: as `save`.
    """
    with writing(path, _SHORT_WAIT_S) as database:
        _put_parts(database, "load_rows", number, rows.first, rows.parts)
        _put_parts(database, "event_rows", number, events.first, events.parts)
        database.execute("UPDATE run SET offered = offered + ? WHERE id = ?", (many, number))


def save_load(  # parameters: what is saved, where, and under which number
    said: str,
    offered: int,
    head: bytes,
    rows: LoadRows,
    path: Path,
    number: int | None = None,
    mark: str | None = None,
) -> int:
    """Saves a load run that is over, and gives its number.

    Args:
        said: what was asked, in one line.
        number: of what was saved of it while it ran, which is replaced; None if nothing was.
        head: as `loadtest.saved` makes it, and the parts of the rows.
        mark: as for `save`.

    Raises:
        EnvironmentFailure, UsageError: as `save`.
    """
    # git takes 30 ms, and was asked when the load began.
    revision = _look() if number is None else None
    row = _Row(LOAD_FORM, Asked("load", "load", said), offered, head, revision, mark)
    return _saved(row, path, rows=rows, number=number)


def _look() -> Revision:
    with looking(Path()) as look:
        return look.found()


def _saved(  # parameters: a row, what belongs to it, and where it goes
    row: _Row,
    path: Path,
    *,
    rows: LoadRows = _NO_ROWS,
    parts_of: Sequence[int] = (),
    number: int | None = None,
    wait_s: float = WRITE_WAIT_S,
) -> int:
    with writing(path, wait_s) as database:
        number = put_row(database, row, number)
        _put_rows(database, "load_rows", number, rows)
        _put_rows(database, "event_rows", number, rows.events or _NO_ROWS)
        database.executemany("INSERT OR IGNORE INTO part VALUES (?, ?)", ((number, each) for each in parts_of if each))
        forget_oldest(database, number)
    return number


def _put_rows(database: sqlite3.Connection, table: str, number: int, rows: LoadRows) -> None:
    found = database.execute(f"SELECT count(*) FROM {table} WHERE run = ?", (number,)).fetchone()  # noqa: S608 - ours
    # `prune` may have removed what was saved of the run meanwhile.
    first, parts = (rows.kept, rows.rest) if found == (rows.kept,) and rows.kept else (0, rows.whole)
    database.execute(f"DELETE FROM {table} WHERE run = ? AND part >= ?", (number, first))  # noqa: S608 - ours
    _put_parts(database, table, number, first, parts)


def _put_parts(database: sqlite3.Connection, table: str, number: int, first: int, parts: Iterable[bytes]) -> None:
    database.executemany(
        f"INSERT INTO {table} VALUES (?, ?, ?)",  # noqa: S608 - ours
        ((number, at, part) for at, part in enumerate(parts, first)),
    )


def put_row(database: sqlite3.Connection, row: _Row, number: int | None = None) -> int:
    """Puts a row into the table of runs, in the place of one with this number; gives its number."""
    asked, revision = row.asked, row.revision or _revision_of(database, number)
    changed = None if revision.changed is None else int(revision.changed)
    done = database.execute(
        "INSERT OR REPLACE INTO run (id, saved_at, version, format, kind, server, arguments, app, offered, timeline, "
        "revision, changed, no_revision, mark) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            number,
            time.time() if row.saved_at is None else row.saved_at,
            row.holdfast,
            row.form,
            asked.kind,
            asked.server,
            asked.arguments,
            asked.app,
            row.offered,
            row.record,
            revision.commit,
            changed,
            revision.why or None,
            row.mark,
        ),
    )
    return int(done.lastrowid or 0)


def _revision_of(database: sqlite3.Connection, number: int | None) -> Revision:
    """That of a saved run; today's, if it was removed meanwhile."""
    asked = "SELECT revision, changed, no_revision FROM run WHERE id = ?"
    if (found := database.execute(asked, (number,)).fetchone()) is None:
        return _look()
    commit, changed, why = found
    return Revision(commit, None if changed is None else bool(changed), why or "")


def take_in_marks(path: Path) -> None:
    """Gives each run that was killed before anything of it was saved a row of its own, and removes its mark.

    Raises:
        EnvironmentFailure, UsageError: as `save`.
    """
    left = [each for each in marks_beside(path) if not each.lives]
    if not left:
        return
    with writing(path, _SHORT_WAIT_S) as database:
        for mark in left:
            if not database.execute("SELECT 1 FROM run WHERE mark = ?", (mark.name,)).fetchone():
                put_row(database, _row_of(mark))
    for mark in left:
        remove_mark(path, mark.name)


def _row_of(mark: Mark) -> _Row:
    asked = mark.asked
    said = Asked(asked.kind, asked.server, f"{CUT_SHORT}: {asked.arguments}".rstrip(": "), asked.app)
    why = Revision(None, None, "the run was cut short")
    return _Row(CUT_SHORT_FORM, said, 0, b"", why, mark.name, mark.holdfast, mark.began_at)
