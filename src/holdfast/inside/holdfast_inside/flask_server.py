"""Starts Flask's development server with this run's application: `python -m holdfast_inside.flask_server`.

Calls `app.run(...)`, as the last line of a script would. A WSGI application of another framework is served by
Werkzeug's `run_simple(...)`, which `app.run` itself calls.
"""

from __future__ import annotations

import sys
from typing import Any, Dict

from . import options, runner, werkzeug_server

SERVER = "Flask's development server"
KNOWN: options.Known = {
    **werkzeug_server.KNOWN,
    "with-threads": ("threaded", True),
    "without-threads": ("threaded", False),
    "debug": ("debug", True),
    "no-debug": ("debug", False),
}


def _serve(application: Any, host: str, port: int, keywords: Dict[str, Any]) -> None:  # noqa: ANN401 - may be any
    if keywords.get("processes", 1) > 1:
        # app.run defaults to threads, and Werkzeug refuses threads together with processes.
        keywords.setdefault("threaded", False)
    flask = sys.modules.get("flask")
    if flask is not None and isinstance(application, flask.Flask):
        application.run(host, port, **{"debug": False, "use_reloader": False, **keywords})
        return
    keywords.pop("debug", None)
    werkzeug_server.serve(application, host, port, keywords)


if __name__ == "__main__":
    sys.exit(runner.run(SERVER, KNOWN, _serve))
