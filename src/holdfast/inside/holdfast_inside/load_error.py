"""Tells holdfast why the application cannot be served.

Some servers print an import error and go on without an application, so an exit code is not enough:
the cause is also written as JSON to the file that the environment names.
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
    "why": "Flask needs asgiref for async views, and itself to be 2.0 or newer; one is missing where the server runs.",
    "remedy": "Install flask[async] there.",
}


class Trouble(Exception):  # noqa: N818 - what a person reads in the server's log
    """The application cannot be served: `kind` for programs, the others in words for a person."""

    def __init__(self, kind: str, what: str, why: str = "", remedy: str = "") -> None:
        super().__init__("\n".join(part for part in (what, why, remedy) if part))
        self.kind = kind
        self.what = what
        self.why = why
        self.remedy = remedy

    def report(self) -> None:
        """Writes it to the file that holdfast reads."""
        write({"kind": self.kind, "what": self.what, "why": self.why, "remedy": self.remedy})


def write(words: Dict[str, str]) -> None:
    """Puts `words` where holdfast looks; the last writer of several processes wins."""
    path = os.environ.get(layout.TROUBLE_VARIABLE)
    if not path:
        return
    draft = f"{path}.{os.getpid()}"
    with open(draft, "w", encoding="utf-8") as file:
        json.dump(words, file)
    os.replace(draft, path)


def can_run_async(flask_class: type) -> bool:
    """Whether this Flask can run async views in this environment."""
    return hasattr(flask_class, "ensure_sync") and importlib.util.find_spec("asgiref") is not None


def check_async(flask_class: type) -> None:
    """Reports it if an async view is about to be run and cannot be."""
    if not can_run_async(flask_class):
        write(ASYNC_MISSING)
