"""`fastpysgi.run`: `python -m holdfast_inside.fastpysgi_server`."""

from __future__ import annotations

import os
import sys
from typing import Any, Dict

from . import layout, options, runner

KNOWN: options.Known = {
    "workers": ("workers", options.count),
    "backlog": ("backlog", options.whole),
    "loop-timeout": ("loop_timeout", options.whole),
}
# Its run() has no parameter for these; they are attributes of the server.
OF_SERVER = ("backlog", "loop_timeout")


def _serve(application: Any, host: str, port: int, keywords: Dict[str, Any]) -> None:  # noqa: ANN401 - may be any
    import fastpysgi  # type: ignore[import-untyped]

    for name in OF_SERVER:
        if name in keywords:
            setattr(fastpysgi.server, name, keywords.pop(name))
    fastpysgi.run(application, host, port, **keywords)


if __name__ == "__main__":
    # It looks at the application to see by which interface to call it.
    spoken = os.environ.get(layout.INTERFACE_VARIABLE) or "wsgi"
    sys.exit(runner.run("fastpysgi", KNOWN, _serve, interface=spoken))
