"""What is said of a file that a command line names and that cannot be read.

One that does not exist, or is a directory, is a mistake in the command line; that it may not be read lies in the
environment.
"""

from __future__ import annotations

from pathlib import Path

from holdfast.errors import EnvironmentFailure, HoldfastError, UsageError


def unreadable(file: Path, error: OSError, remedy: str = "Check the file's name.") -> HoldfastError:
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
        return UsageError(f"{file} is a directory.", "The option needs the name of a file.", remedy)
    return EnvironmentFailure(f"Cannot read {file}.", f"{error.strerror}.", "Check that you may read it.")
