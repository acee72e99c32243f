"""granian: a Rust runtime accepts and reads; Python runs on an event loop, or for WSGI on blocking threads.

`backpressure` connections are accepted by each worker and no more; of WSGI's `blocking_threads` there
are half as many by default (granian/server/common.py, AbstractServer.__init__). Each worker has a
listener of its own on Linux (_init_shared_socket; server/mp.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from holdfast.model.places import Place
from holdfast.model.silent import Timeout
from holdfast.servers.adapter import (
    ASGI,
    FRAMEWORKS,
    WSGI,
    Adapter,
    Interface,
    Launch,
    Package,
    Setting,
    Start,
    launched,
)
from holdfast.servers.address import by_host_and_port, by_socket_file, option_number, option_value
from holdfast.servers.timeouts import timeouts

# asginl is ASGI without the lifespan protocol.
_INTERFACES = {"asgi": "asgi", "asginl": "asgi", "wsgi": "wsgi", "rsgi": "rsgi"}
_LEAST_BACKLOG = 128


def _launch(start: Start) -> Launch:
    listening = by_socket_file(start.arguments, start.socket, "--uds") or by_host_and_port(start.arguments, start.port)
    named = option_value(start.arguments, "--interface")
    # Its own default is rsgi, which only few applications have.
    interface = cast("Interface", _INTERFACES.get(named or start.interface or "asgi", "asgi"))
    options = () if named else ("--interface", interface)
    return launched(start, listening, "-m", "granian", *options, interface=interface)


def _settings(arguments: Sequence[str]) -> tuple[Setting, ...]:
    workers = option_number(arguments, "--workers", default=1) or 1
    backlog = max(_LEAST_BACKLOG, option_number(arguments, "--backlog", default=1024) or 0)
    pressure = option_number(arguments, "--backpressure", default=max(1, backlog // workers)) or 1
    settings = [
        Setting("workers", workers, Place.IN_SERVICE),
        Setting("backpressure", pressure, Place.IN_SERVICE),
        Setting("backlog", backlog, Place.ACCEPT_QUEUE),
    ]
    if option_value(arguments, "--interface") == "wsgi":
        threads = option_number(arguments, "--blocking-threads", default=max(1, pressure // 2))
        settings[1:2] = [
            Setting("blocking_threads", threads, Place.IN_SERVICE),
            Setting("backpressure", pressure, Place.USERSPACE_QUEUE),
        ]
    return tuple(settings)


ADAPTER = Adapter(
    name="granian",
    packages=(Package("granian", "granian", "granian"),),
    frameworks={**ASGI, **WSGI, "rsgi": FRAMEWORKS["rsgi"]},
    launch=_launch,
    settings=_settings,
    reloaders=("--reload",),
    timeouts=timeouts(
        # granian/http.py, HTTP1Settings.header_read_timeout, in milliseconds.
        Timeout(
            "http1_header_read_timeout",
            30,
            ("nothing", "half a request", "idle"),
            options=("--http1-header-read-timeout",),
            units_per_s=1000,
        ),
    ),
)
