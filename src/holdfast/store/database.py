"""The file of saved runs, opened to be read or written."""

from __future__ import annotations

import os
import sqlite3
import stat
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from holdfast import __distribution__, __version__
from holdfast.errors import EnvironmentFailure, UsageError
from holdfast.store.advice import advice
from holdfast.store.tables import SCHEMA, columns_of, migrate, schema_of

WRITE_WAIT_S = 60.0
"""For others that write: a load of a million rows takes several seconds, and several may end together."""
_READ_WAIT_S = 20.0
"""For one that writes while nothing else can read."""


@contextmanager
def writing(
    path: Path, wait_s: float = WRITE_WAIT_S, failed: str = "The run could not be saved in"
) -> Iterator[sqlite3.Connection]:
    """One transaction that writes, in a file of today's schema; it is kept whole, or not at all.

    Args:
        wait_s: for another program that writes.
        failed: how the error begins if it cannot be written, before the file's name.

    Raises:
        EnvironmentFailure: it cannot be written (disk full, no permission, locked); what was saved before is not
            affected.
        UsageError: a newer version made the file, which is left alone.
    """
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        # Requests are in it, with cookies and tokens: only the owner may read it.
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
        with closing(sqlite3.connect(path, timeout=wait_s, isolation_level=None)) as database:
            _check_is_ours(database, path, f"{failed} {path}.")
            _close_to_others(path)
            database.execute("BEGIN IMMEDIATE")
            try:
                migrate(database)
                yield database
                database.execute("COMMIT")
            except BaseException:
                if database.in_transaction:  # an error of the disk has ended it already
                    database.execute("ROLLBACK")
                raise
    except (sqlite3.Error, OSError) as error:
        raise EnvironmentFailure(f"{failed} {path}.", str(error), advice(error, path)) from error


@contextmanager
def reading(path: Path) -> Iterator[sqlite3.Connection | None]:
    """The file to read from, of whatever schema it has; None where nothing was ever saved.

    Raises:
        EnvironmentFailure: it cannot be read.
        UsageError: a newer version made it.
    """
    try:
        # An empty file is what is left where the disk was full when the first run was to be saved.
        if not path.exists() or (path.is_file() and not path.stat().st_size):
            yield None
            return
        # Not read-only: what a writer that was killed has left half done must be undone first.
        with closing(sqlite3.connect(path, timeout=_READ_WAIT_S, isolation_level=None)) as database:
            if database.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone():
                _check_is_ours(database, path, f"The saved runs in {path} cannot be read.")
                yield database
            else:
                yield None
    except (sqlite3.Error, OSError) as error:
        raise EnvironmentFailure(
            f"The saved runs in {path} cannot be read.", str(error), advice(error, path)
        ) from error


def _check_is_ours(database: sqlite3.Connection, path: Path, failed: str) -> None:
    """Makes sure that a file is one of saved runs, or empty, of a schema that this version knows.

    Args:
        failed: what cannot be done if it is another program's.

    Raises:
        EnvironmentFailure: it is another program's database.
        UsageError: a newer version made it.
    """
    has_tables = database.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone()
    if has_tables and "timeline" not in columns_of(database):
        raise EnvironmentFailure(
            failed,
            "It is a database with tables of another program. Nothing was written to it.",
            "Name another file with HOLDFAST_RUNS.",
        )
    schema = schema_of(database)
    if has_tables and schema > SCHEMA:
        raise UsageError(
            f"The saved runs in {path} are those of a newer version of holdfast{_version_of(database)}.",
            f"The file has schema {schema}; this version, {__version__}, knows up to {SCHEMA}. Nothing was written.",
            f"Upgrade (pip install --upgrade {__distribution__}), or name another file with HOLDFAST_RUNS.",
        )


def _version_of(database: sqlite3.Connection) -> str:
    try:
        row = database.execute("SELECT holdfast FROM schema_change ORDER BY schema DESC LIMIT 1").fetchone()
    except sqlite3.Error:
        return ""
    return f", {row[0]}" if row else ""


def _close_to_others(path: Path) -> None:
    """Takes the right to read a file from all but its owner, who may have copied it or made it with `touch`."""
    status = path.stat()
    if status.st_uid == os.geteuid() and stat.S_IMODE(status.st_mode) & 0o077:
        path.chmod(0o600)
