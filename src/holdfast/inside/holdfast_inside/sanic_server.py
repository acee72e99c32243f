"""Starts Sanic's own command line: `python -m holdfast_inside.sanic_server` runs `sanic TARGET`.

Sanic parses the options itself (`--workers N`, `--single-process`, ...). Its workers are processes that load the
application again, so everything they need from this run is in the environment.
"""

from __future__ import annotations

import os
import runpy
import sys
from typing import List, Optional

from . import layout, options
from .load_error import LoadError


def main(argv: Optional[List[str]] = None) -> int:
    """Serves until Sanic ends; returns the exit code, 1 if the application cannot be loaded."""
    os.environ[layout.INTERFACE_VARIABLE] = "sanic"
    try:
        from . import target  # noqa: F401 - load it once here: Sanic would print a traceback and keep running
    except LoadError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    arguments = options.with_dashes(sys.argv[1:] if argv is None else argv)
    sys.argv = ["sanic", "holdfast_inside.target:application", *arguments]
    runpy.run_module("sanic", run_name="__main__")
    return 0


if __name__ == "__main__":
    sys.exit(main())
