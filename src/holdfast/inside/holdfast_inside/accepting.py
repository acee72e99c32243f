"""Lets connections be followed that a process accepts by Python's own socket class, and notes where a loop accepts.

Servers that are not known read their requests from such a connection, whichever way they do it. Until holdfast asks for
it, which it does where nothing else is found, each accepted connection costs one look into the record. A loop that is
written in C (uvloop) accepts by itself, and is not seen.
"""

from __future__ import annotations

import contextlib
import functools
import os
import sys
from typing import Any, Set, Tuple

from . import layout

_asked: Any = None
"""The record's bytes, once they are mapped; False where they cannot be."""
_loop_runs: Any = None
"""`loops.loop_runs`, known with them: to import it anew for each connection takes longer than to call it."""
_noted: Set[Tuple[int, int]] = set()
"""Listening sockets and processes that need no further look at the record; a fork has those of its parent."""


def install(name: str) -> None:
    """Surrounds `accept` of the imported module's socket class.

    It is replaced, not surrounded by `gate`: almost every Python imports this module, and must not import what that
    needs.
    """
    cls: Any = sys.modules[name].socket
    original = cls.accept

    @functools.wraps(original)
    def accept(self: Any) -> Any:  # noqa: ANN401 - as the standard library's
        accepted = original(self)
        data = _data()
        if not data:
            return accepted
        with contextlib.suppress(Exception):
            _note_loop(self, data)
        # Trio takes none but Python's own.
        follows = data[layout.SOCKETS_OFFSET] and type(accepted[0]) is cls and "trio" not in sys.modules
        return _followed(accepted) if follows else accepted

    cls.accept = accept


def _data() -> Any:  # noqa: ANN401 - see `_asked`
    global _asked, _loop_runs  # noqa: PLW0603 - mapped once
    if _asked is None:
        try:
            from . import loops, recorder

            _loop_runs = loops.loop_runs
            _asked = recorder.record().data
        except Exception:
            _asked = False
    return _asked


def _note_loop(listener: Any, data: Any) -> None:  # noqa: ANN401 - a socket and the record's bytes
    if not _loop_runs():
        return
    mine, size = (os.fstat(listener.fileno()).st_ino, os.getpid()), layout.LOOP_ACCEPTS.size
    if mine in _noted:
        return
    _noted.add(mine)
    for at in range(layout.MOST_LOOP_ACCEPTS):
        offset = layout.LOOP_ACCEPTS_OFFSET + at * size
        noted = layout.LOOP_ACCEPTS.unpack_from(data, offset)
        if noted == mine:
            return
        # A process that has ended needs its place no more: a server may replace its workers again and again.
        if noted == (0, 0) or not os.path.exists(f"/proc/{noted[1]}"):
            layout.LOOP_ACCEPTS.pack_into(data, offset, *mine)
            return


def _followed(accepted: Any) -> Any:  # noqa: ANN401 - a connection and an address
    from . import followed, startup_report

    try:
        return followed.follow(accepted[0]), accepted[1]
    except Exception as error:
        startup_report.report_failure("socket", error)
        return accepted
