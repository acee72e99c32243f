"""The recorded runs, put back into a file of saved runs as holdfast 0.1.0 wrote it.

A probe's record is the JSON of its timeline, a load's the JSON of its head and, in base64, its rows. The file of
saved runs has them compressed with zlib; here they are compressed with xz, which takes half as much.
"""

from __future__ import annotations

import base64
import json
import lzma
import re
import sqlite3
import zlib
from contextlib import closing
from pathlib import Path

HERE = Path(__file__).parent
RUNS, LOADS = HERE / "runs", HERE / "loads"
RUN_FORMAT, LOAD_FORMAT = 1, 2
_TABLES = """
CREATE TABLE run (id INTEGER PRIMARY KEY AUTOINCREMENT, saved_at REAL, format INTEGER,
    server TEXT, arguments TEXT, offered INTEGER, timeline BLOB);
CREATE TABLE load_rows (run INTEGER, part INTEGER, rows BLOB, PRIMARY KEY (run, part));
"""
PERSONAL = re.compile(rb"/(?:root|home|work|tmp|Users)\b[\w./-]*")
"""Directories of the machine on which a run was recorded, none of which may be left in its record."""

_SAVED_AT = 1_790_000_000.0


def names(directory: Path) -> list[str]:
    """Of the records in one of the two directories."""
    return sorted(path.name.removesuffix(".json.xz") for path in directory.glob("*.json.xz"))


def record_of(directory: Path, name: str) -> bytes:
    """JSON as it was saved."""
    return lzma.decompress((directory / f"{name}.json.xz").read_bytes())


def result_of(directory: Path, name: str) -> dict[str, object]:
    """What it came to when it was recorded."""
    found: dict[str, object] = json.loads((directory / f"{name}.json").read_text())
    return found


def write_record(directory: Path, name: str, record: bytes, result: object) -> None:
    """Keeps a record and what it came to."""
    directory.mkdir(exist_ok=True)
    (directory / f"{name}.json.xz").write_bytes(lzma.compress(record, preset=9 | lzma.PRESET_EXTREME))
    write_result(directory, name, result)


def write_result(directory: Path, name: str, result: object) -> None:
    """Keeps what a record comes to."""
    (directory / f"{name}.json").write_text(json.dumps(result, indent=2, ensure_ascii=False) + "\n")


def put_run(path: Path, name: str, record: bytes) -> int:
    """Puts the record of a probe into a file of saved runs; its number there."""
    return _put(path, RUN_FORMAT, name, zlib.compress(record, 1), ())


def put_load(path: Path, name: str, record: bytes) -> int:
    """The same with the record of a load."""
    whole = json.loads(record)
    parts = [zlib.compress(base64.b64decode(each), 1) for each in whole["parts"]]
    return _put(path, LOAD_FORMAT, name, zlib.compress(whole["head"].encode(), 1), parts)


def _put(path: Path, form: int, name: str, blob: bytes, parts: list[bytes] | tuple[()]) -> int:
    is_new = not path.exists()
    with closing(sqlite3.connect(path)) as database, database:
        if is_new:
            database.executescript(_TABLES)
        done = database.execute(
            "INSERT INTO run (saved_at, format, server, arguments, offered, timeline) VALUES (?, ?, ?, ?, ?, ?)",
            (_SAVED_AT, form, name, "", 0, blob),
        )
        number = int(done.lastrowid or 0)
        rows = ((number, at, part) for at, part in enumerate(parts))
        database.executemany("INSERT INTO load_rows VALUES (?, ?, ?)", rows)
        return number


def newest(path: Path) -> tuple[int, bytes]:
    """Format and record of the run that a file of saved runs got last.

    Raises:
        LookupError: nothing was saved.
    """
    if not path.exists():
        raise LookupError("nothing was saved")
    with closing(sqlite3.connect(path)) as database:
        row = database.execute("SELECT id, format, timeline FROM run ORDER BY id DESC LIMIT 1").fetchone()
        if row is None:
            raise LookupError("nothing was saved")
        number, form, blob = row
        if form != LOAD_FORMAT:
            return form, zlib.decompress(blob)
        found = database.execute("SELECT rows FROM load_rows WHERE run = ? ORDER BY part", (number,)).fetchall()
    parts = [base64.b64encode(zlib.decompress(part)).decode() for (part,) in found]
    return form, json.dumps({"head": zlib.decompress(blob).decode(), "parts": parts}).encode()
