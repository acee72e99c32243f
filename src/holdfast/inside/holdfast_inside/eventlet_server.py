"""Starts `eventlet.wsgi.server` after `monkey_patch()`: `python -m holdfast_inside.eventlet_server`."""

from __future__ import annotations

import sys
from typing import Any, Dict

from . import options, runner

KNOWN: options.Known = {
    "max-size": ("max_size", options.count),
    "backlog": ("backlog", options.whole),
    "socket-timeout": ("socket_timeout", options.seconds),
    "keepalive": ("keepalive", True),
    "no-keepalive": ("keepalive", False),
    "reuse-port": ("reuse_port", True),
}
OF_LISTEN = ("backlog", "reuse_port")


def _serve(application: Any, host: str, port: int, keywords: Dict[str, Any]) -> None:  # noqa: ANN401 - may be any
    import eventlet  # type: ignore[import-untyped]
    from eventlet import wsgi

    listening = {name: keywords.pop(name) for name in OF_LISTEN if name in keywords}
    wsgi.server(eventlet.listen((host, port), **listening), application, **keywords)


def _patch_everything() -> None:
    import eventlet

    eventlet.monkey_patch()


if __name__ == "__main__":
    # Before the application is loaded, as eventlet's documentation requires.
    _patch_everything()
    sys.exit(runner.run("eventlet.wsgi", KNOWN, _serve))
