"""Files of saved runs as earlier versions made them: their tables as those versions' source has them, and real runs.

| made by | tables |
| --- | --- |
| first | 0.1.0 before loads were saved: `run` alone |
| loads | with the rows of loads in a table of their own |
| versions | with `run.version` |
"""

from __future__ import annotations

import base64
import json
import sqlite3
import zlib
from contextlib import closing
from pathlib import Path
from typing import Any

from recorded.saved import LOADS, RUNS, record_of

RUN = (
    "CREATE TABLE run (id INTEGER PRIMARY KEY AUTOINCREMENT, saved_at REAL, format INTEGER, "
    "server TEXT, arguments TEXT, offered INTEGER, timeline BLOB)"
)
ROWS = "CREATE TABLE load_rows (run INTEGER, part INTEGER, rows BLOB, PRIMARY KEY (run, part))"
VERSION = "ALTER TABLE run ADD COLUMN version TEXT"

TABLES = {"first": [RUN], "loads": [RUN, ROWS], "versions": [RUN, ROWS, VERSION]}
SAVED_AT = 1_790_000_000.0
PROBE, ATTACH, LOAD, EXPLANATION = 1, 2, 3, 4
"""Numbers of the runs."""


def ask(path: Path, what: str) -> list[tuple[Any, ...]]:
    """The rows that a query finds."""
    with closing(sqlite3.connect(path)) as database:
        return database.execute(what).fetchall()


def packed(record: bytes) -> bytes:
    return zlib.compress(record, 1)


def explanation() -> bytes:
    """The record of an explanation whose first trial was the probe."""
    trial = {"run": PROBE, "purpose": "", "changes": [], "values": [], "offered": 200, "in_service": 200}
    return json.dumps({"first_run": PROBE, "rivals": [], "trials": [trial], "seconds": 3.0}).encode()


def make(path: Path, by: str) -> None:
    """A file with a probe, an attach, and as far as that version saved these, a load and an explanation."""
    load = json.loads(record_of(LOADS, "open"))
    with closing(sqlite3.connect(path)) as database, database:
        for statement in TABLES[by]:
            database.execute(statement)
        put(database, PROBE, 1, "flask", "", 200, packed(record_of(RUNS, "flask-threaded")))
        put(database, ATTACH, 1, "attach", "http://127.0.0.1:8000/", 30, packed(record_of(RUNS, "attach")))
        if by != "first":
            put(database, LOAD, 2, "load", "http://127.0.0.1/ 50/s", 150, packed(load["head"].encode()))
            parts = [packed(base64.b64decode(each)) for each in load["parts"]]
            database.executemany(
                "INSERT INTO load_rows VALUES (?, ?, ?)", ((LOAD, at, part) for at, part in enumerate(parts))
            )
        if by == "versions":
            database.execute("UPDATE run SET version = '0.1.0'")
            put(database, EXPLANATION, 5, "explain", "flask", 200, packed(explanation()))


def put(  # parameters: a row of the table
    database: sqlite3.Connection, id: int, form: int, server: str, arguments: str, offered: int, record: bytes
) -> None:
    database.execute(
        "INSERT INTO run (id, saved_at, format, server, arguments, offered, timeline) VALUES (?, ?, ?, ?, ?, ?, ?)",
        (id, SAVED_AT + id, form, server, arguments, offered, record),
    )
