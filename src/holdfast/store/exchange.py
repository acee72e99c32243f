"""Saved runs on their way to another machine and back: a file of saved runs that has only these.

It is a file like any other of saved runs, so `HOLDFAST_RUNS=FILE holdfast show 17` reads it under the same numbers, and
so does `sqlite3`. JSON lines would need a reader of their own, and the rows of a load a third more space.
"""

from __future__ import annotations

import json
import sqlite3
import zlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from holdfast.errors import UsageError
from holdfast.model.frozen import frozen
from holdfast.model.migration import EXPLANATION_FORM, STUDY_FORM
from holdfast.store.database import reading, writing
from holdfast.store.reading import no_such_run
from holdfast.store.tables import OF_RUNS, columns_of, migrate, parts_of_explanations

_TABLES = tuple(name for name, column in OF_RUNS.items() if column == "run")
_NAMES_RUNS = frozenset({EXPLANATION_FORM, STUDY_FORM})


@frozen
class Imported:
    """What became of the runs of a file.

    Attributes:
        numbers: of each run, by its number in the file.
        known: those numbers in the file of runs that were here already.
    """

    numbers: Mapping[int, int]
    known: frozenset[int]


def export_runs(numbers: Sequence[int], source: Path, target: Path) -> tuple[int, ...]:
    """Writes runs into a new file; gives the numbers of those that it has, the ones that others need included.

    Args:
        target: a file that is empty, or is not there.

    Raises:
        UsageError: there is no run of one of these numbers.
        EnvironmentFailure: the saved runs cannot be read.
        OSError: the file cannot be written.
    """
    with reading(source) as database:
        if database is None:
            raise no_such_run(numbers[0], source)
        wanted = _with_parts(database, numbers, source)
        try:
            _write(database, wanted, target)
        except sqlite3.Error as error:
            raise OSError(str(error)) from error
    return wanted


def _with_parts(database: sqlite3.Connection, numbers: Sequence[int], source: Path) -> tuple[int, ...]:
    """These runs and the parts of those that are wholes."""
    for number in numbers:
        if not database.execute("SELECT 1 FROM run WHERE id = ?", (number,)).fetchone():
            raise no_such_run(number, source)
    parts = {run for whole, run in _parts(database) if whole in numbers}
    present = {row[0] for row in database.execute("SELECT id FROM run")}
    return tuple(sorted({*numbers, *parts} & present))


def _parts(database: sqlite3.Connection) -> list[tuple[int, int]]:
    """Each whole of a file, and what it needs."""
    if database.execute("SELECT 1 FROM sqlite_master WHERE name = 'part'").fetchone():
        return database.execute("SELECT whole, run FROM part").fetchall()
    return list(parts_of_explanations(database))


def _form_and_record(database: sqlite3.Connection, number: int) -> tuple[int, bytes]:
    form, record = database.execute("SELECT format, timeline FROM run WHERE id = ?", (number,)).fetchone()
    return form, record


def _write(database: sqlite3.Connection, numbers: Collection[int], target: Path) -> None:
    with closing(sqlite3.connect(target, isolation_level=None)) as new:
        new.execute("BEGIN")
        migrate(new)
        for number in numbers:
            _copy(database, new, "run", "id", number)
            for table in _TABLES:
                _copy(database, new, table, "run", number)
        new.executemany("INSERT INTO part VALUES (?, ?)", [each for each in _parts(database) if each[0] in numbers])
        new.execute("COMMIT")


def _copy(source: sqlite3.Connection, target: sqlite3.Connection, table: str, column: str, number: int) -> None:
    """Copies the rows of one run; of a file of an earlier schema, the columns that it has."""
    present = {name for _, name, *_ in source.execute(f"PRAGMA table_info({table})")}
    names = [name for _, name, *_ in target.execute(f"PRAGMA table_info({table})") if name in present]
    if names:
        target.executemany(_insert(table, names), _rows(source, table, column, number, names))


def _insert(table: str, names: Sequence[str]) -> str:
    return f"INSERT INTO {table} ({', '.join(names)}) VALUES ({', '.join('?' * len(names))})"  # noqa: S608 - ours


