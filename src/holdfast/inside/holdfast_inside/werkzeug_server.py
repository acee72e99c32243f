"""Starts Werkzeug's development server, `werkzeug.serving.run_simple`: `python -m holdfast_inside.werkzeug_server`."""

from __future__ import annotations

import sys
from typing import Any, Dict

from . import options, runner

KNOWN: options.Known = {
    "processes": ("processes", options.count),
    "threaded": ("threaded", True),
    "no-threaded": ("threaded", False),
    "reload": ("use_reloader", True),
    "no-reload": ("use_reloader", False),
    "use-reloader": ("use_reloader", True),
    "debugger": ("use_debugger", True),
    "no-debugger": ("use_debugger", False),
    "use-debugger": ("use_debugger", True),
}


def serve(application: Any, host: str, port: int, keywords: Dict[str, Any]) -> None:  # noqa: ANN401 - may be any
    """Serves a WSGI application until the server ends; `keywords` go to `run_simple`."""
    from werkzeug.serving import run_simple

    run_simple(host, port, application, **keywords)


if __name__ == "__main__":
    sys.exit(runner.run("Werkzeug's run_simple", KNOWN, serve))
