"""Files that a load names: what they hold, and what is said of one that cannot be read.

One that does not exist, or is a directory, is a mistake of the one who names it; that it may not be read lies in the
environment.
"""

from __future__ import annotations

from pathlib import Path

from holdfast.errors import EnvironmentFailure, HoldfastError, UsageError
from holdfast.model.scenario import DataRows

_CHECK = "Check the file's name."


def unreadable(file: Path, error: OSError, remedy: str = _CHECK) -> HoldfastError:
    """The error for a file whose reading failed.

    Args:
        error: why.
        remedy: what to do next, where it does not exist.
    """
    where = file.parent.absolute()
    if not where.is_dir():
        return UsageError(f"{file} does not exist.", f"The directory {where} does not exist.", remedy)
    if isinstance(error, FileNotFoundError):
        return UsageError(f"{file} does not exist.", f"Looked in {where}.", remedy)
    if isinstance(error, IsADirectoryError):
        return UsageError(f"{file} is a directory.", "The name of a file is needed.", remedy)
    return EnvironmentFailure(f"Cannot read {file}.", f"{error.strerror}.", "Check that you may read it.")


def read_input(file: Path, remedy: str = _CHECK) -> bytes:
    """Reads a file that the command line, or a scenario, names.

    Args:
        remedy: what to do next, where it does not exist.

    Raises:
        UsageError: there is no such file.
        EnvironmentFailure: it may not be read.
    """
    try:
        return file.read_bytes()
    except OSError as error:
        raise unreadable(file, error, remedy) from error


def read_body(data: str | None) -> bytes | None:
    """The body that is typed, or the content of the file that is named after an `@`; None for none.

    Raises:
        UsageError, EnvironmentFailure: as `read_input`.
    """
    if data is None or not data.startswith("@"):
        return None if data is None else data.encode()
    return read_input(Path(data[1:]), f"{_CHECK} A body that begins with @ must itself come from a file.")


def read_data_rows(file: Path | None, *, again: bool) -> DataRows | None:
    """The values of slots, from a CSV file whose first line names them; None for no file.

    Args:
        again: after the last row, begin with the first.

    Raises:
        UsageError, EnvironmentFailure: they cannot be read.
    """
    if file is None:
        return None
    import csv  # noqa: PLC0415 - most loads do without

    rows, began = [], 1
    try:
        with file.open(newline="", encoding="utf-8-sig") as stream:
            # What is in quotes may be of several lines: without `strict`, a quote that is not closed takes the rest.
            reader = csv.reader(stream, strict=True)
            for row in reader:
                rows.append(row)
                began = reader.line_num + 1
    except OSError as error:
        raise unreadable(file, error) from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise UsageError(
            f"{file} is not CSV.",
            f"The row that begins in line {began}: {error}.",
            "It must be CSV in UTF-8 with the column names in the first line, and each quote closed.",
        ) from error
    names, *values = [row for row in rows if row] or [[]]
    for number, row in enumerate(values, 1):
        if len(row) != len(names):
            raise UsageError(
                f"Row {number} of {file} has {len(row)} values, but the first line has {len(names)} names.",
                f"The row is {','.join(row)!r}.",
                "Give each row one value per name.",
            )
    if "id" in names or len(set(names)) < len(names):
        raise UsageError(
            f"The columns of {file} need different names.",
            f"They are {', '.join(names)}; id is reserved for the number of the request.",
            "Give each column its own name.",
        )
    if not values:
        raise UsageError(f"{file} has no rows.", "Its first line names the columns.", "Add rows of values below it.")
    return DataRows(tuple(names), tuple(map(tuple, values)), again, str(file))
