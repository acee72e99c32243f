"""Starts aiohttp's own server, `aiohttp.web.run_app`: `python -m holdfast_inside.aiohttp_server`."""

from __future__ import annotations

import inspect
import sys
from typing import Any, Dict

from . import options, runner

KNOWN: options.Known = {
    "backlog": ("backlog", options.whole),
    "keepalive-timeout": ("keepalive_timeout", options.seconds),
    "shutdown-timeout": ("shutdown_timeout", options.seconds),
    "handler-cancellation": ("handler_cancellation", True),
    "reuse-port": ("reuse_port", True),
    "path": ("path", str),
}


def _serve(application: Any, host: str, port: int, keywords: Dict[str, Any]) -> None:  # noqa: ANN401 - may be any
    from aiohttp import web

    if inspect.iscoroutinefunction(application):
        application = application()
    if "path" not in keywords:
        keywords.update(host=host, port=port)
    web.run_app(application, **keywords)


if __name__ == "__main__":
    sys.exit(runner.run("aiohttp.web", KNOWN, _serve, interface="aiohttp"))
