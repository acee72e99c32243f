"""h2corn: Tokio threads in Rust do the I/O, and hand each request to the one event loop of their worker process.

It serves ASGI only, over HTTP/1.1 and HTTP/2 on the same port. Nothing bounds the tasks of that loop but
`limit_concurrency`, for each worker; a request beyond it gets 503.
"""

from __future__ import annotations

from collections.abc import Sequence

from holdfast.model.places import Place
from holdfast.model.silent import Timeout
from holdfast.servers.adapter import ASGI, Adapter, Launch, Package, Setting, Start, launched
from holdfast.servers.address import by_address, by_host_and_port, has_option, option_number
from holdfast.servers.timeouts import timeouts

_HOST, _PORT = ("--host",), ("--port", "-p")


def _launch(start: Start) -> Launch:
    if has_option(start.arguments, *_HOST, *_PORT):
        listening = by_host_and_port(start.arguments, start.port, _HOST, _PORT)
    else:
        listening = by_address(start.arguments, start.port, "--bind", "-b", socket=start.socket)
    return launched(start, listening, "-m", "h2corn", interface="asgi")


def _settings(arguments: Sequence[str]) -> tuple[Setting, ...]:
    # 0 is no limit.
    tasks = option_number(arguments, "--limit-concurrency") or None
    connections = option_number(arguments, "--limit-connections") or None
    return (
        Setting("workers", option_number(arguments, "-w", "--workers", default=1), Place.IN_SERVICE),
        Setting("limit_concurrency", tasks, Place.IN_SERVICE),
        Setting("limit_connections", connections, Place.IN_SERVICE),
        Setting("backlog", option_number(arguments, "--backlog", default=1024), Place.ACCEPT_QUEUE),
    )


ADAPTER = Adapter(
    name="h2corn",
    packages=(Package("h2corn", "h2corn", "h2corn"),),
    frameworks=ASGI,
    launch=_launch,
    settings=_settings,
    reloaders=("--reload",),
    timeouts=timeouts(
        # h2corn/_config.py, Config.
        Timeout("timeout_handshake", 5, ("nothing",), options=("--timeout-handshake",)),
        Timeout("timeout_request_header", 10, ("half a request",), options=("--timeout-request-header",)),
        Timeout("timeout_keep_alive", 120, ("idle",), options=("--timeout-keep-alive",)),
    ),
)
