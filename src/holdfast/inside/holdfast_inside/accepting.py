"""Lets connections be followed that a process accepts by Python's own socket class.

Servers that are not known read their requests from such a connection, whichever way they do it. Until holdfast asks for
it, which it does where nothing else is found, each accepted connection costs one look into the record.
"""

from __future__ import annotations

import functools
import sys
from typing import Any

from . import layout

_asked: Any = None
"""The record's bytes, once they are mapped; False where they cannot be."""


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
        return _followed(accepted) if type(accepted[0]) is cls and _is_asked() else accepted

    cls.accept = accept


def _is_asked() -> bool:
    global _asked  # noqa: PLW0603 - mapped once
    if _asked is None:
        try:
            from . import recorder

            _asked = recorder.record().data
        except Exception:
            _asked = False
    # Trio takes none but Python's own.
    return bool(_asked and _asked[layout.SOCKETS_OFFSET] and "trio" not in sys.modules)


def _followed(accepted: Any) -> Any:  # noqa: ANN401 - a connection and an address
    from . import followed, startup_report

    try:
        return followed.follow(accepted[0]), accepted[1]
    except Exception as error:
        startup_report.report_failure("socket", error)
        return accepted