def _rows(
    database: sqlite3.Connection, table: str, column: str, number: int, names: Sequence[str]
) -> Iterable[tuple[Any, ...]]:
    return database.execute(f"SELECT {', '.join(names)} FROM {table} WHERE {column} = ?", (number,))  # noqa: S608 - ours


def import_runs(source: Path, target: Path) -> Imported:
    """Takes all runs of a file of saved runs, with new numbers; one that is here already is left as it is.

    Raises:
        UsageError: the file has no runs, or a newer version made one of the two.
        EnvironmentFailure: one of the two cannot be read, or written.
    """
    with reading(source) as from_, writing(target, failed="The runs could not be added to those in") as to:
        numbers = [] if from_ is None else [row[0] for row in from_.execute("SELECT id FROM run ORDER BY id")]
        if from_ is None or not numbers:
            raise UsageError(f"There are no saved runs in {source}.", "", "Name a file that `holdfast export` wrote.")
        new: dict[int, int] = {}
        known = set()
        for number in numbers:
            here = _same_run(from_, to, number)
            if here is not None:
                known.add(number)
            new[number] = _taken(from_, to, number, new) if here is None else here
        parts = [(new[whole], new[run]) for whole, run in _parts(from_) if whole in new and run in new]
        to.executemany("INSERT OR IGNORE INTO part VALUES (?, ?)", parts)
        return Imported(new, frozenset(known))


def _same_run(source: sqlite3.Connection, target: sqlite3.Connection, number: int) -> int | None:
    """The number here of a run that was saved at the same instant with the same record; of wholes, the same instant."""
    saved_at, form, record = source.execute(
        "SELECT saved_at, format, timeline FROM run WHERE id = ?", (number,)
    ).fetchone()
    if form in _NAMES_RUNS:  # the numbers in its record may have been changed when it came here
        query, values = "SELECT id FROM run WHERE saved_at = ? AND format = ?", (saved_at, form)
    else:
        query, values = "SELECT id FROM run WHERE saved_at = ? AND timeline = ?", (saved_at, record)
    row = target.execute(query, values).fetchone()
    return None if row is None else int(row[0])


def _taken(source: sqlite3.Connection, target: sqlite3.Connection, number: int, new: Mapping[int, int]) -> int:
    """Copies a run under a number of its own; gives that."""
    present = columns_of(source)
    names = [each for each in sorted(columns_of(target)) if each in present and each not in {"id", "timeline"}]
    (values,) = _rows(source, "run", "id", number, names)
    form, record = _form_and_record(source, number)
    if form in _NAMES_RUNS:
        record = _renumbered(record, new)
    done = target.execute(_insert("run", [*names, "timeline"]), (*values, record))
    given = int(done.lastrowid or 0)
    for table in _TABLES:
        columns = [name for _, name, *_ in target.execute(f"PRAGMA table_info({table})")]
        if source.execute("SELECT 1 FROM sqlite_master WHERE name = ?", (table,)).fetchone():
            for row in _rows(source, table, "run", number, columns):
                fields = dict(zip(columns, row, strict=True)) | {"run": given}
                target.execute(_insert(table, columns), tuple(fields.values()))
    return given


def _renumbered(record: bytes, new: Mapping[int, int]) -> bytes:
    """The record of an explanation or a study, with the numbers that its runs have here; 0 or null for those left."""
    try:
        return zlib.compress(json.dumps(_with_numbers(json.loads(zlib.decompress(record)), new)).encode(), 1)
    except (ValueError, zlib.error):
        return record  # damaged, as is said when it is asked for


def _with_numbers(value: Any, new: Mapping[int, int]) -> Any:  # noqa: ANN401 - JSON
    if isinstance(value, list):
        return [_with_numbers(each, new) for each in value]
    if not isinstance(value, dict):
        return value
    found = {name: _with_numbers(each, new) for name, each in value.items()}
    if isinstance(found.get("run"), int):
        found["run"] = new.get(found["run"])
    if isinstance(found.get("first_run"), int):
        found["first_run"] = new.get(found["first_run"], 0)
    return found
