"""What a person can do where the file of saved runs cannot be read or written."""

from __future__ import annotations

import errno
import os
import sqlite3
from pathlib import Path


def advice(error: Exception, path: Path) -> str:
    """What helps against an error of the file of saved runs."""
    another = "name another with HOLDFAST_RUNS."
    number = error.errno if isinstance(error, OSError) else None
    # The low byte of SQLite's extended codes is the primary one (sqlite.org/rescode.html).
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_OK) & 0xFF
    if code == sqlite3.SQLITE_FULL or number in (errno.ENOSPC, errno.EDQUOT) or _is_full(path):
        return f"Free some space there, or {another}"
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return f"Another program keeps it locked. Try again when that has ended, or {another}"
    if code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
        return f"Move the file away to start a new one, or {another}"
    if code == sqlite3.SQLITE_ERROR:
        return f"Its tables are not those of saved runs. If it is another program's, {another}"
    if code in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM) or number in (errno.EACCES, errno.EPERM, errno.EROFS):
        return f"You may not write there; {another}"
    return f"If it cannot be a file, {another}"


def _is_full(path: Path) -> bool:
    try:
        room = os.statvfs(path.parent)
    except OSError:
        return False
    # A read-only file system, such as that of a CD, has no blocks to give either, and /proc has none at all.
    return bool(room.f_blocks) and not room.f_bavail and not room.f_flag & os.ST_RDONLY
