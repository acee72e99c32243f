"""Flask's development server with the application of this run: `python -m holdfast_inside.flask_server`.

Runs `app.run(...)` as a script's last line would; for a WSGI application that is not Flask's,
Werkzeug's `run_simple(...)`, which is what `app.run` calls.
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
        # app.run's own default is threads, and Werkzeug takes either.
        keywords.setdefault("threaded", False)
    flask = sys.modules.get("flask")
    if flask is not None and isinstance(application, flask.Flask):
        application.run(host, port, **{"debug": False, "use_reloader": False, **keywords})
        return
    keywords.pop("debug", None)
    werkzeug_server.serve(application, host, port, keywords)


if __name__ == "__main__":
    sys.exit(runner.run(SERVER, KNOWN, _serve))
