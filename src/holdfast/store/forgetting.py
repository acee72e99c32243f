"""Removes what is too old or too large to be kept, within the transaction of what is saved."""

from __future__ import annotations

import sqlite3

from holdfast.store.tables import OF_RUNS

KEEP = 1000
"""Newest runs that are kept; a timeline of 5,000 requests takes about 250 kB."""
MOST_BYTES = 1 << 30
"""Of the rows of loads that are kept."""


def forget_oldest(database: sqlite3.Connection, newest: int) -> None:
    """Removes the oldest runs where there are too many of them, or where the rows of loads take too much."""
    oldest = (newest - KEEP,)
    done = database.execute(
        "DELETE FROM run WHERE id <= ? AND id NOT IN (SELECT run FROM part WHERE whole > ?)", oldest * 2
    )
    gone = done.rowcount
    if _bytes_of(database) > MOST_BYTES:
        gone += _forget_rows_beyond(database, newest)
    if gone:
        forget_what_runs_had(database)


def _bytes_of(database: sqlite3.Connection) -> int:
    """Size of the whole file. To add up its rows takes a look at each, and memory for as many pages as SQLite keeps."""
    pages, each = (database.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_count", "page_size"))
    return int(pages) * int(each)


def _forget_rows_beyond(database: sqlite3.Connection, newest: int) -> int:
    """Removes runs whose rows, with those of all later ones, take more than is kept; gives how many."""
    kept, gone = 0, 0
    every = "SELECT run, rows FROM load_rows UNION ALL SELECT run, rows FROM event_rows"
    sizes = database.execute(
        f"SELECT run, sum(length(rows)) FROM ({every}) GROUP BY run ORDER BY run DESC"  # noqa: S608 - ours
    ).fetchall()
    for run, many in sizes:
        kept += many
        if run != newest and kept > MOST_BYTES:
            gone += database.execute("DELETE FROM run WHERE id = ?", (run,)).rowcount
    return gone


def forget_what_runs_had(database: sqlite3.Connection) -> None:
    """Removes from the other tables what belonged to runs that were removed."""
    for table, column in OF_RUNS.items():
        database.execute(f"DELETE FROM {table} WHERE {column} NOT IN (SELECT id FROM run)")  # noqa: S608 - ours
