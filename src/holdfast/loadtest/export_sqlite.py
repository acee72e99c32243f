"""The rows and the result of a load run as an SQLite database.

requests    a row for each request, NULL where there is no value
events      a row for each event of a load with --events: id of its request, number, at_ns, gap_ns
result      name and value: offered, outcomes.answered, latency_from_due_ms.p99, ...; list items are numbered
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from pathlib import Path

from holdfast.errors import UsageError
from holdfast.model.rows import COLUMNS, WORDS, Rows

TABLES = frozenset({"requests", "events", "result"})


def write_database(
    path: Path, chunks: Iterable[Rows], result: object, events: Iterable[Sequence[int]] | None = None
) -> None:
    """Writes a new database into this file, which is empty.

    Args:
        result: of builtin types.
        events: rows as in `EventRow`; None where none were looked for.

    Raises:
        OSError: it cannot be written.
    """
    columns = ", ".join(f'"{name}" {"TEXT" if name in WORDS else "INTEGER"}' for name in COLUMNS)
    places = ", ".join("?" for _ in COLUMNS)
    try:
        with closing(sqlite3.connect(path, isolation_level=None)) as database:
            # The file is moved into place only when it is whole, so nothing needs to be rolled back: 3 times as fast.
            database.execute("PRAGMA journal_mode = OFF")
            database.execute("PRAGMA synchronous = OFF")
            database.execute("BEGIN")
            database.execute(f"CREATE TABLE requests ({columns})")
            database.execute("CREATE TABLE result (name TEXT PRIMARY KEY, value)")
            for rows in chunks:
                database.executemany(
                    f"INSERT INTO requests VALUES ({places})",  # noqa: S608 - question marks
                    zip(*rows.known(), strict=True),
                )
            if events is not None:
                database.execute("CREATE TABLE events (id INTEGER, number INTEGER, at_ns INTEGER, gap_ns INTEGER)")
                database.executemany("INSERT INTO events VALUES (?, ?, ?, ?)", events)
            database.executemany("INSERT INTO result VALUES (?, ?)", _flat("", result))
            database.execute("COMMIT")
    except sqlite3.Error as error:
        raise OSError(str(error)) from error


def check_database(target: str | None) -> None:
    """Checks that an existing file may be replaced: not if it is a database of something else.

    Raises:
        UsageError: it holds other tables than ours, or is not a database.
    """
    if target is None or not Path(target).is_file() or not Path(target).stat().st_size:
        return
    try:
        with closing(sqlite3.connect(f"{Path(target).absolute().as_uri()}?mode=ro", uri=True)) as database:
            tables = {name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    except sqlite3.Error as error:
        raise UsageError(f"{target} is not a SQLite database.", f"{error}.", "Name another file.") from error
    others = sorted(tables - TABLES)
    if others:
        raise UsageError(
            f"{target} is a database with other tables: {', '.join(others[:3])}.",
            "It would be replaced by the results of this load.",
            "Name another file.",
        )


def _flat(name: str, value: object) -> Iterator[tuple[str, object]]:
    if isinstance(value, dict):
        for key, each in value.items():
            yield from _flat(f"{name}.{key}" if name else key, each)
    elif isinstance(value, list | tuple):
        for at, each in enumerate(value):
            yield from _flat(f"{name}.{at}", each)
    else:
        yield name, value
