"""fastpysgi: libuv in C, which calls a WSGI application on its only thread, or runs an ASGI one on asyncio's loop.

With `workers` each process has a listener of its own, since it always sets SO_REUSEPORT (fastwsgi/server.c,
init_srv()). `loop_timeout` is how long its ASGI side rests between two looks at its sockets, in microseconds.
"""

from __future__ import annotations

from collections.abc import Sequence

from holdfast.model.places import Place
from holdfast.model.silent import Timeout
from holdfast.servers.adapter import (
    ASGI,
    WSGI,
    Adapter,
    Launch,
    Package,
    Setting,
    Start,
    as_given,
    by_module,
    spellings,
)
from holdfast.servers.timeouts import timeouts


def _launch(start: Start) -> Launch:
    return by_module("fastpysgi", start.interface or "wsgi")(start)


def _settings(arguments: Sequence[str]) -> tuple[Setting, ...]:
    return as_given(
        arguments,
        Setting("workers", 1, Place.IN_SERVICE, spellings("workers")),
        Setting("backlog", 2048, Place.ACCEPT_QUEUE, spellings("backlog")),
    )


ADAPTER = Adapter(
    name="fastpysgi",
    packages=(Package("fastpysgi", "fastpysgi", "fastpysgi"),),
    frameworks={**WSGI, **ASGI},
    launch=_launch,
    settings=_settings,
    timeouts=timeouts(
        # fastpysgi.py: all of them are 0, none at all.
        Timeout("next_req_timeout", None, ("nothing", "idle")),
        Timeout("read_req_timeout", None, ("half a request",)),
    ),
)
