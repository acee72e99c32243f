"""Removes saved runs that are not needed any more, and gives their space back."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from holdfast.errors import EnvironmentFailure
from holdfast.model.frozen import frozen
from holdfast.model.saved import SavedRun
from holdfast.store.advice import advice
from holdfast.store.database import WRITE_WAIT_S, reading, writing
from holdfast.store.forgetting import forget_what_runs_had
from holdfast.store.tables import columns_of, parts_of_explanations, tables_of


@frozen
class Prunable:
    """What can be removed.

    Attributes:
        runs: the newest first.
        bytes_: that their records take.
        needed: numbers of runs that would be removed too, but an explanation or a study that stays needs them.
    """

    runs: tuple[SavedRun, ...]
    bytes_: int
    needed: tuple[int, ...]


def prunable(chosen: Sequence[SavedRun], path: Path) -> Prunable:
    """Of these runs, those that can be removed.

    Raises:
        EnvironmentFailure, UsageError: the saved runs cannot be read.
    """
    numbers = {each.id for each in chosen if each.id is not None}
    with reading(path) as database:
        if database is None:
            return Prunable((), 0, ())
        needed = _needed(database) if "kind" in columns_of(database) else list(parts_of_explanations(database))
        kept = {run for whole, run in needed if whole not in numbers} & numbers
        free = numbers - kept
        size = sum(_size(database, each) for each in free)
    return Prunable(tuple(each for each in chosen if each.id in free), size, tuple(sorted(kept)))


def _needed(database: sqlite3.Connection) -> list[tuple[int, int]]:
    return database.execute("SELECT whole, part.run FROM part JOIN run ON run.id = part.whole").fetchall()


def _size(database: sqlite3.Connection, number: int) -> int:
    """Bytes of the packed record of a run."""
    size = database.execute("SELECT coalesce(length(timeline), 0) FROM run WHERE id = ?", (number,)).fetchone()[0]
    present = tables_of(database)
    for table, column in (("load_rows", "rows"), ("event_rows", "rows"), ("result", "json")):
        if table in present:
            query = f"SELECT coalesce(sum(length({column})), 0) FROM {table} WHERE run = ?"  # noqa: S608 - ours
            size += database.execute(query, (number,)).fetchone()[0]
    return int(size)


def remove(found: Prunable, path: Path) -> str:
    """Removes these runs and makes the file smaller; gives why it could not be made smaller, "" where it could.

    Raises:
        EnvironmentFailure, UsageError: they cannot be removed; then none is.
    """
    with writing(path, failed="No run could be removed from") as database:
        database.executemany("DELETE FROM run WHERE id = ?", ((each.id,) for each in found.runs))
        forget_what_runs_had(database)
    try:
        with closing(sqlite3.connect(path, timeout=WRITE_WAIT_S, isolation_level=None)) as database:
            database.execute("VACUUM")
    except sqlite3.Error as error:
        # It takes as much room beside the file as the file itself; what was removed is free for the next runs.
        failure = EnvironmentFailure("The file could not be made smaller.", str(error), advice(error, path))
        return f"{failure.what} {failure.why}"
    return ""
