"""pyvoy: Envoy in front, with Python in its own process.

Envoy's worker threads accept, each from a listener of its own (SO_REUSEPORT), and hand every request on: a WSGI
application runs on a pool of `worker-threads`, 200 unless told otherwise, an ASGI application on so many event loops.
"""

from __future__ import annotations

import signal
from collections.abc import Sequence
from typing import cast

from holdfast.model.places import Place
from holdfast.servers.adapter import (
    ASGI,
    TARGET,
    WSGI,
    Adapter,
    Interface,
    Launch,
    Package,
    Setting,
    Start,
    as_given,
)
from holdfast.servers.address import by_host_and_port, option_value

_THREADS = {"wsgi": 200, "asgi": 1}


def _launch(start: Start) -> Launch:
    listening = by_host_and_port(start.arguments, start.port, ("--address",), ("--port",))
    named = option_value(start.arguments, "--interface")
    interface = cast("Interface", named if named in _THREADS else start.interface or "asgi")
    options = () if named else ("--interface", interface)
    # What follows another -- is Envoy's. Else each start leaves a file in /dev/shm, for an Envoy that takes over.
    envoy = (*(() if "--" in start.arguments else ("--",)), "--disable-hot-restart")
    argv = (start.scripts["pyvoy"], *listening.added, *options, TARGET, *listening.arguments, *envoy)
    return Launch(argv, listening.address, listening.port, interface)


def _settings(arguments: Sequence[str]) -> tuple[Setting, ...]:
    default = _THREADS.get(option_value(arguments, "--interface") or "asgi", 1)
    return as_given(arguments, Setting("worker_threads", default, Place.IN_SERVICE, ("--worker-threads",)))


ADAPTER = Adapter(
    name="pyvoy",
    packages=(Package("pyvoy", "pyvoy", "pyvoy"),),
    frameworks={**ASGI, **WSGI},
    launch=_launch,
    settings=_settings,
    executables=("pyvoy",),
    # Until Envoy has started, SIGTERM ends it before it can remove its temporary file.
    stop_signal=int(signal.SIGINT),
    reloaders=("--reload",),
)
