"""Reports how far holdfast got in instrumenting the processes of the user's own command.

Appends one line per event to a file that the environment names: `pid <tab> what <tab> detail`. If a request enters
no view, the explanation is there.
"""

from __future__ import annotations

import os

from . import layout

_LONGEST = 400  # far below what one write to a file in append mode keeps whole


def report(what: str, detail: str = "") -> None:
    """Appends a line; does nothing if that fails.

    Args:
        what: one of layout.SAID.
        detail: joined into one line and truncated.
    """
    path = os.environ.get(layout.HELLO_VARIABLE)
    if not path:
        return
    line = "\t".join((str(os.getpid()), what, " ".join(detail.split())))
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | getattr(os, "O_CLOEXEC", 0))
        try:
            os.write(descriptor, line.encode("utf-8", "replace")[:_LONGEST] + b"\n")
        finally:
            os.close(descriptor)
    except OSError:
        return


def report_failure(where: str, error: BaseException) -> None:
    """Reports an error of holdfast's own code, which the process must not notice."""
    report("failed", f"{where}: {type(error).__name__}: {error}")
