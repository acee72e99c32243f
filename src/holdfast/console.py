"""The answer on its way out: to the terminal, into a pipe, into a file.

Whatever goes wrong there is said as an error of its own: an answer that nobody got is none.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import click
from rich.console import Console, RenderableType

from holdfast.errors import EnvironmentFailure, HoldfastError, UsageError

STDOUT = "-"
_AGAIN = "holdfast show prints the saved run again."


class NobodyReads(Exception):  # noqa: N818 - no error: whoever read our output has seen enough (`| head`)
    """The reader of our standard output has gone."""


def say(line: str) -> None:
    """Prints a line to standard error, as far as anybody is there."""
    try:
        click.echo(line, err=True)
    except OSError:
        return  # the terminal is gone


def tell(error: HoldfastError) -> None:
    """Says what happened, why, and what to do next."""
    say(click.style("holdfast: ", fg="red", bold=True) + error.what)
    for part in (error.why, error.remedy):
        for line in part.splitlines():
            say(f"  {line}")


def show(renderable: RenderableType) -> None:
    """Prints it to standard output, in colours where that is a terminal.

    Raises:
        NobodyReads, EnvironmentFailure: as `put`.
    """
    console = Console(highlight=False)
    # Not by the console itself: of a pipe without a reader it makes an exit with 1, of a full disk a traceback.
    console.begin_capture()
    # A table wider than a pipe's 80 columns would lose its right side.
    console.print(renderable, crop=False)
    try:
        text = console.end_capture()
    except OSError as error:
        _forget_stdout()
        raise EnvironmentFailure("The answer could not be written to standard output.", str(error), _AGAIN) from error
    if not console.is_terminal:
        text = "\n".join(line.rstrip() for line in text.split("\n"))
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    put(text.encode(encoding, "replace"))


def put(content: bytes) -> None:
    """Writes bytes to standard output; as `put_stream`."""
    put_stream((content,))


def put_stream(pieces: Iterable[bytes]) -> None:
    """Writes bytes to standard output, a piece at a time, and sees to it that they arrive.

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
        raise EnvironmentFailure("The answer could not be written to standard output.", str(error), _AGAIN) from error


def check_target(target: str | None) -> None:
    """Looks whether a file may be written there: a minute of measuring must not be lost to a typing mistake.

    Args:
        target: path of the file; None and "-" are none.

    Raises:
        UsageError: its directory does not exist, or it is a directory itself.
        EnvironmentFailure: no permission.
    """
    if target is None or target == STDOUT:
        return
    path = Path(target).absolute()
    if not target or path.is_dir():
        raise UsageError(
            f"{target!r} is a directory.", "An option that writes needs the name of a file.", "Name a file in it."
        )
    if not path.parent.is_dir():
        raise UsageError(
            f"{target} cannot be written.", f"There is no directory {path.parent}.", "Make it first, or choose another."
        )
    if not os.access(path if path.exists() else path.parent, os.W_OK):
        raise EnvironmentFailure(
            f"{target} cannot be written.", "There is no permission to.", "Choose another file, or - for stdout."
        )


def write_file(target: str, content: bytes) -> None:
    """Writes a whole file, or leaves what was there.

    Raises:
        EnvironmentFailure: it cannot be written.
    """
    write_stream(target, (content,))


def write_stream(target: str, pieces: Iterable[bytes], again: str = _AGAIN) -> None:
    """Writes a whole file, a piece at a time, or leaves what was there.

    Args:
        again: how to get at the content if it cannot be written, in words.

    Raises:
        EnvironmentFailure: it cannot be written.
    """
    with whole_file(target, again) as path, path.open("wb") as stream:
        stream.writelines(pieces)


@contextlib.contextmanager
def whole_file(target: str, again: str = _AGAIN) -> Iterator[Path]:
    """Where to write what becomes the target's content if the block ends without an error, and otherwise nothing.

    Raises:
        EnvironmentFailure: an OSError of the block: it cannot be written.
    """
    path = Path(os.path.realpath(target))
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    # A device or a pipe is written itself, and so is a file in a directory that is somebody else's.
    replaces = (path.is_file() or not path.exists()) and os.access(path.parent, os.W_OK)
    try:
        if not replaces:
            yield path
            return
        try:
            if path.exists():
                beside.touch()
                shutil.copymode(path, beside)
            yield beside
            beside.replace(path)
        finally:
            with contextlib.suppress(OSError):
                beside.unlink()
    except OSError as error:
        raise EnvironmentFailure(f"{target} could not be written.", str(error), again) from error


def _forget_stdout() -> None:
    # What is still in the buffer would fail once more when the interpreter ends.
    if sys.stdout is not None:
        with contextlib.suppress(OSError, ValueError):
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, sys.stdout.fileno())
            os.close(nowhere)
