"""Sanic's own command line, `sanic holdfast_inside.target:application`: `python -m holdfast_inside.sanic_server`.

Sanic reads the options itself (`--workers N`, `--single-process`, ...). Its workers are processes that
load the application anew, so everything of this run that they need is in the environment.
"""

from __future__ import annotations

import os
import runpy
import sys
from typing import List, Optional

from . import layout, options
from .load_error import Trouble


def main(argv: Optional[List[str]] = None) -> int:
    """Serves until it is ended. Returns the exit code: 1 is no application."""
    os.environ[layout.INTERFACE_VARIABLE] = "sanic"
    try:
        from . import target  # noqa: F401 - to see whether it can be; Sanic prints a trace and goes on
    except Trouble as trouble:
        sys.stderr.write(f"{trouble}\n")
        return 1
    arguments = options.dashed(sys.argv[1:] if argv is None else argv)
    sys.argv = ["sanic", "holdfast_inside.target:application", *arguments]
    runpy.run_module("sanic", run_name="__main__")
    return 0


if __name__ == "__main__":
    sys.exit(main())
