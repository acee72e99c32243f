"""The tables of the file of saved runs, the views over them, and how files of earlier schemas become ones of today.

| schema | since | what it has |
| --- | --- | --- |
| 0 | 0.1 | `run`: a row for each run with its packed record. Later versions added `load_rows`, and `run.version` |
| 1 | Unreleased | `event_rows`; what is asked of a run without its record: `result`, `part`, columns of `run`, views |

A later schema only adds: a version that does not know it yet could read the file, and refuses to, because it would not
know what it must write there. `PRAGMA user_version` says which schema a file has, and `schema_change` who made it.
"""

from __future__ import annotations

import json
import sqlite3
import time
import zlib
from collections.abc import Iterator

from holdfast import __version__
from holdfast.model.migration import EXPLANATION_FORM
from holdfast.store.schema_1 import FILL_KIND, TABLES, VIEWS

SCHEMA = 1

_RUN = (
    "CREATE TABLE IF NOT EXISTS run (id INTEGER PRIMARY KEY AUTOINCREMENT, saved_at REAL, format INTEGER, "
    "server TEXT, arguments TEXT, offered INTEGER, timeline BLOB, version TEXT)"
)
_ROWS = "CREATE TABLE IF NOT EXISTS load_rows (run INTEGER, part INTEGER, rows BLOB, PRIMARY KEY (run, part))"
_EVENTS = "CREATE TABLE IF NOT EXISTS event_rows (run INTEGER, part INTEGER, rows BLOB, PRIMARY KEY (run, part))"
OF_RUNS = {"load_rows": "run", "event_rows": "run", "result": "run", "part": "whole"}
"""The tables with what belongs to runs, and the column that says to which. A file may lack some of them."""
_ADDED = {
    "version": "TEXT",
    "kind": "TEXT",
    "app": "TEXT",
    "revision": "TEXT",
    "changed": "INTEGER",
    "no_revision": "TEXT",
    "mark": "TEXT",
}
"""Columns of `run` that schema 0 did not have, or only from some version on."""


def schema_of(database: sqlite3.Connection) -> int:
    """The schema that a file has."""
    return int(database.execute("PRAGMA user_version").fetchone()[0])


def columns_of(database: sqlite3.Connection) -> frozenset[str]:
    """The columns of the table of runs."""
    return frozenset(name for _, name, *_ in database.execute("PRAGMA table_info(run)"))


def tables_of(database: sqlite3.Connection) -> frozenset[str]:
    """The tables that a file has."""
    return frozenset(name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'"))


def migrate(database: sqlite3.Connection) -> None:
    """Makes a file of any earlier schema, or a new one, one of today; within the transaction of its caller."""
    present = columns_of(database)
    database.execute(_EVENTS)
    if present and schema_of(database) >= SCHEMA:
        return
    database.execute(_RUN)
    database.execute(_ROWS)
    present = columns_of(database)
    for name, kind in _ADDED.items():
        if name not in present:
            database.execute(f"ALTER TABLE run ADD COLUMN {name} {kind}")
    for statement in f"{TABLES}{VIEWS}".split(";\n"):
        if statement.strip():
            database.execute(statement)
    database.execute(FILL_KIND)
    database.executemany("INSERT OR IGNORE INTO part VALUES (?, ?)", list(parts_of_explanations(database)))
    database.execute("INSERT INTO schema_change VALUES (?, ?, ?)", (SCHEMA, __version__, time.time()))
    database.execute(f"PRAGMA user_version = {SCHEMA}")


def parts_of_explanations(database: sqlite3.Connection) -> Iterator[tuple[int, int]]:
    """Each explanation and the run that it needs, as its record says: what schema 0 has instead of `part`."""
    for number, record in database.execute("SELECT id, timeline FROM run WHERE format = ?", (EXPLANATION_FORM,)):
        try:
            first = json.loads(zlib.decompress(record))["first_run"]
        except (ValueError, TypeError, KeyError, zlib.error):
            continue  # damaged, as is said when it is asked for
        yield number, int(first)
