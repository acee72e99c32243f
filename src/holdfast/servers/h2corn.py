"""h2corn: Tokio threads in Rust do the I/O, and hand each request to the one event loop of their worker process.

It serves ASGI only, over HTTP/1.1 and HTTP/2 on the same port. Nothing bounds the tasks of that loop but
`limit_concurrency`, for each worker; a request beyond it gets 503.

Each option has an environment variable H2CORN_NAME (h2corn/_config.py, ConfigOption.env_var), which wins over a file
given with --config. `max_concurrent_streams` bounds what is in service on one HTTP/2 connection. `runtime_threads`
bounds nothing, since they only do I/O; `loop_threads` is ignored where Python has its GIL.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from holdfast.model.places import Place
from holdfast.model.silent import Timeout
from holdfast.servers.adapter import ASGI, Adapter, Launch, Package, Setting, Start, as_given, launched
from holdfast.servers.address import by_address, by_host_and_port, has_option
from holdfast.servers.timeouts import timeouts

_HOST, _PORT = ("--host",), ("--port", "-p")


def _launch(start: Start) -> Launch:
    if has_option(start.arguments, *_HOST, *_PORT):
        listening = by_host_and_port(start.arguments, start.port, _HOST, _PORT)
    else:
        listening = by_address(start.arguments, start.port, "--bind", "-b", socket=start.socket)
    return launched(start, listening, "-m", "h2corn", interface="asgi")


def _settings(arguments: Sequence[str]) -> tuple[Setting, ...]:
    given = as_given(
        arguments,
        _of("workers", 1, Place.IN_SERVICE, "-w"),
        _of("limit_concurrency", 0, Place.IN_SERVICE),
        _of("limit_connections", 0, Place.IN_SERVICE),
        replace(_of("max_concurrent_streams", 256, Place.IN_SERVICE), for_streams=True),
        _of("backlog", 1024, Place.ACCEPT_QUEUE),
    )
    # 0 is no limit.
    return tuple(replace(each, value=each.value or None) for each in given)


def _of(name: str, default: int, bounds: Place, *options: str) -> Setting:
    return Setting(name, default, bounds, ("--" + name.replace("_", "-"), *options), f"H2CORN_{name.upper()}")


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
