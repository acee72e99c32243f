"""The answer on its way out: to the terminal, into a pipe, into a file.

What goes wrong there is an error of its own: an answer that did not arrive is not an answer.

All text that is shown comes through here, and text from outside (labels, addresses, headers, logs, command lines) loses
what would control a terminal: `say` and `tell` take it away, and so does `report.layout` for what `show` prints.
"""

from __future__ import annotations

import contextlib
import errno
import io
import os
import stat
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import IO

from holdfast.errors import EnvironmentFailure, HoldfastError, UsageError
from holdfast.model.printable import in_ascii, printable

STDOUT = "-"
_AGAIN = "`holdfast show` prints the saved run again."
_NAME_BYTES = 50  # of the target's in the name of what becomes it: a name has at most 255 (NAME_MAX), so 4 for each
_COLUMNS = 80
"""Where there is no terminal."""


class NobodyReads(Exception):  # noqa: N818 - not an error: the reader has seen enough (`| head`)
    """The reader of our standard output has gone."""


def say(line: str) -> None:
    """Prints a line to standard error, if that is still there; what cannot be seen of it, as an escape."""
    _write_to_stderr(f"{printable(line)}\n")


def tell(error: HoldfastError) -> None:
    """Says what happened, why, and what to do next."""
    _write_to_stderr("\x1b[1;31mholdfast: \x1b[0m" if _takes_styles(sys.stderr) else "holdfast: ")
    say(error.what)
    for part in (error.why, error.remedy):
        for line in part.splitlines():
            say(f"  {line}")


def _write_to_stderr(text: str) -> None:
    if sys.stderr is None:
        return
    try:
        sys.stderr.write(text)
        sys.stderr.flush()
    except (OSError, ValueError):
        return  # the terminal is gone, or the stream was closed


def _columns_of_terminal() -> int:
    import shutil  # noqa: PLC0415 - 0.3 MB that a load would have while it runs

    return shutil.get_terminal_size((_COLUMNS, 24)).columns


def show(drawn: Callable[[int, bool], str]) -> None:
    """Prints something to standard output, in colours where that is a terminal.

    Args:
        drawn: gives its text for so many columns, with escape sequences of ours or without; text from outside in it
            has none any more (`report.layout`).

    Raises:
        NobodyReads, EnvironmentFailure: as `put`.
    """
    styled = _takes_styles(sys.stdout)
    columns = _columns_of_terminal() if styled else _COLUMNS
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    text = drawn(columns, styled)
    text = text if styled else printable(text)
    try:
        content = text.encode(encoding)
    except UnicodeEncodeError:
        content = in_ascii(text).encode(encoding, "replace")
    put(content)


def _takes_styles(stream: object) -> bool:
    """Whether what is written there may have escape sequences (https://no-color.org, https://force-color.org)."""
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR"):
        return True
    terminal = isinstance(stream, io.TextIOBase) and stream.isatty()
    return terminal and os.environ.get("TERM", "dumb") not in ("dumb", "unknown")


def put(content: bytes) -> None:
    """Writes bytes to standard output; as `put_stream`."""
    put_stream((content,))


def put_stream(pieces: Iterable[bytes]) -> None:
    """Writes bytes to standard output, a piece at a time, and makes sure that they arrive.

    Raises:
        NobodyReads: it is a pipe whose reader has gone.
        EnvironmentFailure: it cannot be written (disk full, closed).
    """
    try:
        if sys.stdout is None:
            raise OSError("it is closed")
        sys.stdout.flush()
        sys.stdout.buffer.writelines(pieces)
        sys.stdout.flush()
    except BrokenPipeError:
        _forget_stdout()
        raise NobodyReads from None
    except OSError as error:
        _forget_stdout()
        raise EnvironmentFailure("Cannot write the answer to standard output.", str(error), _AGAIN) from error


def check_target(target: str | None) -> None:
    """Makes sure that a file can be written there: a typing mistake must not cost a minute of measuring.

    Args:
        target: path of the file; None and "-" (standard output) are never refused.

    Raises:
        UsageError: it is a directory, or its directory does not exist.
        EnvironmentFailure: no permission.
    """
    if target is None or target == STDOUT:
        return
    path = Path(target).absolute()
    if not target or path.is_dir():
        raise UsageError(
            f"{target!r} is a directory.", "The option needs the name of a file.", "Name a file in that directory."
        )
    if not path.parent.is_dir():
        raise UsageError(
            f"Cannot write {target}.",
            f"The directory {path.parent} does not exist.",
            "Create it first, or choose another.",
        )
    if not os.access(path if path.exists() else path.parent, os.W_OK):
        raise EnvironmentFailure(
            f"Cannot write {target}.", "Permission denied.", "Choose another file, or - for standard output."
        )


def write_file(target: str, content: bytes) -> None:
    """Writes a whole file, or leaves what was there before.

    Raises:
        EnvironmentFailure: it cannot be written.
    """
    write_stream(target, (content,))


def write_stream(target: str, pieces: Iterable[bytes], again: str = _AGAIN) -> None:
    """Writes a whole file, a piece at a time, or leaves what was there before.

    Args:
        again: how to get the content if it cannot be written, in words.

    Raises:
        EnvironmentFailure: it cannot be written.
    """
    with _whole_file(target, again) as (_, stream):
        stream.writelines(pieces)


@contextlib.contextmanager
def whole_file(target: str, again: str = _AGAIN) -> Iterator[Path]:
    """Gives the path to write to; its content becomes the target's if the block ends without an error.

    Raises:
        EnvironmentFailure: the block raised an OSError: it cannot be written.
    """
    with _whole_file(target, again) as (path, _):
        yield path


@contextlib.contextmanager
def _whole_file(target: str, again: str) -> Iterator[tuple[Path, IO[bytes]]]:
    """As `whole_file`, with the same file opened for writing."""
    path = Path(os.path.realpath(target))
    # A device or a pipe is written directly, and so is a file in a directory that we may not write to.
    replaces = (path.is_file() or not path.exists()) and os.access(path.parent, os.W_OK)
    try:
        if not replaces:
            with path.open("wb") as stream:
                yield path, stream
            return
        # A name that cannot be foreseen, and only a file that we have made: in a directory where others may write,
        # there could be a link of theirs, to a file of ours.
        temporary = path.with_name(f".{path.name[:_NAME_BYTES]}.{os.urandom(8).hex()}")
        with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666), "wb") as stream:
            try:
                if path.exists():
                    os.fchmod(stream.fileno(), stat.S_IMODE(path.stat().st_mode))
                yield temporary, stream
                stream.flush()
                if not os.path.samestat(os.fstat(stream.fileno()), temporary.lstat()):
                    raise FileExistsError(errno.EEXIST, "Another program has replaced the file while it was written")
                temporary.replace(path)
            finally:
                with contextlib.suppress(OSError):
                    temporary.unlink()
    except OSError as error:
        raise EnvironmentFailure(f"Cannot write {target}.", str(error), again) from error


def _forget_stdout() -> None:
    # What is still in the buffer would fail once more when the interpreter ends.
    if sys.stdout is not None:
        with contextlib.suppress(OSError, ValueError):
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, sys.stdout.fileno())
            os.close(nowhere)
