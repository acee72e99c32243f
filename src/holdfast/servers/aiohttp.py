"""aiohttp's own server, `aiohttp.web.run_app`: one process, one event loop, and no bound of its own.

The backlog is 128 (aiohttp/web.py, run_app).
"""

from __future__ import annotations

from collections.abc import Sequence

from holdfast.model.places import Place
from holdfast.model.silent import Timeout
from holdfast.servers.adapter import (
    FRAMEWORKS,
    Adapter,
    Launch,
    Package,
    Setting,
    Start,
    as_given,
    by_module,
    launched,
    spellings,
)
from holdfast.servers.address import by_socket_file
from holdfast.servers.timeouts import timeouts


def _launch(start: Start) -> Launch:
    listening = by_socket_file(start.arguments, start.socket, "--path", "path")
    if listening is None:
        return by_module("aiohttp", "aiohttp")(start)
    return launched(start, listening, "-m", "holdfast_inside.aiohttp_server", app="", interface="aiohttp")


def _settings(arguments: Sequence[str]) -> tuple[Setting, ...]:
    return as_given(arguments, Setting("backlog", 128, Place.ACCEPT_QUEUE, spellings("backlog")))


ADAPTER = Adapter(
    name="aiohttp",
    packages=(Package("aiohttp", "aiohttp", "aiohttp"),),
    frameworks={"aiohttp": FRAMEWORKS["aiohttp"]},
    launch=_launch,
    settings=_settings,
    timeouts=timeouts(
        # aiohttp/web.py, run_app(); web_protocol.py, connection_made() and _process_keepalive().
        Timeout(
            "keepalive_timeout",
            75,
            ("nothing", "half a request", "idle"),
            options=("--keepalive-timeout", "keepalive_timeout"),
        ),
    ),
)
