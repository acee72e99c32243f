"""granian: a Rust runtime accepts and reads; Python runs on an event loop, or for WSGI on blocking threads.

`backpressure` connections are accepted by each worker and no more; of WSGI's `blocking_threads` there
are half as many by default (granian/server/common.py, AbstractServer.__init__). Each worker has a
listener of its own on Linux (_init_shared_socket; server/mp.py). Where Python runs without the GIL, workers are threads
of one process (server/__init__.py, MTServer), and the numbers are the same.

Each option has an environment variable GRANIAN_NAME (granian/cli.py, entrypoint()). `backpressure` is what one worker's
part of the backlog comes to where it is not given (the same __init__). `runtime_threads` run Rust's I/O, and
`runtime_blocking_threads` its file system work: no request waits for them. More blocking threads than one are refused
under ASGI and RSGI (granian/server/common.py, startup()).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
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
    as_given,
    launched,
)
from holdfast.servers.address import by_host_and_port, by_socket_file, option_value
from holdfast.servers.timeouts import timeouts

# asginl is ASGI without the lifespan protocol.
_INTERFACES = {"asgi": "asgi", "asginl": "asgi", "wsgi": "wsgi", "rsgi": "rsgi"}
# Fewer its command line refuses (granian/cli.py).
_LEAST_BACKLOG, _LEAST_STREAMS = 128, 10


def _launch(start: Start) -> Launch:
    listening = by_socket_file(start.arguments, start.socket, "--uds") or by_host_and_port(start.arguments, start.port)
    named = option_value(start.arguments, "--interface")
    # Its own default is rsgi, which only few applications have.
    interface = cast("Interface", _INTERFACES.get(named or start.interface or "asgi", "asgi"))
    options = () if named else ("--interface", interface)
    return launched(start, listening, "-m", "granian", *options, interface=interface)


def _settings(arguments: Sequence[str]) -> tuple[Setting, ...]:
    is_wsgi = option_value(arguments, "--interface") == "wsgi"
    workers, backlog = as_given(
        arguments,
        _of("workers", 1, Place.IN_SERVICE),
        replace(_of("backlog", 1024, Place.ACCEPT_QUEUE), least=_LEAST_BACKLOG),
    )
    accepted = max(_LEAST_BACKLOG, backlog.value or 0)
    place = Place.USERSPACE_QUEUE if is_wsgi else Place.IN_SERVICE
    (pressure,) = as_given(arguments, _of("backpressure", max(1, accepted // (workers.value or 1)), place))
    threads = as_given(arguments, _of("blocking_threads", max(1, (pressure.value or 1) // 2), Place.IN_SERVICE))
    further = as_given(
        arguments,
        replace(_of("runtime_threads", 1, Place.IN_SERVICE), counts=False),
        replace(_of("runtime_blocking_threads", 512, Place.IN_SERVICE), counts=False),
        replace(_of("http2_max_concurrent_streams", 200, Place.IN_SERVICE), for_streams=True, least=_LEAST_STREAMS),
    )
    return (workers, *(threads if is_wsgi else ()), pressure, replace(backlog, value=accepted), *further)


def _of(name: str, default: int, bounds: Place) -> Setting:
    return Setting(name, default, bounds, ("--" + name.replace("_", "-"),), f"GRANIAN_{name.upper()}")


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
