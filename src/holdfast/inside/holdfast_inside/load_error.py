"""Tells holdfast why the application cannot be served.

Some servers print an import error and keep running without an application, so an exit code is not enough: the
cause is also written as JSON to the file that the environment names.
"""

from __future__ import annotations

import importlib.util
import json
import os
from typing import Dict

from . import layout

ASYNC_MISSING = {
    "kind": "async-missing",
    "what": "Flask cannot run an async view here.",
    "why": "Async views need Flask 2.0 or newer and asgiref; the server's Python environment lacks one of them.",
    "remedy": "Install flask[async] in the server's environment.",
}


class LoadError(Exception):
    """The application cannot be served; also printed to the server's log.

    Args:
        kind: a fixed word for programs, such as "module-missing".
        what: what happened, one sentence.
        why: the cause, as far as it is known; may span lines.
        remedy: what to do next.
    """

    def __init__(self, kind: str, what: str, why: str = "", remedy: str = "") -> None:
        super().__init__("\n".join(part for part in (what, why, remedy) if part))
        self.kind = kind
        self.what = what
        self.why = why
        self.remedy = remedy

    def report(self) -> None:
        """Writes the error to the file that holdfast reads."""
        write_report({"kind": self.kind, "what": self.what, "why": self.why, "remedy": self.remedy})


def write_report(words: Dict[str, str]) -> None:
    """Writes `words` to the file that holdfast reads; if several processes write, the last one wins.

    Args:
        words: kind, what, why and remedy, as in `LoadError`.
    """
    path = os.environ.get(layout.TROUBLE_VARIABLE)
    if not path:
        return
    draft = f"{path}.{os.getpid()}"
    with open(draft, "w", encoding="utf-8") as file:
        json.dump(words, file)
    os.replace(draft, path)


def can_run_async(flask_class: type) -> bool:
    """Whether this Flask can run async views: it is 2.0 or newer, and asgiref is installed."""
    return hasattr(flask_class, "ensure_sync") and importlib.util.find_spec("asgiref") is not None


def check_async(flask_class: type) -> None:
    """Reports ASYNC_MISSING if this Flask cannot run the async view that it is about to run."""
    if not can_run_async(flask_class):
        write_report(ASYNC_MISSING)
