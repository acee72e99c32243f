"""Tells holdfast how far it has come into the processes of a person's own command.

One line for each thing that happened, appended to a file that the environment names: `pid <tab> what <tab>
detail`. A request that no view was entered for has its explanation there.
"""

from __future__ import annotations

import os

from . import layout

_LONGEST = 400  # far below what one write to a file in append mode keeps whole


def say(what: str, detail: str = "") -> None:
    """Appends a line; where that cannot be done nothing happens.

    Args:
        what: one of layout.SAID.
        detail: on one line; a longer one is cut.
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


def failed(where: str, error: BaseException) -> None:
    """The same of an error of ours, which the process must not notice."""
    say("failed", f"{where}: {type(error).__name__}: {error}")
