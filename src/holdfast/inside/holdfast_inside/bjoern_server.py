"""`bjoern.run`: `python -m holdfast_inside.bjoern_server`."""

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
    # Not by its name: it is built where it is installed, and tools that read this may lack what it is built of.
    importlib.import_module("bjoern").run(application, host, port, **keywords)


if __name__ == "__main__":
    sys.exit(runner.run("bjoern", KNOWN, _serve))
