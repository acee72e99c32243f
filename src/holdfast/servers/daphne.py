"""daphne: Twisted's HTTP server in front of an ASGI application, one process and one event loop.

It bounds nothing itself; the listener's backlog is that of Twisted's endpoints, 50
(twisted/internet/endpoints.py, TCP4ServerEndpoint), unless `-e tcp:...:backlog=N` says otherwise.

The environment variable ASGI_THREADS sets the threads of the loop's default executor (daphne/server.py), which bounds
what an application runs there. The backlog is a part of an endpoint, so no option of its own sets it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from holdfast.model.places import Place
from holdfast.model.silent import Timeout
from holdfast.servers.adapter import ASGI, Adapter, Launch, Package, Setting, Start, launched
from holdfast.servers.address import by_endpoint, by_host_and_port, by_socket_file, no_descriptor, option_value
from holdfast.servers.timeouts import timeouts

_ENDPOINT = ("-e", "--endpoint")


def _launch(start: Start) -> Launch:
    no_descriptor(start.arguments, "--fd")
    listening = by_socket_file(start.arguments, start.socket, "-u", "--unix-socket")
    if option_value(start.arguments, *_ENDPOINT) is not None:
        listening = by_endpoint(start.arguments, start.port, *_ENDPOINT, socket=start.socket)
    elif listening is None:
        listening = by_host_and_port(start.arguments, start.port, ("--bind", "-b"), ("--port", "-p"))
    return launched(start, listening, "-m", "daphne", interface="asgi")


def _settings(arguments: Sequence[str]) -> tuple[Setting, ...]:
    named = re.search(r":backlog=(\d+)", option_value(arguments, *_ENDPOINT) or "")
    return (
        Setting("ASGI_THREADS", None, Place.IN_SERVICE, variable="ASGI_THREADS"),
        Setting("backlog", int(named[1]) if named else 50, Place.ACCEPT_QUEUE),
    )


ADAPTER = Adapter(
    name="daphne",
    packages=(Package("daphne", "daphne", "daphne"),),
    frameworks=ASGI,
    launch=_launch,
    settings=_settings,
    timeouts=timeouts(
        # twisted/web/http.py, _REQUEST_TIMEOUT, which HTTPFactory of daphne/http_protocol.py leaves.
        Timeout("timeOut", 60, ("nothing", "half a request", "idle")),
    ),
)
