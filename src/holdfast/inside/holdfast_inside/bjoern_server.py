"""Starts bjoern, `bjoern.run`: `python -m holdfast_inside.bjoern_server`."""

from __future__ import annotations

import importlib
import sys
from typing import Any, Dict

from . import options, runner

KNOWN: options.Known = {
    "listen-backlog": ("listen_backlog", options.whole),
    "reuse-port": ("reuse_port", True),
}


def _serve(application: Any, host: str, port: int, keywords: Dict[str, Any]) -> None:  # noqa: ANN401 - may be any
    # Imported dynamically: bjoern is compiled on installation, so type checkers may not find it.
    importlib.import_module("bjoern").run(application, host, port, **keywords)


if __name__ == "__main__":
    sys.exit(runner.run("bjoern", KNOWN, _serve))
